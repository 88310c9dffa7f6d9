"""Facts to histories to deltas: what histories yield with a change, less what they yielded before it. Pure."""

from bisect import insort
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from contracts.event import DatedEvent, Event

Dimensions = tuple[tuple[str, str], ...]
History = tuple[str, str]
NOTHING = Decimal(0)
PHASES = {"start": 0, "change": 1, "end": 2}


class Origin(NamedTuple):
    """The event that a correction corrects in the end: a version takes its place in a history."""

    position: int
    time: datetime
    id: str


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """An accepted event at its position in the lane; `origin` is None unless it is a correction in force.

    `parked_at` is the position of its first copy when it was parked there and has been replayed since.
    """

    position: int
    source: str
    id: str
    type: str
    time: datetime
    event: Event
    corrects: str | None = None
    origin: Origin | None = None
    parked_at: int | None = None
    keys: tuple[History, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Look up once every history that the fact belongs to, as (kind, key)."""
        object.__setattr__(self, "keys", self.event.keys)

    @property
    def occurred_on(self) -> date | None:
        """When it became true; None for an event without a date in life."""
        return self.event.occurred_on if isinstance(self.event, DatedEvent) else None

    @property
    def received(self) -> int:
        """The position of its first copy."""
        return self.parked_at or self.position

    @property
    def rank(self) -> tuple[datetime, bytes]:
        """When its chain was first registered, then the id: what comes first on the same day of a life."""
        time, name = (self.origin.time, self.origin.id) if self.origin else (self.time, self.id)
        return time, name.encode()


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


class Delta(NamedTuple):
    """One appended effect of a measure's definition version, or the taking back of one; `key` is its history's."""

    measure: str
    version: int
    key: str
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
    """The histories of a lane and what they yield: `remember` tells what was folded before, `exchange` folds anew.

    A history must be remembered whole before one of its facts is exchanged.
    """

    def __init__(self, measures: Iterable[Measure]) -> None:
        self._measures: dict[str, list[Measure]] = {}
        self._histories: dict[History, list[Fact]] = {}
        self._yields: dict[Reading, Yield] = {}
        self._kinds: dict[type[Event], set[str]] = {}
        for measure in measures:
            self._measures.setdefault(measure.history, []).append(measure)

    def reads(self, fact: Fact) -> bool:
        """Whether a history of the fact is folded by a measure that reads its type."""
        return bool(self._folded(type(fact.event), fact.keys))

    def histories_of(self, event: Event) -> list[History]:
        """The histories of an event that some measure folds."""
        return self._folded(type(event), event.keys)

    def _folded(self, model: type[Event], keys: Iterable[History]) -> list[History]:
        kinds = self._kinds_of(model)
        return [history for history in dict.fromkeys(keys) if history[0] in kinds] if kinds else []

    def _kinds_of(self, model: type[Event]) -> set[str]:
        """The kinds of history in which some measure reads events of a type."""
        if model not in self._kinds:
            self._kinds[model] = {kind for kind in self._measures if self._readers(kind, {model})}
        return self._kinds[model]

    def remember(self, facts: Iterable[Fact]) -> None:
        """Take in facts that were folded before; they give no deltas."""
        for fact in facts:
            for history in self._folded(type(fact.event), fact.keys):
                insort(self._histories.setdefault(history, []), fact, key=in_order_of_life)

    def exchange(self, leaving: Sequence[Fact], entering: Sequence[Fact]) -> list[Delta]:
        """Take facts out of their histories and others in, and return what that changes, in a fixed order.

        Raises RuleError, and then nothing has changed.
        """
        changed = self._changed(leaving, entering)
        yields: dict[Reading, Yield] = {}
        deltas: list[Delta] = []
        for history in sorted(changed):
            types = {type(fact.event) for fact in (*leaving, *entering) if history in fact.keys}
            for measure in self._readers(history[0], types):
                reading = (measure, history)
                yields[reading] = _yield_of(measure, changed[history])
                deltas += _differences(measure, history[1], self._yield_before(reading), yields[reading])
        self._histories |= changed
        self._yields |= yields
        return deltas

    def _readers(self, kind: str, types: AbstractSet[type[Event]]) -> list[Measure]:
        return [measure for measure in self._measures.get(kind, ()) if not types.isdisjoint(measure.reads)]

    def _changed(self, leaving: Iterable[Fact], entering: Iterable[Fact]) -> dict[History, list[Fact]]:
        """The histories as they will be."""
        changed: dict[History, list[Fact]] = {}
        for fact in leaving:
            for history in self._folded(type(fact.event), fact.keys):
                facts = changed.get(history, self._histories.get(history, []))
                changed[history] = [other for other in facts if other.position != fact.position]
        for fact in entering:
            for history in self._folded(type(fact.event), fact.keys):
                facts = changed.setdefault(history, list(self._histories.get(history, [])))
                insort(facts, fact, key=in_order_of_life)
        return changed

    def _yield_before(self, reading: Reading) -> Yield:
        measure, history = reading
        if not (facts := self._histories.get(history)):
            return {}
        known = self._yields.get(reading)
        return _yield_of(measure, facts) if known is None else known


def sums_of(deltas: Iterable[Delta]) -> dict[SumKey, Decimal]:
    """What deltas add to each running sum: measure, version, cohort, date and dimensions."""
    sums: dict[SumKey, Decimal] = {}
    for delta in deltas:
        key = (delta.measure, delta.version, delta.cohort, delta.date, delta.dimensions)
        sums[key] = sums.get(key, NOTHING) + delta.amount
    return sums


def in_order_of_life(fact: Fact) -> tuple[date, int, datetime, bytes, str]:
    """The order of a history: date, then start before change before end, then registration."""
    return (fact.occurred_on or date.min, PHASES[fact.event.contract.phase], *fact.rank, fact.source)


def _yield_of(measure: Measure, facts: Sequence[Fact]) -> Yield:
    """What a history amounts to, summed per contributor, date and cell."""
    total: Yield = {}
    try:
        effects = measure.rule([fact for fact in facts if type(fact.event) in measure.reads])
        for contributor, person, cohort, day, amount, dimensions in effects:
            key = (contributor, person, cohort, day, dimensions)
            total[key] = total.get(key, NOTHING) + amount
    except Exception as error:
        raise RuleError(f"{measure.id}/{measure.version}") from error
    return total


def _differences(measure: Measure, history_key: str, before: Yield, after: Yield) -> list[Delta]:
    if before == after:
        return []
    gone = [(key, -amount) for key, amount in before.items() if key not in after and amount]
    come = [(key, amount - was) for key, amount in after.items() if amount != (was := before.get(key, NOTHING))]
    changes = sorted(gone + come, key=_in_order_of_writing)
    return [Delta(measure.id, measure.version, history_key, *key[:4], amount, key[4]) for key, amount in changes]


def _in_order_of_writing(change: tuple[Key, Decimal]) -> tuple[str, str, date, date, Dimensions]:
    contributor, person, cohort, day, dimensions = change[0]
    return contributor, person or "", cohort or date.min, day, dimensions
