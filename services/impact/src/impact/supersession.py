"""Which version of an event is in force: a root, its corrections, and retractions of either, within one source. Pure.

Of several corrections the latest by (time, id) holds, and nothing retracts a retraction; so the order of arrival
decides nothing.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from contracts.platform import EventRetracted
from impact.fold import Fact, Origin

Identity = tuple[str, str]


class Change(NamedTuple):
    """What a fact does to its chain: the version that stood before it, and the one that stands with it."""

    before: Fact | None
    after: Fact | None


class Standing(StrEnum):
    """What a fact is in its chain; a retraction that took effect is in force as well."""

    RETRACTED = "retracted"
    SUPERSEDED = "superseded"
    WAITING = "waiting"
    IN_FORCE = "in_force"


class Versions:
    """The chains of a lane, as far as they were told; a chain must be told whole before a fact is added to it."""

    def __init__(self) -> None:
        self._facts: dict[Identity, Fact] = {}
        self._corrections: defaultdict[Identity, list[Fact]] = defaultdict(list)
        self._retractions: defaultdict[Identity, list[Fact]] = defaultdict(list)

    def take_in(self, fact: Fact) -> None:
        """Know of a fact."""
        self._facts[fact.source, fact.id] = fact
        if target := target_of(fact):
            self._pointers(fact)[fact.source, target].append(fact)

    def add(self, fact: Fact) -> Change:
        """Know of one more fact, and say what that changes."""
        before = self._in_force_beside(fact)
        self.take_in(fact)
        return Change(before, self._in_force_beside(fact))

    def forget(self, fact: Fact) -> None:
        """Undo what `add` did last."""
        del self._facts[fact.source, fact.id]
        if target := target_of(fact):
            self._pointers(fact)[fact.source, target].remove(fact)

    def chain_of(self, fact: Fact) -> list[tuple[Fact, Standing]]:
        """The whole chain of a fact, retractions included, and what each is; the fact alone when there is no root."""
        root = self._root_of(fact)
        if root is None:
            return [(fact, Standing.WAITING)]
        in_force = self._in_force(root)
        chain: list[tuple[Fact, Standing]] = []
        for member in (root, *self._corrections_in(root)):
            if self._is_retracted(root) or self._is_retracted(member):
                standing = Standing.RETRACTED
            else:
                holds = in_force is not None and in_force.position == member.position
                standing = Standing.IN_FORCE if holds else Standing.SUPERSEDED
            chain.append((member, standing))
            chain += [(each, Standing.IN_FORCE) for each in self._retractions.get(_identity(member), ())]
        return chain

    def instead_of(self, fact: Fact) -> Fact | None:
        """What holds in the place of a fact that does not: the retraction that took it away, or a later version."""
        root = self._root_of(fact)
        if root is None:
            return None
        retractions = [each for member in (root, fact) for each in self._retractions.get(_identity(member), ())]
        return retractions[0] if retractions else self._in_force(root)

    def _pointers(self, fact: Fact) -> defaultdict[Identity, list[Fact]]:
        return self._retractions if is_retraction(fact) else self._corrections

    def _root_of(self, fact: Fact) -> Fact | None:
        """Where the pointers lead; None when that is nowhere, in a circle, or to what they may not point at."""
        passed: set[str] = set()
        while target := target_of(fact):
            found = self._facts.get((fact.source, target))
            if found is None or fact.id in passed or not _may_point(fact, found):
                return None
            passed.add(fact.id)
            fact = found
        return fact

    def _in_force_beside(self, fact: Fact) -> Fact | None:
        root = self._root_of(fact)
        known = root is not None and _identity(root) in self._facts
        return self._in_force(root) if root and known else None

    def _in_force(self, root: Fact) -> Fact | None:
        """The version that holds, in the place of its root; None once the root is retracted."""
        if self._is_retracted(root):
            return None
        corrections = [each for each in self._corrections_in(root) if not self._is_retracted(each)]
        if not corrections:
            return root
        latest = max(corrections, key=lambda each: (each.time, each.id.encode()))
        return replace(latest, origin=Origin(root.position, root.time, root.id))

    def _corrections_in(self, root: Fact) -> Iterator[Fact]:
        """Every correction that leads to a root, however long the way."""
        members = [root]
        while members:
            member = members.pop()
            found = [each for each in self._corrections.get(_identity(member), ()) if _may_point(each, member)]
            members += found
            yield from found

    def _is_retracted(self, fact: Fact) -> bool:
        return bool(self._retractions.get(_identity(fact)))


def is_retraction(fact: Fact) -> bool:
    """Whether the fact says that another never happened."""
    return isinstance(fact.event, EventRetracted)


def target_of(fact: Fact) -> str | None:
    """The id of the event that the fact corrects or retracts."""
    return fact.event.event_id if isinstance(fact.event, EventRetracted) else fact.corrects


def _may_point(fact: Fact, found: Fact) -> bool:
    """A correction has the type of what it corrects; a retraction retracts anything but a retraction."""
    return not is_retraction(found) if is_retraction(fact) else found.type == fact.type


def _identity(fact: Fact) -> Identity:
    return fact.source, fact.id
