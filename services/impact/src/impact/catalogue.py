"""Every measure and every indicator; metric, API and documentation follow from this list alone.

A definition in force is never edited: a fix is a new version.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from contracts import flexjob_pool
from contracts.event import Event
from impact.effects import flexjobs, placements, pool
from impact.fold import Measure


class Bilingual(NamedTuple):
    """The same text for Danish and for English readers."""

    danish: str
    english: str


@dataclass(frozen=True, slots=True)
class Indicator:
    """A figure: one measure, or the ratio of two, read as `kind` says, divided by `divisor` when it has one.

    `additive`: the cells of a cut add up to the whole (of a ratio: its numerators and its denominators do).
    `year_dimension`: held to the year of `as_of` when no cut is asked for.
    """

    id: str
    name: str
    title: Bilingual
    definition: Bilingual
    level: Literal["activity", "output", "outcome"]
    kind: Literal["stock", "flow", "cohort"]
    unit: str
    direction: Literal["up", "down", "neutral"]
    dimensions: tuple[str, ...]
    additive: bool
    about_persons: bool
    owner: str
    definition_version: int
    mapping: tuple[str, ...]
    numerator: Measure
    denominator: Measure | None = None
    divisor: Decimal = Decimal(1)
    year_dimension: str | None = None

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures it is made of."""
        return (self.numerator, self.denominator) if self.denominator else (self.numerator,)

    @property
    def sources(self) -> tuple[type[Event], ...]:
        """The events it is made from, each once."""
        return tuple(dict.fromkeys(event for measure in self.measures for event in measure.reads))


HOURS_PER_FTE = Decimal(37)

PLACEMENTS_STARTED = Measure(
    id="placements_started",
    version=1,
    unit="placements",
    history="placement",
    reads=(flexjob_pool.FlexjobStarted,),
    rule=placements.started,
)
HOURS_STARTED = Measure(
    id="hours_started",
    version=1,
    unit="h/week",
    history="placement",
    reads=(flexjob_pool.FlexjobStarted,),
    rule=placements.hours_started,
)
PERSONS_IN_FLEXJOB = Measure(
    id="persons_in_flexjob",
    version=1,
    unit="persons",
    history="person",
    reads=flexjobs.LIFE,
    rule=flexjobs.persons,
)
EFFECTIVE_HOURS = Measure(
    id="effective_hours",
    version=1,
    unit="h/week",
    history="person",
    reads=flexjobs.LIFE,
    rule=flexjobs.effective_hours,
)
POOL_DRAWN = Measure(
    id="pool_drawn",
    version=1,
    unit="DKK 0.01",
    history="grant",
    reads=(flexjob_pool.GrantCommitted, flexjob_pool.GrantReleased),
    rule=pool.drawn,
)
POOL_ALLOCATED = Measure(
    id="pool_allocated",
    version=1,
    unit="DKK 0.01",
    history="budget",
    reads=(flexjob_pool.BudgetAllocated,),
    rule=pool.allocated,
)

INDICATORS: tuple[Indicator, ...] = (
    Indicator(
        id="J1",
        name="jobs_started",
        title=Bilingual("Påbegyndte lønnede ansættelser", "Paid placements started"),
        definition=Bilingual(
            "Antal forskellige lønnede ansættelser, der er begyndt i perioden, talt på første dag.",
            "Number of distinct paid placements begun in the period, counted on their first day.",
        ),
        level="output",
        kind="flow",
        unit="placements",
        direction="up",
        dimensions=("kind",),
        additive=True,
        about_persons=True,
        owner="HR",
        definition_version=1,
        mapping=("T1", "T2", "SDG 8.5", "SDG 10.2", "IRIS PI3687 (only if FTE and job new)"),
        numerator=PLACEMENTS_STARTED,
    ),
    Indicator(
        id="J2",
        name="paid_hours_added",
        title=Bilingual("Tilførte lønnede timer, årsværk", "Paid hours added, FTE"),
        definition=Bilingual(
            "Effektive timer om ugen ved start i de ansættelser, der er begyndt i perioden, delt med 37.",
            "Effective hours per week at the start of the placements begun in the period, divided by 37.",
        ),
        level="output",
        kind="flow",
        unit="fte",
        direction="up",
        dimensions=("kind",),
        additive=True,
        about_persons=True,
        owner="HR",
        definition_version=1,
        mapping=("SDG 8.5",),
        numerator=HOURS_STARTED,
        divisor=HOURS_PER_FTE,
    ),
    Indicator(
        id="F1",
        name="in_flexjob",
        title=Bilingual(
            "Personer i fleksjob på kommunens arbejdspladser", "Persons in flexjobs at municipal workplaces"
        ),
        definition=Bilingual(
            "Antal forskellige personer med mindst ét fleksjob på dagen. Den, der har job i to forvaltninger, tæller i "
            "den med flest effektive timer, dernæst den med tidligste start.",
            "Number of distinct persons with at least one flexjob on the day. A person in two departments counts in "
            "the one with most effective hours, then the one with the earliest start.",
        ),
        level="outcome",
        kind="stock",
        unit="persons",
        direction="up",
        dimensions=("department",),
        additive=True,
        about_persons=True,
        owner="HR",
        definition_version=1,
        mapping=("T2", "SDG 8.5", "SDG 10.2", "Cabi"),
        numerator=PERSONS_IN_FLEXJOB,
    ),
    Indicator(
        id="F4",
        name="mean_effective",
        title=Bilingual("Gennemsnitlige effektive timer", "Mean effective hours"),
        definition=Bilingual(
            "Summen af effektive timer om ugen på dagen, delt med antallet af personer i fleksjob (F1).",
            "The sum of effective hours per week on the day, divided by the number of persons in flexjobs (F1).",
        ),
        level="outcome",
        kind="stock",
        unit="hours_per_week",
        direction="neutral",
        dimensions=("department",),
        additive=True,
        about_persons=True,
        owner="HR",
        definition_version=1,
        mapping=("T2",),
        numerator=EFFECTIVE_HOURS,
        denominator=PERSONS_IN_FLEXJOB,
    ),
    Indicator(
        id="F5",
        name="pool_utilisation",
        title=Bilingual("Puljens udnyttelse", "Pool utilisation"),
        definition=Bilingual(
            "Det, tilsagnene trækker på regnskabsåret på dagen (givet minus frigivet), delt med årets budget.",
            "What the grants draw on the fiscal year as of the day (committed minus released), divided by its budget.",
        ),
        level="activity",
        kind="stock",
        unit="share",
        direction="neutral",
        dimensions=("fiscal_year",),
        additive=False,
        about_persons=False,
        owner="HR and finance",
        definition_version=1,
        mapping=("T2",),
        numerator=POOL_DRAWN,
        denominator=POOL_ALLOCATED,
        year_dimension="fiscal_year",
    ),
)


def measures_of(indicators: Iterable[Indicator]) -> tuple[Measure, ...]:
    """The measures that indicators are made of, each once, in the catalogue's order."""
    return tuple(dict.fromkeys(measure for indicator in indicators for measure in indicator.measures))
