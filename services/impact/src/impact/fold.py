"""Facts to histories to deltas: a fact changes what its histories yield with it, less what they yielded before it.

The deltas at a position depend on the facts up to it alone, so one Fold, started empty, rebuilds any ledger.
"""

from bisect import insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from contracts.event import DatedEvent, Event

Dimensions = tuple[tuple[str, str], ...]
History = tuple[str, str]
NOTHING = Decimal(0)
PHASES = {"start": 0, "change": 1, "end": 2}


@dataclass(frozen=True, slots=True)
class Fact:
    """An accepted event at its position in the lane."""

    position: int
    source: str
    id: str
    type: str
    time: datetime
    event: Event

    @property
    def keys(self) -> tuple[History, ...]:
        """Every history that the fact belongs to, as (kind, key)."""
        return self.event.keys

    @property
    def occurred_on(self) -> date | None:
        """When it became true; None for an event without a date in life."""
        return self.event.occurred_on if isinstance(self.event, DatedEvent) else None


class Effect(NamedTuple):
    """What a rule says: an amount that a contributor brings on a date; dimensions are pairs sorted by name.

    The person is who disclosure protects; the cohort is the first of a month.
    """

    contributor: str
    person: str | None
    cohort: date | None
    date: date
    amount: Decimal
    dimensions: Dimensions


@dataclass(frozen=True, slots=True)
class Delta:
    """One appended effect of a measure's definition version, or the taking back of one."""

    measure: str
    version: int
    contributor: str
    person: str | None
    cohort: date | None
    date: date
    amount: Decimal
    dimensions: Dimensions


Rule = Callable[[Sequence[Fact]], Iterable[Effect]]


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """A pure rule over one kind of history; it gets the history's facts of the types it reads, in order of life.

    `unit` is the unit of its amounts.
    """

    id: str
    version: int
    unit: str
    history: str
    reads: tuple[type[Event], ...]
    rule: Rule


class RuleError(Exception):
    """A rule raised on the history that a fact would make; no rule counts the fact."""


Key = tuple[str, str | None, date | None, date, Dimensions]
Yield = dict[Key, Decimal]
Reading = tuple[Measure, History]
SumKey = tuple[str, int, date | None, date, Dimensions]


class Fold:
    """The histories of a lane and what they yield; `remember` tells what was folded before, `admit` folds one more.

    A history must be remembered whole before a fact of it is admitted.
    """

    def __init__(self, measures: Iterable[Measure]) -> None:
        self._measures: dict[str, list[Measure]] = {}
        self._histories: dict[History, list[Fact]] = {}
        self._yields: dict[Reading, Yield] = {}
        for measure in measures:
            self._measures.setdefault(measure.history, []).append(measure)

    def histories_of(self, event: Event) -> list[History]:
        """The histories of an event that some measure folds."""
        return [history for history in dict.fromkeys(event.keys) if self._readers_of(history, event)]

    def remember(self, facts: Iterable[Fact]) -> None:
        """Take in facts that were folded before; they give no deltas."""
        for fact in facts:
            for history in self.histories_of(fact.event):
                insort(self._histories.setdefault(history, []), fact, key=in_order_of_life)

    def admit(self, fact: Fact) -> list[Delta]:
        """Fold a fact and return what it changes, in a fixed order.

        Raises RuleError, and then nothing has changed.
        """
        grown = {history: self._with(history, fact) for history in self.histories_of(fact.event)}
        yields: dict[Reading, Yield] = {}
        deltas: list[Delta] = []
        for history, facts in grown.items():
            for measure in self._readers_of(history, fact.event):
                reading = (measure, history)
                yields[reading] = _yield_of(measure, facts)
                deltas += _differences(measure, self._yield_before(reading), yields[reading])
        self._histories |= grown
        self._yields |= yields
        return deltas

    def _readers_of(self, history: History, event: Event) -> list[Measure]:
        return [measure for measure in self._measures.get(history[0], ()) if type(event) in measure.reads]

    def _with(self, history: History, fact: Fact) -> list[Fact]:
        facts = list(self._histories.get(history, ()))
        insort(facts, fact, key=in_order_of_life)
        return facts

    def _yield_before(self, reading: Reading) -> Yield:
        measure, history = reading
        known = self._yields.get(reading)
        return _yield_of(measure, self._histories.get(history, ())) if known is None else known


def sums_of(deltas: Iterable[Delta]) -> dict[SumKey, Decimal]:
    """What deltas add to each running sum: measure, version, cohort, date and dimensions."""
    sums: dict[SumKey, Decimal] = {}
    for delta in deltas:
        key = (delta.measure, delta.version, delta.cohort, delta.date, delta.dimensions)
        sums[key] = sums.get(key, NOTHING) + delta.amount
    return sums


def in_order_of_life(fact: Fact) -> tuple[date, int, datetime, bytes, str]:
    """The order of a history: date, then start before change before end, then registration."""
    return (
        fact.occurred_on or date.min,
        PHASES[fact.event.contract.phase],
        fact.time,
        fact.id.encode(),
        fact.source,
    )


def _yield_of(measure: Measure, facts: Sequence[Fact]) -> Yield:
    """What a history amounts to, summed per contributor, date and cell."""
    total: Yield = {}
    try:
        for effect in measure.rule([fact for fact in facts if type(fact.event) in measure.reads]):
            key = (effect.contributor, effect.person, effect.cohort, effect.date, effect.dimensions)
            total[key] = total.get(key, NOTHING) + effect.amount
    except Exception as error:
        raise RuleError(f"{measure.id}/{measure.version}") from error
    return total


def _differences(measure: Measure, before: Yield, after: Yield) -> list[Delta]:
    amounts = {key: after.get(key, NOTHING) - before.get(key, NOTHING) for key in {**before, **after}}
    return [
        Delta(measure.id, measure.version, *key[:4], amount, key[4])
        for key, amount in sorted(amounts.items(), key=_in_order_of_writing)
        if amount
    ]


def _in_order_of_writing(item: tuple[Key, Decimal]) -> tuple[str, str, date, date, Dimensions]:
    contributor, person, cohort, day, dimensions = item[0]
    return contributor, person or "", cohort or date.min, day, dimensions
