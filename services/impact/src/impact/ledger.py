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
from impact.chronicle import Chronicle, Outcome, Told
from impact.fold import Fact, RuleError

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
    def target(self) -> str | None:
        """The id of the event that it corrects or retracts."""
        return self.event.event_id if isinstance(self.event, EventRetracted) else self.reading.envelope.corrects

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
    """A position of the ledger: the fact that took effect there and what that changed, or why it was parked."""

    position: int
    fact: Fact | None
    parked: Parked | None
    told: Told


def receive(delivery: Delivery, municipality: str) -> Arrival | Evidence:
    """Read a delivery on the lane of a municipality."""
    try:
        reading = read(delivery.raw)
    except Unreadable as unreadable:
        return Evidence(delivery, "unreadable", unreadable.reason, sha256(delivery.raw).digest())
    return Arrival(delivery, reading, event_of(reading.envelope, municipality))


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


def events_of(fresh: Iterable[Arrival]) -> list[Event]:
    """The events of a batch that may take effect."""
    return [arrival.event for arrival in fresh if isinstance(arrival.event, Event)]


def chain_ends_of(fresh: Iterable[Arrival]) -> set[Identity]:
    """Every id of a batch, and what it points at: where the chains begin that the batch may change."""
    ends: set[Identity] = set()
    for arrival in fresh:
        source, event_id = arrival.identity
        ends.add((source, event_id))
        if target := arrival.target:
            ends.add((source, target))
    return ends


def admit(lane: Lane, fresh: Iterable[Arrival], chronicle: Chronicle) -> list[Entry]:
    """Give each first copy the next position, and tell it."""
    return [
        admit_at(position, arrival.reading.envelope, arrival.event, lane=lane, chronicle=chronicle)
        for position, arrival in enumerate(fresh, lane.position + 1)
    ]


def admit_at(  # noqa: PLR0913 - a place in the ledger, what came, and who is told
    position: int,
    envelope: Envelope,
    event: Event | Parked,
    *,
    lane: Lane,
    chronicle: Chronicle,
    parked_at: int | None = None,
) -> Entry:
    """Tell one event at a position of the lane; `parked_at` is where it was parked when this is its replay."""
    if isinstance(event, Parked):
        return _parked(position, event, parked_at)
    if isinstance(event, DatedEvent) and not is_within_reach(event.occurred_on, danish_date(lane.recorded_at)):
        return _parked(position, Parked.ABSURD_DATE, parked_at)
    fact = Fact(
        position,
        envelope.source,
        envelope.id,
        envelope.type,
        envelope.time,
        event,
        corrects=envelope.corrects,
        parked_at=parked_at,
    )
    try:
        return Entry(position, fact, None, chronicle.tell(fact))
    except RuleError as error:
        cause = type(error.__cause__).__name__
        log.error("rule_raised", position=position, rule=str(error), error=cause)  # noqa: TRY400 - may hold event data
        return _parked(position, Parked.RULE_ERROR, parked_at)


def _parked(position: int, reason: Parked, parked_at: int | None) -> Entry:
    """A fact that is parked again has the outcome that it had."""
    outcomes = {} if parked_at else {position: Outcome.PARKED}
    return Entry(position, None, reason, Told(outcomes=outcomes))


def event_of(envelope: Envelope, municipality: str) -> Event | Parked:
    """The typed event of an envelope on the lane of a municipality, or why there is none."""
    if envelope.municipality != municipality:
        return Parked.WRONG_MUNICIPALITY
    try:
        return data_of(envelope)
    except UnknownType:
        return Parked.UNKNOWN_TYPE
    except ValidationError:
        return Parked.INVALID_DATA
