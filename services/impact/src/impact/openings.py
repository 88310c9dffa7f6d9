"""Which facts in force count: one whose contract names an opening waits until that is in force on its key. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from contracts.catalogue import EVENTS
from contracts.event import Contract, Event
from impact.fold import Fact, History

Opening = tuple[str, str, str]


class Move(NamedTuple):
    """The facts that no longer count, and those that now do."""

    leaving: list[Fact]
    entering: list[Fact]


class Openings:
    """The facts in force, told apart by what opens them.

    Every fact in force of an opening's history must be known before one of it is exchanged.
    """

    def __init__(self) -> None:
        self._openers: Counter[Opening] = Counter()
        self._opened: defaultdict[Opening, dict[int, Fact]] = defaultdict(dict)

    def take_in(self, fact: Fact) -> None:
        """Know of a fact in force."""
        self._openers.update(_opens(fact.event.contract, fact.keys))
        if opening := _opening_of(fact.event.contract, fact.keys):
            self._opened[opening][fact.position] = fact

    def is_open(self, fact: Fact) -> bool:
        """Whether nothing has to open the fact, or what does is in force."""
        opening = _opening_of(fact.event.contract, fact.keys)
        return opening is None or self._openers[opening] > 0

    def exchange(self, before: Fact | None, after: Fact | None) -> Move:
        """Put one version in the place of another; what they open comes and goes with them."""
        moving = [fact for fact in (before, after) if fact]
        behind = self._behind(door for fact in moving for door in _opens(fact.event.contract, fact.keys))
        was_open = {fact.position for fact in (*behind, *filter(None, [before])) if self.is_open(fact)}
        if before:
            self._leave_out(before)
        if after:
            self.take_in(after)
        concerned = [fact for fact in behind if before is None or fact.position != before.position]
        return Move(
            leaving=[
                *(fact for fact in (before,) if fact and fact.position in was_open),
                *(fact for fact in concerned if fact.position in was_open and not self.is_open(fact)),
            ],
            entering=[
                *(fact for fact in (after,) if fact and self.is_open(fact)),
                *(fact for fact in concerned if fact.position not in was_open and self.is_open(fact)),
            ],
        )

    def behind(self, events: Iterable[Event]) -> list[Fact]:
        """The facts that these events open, in order of position."""
        return self._behind(door for event in events for door in _opens(event.contract, event.keys))

    def _behind(self, doors: Iterable[Opening]) -> list[Fact]:
        found = {position: fact for door in doors for position, fact in self._opened.get(door, {}).items()}
        return [fact for _, fact in sorted(found.items())]

    def _leave_out(self, fact: Fact) -> None:
        self._openers.subtract(_opens(fact.event.contract, fact.keys))
        if opening := _opening_of(fact.event.contract, fact.keys):
            self._opened[opening].pop(fact.position, None)


def histories_that_open(event: Event) -> list[History]:
    """The histories in which the event opens others, or is opened."""
    keys = event.keys
    opened = _opening_of(event.contract, keys)
    return [*((kind, key) for _, kind, key in _opens(event.contract, keys)), *([opened[1:]] if opened else [])]


@cache
def _kinds_opened_by() -> dict[str, set[str]]:
    """Per name of an event, the kinds of key on which it opens others."""
    kinds: dict[str, set[str]] = {}
    for event in EVENTS:
        if opening := event.contract.opened_by:
            kinds.setdefault(opening.name, set()).add(opening.key)
    return kinds


def _opens(contract: Contract, keys: Iterable[History]) -> list[Opening]:
    kinds = _kinds_opened_by().get(contract.name)
    return [(contract.name, kind, key) for kind, key in keys if kind in kinds] if kinds else []


def _opening_of(contract: Contract, keys: Iterable[History]) -> Opening | None:
    """What must be in force first; an event without the key waits for nothing that could ever come."""
    opening = contract.opened_by
    return (opening.name, opening.key, dict(keys).get(opening.key, "")) if opening else None
