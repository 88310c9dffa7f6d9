"""What impact knows about its deliveries: counts, evidence, heartbeats, and the floor of each consumer."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic_core import to_json

from chassis.calendar import danish_date
from chassis.database import Connection
from contracts.platform import ServiceHeartbeat
from impact.floor import Floor
from impact.ledger import Evidence, Heartbeat, Lane, Sorted


async def count(db: Connection, lane: Lane, stream: str, batch: Sorted) -> None:
    """Add a batch to the deliveries of its stream, and to the facts of each source, on the day of receipt."""
    day = danish_date(lane.recorded_at)
    kinds = Counter(evidence.kind for evidence in batch.evidence)
    counts = (len(batch.fresh), batch.duplicates, kinds["conflict"], kinds["unreadable"])
    if any(counts):
        await db.execute(COUNT_DELIVERIES, lane.municipality, stream, day, *counts)
    envelopes = [arrival.reading.envelope for arrival in batch.fresh]
    # No producer counts its heartbeats; one that is parked must not make up for a loss.
    heartbeat = ServiceHeartbeat.contract.name
    if facts := Counter(envelope.source for envelope in envelopes if envelope.name != heartbeat):
        await db.execute(COUNT_FACTS, lane.municipality, day, list(facts.keys()), list(facts.values()))


COUNT_DELIVERIES = """
INSERT INTO delivery AS known (
    municipality, stream, received_on, first_copies, duplicates, conflicts, unreadable
)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (municipality, stream, received_on) DO UPDATE SET
    first_copies = known.first_copies + excluded.first_copies,
    duplicates = known.duplicates + excluded.duplicates,
    conflicts = known.conflicts + excluded.conflicts,
    unreadable = known.unreadable + excluded.unreadable
"""

COUNT_FACTS = """
INSERT INTO fact_count AS known (municipality, received_on, source, facts)
SELECT $1, $2, * FROM unnest($3::text[], $4::bigint[])
ON CONFLICT (municipality, source, received_on) DO UPDATE SET facts = known.facts + excluded.facts
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
INSERT INTO evidence (
    municipality, received_at, stream, stream_sequence, body_hash, kind, reason, headers, raw
)
SELECT $1, $2, * FROM unnest(
    $3::text[], $4::bigint[], $5::bytea[], $6::text[], $7::text[], $8::text[]::json[], $9::bytea[]
)
ON CONFLICT DO NOTHING
"""


async def hear(db: Connection, lane: Lane, heartbeats: Iterable[Heartbeat], *, received_at: datetime) -> None:
    """Remember what each producer has published; an older heartbeat never overwrites a later one."""
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
WHERE known.sent_at < excluded.sent_at
"""


async def floor(db: Connection, stream: str, durable: str) -> Floor:
    """What was last stored; sequence 0 when nothing is known."""
    row = await db.fetchrow(FLOOR, stream, durable)
    return Floor(**row) if row else Floor(0, None)


FLOOR = "SELECT sequence, stream_created FROM consumer_floor WHERE stream = $1 AND durable = $2"


async def store_floor(db: Connection, stream: str, durable: str, floor: Floor, stored_at: datetime) -> None:
    """Note the consumer's acknowledged floor; it must have been read before."""
    await db.execute(STORE_FLOOR, stream, durable, *floor, stored_at)


STORE_FLOOR = """
INSERT INTO consumer_floor (stream, durable, sequence, stream_created, stored_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (stream, durable) DO UPDATE SET
    sequence = excluded.sequence, stream_created = excluded.stream_created, stored_at = excluded.stored_at
"""
