"""The slow and plain reading of facts that the chronicle is held against."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import chain
from typing import Any

from contracts.platform import EventRetracted
from impact.catalogue import INDICATORS, measures_of
from impact.chronicle import Chronicle, Told
from impact.fold import Fact, Origin

MEASURES = measures_of(INDICATORS)
PHASES = {"start": 0, "change": 1, "end": 2}

Net = dict[tuple[Any, ...], Decimal]


def told(facts: Iterable[Fact]) -> list[Told]:
    chronicle = Chronicle(MEASURES)
    return [chronicle.tell(fact) for fact in facts]


def net(changes: Iterable[Told]) -> Net:
    amounts: defaultdict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for delta in chain.from_iterable(change.deltas for change in changes):
        amounts[cell(delta.measure, delta)] += delta.amount
    return {key: amount for key, amount in amounts.items() if amount}


def cell(measure: str, effect: Any) -> tuple[Any, ...]:
    return (measure, effect.contributor, effect.person, effect.cohort, effect.date, effect.dimensions)


class Plain:
    """The same facts read from nothing: no memory, no order of arrival, nothing in common with the chronicle."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self.facts = facts
        self.in_force = [version for fact in facts if (version := self.version_of(fact))]
        self.standing = [fact for fact in self.in_force if self.is_open(fact)]

    def root_of(self, fact: Fact, passed: tuple[str, ...] = ()) -> Fact | None:
        if fact.corrects is None:
            return fact
        for found in self.facts:
            if (found.source, found.id, found.type) == (
                fact.source,
                fact.corrects,
                fact.type,
            ) and found.id not in passed:
                return self.root_of(found, (*passed, found.id))
        return None

    def is_retracted(self, fact: Fact) -> bool:
        return any(
            isinstance(other.event, EventRetracted) and (other.source, other.event.event_id) == (fact.source, fact.id)
            for other in self.facts
        )

    def version_of(self, root: Fact) -> Fact | None:
        """The version in force of a root."""
        if root.corrects or isinstance(root.event, EventRetracted) or self.is_retracted(root):
            return None
        members = [fact for fact in self.facts if fact.corrects and self.root_of(fact) is root]
        ranked = sorted(
            (fact for fact in members if not self.is_retracted(fact)), key=lambda f: (f.time, f.id.encode())
        )
        return replace(ranked[-1], origin=Origin(root.position, root.time, root.id)) if ranked else root

    def is_open(self, fact: Fact) -> bool:
        opening = fact.event.contract.opened_by
        wanted = {pair for pair in fact.event.keys if opening and pair[0] == opening.key}
        return opening is None or any(
            other.event.contract.name == opening.name and wanted & set(other.event.keys) for other in self.in_force
        )

    def net(self) -> Net:
        histories = defaultdict(list)
        for fact in self.standing:
            for history in set(fact.keys):
                histories[history].append(fact)
        amounts: defaultdict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
        for measure in MEASURES:
            for (kind, _), members in histories.items():
                read = [fact for fact in members if kind == measure.history and isinstance(fact.event, measure.reads)]
                for effect in measure.rule(sorted(read, key=in_life)):
                    amounts[cell(measure.id, effect)] += effect.amount
        return {key: amount for key, amount in amounts.items() if amount}


def in_life(fact: Fact) -> tuple[Any, ...]:
    time, name = (fact.origin.time, fact.origin.id) if fact.origin else (fact.time, fact.id)
    return fact.occurred_on, PHASES[fact.event.contract.phase], time, name.encode(), fact.source
