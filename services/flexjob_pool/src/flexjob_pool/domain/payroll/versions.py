"""Which version of a payroll message is in force: a root, its corrections, and retractions of either, by source.

Of several corrections the latest by (time, id) holds, and nothing retracts a retraction; so the order of arrival
decides nothing, and what points at a message that has not come yet waits for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from contracts.payroll import EmploymentEnded, EmploymentEvent, WorkingTimeChanged
from contracts.platform import EventRetracted

Told = WorkingTimeChanged | EmploymentEnded | EventRetracted


class Identity(NamedTuple):
    """What makes a message the same message: sources number theirs by themselves."""

    source: str
    id: str


class Rank(NamedTuple):
    """When a message was registered, so that two of the same instant have an order as well."""

    time: datetime
    id: bytes
    source: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came; `time` is when payroll registered it."""

    source: str
    id: str
    time: datetime
    corrects: str | None
    event: Told

    @property
    def identity(self) -> Identity:
        """Its source and id."""
        return Identity(self.source, self.id)

    @property
    def rank(self) -> Rank:
        """Its place among the messages in the order of their registration."""
        return Rank(self.time, self.id.encode(), self.source)


@dataclass(frozen=True, slots=True)
class Version:
    """What holds in the place of a root: the root itself, or the latest of its corrections."""

    told: Identity
    event: EmploymentEvent
    rank: Rank


class Standing(StrEnum):
    """What became of a message in its chain."""

    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"
    RETRACTED = "retracted"
    WAITING = "waiting"


def versions_of(messages: Iterable[Message]) -> list[Version]:
    """The versions in force, by the registration of their roots.

    A version keeps its root's rank: who corrects an old interval says what it should have been all along, not that
    it holds against what was registered after it.
    """
    known = {message.identity: message for message in messages}
    chains: dict[Identity, list[Message]] = {}
    for message in known.values():
        if not isinstance(message.event, EventRetracted) and (root := _root_of(message, known)):
            chains.setdefault(root.identity, []).append(message)
    retracted = _retracted(known.values())
    found = (_in_force(known[root], chain, retracted) for root, chain in chains.items() if root not in retracted)
    return sorted(found, key=lambda version: version.rank)


def standings_of(messages: Iterable[Message]) -> dict[Identity, Standing]:
    """What became of each message; a retraction is in force once there is something that it retracts."""
    known = {message.identity: message for message in messages}
    holding = {version.told for version in versions_of(known.values())}
    retracted = _retracted(known.values())

    def standing(message: Message) -> Standing:
        root = _root_of(message, known)
        if root is None:
            return Standing.WAITING
        if message.identity in holding or isinstance(message.event, EventRetracted):
            return Standing.IN_FORCE
        gone = message.identity in retracted or root.identity in retracted
        return Standing.RETRACTED if gone else Standing.SUPERSEDED

    return {identity: standing(message) for identity, message in known.items()}


def target_of(message: Message) -> Identity | None:
    """The message that this one corrects or retracts."""
    target = message.event.event_id if isinstance(message.event, EventRetracted) else message.corrects
    return Identity(message.source, target) if target else None


def _retracted(messages: Iterable[Message]) -> set[Identity]:
    return {
        Identity(message.source, message.event.event_id)
        for message in messages
        if isinstance(message.event, EventRetracted)
    }


def _root_of(message: Message, known: Mapping[Identity, Message]) -> Message | None:
    """Where the pointers lead; None when that is nowhere, in a circle, or to what they may not point at."""
    passed: set[Identity] = set()
    while target := target_of(message):
        found = known.get(target)
        if found is None or message.identity in passed or not _may_point(message, found):
            return None
        passed.add(message.identity)
        message = found
    return message


def _may_point(message: Message, found: Message) -> bool:
    """A correction has the type of what it corrects; a retraction retracts anything but a retraction."""
    if isinstance(message.event, EventRetracted):
        return not isinstance(found.event, EventRetracted)
    return type(found.event) is type(message.event)


def _in_force(root: Message, chain: Iterable[Message], retracted: set[Identity]) -> Version:
    corrections = [each for each in chain if each is not root and each.identity not in retracted]
    told = max(corrections, key=lambda each: each.rank, default=root)
    assert not isinstance(told.event, EventRetracted)  # noqa: S101 - chains hold none
    return Version(told.identity, told.event, root.rank)
