"""Flexjobs at municipal workplaces: persons (F1, F2), hours (F3, F4), and exits to ordinary jobs (F8)."""

from functools import partial

from impact.effects import flexjobs
from impact.effects.jobs import LIFE
from impact.entries.workforce import HEADCOUNT, SNAPSHOTS_TAKEN
from impact.fold import Measure
from impact.indicator import Bilingual, Indicator

of_person = partial(Measure, version=1, history="person", reads=LIFE)
of_flexjobs = partial(Indicator, level="outcome", additive=True, about_persons=True, owner="HR", definition_version=1)

PERSONS_IN_FLEXJOB = of_person(id="persons_in_flexjob", unit="persons", rule=flexjobs.persons)
EFFECTIVE_HOURS = of_person(id="effective_hours", unit="h/week", rule=flexjobs.effective_hours)
NET_HOURS_CHANGE = of_person(id="net_hours_change", unit="h/week", rule=flexjobs.net_hours_change)
FLEXJOBS_ENDED = of_person(id="flexjobs_ended", unit="placements", rule=flexjobs.ended)
EXITS_TO_ORDINARY_JOB = of_person(id="exits_to_ordinary_job", unit="placements", rule=flexjobs.ended_for_ordinary_job)

F1 = of_flexjobs(
    id="F1",
    name="in_flexjob",
    title=Bilingual("Personer i fleksjob på kommunens arbejdspladser", "Persons in flexjobs at municipal workplaces"),
    definition=Bilingual(
        "Antal forskellige personer med mindst ét fleksjob på dagen; et fleksjob løber til dagen før den, det er meldt "
        "ophørt fra. Den, der har job i to forvaltninger, tæller i den med flest effektive timer, dernæst den med "
        "tidligste start. Samme fleksjob meldt af to kilder tæller én gang.",
        "Number of distinct persons with at least one flexjob on the day; a flexjob runs until the day before the one "
        "from which it is told to have ended. A person in two departments counts in the one with most effective hours, "
        "then the one with the earliest start. The same flexjob told by two sources counts once.",
    ),
    kind="stock",
    unit="persons",
    direction="up",
    dimensions=("department",),
    mapping=("T2", "SDG 8.5", "SDG 10.2", "Cabi"),
    numerator=PERSONS_IN_FLEXJOB,
)
F2 = of_flexjobs(
    id="F2",
    name="flexjobs_of_workforce",
    title=Bilingual("Personer i fleksjob som andel af de ansatte", "Persons in flexjobs as a share of the staff"),
    definition=Bilingual(
        "Personer i fleksjob (F1) delt med antal ansatte (E1). Hver forvaltning opgøres ved udgangen af dagen for sit "
        "seneste øjebliksbillede fra lønsystemet, så tæller og nævner er fra samme dag; det hele er summen over de "
        "forvaltninger, der har et. Fleksjob er ikke det samme som handicap.",
        "Persons in flexjobs (F1) divided by the headcount (E1). Each department is read at the end of the day of its "
        "latest snapshot from payroll, so that both are of the same day; the whole is the sum over the departments "
        "that have one. A flexjob is not the same as a disability.",
    ),
    kind="stock",
    unit="share",
    direction="up",
    dimensions=("department",),
    mapping=("T2", "near ESRS S1-12 (2023), but not it"),
    numerator=PERSONS_IN_FLEXJOB,
    denominator=HEADCOUNT,
    evaluated_at=SNAPSHOTS_TAKEN,
)
F3 = of_flexjobs(
    id="F3",
    name="net_hours_change",
    title=Bilingual("Nettoændring i ugentlige timer", "Net weekly hours change"),
    definition=Bilingual(
        "For hver person i fleksjob på dagen: effektive timer om ugen i alle fleksjob tilsammen, minus timerne ved "
        "udgangen af den første dag i det nuværende forløb; lagt sammen, op- og nedgang under ét. Et forløb fortsætter "
        "over pauser på højst 28 dage. Delt op efter årsagen til hver ændring; det, som ingen ændring forklarer, kom "
        "eller gik med et andet fleksjob (other_job). Den, der ikke er i fleksjob på dagen, er ikke med: start ses i "
        "J2 og ophør i F8.",
        "For each person in a flexjob on the day: effective hours per week in all flexjobs together, less those by the "
        "end of the first day of the present run; summed, rises and falls together. A run goes on over pauses of at "
        "most 28 days. Cut by the cause of each change; what no change explains came or went with another flexjob "
        "(other_job). Persons not in a flexjob on the day are left out: starts are shown by J2, ends by F8.",
    ),
    kind="stock",
    unit="hours_per_week",
    direction="up",
    dimensions=("cause",),
    mapping=("T2", "SDG 8.5"),
    numerator=NET_HOURS_CHANGE,
    population=PERSONS_IN_FLEXJOB,
)
F4 = of_flexjobs(
    id="F4",
    name="mean_effective",
    title=Bilingual("Gennemsnitlige effektive timer", "Mean effective hours"),
    definition=Bilingual(
        "Summen af effektive timer om ugen i alle fleksjob på dagen, delt med antallet af personer i fleksjob (F1). En "
        "persons timer tæller alle i den forvaltning, hvor personen tæller. Falder, når mange begynder med få timer; "
        "læses derfor sammen med J2 og F3.",
        "The sum of effective hours per week in all flexjobs on the day, divided by the number of persons in flexjobs "
        "(F1). All hours of a person count in the department where the person counts. It falls when many begin with "
        "few hours, and is therefore to be read together with J2 and F3.",
    ),
    kind="stock",
    unit="hours_per_week",
    direction="neutral",
    dimensions=("department",),
    mapping=("T2",),
    numerator=EFFECTIVE_HOURS,
    denominator=PERSONS_IN_FLEXJOB,
)
F8 = of_flexjobs(
    id="F8",
    name="exits_to_ordinary_job",
    title=Bilingual("Fra fleksjob til ordinært job", "Exits from flexjob to ordinary job"),
    definition=Bilingual(
        "Andelen af de fleksjob, der er ophørt i perioden, hvor årsagen er et ordinært job. Talt pr. fleksjob på dagen "
        "efter den sidste dag i det, også når personen har et fleksjob mere. Uden valgt periode: de seneste 12 "
        "måneder.",
        "The share of the flexjobs that ended in the period for which the reason is an ordinary job. Counted per "
        "flexjob on the day after its last day, also when the person has another flexjob. Without a chosen period: the "
        "last 12 months.",
    ),
    kind="flow",
    unit="share",
    direction="up",
    dimensions=(),
    mapping=("T2", "SDG 8.5"),
    numerator=EXITS_TO_ORDINARY_JOB,
    denominator=FLEXJOBS_ENDED,
    months=12,
)
