"""Why the pool says no about flexjobs and their reviews."""

from flexjob_pool.domain.refusals import Clash, Refusal


class PlacementAlreadyStarted(Clash):
    """A flexjob has been started under that placement id already."""

    danish = "Der er allerede startet et fleksjob under det placement_id."
    field = "placement_id"


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


class BeforeStart(Refusal):
    """That cannot lie before the first day of the flexjob."""

    danish = "Det kan ikke ligge før fleksjobbets første dag."
    field = "occurred_on"


class AfterEnd(Refusal):
    """That cannot lie after the last day of the flexjob."""

    danish = "Det kan ikke ligge efter fleksjobbets sidste dag."
    field = "occurred_on"


class AlreadyOrdinary(Clash):
    """The person's way from this flexjob to ordinary employment is registered already."""

    danish = "Det er allerede registreret, at personen er gået fra dette fleksjob til ordinær ansættelse."


class AlreadyEnded(Clash):
    """The flexjob has ended already."""

    danish = "Fleksjobbet er allerede afsluttet."


class EndedBeforeStart(Refusal):
    """A flexjob cannot end before it started."""

    danish = "Et fleksjob kan ikke slutte, før det er startet."
    field = "occurred_on"


class FlexjobUnknown(Refusal):
    """No flexjob is registered under that placement id."""

    danish = "Der er ikke registreret et fleksjob under det placement_id."
    field = "placement_id"


class ReviewNotCalled(Refusal):
    """No review was called for under that id; one that nothing called for is an early one."""

    danish = "Der er ikke indkaldt til en opfølgning under det id; en opfølgning uden indkaldelse er en tidlig."
    field = "review_id"


class ReviewOfAnotherFlexjob(Refusal):
    """The review is of another flexjob."""

    danish = "Opfølgningen gælder et andet fleksjob."
    field = "review_id"


class ReviewOfAnotherKind(Refusal):
    """A review of another kind was called for."""

    danish = "Der er indkaldt til en anden slags opfølgning."
    field = "review_kind"


class AlreadyHeld(Clash):
    """The review has been held; that happens once."""

    danish = "Opfølgningen er holdt; det sker kun én gang."
    field = "review_id"
