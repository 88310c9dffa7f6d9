"""Why something that payroll tells is not registered: for the caseworker who finds out which of the two is right."""

from flexjob_pool.domain.refusals import Refusal


class Difference(Refusal):
    """What payroll tells and what the pool has registered do not fit together."""


class FlexjobUnknown(Difference):
    """No flexjob is registered under the placement id that payroll names; register it, or match the employment."""

    danish = (
        "Der er ikke registreret et fleksjob under det placement_id, lønsystemet angiver; registrér det, "
        "eller angiv det rigtige."
    )


class AnotherPlacement(Difference):
    """Payroll named another placement when it first told of the employment; match it, or have payroll corrected."""

    danish = (
        "Lønsystemet angav et andet placement_id, da det først meldte ansættelsen; angiv det rigtige, "
        "eller få lønsystemet rettet."
    )


class AnotherPerson(Difference):
    """The flexjob is another person's; match the right one, or have its start or payroll corrected."""

    danish = "Fleksjobbet tilhører en anden person; angiv det rigtige, eller få dets start eller lønsystemet rettet."


class SchemeNotKnown(Difference):
    """How hours follow from pay is known for the schemes from and before 2013 only; register them at the flexjob."""

    danish = (
        "Det vides kun for ordningerne fra og før 2013, hvordan timerne følger af lønnen; registrér dem på fleksjobbet."
    )


class OverlappingEmployments(Difference):
    """Another employment, told of before, pays for the flexjob at the same time; match this one, or have one ended."""

    danish = (
        "En anden ansættelse, registreret før denne, betaler for samme fleksjob på samme tid; "
        "angiv dennes fleksjob, eller få en af dem afsluttet."
    )


class OutsideFlexjob(Difference):
    """The interval begins before the flexjob started, or when it is over; correct the flexjob, or payroll."""

    danish = (
        "Perioden begynder, før fleksjobbet er startet, eller når det er slut; ret fleksjobbet, "
        "eller få lønsystemet rettet."
    )


class AfterEmploymentEnd(Difference):
    """The interval was registered after the employment's end, and begins when it is over; have one retracted."""

    danish = (
        "Perioden er registreret efter ansættelsens ophør og begynder, når den er ophørt; få en af dem trukket tilbage."
    )


class OtherHoursRegistered(Difference):
    """Other hours are registered at the pool's own doors from that very day; correct these, or payroll."""

    danish = "Der er registreret andre timer i puljen fra netop den dag; ret dem, eller få lønsystemet rettet."


class OtherEndRegistered(Difference):
    """Another end is registered at the pool's own doors; correct it, or payroll."""

    danish = "Der er registreret en anden slutdato i puljen; ret den, eller få lønsystemet rettet."


class EndsBeforeFlexjob(Difference):
    """The employment ends before the flexjob started; correct the start, or payroll."""

    danish = "Ansættelsen ophører, før fleksjobbet er startet; ret starten, eller få lønsystemet rettet."


class NoHoursPaid(Difference):
    """Payroll pays for no hours, and what held before stays; register what that means for the flexjob."""

    danish = (
        "Lønsystemet betaler ingen timer, og det hidtidige bliver stående; registrér, hvad det betyder for fleksjobbet."
    )


class TooFarAhead(Difference):
    """The date is more than two years ahead; it is taken up when it is nearer."""

    danish = "Datoen ligger mere end to år frem; den tages op, når den er nærmere."
