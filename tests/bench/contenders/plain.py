"""The same work as impact's, as a good engineer writes it first: an event at a time, reading what it needs.

The rules are impact's own, and so is what must be read before them; a row is inserted after the other.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from chassis.calendar import Calendar
from chassis.database import Connection
from contracts.streams import Stream
from impact.catalogue import INDICATORS, measures_of
from impact.chronicle import Chronicle
from impact.consequences import rows_of
from impact.fold import sums_of
from impact.ledger import (
    Arrival,
    Delivery,
    Entry,
    Lane,
    admit,
    chain_ends_of,
    events_of,
    identities_of,
    receive,
    sort_out,
)
from impact.store import consumers, definitions, ledger
from impact.store.recall import recall

MEASURES = measures_of(INDICATORS)


async def open_lane(db: Connection, stream: Stream, calendar: Calendar) -> None:
    """Make the lane, and note the definitions that its figures are counted by."""
    await db.execute(MAKE_LANE, stream.municipality, calendar.now())
    await definitions.bring_into_force(db, stream.municipality, MEASURES, next_position=1)


async def take_in(db: Connection, stream: Stream, delivery: Delivery, calendar: Calendar) -> None:
    """Bring a delivery to the ledger in the caller's transaction; what is known already changes nothing."""
    received = [receive(delivery, stream.municipality)]
    position = await db.fetchval("SELECT position FROM lane WHERE municipality = $1 FOR UPDATE", stream.municipality)
    lane = Lane(stream.municipality, position, calendar.now())
    batch = sort_out(received, await ledger.hashes_of(db, lane, identities_of(received)))
    if batch.fresh:
        chronicle = Chronicle(MEASURES)
        await recall(db, lane.municipality, chain_ends_of(batch.fresh), events_of(batch.fresh), chronicle)
        await _write(db, lane, batch.fresh, admit(lane, batch.fresh, chronicle))
    await consumers.count(db, lane, stream.name, batch)
    await consumers.hear(db, lane, batch.heartbeats, received_at=datetime.now(UTC))


async def _write(db: Connection, lane: Lane, fresh: Sequence[Arrival], entries: Sequence[Entry]) -> None:
    rows, code = rows_of(entries), lane.municipality
    await _each(db, FACT, code, [ledger._fact_row(lane, *pair) for pair in zip(fresh, entries, strict=True)])  # noqa: SLF001
    await _each(db, LINK, code, rows.links)
    await _each(db, HISTORY, code, rows.histories)
    await _each(db, ROOT, code, rows.roots)
    await _each(db, DELTA, code, [ledger.delta_row(*delta) for delta in rows.deltas])
    await _each(db, SUM, code, ledger.sum_rows(sums_of(delta for *_, delta in rows.deltas)))
    await _each(db, ledger.SET_OUTCOMES, code, [([position], [outcome]) for position, outcome in rows.outcomes])
    await ledger.move_lane(db, lane, entries[-1].position)


async def _each(db: Connection, statement: str, code: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        await db.executemany(statement, [(code, *row) for row in rows])


MAKE_LANE = "INSERT INTO lane (municipality, recorded_at) VALUES ($1, $2) ON CONFLICT DO NOTHING"
FACT = """
INSERT INTO ledger (
    municipality, kind, position, source, event_id, type, time, occurred_on,
    body, body_hash, parked, recorded_at, stream, stream_sequence
)
VALUES ($1, 'fact', $2, $3, $4, $5, $6, $7, $8::text::jsonb, $9, $10, $11, $12, $13)
"""
LINK = "INSERT INTO link (municipality, position, source, event_id, target) VALUES ($1, $2, $3, $4, $5)"
HISTORY = "INSERT INTO history (municipality, kind, key, position, root) VALUES ($1, $2, $3, $4, $5)"
ROOT = "UPDATE history SET root = $3 WHERE municipality = $1 AND position = $2"
DELTA = """
INSERT INTO delta (
    municipality, position, ordinal, measure, definition_version, key,
    contributor, person, cohort, date, amount, dimensions
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text::jsonb)
"""
SUM = """
INSERT INTO running_sum (municipality, measure, definition_version, cohort, date, dimensions, amount)
VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, $7)
ON CONFLICT (municipality, measure, definition_version, cohort, date, dimensions)
DO UPDATE SET amount = running_sum.amount + excluded.amount
"""
