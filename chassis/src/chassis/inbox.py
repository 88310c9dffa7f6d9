"""The inbox: what became of each delivery, beside its effect, so that an event counts once however often it comes.

All SQL on its tables is here. What is delivered is a row, or a copy of one, or of a type that nobody here reads; counts
and floor move with it in one transaction, under the lock of its stream.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256

import asyncpg

from chassis.database import Connection
from chassis.floor import Floor
from chassis.wire import Reading


class Outcome(StrEnum):
    """What became of a delivery; exactly one each."""

    APPLIED = "applied"
    FAILED = "failed"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    UNREADABLE = "unreadable"
    NOT_READ = "not_read"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it came, and where on the stream it stands."""

    stream: str
    sequence: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stream is in this database, and which types were read on the way."""

    floor: Floor
    types: frozenset[str]


async def progress(db: Connection, stream: str) -> Progress | None:
    """What is stored of a stream; None when it was never read."""
    return _progress(
        await db.fetchrow("SELECT floor, stream_created, types FROM inbox_stream WHERE stream = $1", stream)
    )


async def lock(db: Connection, stream: str) -> Progress | None:
    """The same, and nobody else takes a delivery of the stream before the transaction ends."""
    query = "SELECT floor, stream_created, types FROM inbox_stream WHERE stream = $1 FOR UPDATE"
    return _progress(await db.fetchrow(query, stream))


def _progress(row: asyncpg.Record | None) -> Progress | None:
    return Progress(Floor(row["floor"], row["stream_created"]), frozenset(row["types"])) if row else None


async def read_from(db: Connection, stream: str, floor: Floor, types: Collection[str]) -> None:
    """Go on from a floor, reading these types."""
    query = """
        INSERT INTO inbox_stream (stream, floor, stream_created, types) VALUES ($1, $2, $3, $4)
        ON CONFLICT (stream) DO UPDATE SET
            floor = excluded.floor, stream_created = excluded.stream_created, types = excluded.types
    """
    await db.execute(query, stream, *floor, sorted(types))


async def keep(db: Connection, delivery: Delivery, reading: Reading) -> Outcome:
    """Record an event: applied when it is the first copy, else a duplicate, or a conflict that is kept as evidence."""
    envelope, now = reading.envelope, datetime.now(UTC)
    place, identity = (delivery.stream, delivery.sequence), (envelope.source, envelope.id)
    first = """
        INSERT INTO inbox (stream, stream_sequence, source, event_id, type, body_hash, outcome, received_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'applied', $7)
        ON CONFLICT (source, event_id) WHERE outcome IN ('applied', 'failed') DO NOTHING RETURNING number
    """
    if await db.fetchval(first, *place, *identity, envelope.type, reading.body_hash, now):
        return Outcome.APPLIED
    known = """
        SELECT body_hash FROM inbox WHERE source = $1 AND event_id = $2 AND outcome IN ('applied', 'failed')
    """
    if await db.fetchval(known, *identity) == reading.body_hash:
        return Outcome.DUPLICATE
    conflict = """
        INSERT INTO inbox (
            stream, stream_sequence, source, event_id, type, body_hash, received_at, body, outcome, reason
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'conflict', 'same id, other body')
        ON CONFLICT (source, event_id, body_hash) WHERE outcome = 'conflict' DO NOTHING RETURNING number
    """
    kept = await db.fetchval(conflict, *place, *identity, envelope.type, reading.body_hash, now, delivery.raw)
    return Outcome.CONFLICT if kept else Outcome.DUPLICATE


async def keep_unreadable(db: Connection, delivery: Delivery, reason: str) -> Outcome:
    """Keep what has no valid envelope as evidence; its place on the stream is its identity."""
    query = """
        INSERT INTO inbox (stream, stream_sequence, body_hash, body, reason, received_at, outcome)
        VALUES ($1, $2, $3, $4, $5, $6, 'unreadable')
        ON CONFLICT (stream, stream_sequence, body_hash) WHERE outcome = 'unreadable' DO NOTHING RETURNING number
    """
    body_hash, now = sha256(delivery.raw).digest(), datetime.now(UTC)
    place = (delivery.stream, delivery.sequence)
    kept = await db.fetchval(query, *place, body_hash, delivery.raw, reason, now)
    return Outcome.UNREADABLE if kept else Outcome.DUPLICATE


async def set_aside(db: Connection, reading: Reading, delivery: Delivery, reason: str) -> None:
    """Say that an event has no effect yet, and keep its body for another try."""
    query = """
        UPDATE inbox SET outcome = 'failed', reason = $3, body = $4
        WHERE source = $1 AND event_id = $2 AND outcome = 'applied'
    """
    await db.execute(query, reading.envelope.source, reading.envelope.id, reason, delivery.raw)


async def count(db: Connection, delivery: Delivery, outcome: Outcome) -> None:
    """Count a delivery, and raise the floor to it.

    What is new at or below the floor shows that the stream uses those sequences again: the floor goes back to it.
    """
    query = """
        UPDATE inbox_stream SET
            floor = CASE WHEN $3 = 'duplicate' THEN greatest(floor, $2) ELSE $2 END,
            delivered = delivered + 1,
            applied = applied + ($3 = 'applied')::int,
            failed = failed + ($3 = 'failed')::int,
            duplicate = duplicate + ($3 = 'duplicate')::int,
            conflict = conflict + ($3 = 'conflict')::int,
            unreadable = unreadable + ($3 = 'unreadable')::int,
            not_read = not_read + ($3 = 'not_read')::int
        WHERE stream = $1
    """
    await db.execute(query, delivery.stream, delivery.sequence, outcome)


async def failed(db: Connection, stream: str) -> list[int]:
    """The rows of the events that are set aside, in the order in which they came."""
    query = "SELECT number FROM inbox WHERE stream = $1 AND outcome = 'failed' ORDER BY number"
    return [row["number"] for row in await db.fetch(query, stream)]


async def body_of_failed(db: Connection, number: int) -> bytes | None:
    """The body of an event that is set aside; None when it no longer is."""
    body: bytes | None = await db.fetchval("SELECT body FROM inbox WHERE number = $1 AND outcome = 'failed'", number)
    return body


async def still_failed(db: Connection, number: int, reason: str) -> None:
    """Say why another try came to nothing."""
    await db.execute("UPDATE inbox SET reason = $2 WHERE number = $1", number, reason)


async def applied_after_all(db: Connection, number: int) -> None:
    """Say that an event that was set aside has its effect now; its body is not needed any more."""
    query = """
        WITH settled AS (
            UPDATE inbox SET outcome = 'applied', reason = NULL, body = NULL WHERE number = $1 RETURNING stream
        )
        UPDATE inbox_stream SET failed = failed - 1, applied = applied + 1 FROM settled
        WHERE inbox_stream.stream = settled.stream
    """
    await db.execute(query, number)


async def counts(db: Connection, stream: str) -> dict[Outcome, int]:
    """How many deliveries had each outcome; all zero for a stream that was never read."""
    query = "SELECT applied, failed, duplicate, conflict, unreadable, not_read FROM inbox_stream WHERE stream = $1"
    row = await db.fetchrow(query, stream)
    return {outcome: row[outcome] if row else 0 for outcome in Outcome}


async def differences(db: Connection) -> list[str]:
    """What the counters say otherwise than the rows, in words; empty when the books are right. Reads every row."""
    query = """
        WITH counted AS (
            SELECT stream, outcome, events FROM inbox_stream, LATERAL (
                VALUES ('applied', applied), ('failed', failed), ('conflict', conflict), ('unreadable', unreadable)
            ) AS each (outcome, events)
        ), recorded AS (
            SELECT stream, outcome, count(*) AS events FROM inbox GROUP BY stream, outcome
        )
        SELECT stream, outcome, coalesce(counted.events, 0) AS counted, coalesce(recorded.events, 0) AS recorded
        FROM counted FULL JOIN recorded USING (stream, outcome)
        WHERE coalesce(counted.events, 0) <> coalesce(recorded.events, 0)
        ORDER BY stream, outcome
    """
    rows = await db.fetch(query)
    return [f"{row['stream']}: {row['counted']} {row['outcome']} counted, {row['recorded']} recorded" for row in rows]
