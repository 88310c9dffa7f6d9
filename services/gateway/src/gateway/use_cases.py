"""What is done with what is told: lock, decide, save, append; one transaction holds the event and the answer to it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, TypeAdapter, ValidationError

from chassis import admission, outbox
from chassis.calendar import Calendar
from chassis.database import Connection
from chassis.wire import Unreadable, canonical, carry, hash_of_body, read
from contracts import envelope
from contracts.envelope import Envelope, EventId
from contracts.types import without_personal_number
from gateway import store
from gateway.domain import RETRACTION, Outcome, Reason, Told, decide
from gateway.store import Admitted

PRODUCER = "gateway"

# What may be kept of a message that is turned away.
SOURCE: TypeAdapter[str] = TypeAdapter(Annotated[envelope.Source, AfterValidator(without_personal_number)])
EVENT_ID: TypeAdapter[str] = TypeAdapter(EventId)
TYPE: TypeAdapter[str] = TypeAdapter(Annotated[envelope.TypeName, AfterValidator(without_personal_number)])


@dataclass(frozen=True, slots=True)
class Desk:
    """Where it is decided: inside one transaction, by one calendar, for one municipality."""

    db: Connection
    municipality: str
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an event that was let in, and when it first was."""

    source: str
    id: str
    outcome: Outcome
    received_at: datetime


def told_by(token_name: str, message: Any, calendar: Calendar) -> Told:
    """What a message says about itself, and everything that is wrong with it."""
    faults = admission.faults_in(message, today=calendar.today())
    said = message if isinstance(message, dict) else {}
    return Told(
        token_name=token_name,
        source=_well_formed(SOURCE, said.get("source")),
        id=_well_formed(EVENT_ID, said.get("id")),
        type=_well_formed(TYPE, said.get("type")),
        body_hash=_hash_of(message),
        faults=tuple(Reason(fault.place, fault.said.danish, fault.said.english) for fault in faults),
    )


def _hash_of(message: Any) -> bytes | None:
    """The hash by which two messages are the same event; None when there is no event in it."""
    try:
        return hash_of_body(message) if isinstance(message, dict) else None
    except Unreadable:
        return None


def _well_formed(adapter: TypeAdapter[str], value: Any) -> str | None:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None


async def admit(desk: Desk, told: Told, message: Any) -> Receipt:
    """Let an event in once, into the outbox of this service. Raises Refused."""
    source, event_id = told.source or "", told.id or ""
    registered = await store.lock_source(desk.db, source)
    # Before the first copy there is no row to lock, so copies that come at once take turns here.
    await store.claim(desk.db, source, event_id)
    known = await outbox.find(desk.db, source, event_id)
    outcome = decide(told, registered, known.body_hash if known else None, municipality=desk.municipality)
    if outcome is Outcome.ACCEPTED:
        await _append(desk, told, message)
    admitted = await store.find_admitted(desk.db, source, event_id)
    assert admitted is not None  # noqa: S101 - in the outbox under a registered source only with its row
    return Receipt(source, event_id, outcome, admitted.received_at)


async def _append(desk: Desk, told: Told, message: Any) -> None:
    reading = read(canonical(message))
    relation, target = _concerns(reading.envelope)
    admitted = Admitted(told.token_name, desk.calendar.now(), relation, target)
    await store.save_admitted(desk.db, reading.envelope.source, reading.envelope.id, admitted)
    # How long an event waits for the bus is a matter of real time, whatever day the calendar says it is.
    await outbox.append(desk.db, [carry(reading, producer=PRODUCER)], now=datetime.now(UTC))


def _concerns(told: Envelope) -> tuple[store.Relation | None, str | None]:
    """Which event of its source it corrects or retracts."""
    if told.type == RETRACTION:
        return "retraction", told.data["event_id"]
    return ("correction", told.corrects) if told.corrects else (None, None)
