"""Why the pool says no, for a caseworker: a docstring is the English text. No value about a person is echoed."""

from collections.abc import Iterable
from typing import ClassVar


class Refusal(Exception):
    """What was asked breaks a rule; `field` names what it concerns in the request, empty for the whole of it."""

    danish: ClassVar[str]
    field: str = ""

    def __init__(self, **facts: object) -> None:
        self.in_english = (self.__doc__ or "").format(**facts)
        self.in_danish = self.danish.format(**{name: str(fact).replace(".", ",") for name, fact in facts.items()})
        super().__init__(self.in_english)

    @property
    def reasons(self) -> tuple["Refusal", ...]:
        """Every single reason."""
        return (self,)


class Clash(Refusal):
    """What is registered already stands in the way."""


class SeveralReasons(Refusal):
    """More than one thing stands in the way."""

    danish = "Flere forhold står i vejen."

    def __init__(self, reasons: tuple[Refusal, ...]) -> None:
        super().__init__()
        self.all = reasons

    @property
    def reasons(self) -> tuple[Refusal, ...]:
        """Every single reason."""
        return self.all


def refuse(reasons: Iterable[Refusal]) -> None:
    """Raise what there is: nothing, the one reason, or all of them together."""
    found = tuple(reasons)
    if len(found) == 1:
        raise found[0]
    if found:
        raise SeveralReasons(found)


class NotRegistered(Refusal):
    """Nothing is registered under that id."""

    danish = "Der er ikke registreret noget under det id."


class DateOutOfReach(Refusal):
    """The date must lie between 1 January 1990 and two years from today."""

    danish = "Datoen skal ligge mellem 1. januar 1990 og to år frem fra i dag."

    def __init__(self, field: str) -> None:
        super().__init__()
        self.field = field


class CodeNotInForce(Refusal):
    """The code is not in its code list on that date."""

    danish = "Koden findes ikke i kodelisten på den dato."

    def __init__(self, field: str) -> None:
        super().__init__()
        self.field = field


class NothingChanges(Clash):
    """This is what is registered already; nothing would change."""

    danish = "Det er allerede registreret sådan; intet ville ændre sig."


class NoRulesInForce(Clash):
    """No rules of the pool are in force on that day."""

    danish = "Der gælder ingen regler for puljen den dag."
    field = "occurred_on"


class BudgetOfAnotherYear(Clash):
    """The budget belongs to another fiscal year."""

    danish = "Budgettet hører til et andet regnskabsår."
    field = "fiscal_year"


class BudgetDatedBack(Clash):
    """A new total may not be dated before the total that it replaces."""

    danish = "Et nyt budgetbeløb kan ikke dateres før det beløb, det afløser."
    field = "occurred_on"


class BudgetBelowCommitments(Clash):
    """More of the year's budget has been committed than the new total would leave."""

    danish = "Der er givet tilsagn for mere, end det nye beløb ville give plads til i regnskabsåret."
    field = "amount_ore"


class BudgetExceeded(Clash):
    """The budget of {fiscal_year} does not have that much left from that day on."""

    danish = "Der er ikke så meget tilbage i budgettet for {fiscal_year} fra den dag."


class ApplicationExists(Clash):
    """An application is registered under that id already."""

    danish = "Der er allerede registreret en ansøgning under det id."
    field = "application_id"


class AlreadyDecided(Clash):
    """The application has been decided; that happens once."""

    danish = "Ansøgningen er afgjort; det sker kun én gang."


class DecidedBeforeSubmission(Refusal):
    """An application cannot be decided before it was submitted."""

    danish = "En ansøgning kan ikke afgøres, før den er indsendt."
    field = "occurred_on"


class UnitNotEligible(Clash):
    """The rules in force that day do not let this workplace draw on the pool."""

    danish = "Arbejdspladsen er ikke omfattet af de regler, der gælder den dag."


class HoursAboveMaximum(Clash):
    """The rules in force that day allow at most {maximum} effective hours a week."""

    danish = "De regler, der gælder den dag, tillader højst {maximum} effektive timer om ugen."


class MonthsAboveMaximum(Clash):
    """The rules in force that day allow at most {maximum} months."""

    danish = "De regler, der gælder den dag, tillader højst {maximum} måneder."


class ApplicationUnknown(Refusal):
    """No application is registered under that id."""

    danish = "Der er ikke registreret en ansøgning under det id."
    field = "application_id"


class NotApproved(Clash):
    """The application has not been approved."""

    danish = "Ansøgningen er ikke godkendt."
    field = "application_id"


class AlreadyGranted(Clash):
    """Money has been committed for this application already."""

    danish = "Der er allerede givet tilsagn til denne ansøgning."
    field = "application_id"


class GrantExists(Clash):
    """A grant is registered under that id already."""

    danish = "Der er allerede registreret et tilsagn under det id."
    field = "grant_id"


class CommittedBeforeApproval(Refusal):
    """Money cannot be committed before the application was approved."""

    danish = "Der kan ikke gives tilsagn, før ansøgningen er godkendt."
    field = "occurred_on"


class PeriodIsEmpty(Refusal):
    """The period must end after it begins."""

    danish = "Perioden skal slutte, efter den begynder."
    field = "period_to"


class PeriodLongerThanApproved(Refusal):
    """The period is longer than the {months} months that were approved."""

    danish = "Perioden er længere end de {months} måneder, der er godkendt."
    field = "period_to"


class PlacementAlreadyStarted(Clash):
    """A flexjob has been started under that placement id already."""

    danish = "Der er allerede startet et fleksjob under det placement_id."
    field = "placement_id"


class GrantUnknown(Refusal):
    """No grant is registered under that id."""

    danish = "Der er ikke registreret et tilsagn under det id."
    field = "grant_id"


class GrantIsReleased(Clash):
    """The grant has been released to the pool again."""

    danish = "Tilsagnet er frigivet til puljen igen."
    field = "grant_id"


class GrantInUse(Clash):
    """The grant already pays for another flexjob."""

    danish = "Tilsagnet betaler allerede et andet fleksjob."
    field = "grant_id"


class GrantOfAnotherWorkplace(Refusal):
    """The grant is for a flexjob at another workplace."""

    danish = "Tilsagnet gælder et fleksjob på en anden arbejdsplads."
    field = "grant_id"


class OutsideGrantPeriod(Refusal):
    """The flexjob must start within the period of the grant."""

    danish = "Fleksjobbet skal starte inden for tilsagnets periode."
    field = "occurred_on"


class HoursAboveGrant(Refusal):
    """The grant is for at most {granted} effective hours a week."""

    danish = "Tilsagnet gælder højst {granted} effektive timer om ugen."
    field = "effective_hours_per_week"


class EffectiveAboveAttendance(Refusal):
    """Effective hours cannot exceed attendance hours in the scheme from 2013."""

    danish = "De effektive timer kan ikke overstige fremmødetimerne i ordningen fra 2013."
    field = "effective_hours_per_week"


class ChangedBeforeStart(Refusal):
    """Hours cannot change before the flexjob started."""

    danish = "Timerne kan ikke ændres, før fleksjobbet er startet."
    field = "occurred_on"


class ChangedAfterEnd(Refusal):
    """Hours cannot change once the flexjob is over."""

    danish = "Timerne kan ikke ændres, når fleksjobbet er slut."
    field = "occurred_on"


class AlreadyEnded(Clash):
    """The flexjob has ended already."""

    danish = "Fleksjobbet er allerede afsluttet."


class EndedBeforeStart(Refusal):
    """A flexjob cannot end before it started."""

    danish = "Et fleksjob kan ikke slutte, før det er startet."
    field = "occurred_on"
