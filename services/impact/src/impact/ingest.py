"""From deliveries to the ledger: a batch is one transaction, and every batch is as good as any other."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import asyncpg
import structlog

from chassis.calendar import Calendar
from chassis.database import Connection, Pool
from contracts.streams import Stream
from impact.chronicle import Chronicle
from impact.fold import Measure
from impact.ledger import (
    Arrival,
    Delivery,
    Entry,
    Evidence,
    Lane,
    Sorted,
    admit,
    chain_ends_of,
    events_of,
    identities_of,
    not_storable,
    receive,
    sort_out,
)
from impact.store import consumers, definitions, ledger
from impact.store.recall import recall

DURABLE = "impact"
SLICE = 20
TELL_SECONDS = 20.0

Received = Sequence[Arrival | Evidence]
log = structlog.get_logger()


class DatabaseWentBack(Exception):
    """The lane ends before a position that this process committed: only a restart asks the bus for what is missing."""


async def ingest(  # noqa: PLR0913 - two ends, what goes between them, and what decides on it
    pool: Pool,
    stream: Stream,
    deliveries: Sequence[Delivery],
    *,
    measures: Sequence[Measure],
    calendar: Calendar,
    known: int = 0,
) -> int:
    """Bring a batch to the ledger, in one transaction, and return the lane's position; twice is the same as once.

    What the database refuses for its content is kept as evidence, and the rest of the batch comes in several
    transactions. Raises DatabaseWentBack when the lane ends before the position `known`, TimeoutError when the batch
    takes too long to tell, DefinitionMissing, LaneNotTold, NotUnderstood.
    """
    received = await receive_all(deliveries, stream.municipality)
    if not received:
        return known
    return await _store(received, partial(_commit, pool, stream, measures=measures, calendar=calendar, known=known))


async def receive_all(deliveries: Sequence[Delivery], municipality: str) -> Received:
    """Read a batch; in between others have their turn, since large bodies take long."""
    received: list[Arrival | Evidence] = []
    for start in range(0, len(deliveries), SLICE):
        received += [receive(delivery, municipality) for delivery in deliveries[start : start + SLICE]]
        await asyncio.sleep(0)
    return received


async def _store(received: Received, commit: Callable[[Received], Awaitable[int]]) -> int:
    """Halve what the database refuses, until the culprit is alone."""
    try:
        return await commit(received)
    except asyncpg.DataError:
        if len(received) == 1:
            return await commit([not_storable(received[0].delivery)])
        middle = len(received) // 2
        await _store(received[:middle], commit)
        return await _store(received[middle:], commit)


async def _commit(  # noqa: PLR0913 - as many as ingest has
    pool: Pool,
    stream: Stream,
    received: Received,
    *,
    measures: Sequence[Measure],
    calendar: Calendar,
    known: int,
) -> int:
    async with pool.acquire() as db, db.transaction():
        lane = await ledger.lock_lane(db, stream.municipality, calendar.now())
        if lane.position < known:
            raise DatabaseWentBack
        batch = sort_out(received, await ledger.hashes_of(db, lane, identities_of(received)))
        entries = await _admitted(db, lane, batch.fresh, measures)
        await ledger.append(db, lane, batch.fresh, entries)
        await consumers.count(db, lane, stream.name, batch)
        await consumers.keep(db, lane, batch.evidence)
        await consumers.hear(db, lane, batch.heartbeats, received_at=datetime.now(UTC))
        sequences = [each.delivery.sequence for each in received]
        await consumers.note_committed(db, stream.name, DURABLE, sequences, datetime.now(UTC))
    _tell(stream, batch, entries)
    return lane.position + len(entries)


async def _admitted(db: Connection, lane: Lane, fresh: Sequence[Arrival], measures: Sequence[Measure]) -> list[Entry]:
    chronicle = Chronicle(await definitions.kept(db, lane.municipality, measures, lane.position))
    await recall(db, lane.municipality, chain_ends_of(fresh), events_of(fresh), chronicle)
    return await _told(lane, fresh, chronicle)


async def _told(lane: Lane, fresh: Sequence[Arrival], chronicle: Chronicle) -> list[Entry]:
    """Tell a batch; in between others have their turn, and a batch that takes too long is given up."""
    entries: list[Entry] = []
    async with asyncio.timeout(TELL_SECONDS):
        for start in range(0, len(fresh), SLICE):
            reached = replace(lane, position=lane.position + start)
            entries += admit(reached, fresh[start : start + SLICE], chronicle)
            if start + SLICE < len(fresh):
                await asyncio.sleep(0)
    return entries


def _tell(stream: Stream, batch: Sorted, entries: Sequence[Entry]) -> None:
    parked = Counter(entry.parked.value for entry in entries if entry.parked)
    log.info(
        "batch_committed",
        stream=stream.name,
        facts=len(entries),
        duplicates=batch.duplicates,
        parked=dict(parked),
        evidence=len(batch.evidence),
    )
