"""Why something that payroll tells is not registered: for the caseworker who finds out which of the two is right."""

from flexjob_pool.domain.refusals import Refusal


class Difference(Refusal):
    """What payroll tells and what the pool has registered do not fit together."""


class FlexjobUnknown(Difference):
    """No flexjob is registered under the placement id that payroll names; it is taken up when one is."""

    danish = "Der er ikke registreret et fleksjob under det placement_id, lønsystemet angiver; det sker, når det er."


class AnotherPlacement(Difference):
    """Payroll named another placement when it first told of the employment."""

    danish = "Lønsystemet angav et andet placement_id, da det først meldte ansættelsen."


class AnotherPerson(Difference):
    """The flexjob is another person's."""

    danish = "Fleksjobbet tilhører en anden person."


class SchemeNotKnown(Difference):
    """How hours follow from pay is known for the schemes from and before 2013 only."""

    danish = "Det vides kun for ordningerne fra og før 2013, hvordan timerne følger af lønnen."


class OverlappingEmployments(Difference):
    """Another employment, registered before this one, pays for the same flexjob at the same time."""

    danish = "En anden ansættelse, registreret før denne, betaler for samme fleksjob på samme tid."


class OutsideFlexjob(Difference):
    """The interval begins before the flexjob started, or when it is over."""

    danish = "Perioden begynder, før fleksjobbet er startet, eller når det er slut."


class AfterEmploymentEnd(Difference):
    """The interval was registered after the employment's end, and begins when it is over."""

    danish = "Perioden er registreret efter ansættelsens ophør og begynder, når den er ophørt."


class OtherHoursRegistered(Difference):
    """Other hours are registered at the pool's own doors from that very day."""

    danish = "Der er registreret andre timer i puljen fra netop den dag."


class OtherEndRegistered(Difference):
    """Another end is registered at the pool's own doors."""

    danish = "Der er registreret en anden slutdato i puljen."


class EndsBeforeFlexjob(Difference):
    """The employment ends before the flexjob started."""

    danish = "Ansættelsen ophører, før fleksjobbet er startet."


class NoHoursPaid(Difference):
    """Payroll pays for no hours; a flexjob without hours is not registered, what held before stays."""

    danish = (
        "Lønsystemet betaler ingen timer; et fleksjob uden timer registreres ikke, og det hidtidige bliver stående."
    )


class TooFarAhead(Difference):
    """The date is more than two years ahead; it is taken up when it is nearer."""

    danish = "Datoen ligger mere end to år frem; den tages op, når den er nærmere."
