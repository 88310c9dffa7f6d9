"""What the ledger holds: lane, facts, histories, deltas and sums, written for a whole batch at a time."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from asyncpg import Record
from pydantic_core import to_json

from chassis.database import Connection
from contracts.catalogue import BY_TYPE
from impact.fold import Delta, Fact, History, SumKey, sums_of
from impact.ledger import Entry, Identity, Lane


async def lock_lane(db: Connection, municipality: str, now: datetime) -> Lane:
    """Hold the lane until the transaction ends; its `recorded_at` is now, or later if it was so already."""
    row = await db.fetchrow(LOCK_LANE, municipality, now)
    assert row is not None  # noqa: S101 - the statement always returns its row
    return Lane(municipality, row["position"], row["recorded_at"])


# A plan is kept for the size that a table had, and the ledger grows a thousandfold within minutes of a replay:
# so in this transaction each statement is planned for the size of the day.
LOCK_LANE = """
INSERT INTO lane (municipality, recorded_at) VALUES ($1, $2)
ON CONFLICT (municipality) DO UPDATE SET position = lane.position
RETURNING position, greatest(recorded_at, $2) AS recorded_at,
    set_config('plan_cache_mode', 'force_custom_plan', true)
"""


async def position_of(db: Connection, municipality: str) -> int:
    """The last position that was allotted; 0 before the first."""
    return await db.fetchval(POSITION_OF, municipality) or 0


POSITION_OF = "SELECT position FROM lane WHERE municipality = $1"


async def hashes_of(db: Connection, lane: Lane, identities: Collection[Identity]) -> dict[Identity, bytes]:
    """The body hash of each of these facts that is in the ledger."""
    sources, ids = [source for source, _ in identities], [event_id for _, event_id in identities]
    rows = await db.fetch(HASHES, lane.municipality, sources, ids)
    return {(row["source"], row["event_id"]): row["body_hash"] for row in rows}


# LATERAL with LIMIT is one look into the index for each; a plain join may read the whole ledger instead.
HASHES = """
SELECT asked.source, asked.event_id, fact.body_hash
FROM unnest($2::text[], $3::text[]) AS asked (source, event_id)
CROSS JOIN LATERAL (
    SELECT body_hash
    FROM ledger
    WHERE municipality = $1 AND kind = 'fact' AND source = asked.source AND event_id = asked.event_id
    LIMIT 1
) AS fact
"""


async def facts_of(db: Connection, lane: Lane, histories: Collection[History]) -> list[Fact]:
    """All facts of these histories, each once."""
    kinds, keys = [kind for kind, _ in histories], [key for _, key in histories]
    return [fact_of(row) for row in await db.fetch(FACTS_OF, lane.municipality, kinds, keys)]


FACTS_OF = """
SELECT position, source, event_id, type, time, body ->> 'data' AS data
FROM ledger
WHERE municipality = $1 AND position = ANY (ARRAY(
    SELECT DISTINCT member.position
    FROM unnest($2::text[], $3::text[]) AS asked (kind, key)
    CROSS JOIN LATERAL (
        SELECT position FROM history WHERE municipality = $1 AND kind = asked.kind AND key = asked.key OFFSET 0
    ) AS member
))
"""


def fact_of(row: Record) -> Fact:
    """The fact in a row of position, source, event_id, type, time and data."""
    event = BY_TYPE[row["type"]].model_validate_json(row["data"])
    return Fact(row["position"], row["source"], row["event_id"], row["type"], row["time"], event)


async def append(db: Connection, lane: Lane, entries: Sequence[Entry]) -> None:
    """Write facts, histories, deltas and sums, and move the lane to the last position. The lane must be locked."""
    if not entries:
        return
    deltas = [(entry.position, place, delta) for entry in entries for place, delta in enumerate(entry.deltas, start=1)]
    await _write(db, APPEND_FACTS, lane, [_fact_row(lane, entry) for entry in entries])
    await _write(db, APPEND_HISTORIES, lane, [(*each, entry.position) for entry in entries for each in entry.histories])
    await _write(db, APPEND_DELTAS, lane, [_delta_row(*delta) for delta in deltas])
    await _write(db, ADD_TO_SUMS, lane, _sum_rows(sums_of(delta for *_, delta in deltas)))
    await db.execute(MOVE_LANE, lane.municipality, entries[-1].position, lane.recorded_at)


async def _write(db: Connection, statement: str, lane: Lane, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run a statement on whole columns: one round trip, however many rows."""
    if rows:
        await db.execute(statement, lane.municipality, *zip(*rows, strict=True))


APPEND_FACTS = """
INSERT INTO ledger (
    municipality, kind, position, source, event_id, type, time, occurred_on,
    body, body_hash, parked, recorded_at, stream, stream_sequence
)
SELECT $1, 'fact', *
FROM unnest(
    $2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::date[],
    $8::text[]::jsonb[], $9::bytea[], $10::text[], $11::timestamptz[], $12::text[], $13::bigint[]
)
"""

APPEND_HISTORIES = """
INSERT INTO history (municipality, kind, key, position)
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bigint[])
"""

APPEND_DELTAS = """
INSERT INTO delta (
    municipality, position, ordinal, measure, definition_version,
    contributor, person, cohort, date, amount, dimensions
)
SELECT $1, *
FROM unnest(
    $2::bigint[], $3::integer[], $4::text[], $5::integer[],
    $6::text[], $7::text[], $8::date[], $9::date[], $10::numeric[], $11::text[]::jsonb[]
)
"""

ADD_TO_SUMS = """
INSERT INTO running_sum (municipality, measure, definition_version, cohort, date, dimensions, amount)
SELECT $1, * FROM unnest($2::text[], $3::integer[], $4::date[], $5::date[], $6::text[]::jsonb[], $7::numeric[])
ON CONFLICT (municipality, measure, definition_version, cohort, date, dimensions)
DO UPDATE SET amount = running_sum.amount + excluded.amount
"""

MOVE_LANE = "UPDATE lane SET position = $2, recorded_at = $3 WHERE municipality = $1"


def _fact_row(lane: Lane, entry: Entry) -> tuple[Any, ...]:
    arrival, envelope = entry.arrival, entry.arrival.reading.envelope
    return (
        entry.position,
        envelope.source,
        envelope.id,
        envelope.type,
        envelope.time,
        arrival.occurred_on,
        to_json(arrival.reading.body).decode(),
        arrival.reading.body_hash,
        entry.parked,
        lane.recorded_at,
        arrival.delivery.stream,
        arrival.delivery.sequence,
    )


def _delta_row(position: int, ordinal: int, delta: Delta) -> tuple[Any, ...]:
    return (
        position,
        ordinal,
        delta.measure,
        delta.version,
        delta.contributor,
        delta.person,
        delta.cohort,
        delta.date,
        delta.amount,
        to_json(dict(delta.dimensions)).decode(),
    )


def _sum_rows(sums: Mapping[SumKey, Decimal]) -> list[tuple[Any, ...]]:
    return [
        (measure, version, cohort, day, to_json(dict(dimensions)).decode(), amount)
        for (measure, version, cohort, day, dimensions), amount in sums.items()
    ]
