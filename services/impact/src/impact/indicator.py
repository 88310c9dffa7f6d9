"""What an indicator is: one measure, or two in a ratio, and how their deltas are read into a figure."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

from contracts.event import Event
from impact.fold import Measure


class Bilingual(NamedTuple):
    """The same text for Danish and for English readers."""

    danish: str
    english: str


@dataclass(frozen=True, slots=True)
class Indicator:
    """A figure: one measure, or the ratio of two, read as `kind` says, divided by `divisor` when it has one.

    - `kind`: a stock sums up to a date, a flow within a period, a cohort up to a date over the months it began in.
    - `additive`: the cells of a cut add up to the whole (of a ratio: its numerators and its denominators do).
    - `held`: dimensions held to one value, but for cells of a cut by them; `{year}` stands for that of `as_of`.
    - `reading`: `median` is taken over the contributors of the denominator, of what the numerator gives each; a
      contributor has one value of each dimension.
    - `evaluated_at`: each department is read on the last day, up to `as_of`, that this measure moved in it.
    - `months`: how far back a flow goes when no period is asked for; None is to 1 January.
    - `population`: who must be many enough for the figure to be shown; else the denominator, or the numerator.
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
    held: tuple[tuple[str, str], ...] = ()
    reading: Literal["sum", "median"] = "sum"
    evaluated_at: Measure | None = None
    months: int | None = None
    population: Measure | None = None

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures above and below the line."""
        return (self.numerator, self.denominator) if self.denominator else (self.numerator,)

    @property
    def kept(self) -> tuple[Measure, ...]:
        """Every measure whose deltas it is read from, each once."""
        others = (self.evaluated_at, self.population)
        return tuple(dict.fromkeys((*self.measures, *(measure for measure in others if measure))))

    @property
    def sources(self) -> tuple[type[Event], ...]:
        """The events it is made from, each once."""
        return tuple(dict.fromkeys(event for measure in self.measures for event in measure.reads))

    def held_on(self, as_of: date, by: tuple[str, ...]) -> dict[str, str]:
        """The dimensions that the cut leaves held, with their values on a date."""
        return {name: value.format(year=as_of.year) for name, value in self.held if name not in by}
