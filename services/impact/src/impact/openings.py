"""Which facts in force count: one whose contract names an opening waits until that is in force on its key. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from contracts.catalogue import EVENTS
from contracts.event import Event
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
        self._openers.update(_opens(fact.event))
        if opening := _opening_of(fact.event):
            self._opened[opening][fact.position] = fact

    def is_open(self, fact: Fact) -> bool:
        """Whether nothing has to open the fact, or what does is in force."""
        opening = _opening_of(fact.event)
        return opening is None or self._openers[opening] > 0

    def exchange(self, before: Fact | None, after: Fact | None) -> Move:
        """Put one version in the place of another; what they open comes and goes with them."""
        behind = self.behind(fact.event for fact in (before, after) if fact)
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
        doors = {opening for event in events for opening in _opens(event)}
        return [fact for _, fact in sorted({p: f for door in doors for p, f in self._opened[door].items()}.items())]

    def _leave_out(self, fact: Fact) -> None:
        self._openers.subtract(_opens(fact.event))
        if opening := _opening_of(fact.event):
            self._opened[opening].pop(fact.position, None)


def histories_that_open(event: Event) -> list[History]:
    """The histories in which the event opens others, or is opened."""
    opened = _opening_of(event)
    return [*((kind, key) for _, kind, key in _opens(event)), *([opened[1:]] if opened else [])]


@cache
def _kinds_opened_by() -> dict[str, set[str]]:
    """Per name of an event, the kinds of key on which it opens others."""
    kinds: dict[str, set[str]] = {}
    for event in EVENTS:
        if opening := event.contract.opened_by:
            kinds.setdefault(opening.name, set()).add(opening.key)
    return kinds


def _opens(event: Event) -> list[Opening]:
    kinds = _kinds_opened_by().get(event.contract.name, set())
    return [(event.contract.name, kind, key) for kind, key in event.keys if kind in kinds]


def _opening_of(event: Event) -> Opening | None:
    """What must be in force first; an event without the key waits for nothing that could ever come."""
    opening = event.contract.opened_by
    if opening is None:
        return None
    return (opening.name, opening.key, dict(event.keys).get(opening.key, ""))
