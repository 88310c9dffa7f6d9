"""An event as bytes: sealed for the bus, and read from it. Both sides agree on the hash of the canonical JSON."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import rfc8785
from pydantic import ValidationError
from pydantic_core import from_json

from contracts.catalogue import BY_TYPE, data_of
from contracts.envelope import MAX_BYTES, Envelope, source_of
from contracts.event import Event
from contracts.streams import subject_of

TRACE_CONTEXT = ("traceparent", "tracestate")
HASH_DIGITS = 16
# The largest integer that JSON's readers and OpenAPI's numbers hold exactly.
MOST_EXACT = 2**53 - 1
ENCODE = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


class Unsealable(ValueError):
    """The event is not fit for the bus; the text says where and why, never the value."""


class Unreadable(Exception):
    """The bytes are no event: too_large, not_json, not_canonical, holds_nul or not_an_envelope."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Sealed:
    """An event ready for the outbox: validated, and with the bytes that every copy of it will have."""

    source: str
    id: str
    type: str
    nats_subject: str
    body: bytes
    body_hash: bytes

    @property
    def message_id(self) -> str:
        """The `Nats-Msg-Id`; the hash in it keeps another body under the same id from being taken for a copy."""
        return f"{self.source}#{self.id}#{self.body_hash.hex()[:HASH_DIGITS]}"


@dataclass(frozen=True, slots=True)
class Reading:
    """An event as received; `data` in the envelope is not typed yet."""

    envelope: Envelope
    body_hash: bytes
    body: dict[str, Any]


def seal(  # noqa: PLR0913 - one argument per attribute of the envelope that only the caller knows
    event: Event,
    *,
    municipality: str,
    producer: str,
    id: str,  # noqa: A002 - the envelope's own word
    time: datetime,
    corrects: str | None = None,
    correlationid: str | None = None,
    causationid: str | None = None,
    source: str | None = None,
) -> Sealed:
    """Put the event in its envelope, as its canonical JSON; absent attributes and fields are left out.

    `time` is aware. Raises Unsealable for what no consumer would accept, personal numbers and more than 64 KiB.
    """
    if time.tzinfo is None:
        raise Unsealable("time has no time zone")
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": id,
        "source": source or source_of(municipality, producer),
        "type": event.contract.type,
        "subject": event.about,
        "time": time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "dataclassification": event.contract.classification,
        "corrects": corrects,
        "correlationid": correlationid,
        "causationid": causationid,
    }
    message = {name: value for name, value in attributes.items() if value is not None}
    message["data"] = event.model_dump(mode="json", exclude_none=True)
    body = _body_of(message)
    return Sealed(
        source=message["source"],
        id=id,
        type=event.contract.type,
        nats_subject=subject_of(municipality, producer, event.contract),
        body=body,
        body_hash=sha256(body).digest(),
    )


def carry(reading: Reading, *, producer: str) -> Sealed:
    """Another system's event under the subject of the producer that carries it; source, id and body stay as they came.

    Its type must be in the catalogue. Its bytes are the canonical JSON of what came, trace context included.
    """
    envelope = reading.envelope
    contract = BY_TYPE[envelope.type].contract
    return Sealed(
        source=envelope.source,
        id=envelope.id,
        type=envelope.type,
        nats_subject=subject_of(envelope.municipality, producer, contract),
        body=canonical(reading.body),
        body_hash=reading.body_hash,
    )


def read(raw: bytes) -> Reading:
    """Read what came over the bus; its data may still be of an unknown type or invalid. Raises Unreadable."""
    if len(raw) > MAX_BYTES:
        raise Unreadable("too_large")
    try:
        body = from_json(raw, allow_inf_nan=False)
    except ValueError:
        raise Unreadable("not_json") from None
    if not isinstance(body, dict):
        raise Unreadable("not_an_envelope")
    body_hash = hash_of_body(body)
    # Trace context is no part of the identity, and stored all the same.
    canonical({name: body[name] for name in TRACE_CONTEXT if name in body})
    try:
        envelope = Envelope.model_validate(body)
    except ValidationError:
        raise Unreadable("not_an_envelope") from None
    return Reading(envelope, body_hash, body)


def hash_of(stored: str) -> bytes:
    """The hash that `read` gave a body, from the JSON that a database gives back for it. Raises Unreadable."""
    try:
        body = json.loads(stored, parse_int=_number)
    except ValueError:
        raise Unreadable("not_json") from None
    if not isinstance(body, dict):
        raise Unreadable("not_an_envelope")
    return hash_of_body(body)


def _number(digits: str) -> int | float:
    """A database writes out what came as 1e20, and canonical JSON has no integer as long as that."""
    number = float(digits)
    return number if abs(number) > MOST_EXACT else int(digits)


def hash_of_body(body: dict[str, Any]) -> bytes:
    """Of a body but for its trace context. Raises Unreadable."""
    return sha256(canonical({name: value for name, value in body.items() if name not in TRACE_CONTEXT})).digest()


def canonical(body: dict[str, Any]) -> bytes:
    """The one spelling of a body (RFC 8785). Raises Unreadable for what has none, and for what holds a NUL."""
    try:
        canonical = _spelled(body)
    except ValueError:
        raise Unreadable("not_canonical") from None
    # PostgreSQL stores no NUL in text. With the escaped backslashes out of the way, only a real one looks like this.
    if b"\\u0000" in canonical.replace(rb"\\", b""):
        raise Unreadable("holds_nul")
    return canonical


def _spelled(body: dict[str, Any]) -> bytes:
    """A body as RFC 8785 spells it. Raises a ValueError for what it does not spell."""
    return ENCODE(body).encode() if _is_plain(body) else rfc8785.dumps(body)


def _is_plain(value: object) -> bool:
    """Whether Python's encoder, which is faster, spells it alike: names beyond ASCII and most numbers it may not."""
    if isinstance(value, dict):
        return all(name.isascii() and _is_plain(part) for name, part in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, int):
        return abs(value) <= MOST_EXACT
    return not isinstance(value, float)


def _body_of(message: dict[str, Any]) -> bytes:
    """The bytes of a message that can be read, with data of its type: the types refuse personal numbers in any text."""
    try:
        body = canonical(message)
        data_of(Envelope.model_validate(message))
    except Unreadable as unreadable:
        raise Unsealable(unreadable.reason) from None
    except ValidationError as invalid:
        places = (f"{'/'.join(map(str, error['loc']))}: {error['msg']}" for error in invalid.errors())
        raise Unsealable("; ".join(places)) from None
    if len(body) > MAX_BYTES:
        raise Unsealable("too_large")
    return body
