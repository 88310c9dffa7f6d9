"""What the ledger holds: lane, facts, histories, deltas and sums, written for a whole batch at a time."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic_core import to_json

from chassis.database import Connection
from impact.consequences import rows_of
from impact.fold import Delta, SumKey, sums_of
from impact.ledger import Arrival, Entry, Identity, Lane
from impact.store import days


async def lock_lane(db: Connection, municipality: str, now: datetime) -> Lane:
    """Hold the lane until the transaction ends; its `recorded_at` is now, or later if it was so already.

    Where an older impact moved it, its days are counted anew.
    """
    row = await db.fetchrow(LOCK_LANE, municipality, now)
    assert row is not None  # noqa: S101 - the statement always returns its row
    if row["days_upto"] != row["position"]:
        await days.count_anew(db, municipality)
    return Lane(municipality, row["position"], row["recorded_at"])


# A plan is kept for the size that a table had, and the ledger grows a thousandfold within minutes of a replay:
# so in this transaction each statement is planned for the size of the day.
LOCK_LANE = """
INSERT INTO lane (municipality, recorded_at) VALUES ($1, $2)
ON CONFLICT (municipality) DO UPDATE SET position = lane.position
RETURNING position, days_upto, greatest(recorded_at, $2) AS recorded_at,
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


async def append(db: Connection, lane: Lane, arrivals: Sequence[Arrival], entries: Sequence[Entry]) -> None:
    """Write facts and all that they bring about, and move the lane to the last position. The lane must be locked."""
    if arrivals:
        rows = [_fact_row(lane, *pair) for pair in zip(arrivals, entries, strict=True)]
        await write(db, APPEND_FACTS, lane.municipality, rows)
        await append_consequences(db, lane.municipality, entries)
        await move_lane(db, lane, entries[-1].position)


async def append_consequences(db: Connection, code: str, entries: Sequence[Entry]) -> None:
    """Write what entries of a municipality's ledger bring about."""
    rows = rows_of(entries)
    await write(db, APPEND_LINKS, code, rows.links)
    await write(db, APPEND_HISTORIES, code, rows.histories)
    await write(db, SET_ROOTS, code, rows.roots)
    await write(db, APPEND_DELTAS, code, [delta_row(*delta) for delta in rows.deltas])
    await write(db, ADD_TO_SUMS, code, sum_rows(sums_of(delta for *_, delta in rows.deltas)))
    await write(db, SET_OUTCOMES, code, rows.outcomes)


async def move_lane(db: Connection, lane: Lane, position: int) -> None:
    """Note the last position that was allotted. The lane must be locked."""
    await db.execute(MOVE_LANE, lane.municipality, position, lane.recorded_at)


