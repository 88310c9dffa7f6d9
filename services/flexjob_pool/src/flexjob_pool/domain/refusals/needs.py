"""Why the pool says no about needs and candidates."""

from flexjob_pool.domain.refusals import Clash, Refusal


class NeedExists(Clash):
    """A need is registered under that id already."""

    danish = "Der er allerede registreret et behov under det id."
    field = "need_id"


class NeedUnknown(Refusal):
    """No need is registered under that id."""

    danish = "Der er ikke registreret et behov under det id."
    field = "need_id"


class NeedIsFilled(Clash):
    """The need has been filled by a flexjob."""

    danish = "Behovet er dækket af et fleksjob."


class NeedIsWithdrawn(Clash):
    """The workplace has withdrawn the need."""

    danish = "Arbejdspladsen har trukket behovet tilbage."


class HoursReversed(Refusal):
    """The fewest hours may not be more than the most."""

    danish = "Det laveste timetal kan ikke være over det højeste."
    field = "effective_hours_per_week_from"


class BeforeNeed(Refusal):
    """That cannot lie before the day on which the need was reported."""

    danish = "Det kan ikke ligge før den dag, behovet blev meldt."
    field = "occurred_on"


class AlreadyProposed(Clash):
    """The person has been proposed for this need already."""

    danish = "Personen er allerede foreslået til dette behov."
    field = "person_ref"
