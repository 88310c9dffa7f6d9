"""The outbox: events beside the state change that they tell of, and what the stream is known to hold of them.

All SQL on the table is here. An event in it is never changed; rows are kept: a broker may lose what it has stored.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.database import Connection
from chassis.wire import Sealed
from contracts.platform import ServiceHeartbeat

CHANNEL = "outbox"
HEARTBEAT = ServiceHeartbeat.contract.type
# Of a million rows, one statement would take longer than any may.
STEP = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """An event that waits for its publication."""

    position: int
    subject: str
    message_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of one event in the outbox; without `published_at` and `parked_reason` it waits."""

    type: str
    body_hash: bytes
    appended_at: datetime
    stream_sequence: int | None
    published_at: datetime | None
    parked_reason: str | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where in the stream an event is, as far as we know."""

    sequence: int
    message_id: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as the stream has it: where, since when, under which id, if any, and to which subject it was sent."""

    sequence: int
    at: datetime
    message_id: str
    subject: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the stream's own tail taught us: how many events it had unknown to us, or lost, and what is not ours."""

    found: int
    lost: int
    strangers: tuple[Stored, ...]


@dataclass(frozen=True, slots=True)
class Backlog:
    """Events that wait, heartbeats aside, and those that wait for a person."""

    pending: int
    oldest: datetime | None
    parked: int


async def append(db: Connection, events: Sequence[Sealed], *, now: datetime) -> None:
    """Put events beside the state change that they tell of; the caller's transaction decides both.

    A relay hears of them at the commit, from the same round trip. `now` is real time: it tells how long they wait.
    """
    if not events:
        return
    query = """
        WITH appended AS (
            INSERT INTO outbox (source, event_id, type, subject, message_id, body, body_hash, appended_at)
            SELECT source, event_id, type, subject, message_id, body, body_hash, $8
            FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::bytea[])
                WITH ORDINALITY
                AS event (source, event_id, type, subject, message_id, body, body_hash, number)
            ORDER BY number
        )
        SELECT pg_notify('outbox', '')
    """
    columns = zip(
        *((e.source, e.id, e.type, e.nats_subject, e.message_id, e.body, e.body_hash) for e in events), strict=True
    )
    await db.execute(query, *map(list, columns), now)


async def find(db: Connection, source: str, event_id: str) -> Kept | None:
    """One event of a source, None when it was never appended."""
    query = """
        SELECT type, body_hash, appended_at, stream_sequence, published_at, parked_reason
        FROM outbox WHERE source = $1 AND event_id = $2
    """
    row = await db.fetchrow(query, source, event_id)
    return Kept(**row) if row else None


async def published_counts(db: Connection) -> dict[str, int]:
    """How many events each source has ever put into the outbox, heartbeats aside.

    It counts the whole outbox, from an index, at every heartbeat. Once there are many millions, or old rows are
    archived, keep the counts in a table that `append` adds to.
    """
    query = "SELECT source, count(*) AS events FROM outbox WHERE type <> $1 GROUP BY source ORDER BY source"
    return {row["source"]: row["events"] for row in await db.fetch(query, HEARTBEAT)}


async def backlog(db: Connection) -> Backlog:
    """What waits in the outbox; `oldest` is when the event that waits longest was appended."""
    query = """
        SELECT (SELECT count(*) FROM outbox WHERE parked_reason IS NOT NULL) AS parked,
               count(*) AS pending, min(appended_at) AS oldest
        FROM outbox WHERE published_at IS NULL AND parked_reason IS NULL AND type <> $1
    """
    row = await db.fetchrow(query, HEARTBEAT)
    assert row is not None  # noqa: S101 - an aggregate always gives a row
    return Backlog(row["pending"], row["oldest"], row["parked"])


async def become_relay(db: Connection) -> bool:
    """Try to become the one relay of this database, for as long as this very connection lives."""
    query = "SELECT pg_try_advisory_lock(hashtextextended('relay of the outbox', 0))"
    return bool(await db.fetchval(query))


async def unpublished(db: Connection, limit: int, *, after: int = 0) -> list[Row]:
    """The next events to publish behind a position, in the order in which they are to reach the stream."""
    query = """
        SELECT position, subject, message_id, body FROM outbox
        WHERE published_at IS NULL AND parked_reason IS NULL AND position > $2 ORDER BY position LIMIT $1
    """
    return [Row(**row) for row in await db.fetch(query, limit, after)]


