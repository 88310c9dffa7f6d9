"""Why the pool says no about rules and applications."""

from typing import ClassVar

from flexjob_pool.domain.refusals import Clash, Refusal


class NoRulesInForce(Clash):
    """No rules of the pool are in force on that day."""

    danish = "Der gælder ingen regler for puljen den dag."
    field = "occurred_on"


class ApplicationExists(Clash):
    """An application is registered under that id already."""

    danish = "Der er allerede registreret en ansøgning under det id."
    field = "application_id"


class ApplicationUnknown(Refusal):
    """No application is registered under that id."""

    danish = "Der er ikke registreret en ansøgning under det id."
    field = "application_id"


class AlreadyDecided(Clash):
    """The application has been decided; that happens once."""

    danish = "Ansøgningen er afgjort; det sker kun én gang."


class ApplicationIsWithdrawn(Clash):
    """The workplace has withdrawn the application."""

    danish = "Arbejdspladsen har trukket ansøgningen tilbage."


class BeforeSubmission(Refusal):
    """That cannot lie before the day on which the application was submitted."""

    danish = "Det kan ikke ligge før den dag, ansøgningen blev indsendt."
    field = "occurred_on"


class Exclusion(Clash):
    """The rules keep an application from the pool; `reject_code` says the same in the list of rejections."""

    reject_code: ClassVar[str]


class UnitNotEligible(Exclusion):
    """The rules in force that day do not let this workplace draw on the pool."""

    danish = "Arbejdspladsen er ikke omfattet af de regler, der gælder den dag."
    reject_code = "unit_not_eligible"


class HoursAboveMaximum(Exclusion):
    """The rules in force that day allow at most {maximum} effective hours a week."""

    danish = "De regler, der gælder den dag, tillader højst {maximum} effektive timer om ugen."
    reject_code = "hours_above_maximum"


class MonthsAboveMaximum(Exclusion):
    """The rules in force that day allow at most {maximum} months."""

    danish = "De regler, der gælder den dag, tillader højst {maximum} måneder."
    reject_code = "months_above_maximum"


class NotApproved(Clash):
    """The application is not approved."""

    danish = "Ansøgningen er ikke godkendt."


class AnnulledBeforeApproval(Refusal):
    """An approval cannot be annulled before the day on which it was given."""

    danish = "En godkendelse kan ikke annulleres før den dag, den blev givet."
    field = "occurred_on"


class GrantStillDraws(Clash):
    """A grant rests on the approval and draws on the pool that day; release it whole first."""

    danish = "Et tilsagn hviler på godkendelsen og trækker på puljen den dag; frigiv det først helt."
