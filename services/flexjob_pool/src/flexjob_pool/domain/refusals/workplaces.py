"""Why the pool says no about Job7, awareness sessions and snapshots of the workforce."""

from flexjob_pool.domain.refusals import Clash, Refusal


class RequestExists(Clash):
    """A request is registered under that id already."""

    danish = "Der er allerede registreret en anmodning under det id."
    field = "request_id"


class SameMunicipality(Refusal):
    """A municipality asks another one, not itself."""

    danish = "En kommune beder en anden kommune, ikke sig selv."
    field = "to_municipality"


class BetweenOthers(Refusal):
    """One of the two must be the municipality that is served here."""

    danish = "En af de to skal være den kommune, der betjenes her."
    field = "from_municipality"


class BeforeRequest(Refusal):
    """That cannot lie before the day of the request."""

    danish = "Det kan ikke ligge før den dag, der blev bedt om en kandidat."
    field = "occurred_on"


class RequestIsClosed(Clash):
    """A candidate has been placed already."""

    danish = "Der er allerede ansat en kandidat."


class AlreadyOffered(Clash):
    """The person has been offered already."""

    danish = "Personen er allerede tilbudt."
    field = "person_ref"


class NotOffered(Refusal):
    """Nobody has been offered under that person_ref."""

    danish = "Der er ikke tilbudt nogen under det person_ref."
    field = "person_ref"


class PlacedBeforeOffered(Refusal):
    """A candidate cannot be placed before the day of the offer."""

    danish = "En kandidat kan ikke ansættes før den dag, der kom et tilbud."
    field = "occurred_on"


class PlacementOfAnother(Refusal):
    """The placement is another person's."""

    danish = "Placeringen gælder en anden person."
    field = "placement_id"


class SessionExists(Clash):
    """A session is registered under that id already."""

    danish = "Der er allerede registreret et møde under det id."
    field = "session_id"


class WorkplaceTwice(Refusal):
    """A workplace may be named once."""

    danish = "En arbejdsplads kan nævnes én gang."


class SnapshotExists(Clash):
    """A snapshot of that department and day is registered already; correct it."""

    danish = "Der er allerede registreret en opgørelse for den forvaltning og dag; ret den."


class SnapshotOfAnother(Refusal):
    """A snapshot keeps its department and day; retract it and register the right one."""

    danish = "En opgørelse beholder sin forvaltning og dag; træk den tilbage, og registrér den rigtige."


class TraineesAboveStaff(Refusal):
    """Trainees are within the headcount, so there cannot be more of them."""

    danish = "Elever tæller med i antal ansatte, så der kan ikke være flere af dem."
    field = "trainee_headcount"