async def mark_published(db: Connection, rows: Sequence[Row], *, first_sequence: int, at: datetime) -> None:
    """Record that the rows stand in the stream one after the other."""
    query = """
        UPDATE outbox SET stream_sequence = $2 + number - 1, published_at = $3
        FROM unnest($1::bigint[]) WITH ORDINALITY AS stored (row_position, number) WHERE position = row_position
    """
    await db.execute(query, [row.position for row in rows], first_sequence, at)


async def park(db: Connection, row: Row, reason: str) -> None:
    """Set a row aside that the stream does not take, so that the others can go on."""
    query = "UPDATE outbox SET parked_reason = $2 WHERE position = $1"
    await db.execute(query, row.position, reason)


async def unpark(db: Connection) -> list[int]:
    """Let everything that was set aside be tried again, and return its positions."""
    query = "UPDATE outbox SET parked_reason = NULL WHERE parked_reason IS NOT NULL RETURNING position"
    return sorted(row["position"] for row in await db.fetch(query))


async def recorded_until(db: Connection, sequence: int, limit: int) -> list[Recorded]:
    """What we believe the stream holds at and below the sequence, highest first."""
    query = """
        SELECT stream_sequence AS sequence, message_id FROM outbox
        WHERE stream_sequence <= $1 ORDER BY stream_sequence DESC LIMIT $2
    """
    return [Recorded(**row) for row in await db.fetch(query, sequence, limit)]


async def settle(
    db: Connection, *, survivor: int, tail: Sequence[Stored], first_sequence: int, kept_since: datetime
) -> Settlement:
    """Make the record what the stream says: what is there is published, what is not is not.

    Above `survivor` its tail decides, by message id. Before its first sequence, what was published before `kept_since`
    has aged away; the rest was purged, or the stream was made anew.
    """
    # Of two copies of one event the later counts: it is where the stream ends.
    last = {stored.message_id: stored for stored in tail}
    async with db.transaction():
        above = await _unmark(db, last, "stream_sequence > $1", survivor)
        below = await _unmark(db, last, "stream_sequence < $1 AND published_at >= $2", first_sequence, kept_since)
        ours = await _mark(db, list(last.values()))
    unmarked, again = above[0] + below[0], above[1] | below[1]
    strangers = tuple(stored for stored in tail if stored.message_id not in ours)
    return Settlement(found=len(ours - again), lost=unmarked - len(again & ours), strangers=strangers)


async def _unmark(
    db: Connection, tail: Collection[str], recorded: str, *values: int | datetime
) -> tuple[int, set[str]]:
    """Forget where rows are recorded, and return how many were, and which of them the tail has."""
    query = f"""
        UPDATE outbox SET stream_sequence = NULL, published_at = NULL
        WHERE position IN (SELECT position FROM outbox WHERE {recorded} ORDER BY stream_sequence DESC LIMIT {STEP})
        RETURNING message_id
    """  # noqa: S608 - the callers' own conditions
    unmarked, there = 0, set[str]()
    while rows := await db.fetch(query, *values):
        unmarked += len(rows)
        there |= {row["message_id"] for row in rows if row["message_id"] in tail}
    return unmarked, there


async def _mark(db: Connection, tail: Sequence[Stored]) -> set[str]:
    """Record where the stream has events of ours, and return their ids."""
    query = """
        UPDATE outbox SET stream_sequence = tail.sequence, published_at = tail.stored_at, parked_reason = NULL
        FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS tail (id, sequence, stored_at)
        WHERE message_id = tail.id RETURNING message_id
    """
    ours = set[str]()
    for start in range(0, len(tail), STEP):
        step = tail[start : start + STEP]
        columns = [each.message_id for each in step], [each.sequence for each in step], [each.at for each in step]
        ours |= {row["message_id"] for row in await db.fetch(query, *columns)}
    return ours


async def miss(
    db: Connection, there: Sequence[str], *, after: int, until: int, published: tuple[datetime, datetime]
) -> int:
    """Have published again what was recorded in a part of the stream that holds only what is `there`; gives how many.

    `published` is between when: what is older has aged away, and what is younger would not be taken again yet.
    """
    query = """
        UPDATE outbox SET stream_sequence = NULL, published_at = NULL
        WHERE stream_sequence > $2 AND stream_sequence <= $3 AND message_id <> ALL($1::text[])
          AND published_at >= $4 AND published_at < $5
        RETURNING 1
    """
    return len(await db.fetch(query, there, after, until, *published))


async def forget_heartbeats(db: Connection, *, before: datetime) -> None:
    """Delete published heartbeats, but never the row of the highest sequence: it says where the stream ends."""
    query = """
        DELETE FROM outbox WHERE type = $1 AND published_at < $2
        AND stream_sequence < (SELECT max(stream_sequence) FROM outbox)
    """
    await db.execute(query, HEARTBEAT, before)
