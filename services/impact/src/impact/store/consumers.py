"""What impact knows about its deliveries: counts, evidence, heartbeats, and the floor of each consumer."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic_core import to_json

from chassis.calendar import danish_date
from chassis.database import Connection
from chassis.floor import Floor
from contracts.platform import ServiceHeartbeat
from impact.ledger import Evidence, Heartbeat, Lane, Sorted


async def count(db: Connection, lane: Lane, stream: str, batch: Sorted) -> None:
    """Add a batch to the deliveries of its stream, and to the facts of each source, on the day of receipt."""
    day = danish_date(lane.recorded_at)
    kinds = Counter(evidence.kind for evidence in batch.evidence)
    counts = (len(batch.fresh), batch.duplicates, kinds["conflict"], kinds["unreadable"])
    if any(counts):
        await db.execute(COUNT_DELIVERIES, lane.municipality, stream, day, *counts)
    envelopes = [arrival.reading.envelope for arrival in batch.fresh]
    facts = Counter(envelope.source for envelope in envelopes)
    # No producer counts its heartbeats; one that is parked must not make up for a loss.
    beats = Counter(envelope.source for envelope in envelopes if envelope.name == ServiceHeartbeat.contract.name)
    if facts:
        rows = [(source, number, beats[source]) for source, number in sorted(facts.items())]
        await db.execute(COUNT_FACTS, lane.municipality, day, *zip(*rows, strict=True))


# The lane's own count is written beside, so that a day that goes missing is noticed.
COUNT_DELIVERIES = """
WITH counted AS (
    INSERT INTO delivery AS known (
        municipality, stream, received_on, first_copies, duplicates, conflicts, unreadable
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (municipality, stream, received_on) DO UPDATE SET
        first_copies = known.first_copies + excluded.first_copies,
        duplicates = known.duplicates + excluded.duplicates,
        conflicts = known.conflicts + excluded.conflicts,
        unreadable = known.unreadable + excluded.unreadable
)
UPDATE lane SET deliveries = deliveries + $4 + $5 + $6 + $7 WHERE municipality = $1
"""

COUNT_FACTS = """
INSERT INTO fact_count AS known (municipality, received_on, source, facts, heartbeats)
SELECT $1, $2, * FROM unnest($3::text[], $4::bigint[], $5::bigint[])
ON CONFLICT (municipality, source, received_on) DO UPDATE SET
    facts = known.facts + excluded.facts, heartbeats = known.heartbeats + excluded.heartbeats
"""


async def keep(db: Connection, lane: Lane, evidence: Sequence[Evidence]) -> None:
    """Keep deliveries that become no fact as they came; a second delivery of one changes nothing."""
    if not evidence:
        return
    rows = [
        (
            each.delivery.stream,
            each.delivery.sequence,
            each.body_hash,
            each.kind,
            each.reason,
            to_json(dict(each.delivery.headers)).decode(),
            each.delivery.raw,
        )
        for each in evidence
    ]
    await db.execute(KEEP, lane.municipality, lane.recorded_at, *zip(*rows, strict=True))


KEEP = """
WITH kept AS (
    INSERT INTO evidence (
        municipality, received_at, stream, stream_sequence, body_hash, kind, reason, headers, raw
    )
    SELECT $1, $2, * FROM unnest(
        $3::text[], $4::bigint[], $5::bytea[], $6::text[], $7::text[], $8::text[]::json[], $9::bytea[]
    )
    ON CONFLICT DO NOTHING
    RETURNING 1
)
UPDATE lane SET evidence = evidence + (SELECT count(*) FROM kept) WHERE municipality = $1
"""


async def hear(db: Connection, lane: Lane, heartbeats: Iterable[Heartbeat], *, received_at: datetime) -> None:
    """Remember what each producer has published; an older heartbeat never overwrites a later one.

    One of a clock that was fast gives way to any: nothing later would come for as long as that clock was ahead.
    """
    latest = {
        (heartbeat.said.producer, published.source): (published.events, heartbeat.sent_at)
        for heartbeat in sorted(heartbeats, key=lambda heartbeat: heartbeat.sent_at)
        for published in heartbeat.said.published
    }
    if latest:
        rows = [(*key, *value) for key, value in sorted(latest.items())]
        await db.execute(HEAR, lane.municipality, received_at, *zip(*rows, strict=True))


HEAR = """
INSERT INTO heartbeat AS known (municipality, received_at, producer, source, published, sent_at)
SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::bigint[], $6::timestamptz[])
ON CONFLICT (municipality, producer, source) DO UPDATE SET
    published = excluded.published, sent_at = excluded.sent_at, received_at = excluded.received_at
WHERE known.sent_at < excluded.sent_at OR known.sent_at > excluded.received_at
"""


async def note_committed(db: Connection, stream: str, durable: str, sequences: Sequence[int], at: datetime) -> None:
    """Remember, with the facts themselves, which deliveries are in this database."""
    await db.execute(NOTE_COMMITTED, stream, durable, sequences, at)


NOTE_COMMITTED = """
INSERT INTO consumer_floor AS known (stream, durable, sequence, stored_at, committed)
SELECT $1, $2, 0, $4, range_agg(int8range(each, each, '[]')) FROM unnest($3::bigint[]) AS each
ON CONFLICT (stream, durable) DO UPDATE SET committed = known.committed + excluded.committed
"""


async def floor(db: Connection, stream: str, durable: str) -> Floor:
    """What was last stored; sequence 0 when nothing is known."""
    row = await db.fetchrow(FLOOR, stream, durable)
    return Floor(**row) if row else Floor(0, None)


FLOOR = "SELECT sequence, stream_created FROM consumer_floor WHERE stream = $1 AND durable = $2"


async def set_floor(db: Connection, stream: str, durable: str, floor: Floor, stored_at: datetime) -> None:
    """Start from a floor, whatever was committed of another stream of the name."""
    await db.execute(SET_FLOOR, stream, durable, *floor, stored_at)


SET_FLOOR = """
INSERT INTO consumer_floor (stream, durable, sequence, stream_created, stored_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (stream, durable) DO UPDATE SET
    sequence = excluded.sequence,
    stream_created = excluded.stream_created,
    stored_at = excluded.stored_at,
    committed = excluded.committed
"""


async def raise_floor(  # noqa: PLR0913 - a consumer, three sequences of its stream, and when they were read
    db: Connection,
    stream: str,
    durable: str,
    *,
    acknowledged: int,
    first: int,
    created: datetime | None,
    stored_at: datetime,
) -> None:
    """Store how far all is acknowledged and in this database; `first` is the first that the stream still holds.

    What was acknowledged while another database, or this one before it went back, took it in, is not below the floor.
    """
    await db.execute(RAISE_FLOOR, stream, durable, acknowledged, first, created, stored_at)


RAISE_FLOOR = """
WITH reach AS (
    SELECT least($3, upper(part) - 1) AS sequence
    FROM consumer_floor,
        unnest(committed + int8multirange(int8range(NULL, greatest(sequence, $4 - 1), '[]'))) AS part
    WHERE stream = $1 AND durable = $2 AND lower_inf(part)
)
INSERT INTO consumer_floor AS known (stream, durable, sequence, stream_created, stored_at)
SELECT $1, $2, coalesce((SELECT sequence FROM reach), least($3, $4 - 1)), $5, $6
ON CONFLICT (stream, durable) DO UPDATE SET
    sequence = excluded.sequence,
    stream_created = excluded.stream_created,
    stored_at = excluded.stored_at,
    committed = known.committed * int8multirange(int8range(excluded.sequence + 1, NULL))
"""