async def write(db: Connection, statement: str, municipality: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run a statement on whole columns: one round trip, however many rows."""
    if rows:
        await db.execute(statement, municipality, *zip(*rows, strict=True))


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

APPEND_LINKS = """
INSERT INTO link (municipality, position, source, event_id, target)
SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[])
"""

APPEND_HISTORIES = """
INSERT INTO history (municipality, kind, key, position, root)
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[])
"""

SET_ROOTS = """
UPDATE history SET root = changed.root
FROM unnest($2::bigint[], $3::bigint[]) AS changed (position, root)
WHERE history.municipality = $1 AND history.position = changed.position
"""

APPEND_DELTAS = """
INSERT INTO delta (
    municipality, position, ordinal, measure, definition_version, key,
    contributor, person, cohort, date, amount, dimensions
)
SELECT $1, *
FROM unnest(
    $2::bigint[], $3::integer[], $4::text[], $5::integer[], $6::text[],
    $7::text[], $8::text[], $9::date[], $10::date[], $11::numeric[], $12::text[]::jsonb[]
)
"""

# A fact is counted on the day that its first copy came, whatever becomes of it later; while it counts, also on the day
# in life that it, or its replay, tells of. LATERAL is one look into an index for each; a plain join may read the whole
# ledger instead.
SET_OUTCOMES = """
WITH told AS (
    SELECT changed.position, changed.outcome, known.outcome AS before, fact.source, fact.type,
        (fact.recorded_at AT TIME ZONE 'Europe/Copenhagen')::date AS received_on,
        coalesce(replayed.occurred_on, fact.occurred_on) AS occurred_on
    FROM unnest($2::bigint[], $3::text[]) AS changed (position, outcome)
    CROSS JOIN LATERAL (
        SELECT source, type, recorded_at, occurred_on, parked FROM ledger
        WHERE municipality = $1 AND position = changed.position LIMIT 1
    ) AS fact
    LEFT JOIN LATERAL (
        SELECT occurred_on FROM ledger
        WHERE fact.parked IS NOT NULL
        AND municipality = $1 AND concerns = changed.position AND kind = 'replay' AND parked IS NULL LIMIT 1
    ) AS replayed ON true
    LEFT JOIN LATERAL (
        SELECT outcome FROM outcome WHERE municipality = $1 AND position = changed.position LIMIT 1
    ) AS known ON true
), kept AS (
    INSERT INTO outcome (municipality, position, outcome)
    SELECT $1, position, outcome FROM told
    ON CONFLICT (municipality, position) DO UPDATE SET outcome = excluded.outcome
), counted AS (
    INSERT INTO counted_day AS known (municipality, type, occurred_on, facts)
    SELECT $1, type, occurred_on, sum(moved.facts)
    FROM told
    CROSS JOIN LATERAL (VALUES (told.outcome, 1), (told.before, -1)) AS moved (outcome, facts)
    WHERE moved.outcome = 'counted' AND occurred_on IS NOT NULL
    GROUP BY type, occurred_on
    ON CONFLICT (municipality, type, occurred_on) DO UPDATE SET facts = known.facts + excluded.facts
)
INSERT INTO outcome_count AS known (municipality, source, received_on, outcome, facts)
SELECT $1, source, received_on, moved.outcome, sum(moved.facts)
FROM told
CROSS JOIN LATERAL (VALUES (told.outcome, 1), (told.before, -1)) AS moved (outcome, facts)
WHERE moved.outcome IS NOT NULL
GROUP BY source, received_on, moved.outcome
ON CONFLICT (municipality, source, received_on, outcome) DO UPDATE SET facts = known.facts + excluded.facts
"""

ADD_TO_SUMS = """
INSERT INTO running_sum (municipality, measure, definition_version, cohort, date, dimensions, amount)
SELECT $1, * FROM unnest($2::text[], $3::integer[], $4::date[], $5::date[], $6::text[]::jsonb[], $7::numeric[])
ON CONFLICT (municipality, measure, definition_version, cohort, date, dimensions)
DO UPDATE SET amount = running_sum.amount + excluded.amount
"""

MOVE_LANE = "UPDATE lane SET position = $2, days_upto = $2, recorded_at = $3 WHERE municipality = $1"


def _fact_row(lane: Lane, arrival: Arrival, entry: Entry) -> tuple[Any, ...]:
    envelope = arrival.reading.envelope
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


def delta_row(position: int, ordinal: int, delta: Delta) -> tuple[Any, ...]:
    """The columns of a delta, as `delta` has them after the municipality."""
    return (
        position,
        ordinal,
        delta.measure,
        delta.version,
        delta.key,
        delta.contributor,
        delta.person,
        delta.cohort,
        delta.date,
        delta.amount,
        to_json(dict(delta.dimensions)).decode(),
    )


def sum_rows(sums: Mapping[SumKey, Decimal]) -> list[tuple[Any, ...]]:
    """The columns of running sums, as `running_sum` has them after the municipality."""
    return [
        (measure, version, cohort, day, to_json(dict(dimensions)).decode(), amount)
        for (measure, version, cohort, day, dimensions), amount in sums.items()
    ]
