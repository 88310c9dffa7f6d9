"""Admission: which deliveries become facts, at which position, and what they change. Pure: a batch is one value.

The first copy of (source, id) stands; every valid envelope becomes a fact, parked when it cannot be counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Literal, NamedTuple

import structlog
from pydantic import ValidationError

from chassis.calendar import danish_date
from chassis.wire import Reading, Unreadable, read
from contracts.catalogue import UnknownType, data_of
from contracts.envelope import Envelope
from contracts.event import DatedEvent, Event
from contracts.platform import EventRetracted, ServiceHeartbeat
from contracts.reach import is_within_reach
from impact.fold import Delta, Fact, Fold, History, RuleError

log = structlog.get_logger()


Identity = tuple[str, str]


class Parked(StrEnum):
    """Why a fact waits outside every history."""

    UNKNOWN_TYPE = "unknown_type"
    INVALID_DATA = "invalid_data"
    WRONG_MUNICIPALITY = "wrong_municipality"
    ABSURD_DATE = "absurd_date"
    RULE_ERROR = "rule_error"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as the bus brought it."""

    stream: str
    sequence: int
    headers: Mapping[str, str]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery with a valid envelope: its typed event, or why there is none."""

    delivery: Delivery
    reading: Reading
    event: Event | Parked

    @property
    def identity(self) -> Identity:
        """The source, and the id that it gave the event."""
        return self.reading.envelope.source, self.reading.envelope.id

    @property
    def occurred_on(self) -> date | None:
        """When the event became true, as far as that is known."""
        return self.event.occurred_on if isinstance(self.event, DatedEvent) else None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A delivery that becomes no fact and is kept as it came: unreadable, or in conflict with the first copy."""

    delivery: Delivery
    kind: Literal["unreadable", "conflict"]
    reason: str
    body_hash: bytes


class Heartbeat(NamedTuple):
    """A sign of life of a producer; it enters no ledger."""

    sent_at: datetime
    said: ServiceHeartbeat


@dataclass(slots=True)
class Sorted:
    """A batch after the first look."""

    fresh: list[Arrival] = field(default_factory=list)
    heartbeats: list[Heartbeat] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """How far a municipality has come, and the instant that what comes next is recorded at."""

    municipality: str
    position: int
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact in the ledger, the histories that it belongs to, and what it changed."""

    position: int
    arrival: Arrival
    parked: Parked | None
    histories: tuple[History, ...] = ()
    deltas: tuple[Delta, ...] = ()


def receive(delivery: Delivery, municipality: str) -> Arrival | Evidence:
    """Read a delivery on the lane of a municipality."""
    try:
        reading = read(delivery.raw)
    except Unreadable as unreadable:
        return Evidence(delivery, "unreadable", unreadable.reason, sha256(delivery.raw).digest())
    return Arrival(delivery, reading, _event_of(reading.envelope, municipality))


def not_storable(delivery: Delivery) -> Evidence:
    """What becomes of a delivery whose content the database refuses."""
    return Evidence(delivery, "unreadable", "not_storable", sha256(delivery.raw).digest())


def identities_of(received: Iterable[Arrival | Evidence]) -> set[Identity]:
    """What to ask the ledger for before the first look."""
    return {arrival.identity for arrival in received if isinstance(arrival, Arrival)}


def sort_out(received: Iterable[Arrival | Evidence], known: Mapping[Identity, bytes]) -> Sorted:
    """Tell first copies from duplicates and conflicts; `known` holds the body hash of each fact in the ledger."""
    batch = Sorted()
    standing = dict(known)
    for arrival in received:
        if isinstance(arrival, Evidence):
            batch.evidence.append(arrival)
        elif isinstance(arrival.event, ServiceHeartbeat):
            batch.heartbeats.append(Heartbeat(arrival.reading.envelope.time, arrival.event))
        elif arrival.identity not in standing:
            standing[arrival.identity] = arrival.reading.body_hash
            batch.fresh.append(arrival)
        elif standing[arrival.identity] == arrival.reading.body_hash:
            batch.duplicates += 1
        else:
            reason = "same id, other body"
            batch.evidence.append(Evidence(arrival.delivery, "conflict", reason, arrival.reading.body_hash))
    return batch


def histories_of(fresh: Iterable[Arrival], fold: Fold) -> set[History]:
    """Every history that a batch touches; the fold must remember them all before the batch is admitted."""
    return {
        history for arrival in fresh if isinstance(arrival.event, Event) for history in fold.histories_of(arrival.event)
    }


def admit(lane: Lane, fresh: Iterable[Arrival], fold: Fold) -> list[Entry]:
    """Give each first copy the next position, and fold it."""
    return [_entry(lane, position, arrival, fold) for position, arrival in enumerate(fresh, lane.position + 1)]


def _entry(lane: Lane, position: int, arrival: Arrival, fold: Fold) -> Entry:
    if isinstance(arrival.event, Parked):
        return Entry(position, arrival, arrival.event)
    if _is_absurd(arrival.occurred_on, danish_date(lane.recorded_at)):
        return Entry(position, arrival, Parked.ABSURD_DATE)
    envelope = arrival.reading.envelope
    if awaits_supersession(envelope.type, envelope.corrects):
        return Entry(position, arrival, None)
    fact = Fact(position, envelope.source, envelope.id, envelope.type, envelope.time, arrival.event)
    try:
        deltas = fold.admit(fact)
    except RuleError as error:
        cause = type(error.__cause__).__name__
        log.error("rule_raised", position=position, rule=str(error), error=cause)  # noqa: TRY400 - may hold event data
        return Entry(position, arrival, Parked.RULE_ERROR)
    return Entry(position, arrival, None, tuple(dict.fromkeys(fact.keys)), tuple(deltas))


def _is_absurd(day: date | None, today: date) -> bool:
    return day is not None and not is_within_reach(day, today)


def awaits_supersession(type_name: str, corrects: str | None) -> bool:
    """Whether the fact stands in the ledger and in no history: corrections and retractions are not resolved yet."""
    return corrects is not None or type_name == EventRetracted.contract.type


def _event_of(envelope: Envelope, municipality: str) -> Event | Parked:
    if envelope.municipality != municipality:
        return Parked.WRONG_MUNICIPALITY
    try:
        return data_of(envelope)
    except UnknownType:
        return Parked.UNKNOWN_TYPE
    except ValidationError:
        return Parked.INVALID_DATA
