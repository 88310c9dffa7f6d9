"""The ingest loop on a lane, what is sent to it, and what came of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from uuid import UUID

from chassis.bus import Bus
from chassis.calendar import SystemCalendar
from chassis.database import Pool
from chassis.wire import seal
from contracts.event import Event
from contracts.flexjob_pool import BudgetAllocated
from contracts.streams import Stream
from impact.catalogue import INDICATORS, measures_of
from impact.consumer import Consumer
from impact.fold import Measure
from impact.ingest import DURABLE, ingest
from impact.ledger import Delivery
from impact.rebuild import Attempt, compare

LANE = Stream("621", "flexjob_pool")
MEASURES = measures_of(INDICATORS)
CLOCK = SystemCalendar()
REGISTERED = datetime(2026, 6, 1, 9, tzinfo=UTC)
SOURCE = "urn:kraftcenter:621:flexjob_pool"
ACK_WAIT = 1.0
AMOUNT_ORE = 7654321
NEWER = "INSERT INTO definition (municipality, measure, version, in_force_from) VALUES ('621', 'of_tomorrow', 1, 0)"


def consumer_of(
    pool: Pool, bus: Bus, stream: Stream = LANE, measures: Sequence[Measure] = MEASURES, attempt: Attempt | None = None
) -> Consumer:
    return Consumer(pool, bus, stream, measures=measures, calendar=CLOCK, attempt=attempt)


@asynccontextmanager
async def running(*consumers: Consumer) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in consumers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


def budget(number: int = 1, *, amount_ore: int = AMOUNT_ORE, day: date = date(2026, 1, 1)) -> BudgetAllocated:
    """Each budget is a history of its own."""
    return BudgetAllocated(
        occurred_on=day,
        budget_id=UUID(int=number),
        fiscal_year=2026,
        amount_ore=amount_ore,
        reason_code="late_information",
    )


def body(event: Event, event_id: str, stream: Stream = LANE, corrects: str | None = None) -> bytes:
    lane = {"municipality": stream.municipality, "producer": stream.producer}
    return seal(event, **lane, id=event_id, time=REGISTERED, corrects=corrects).body


async def publish(bus: Bus, *bodies: bytes, stream: Stream = LANE, headers: dict[str, str] | None = None) -> None:
    subject = stream.subjects.replace(">", "any.thing.v1")
    for raw in bodies:
        await bus.jetstream.publish(subject, raw, headers=headers)


async def bring_in(pool: Pool, *bodies: bytes, measures: Sequence[Measure] = MEASURES) -> int:
    """Ingest these as one batch, without a bus."""
    batch = [Delivery(LANE.name, number, {}, raw) for number, raw in enumerate(bodies, 1)]
    return await ingest(pool, LANE, batch, measures=measures, calendar=CLOCK)


async def settled(bus: Bus, stream: Stream = LANE) -> bool:
    """Whether everything on the stream is acknowledged; the server's own count of what is pending lags behind."""
    info = await bus.jetstream.consumer_info(stream.name, DURABLE)
    return info.ack_floor is not None and info.ack_floor.stream_seq == await end_of(bus, stream)


async def end_of(bus: Bus, stream: Stream) -> int:
    return (await bus.jetstream.stream_info(stream.name)).state.last_seq


async def facts(pool: Pool, municipality: str = "621") -> list[tuple[int, str, str | None]]:
    rows = await pool.fetch(
        "SELECT position, event_id, parked FROM ledger WHERE municipality = $1 ORDER BY position", municipality
    )
    return [(row["position"], row["event_id"], row["parked"]) for row in rows]


async def names(pool: Pool, municipality: str = "621") -> set[str]:
    rows = await pool.fetch("SELECT event_id FROM ledger WHERE municipality = $1 AND parked IS NULL", municipality)
    return {row["event_id"] for row in rows}


async def has(pool: Pool, *wanted: str) -> bool:
    return await names(pool) == {*wanted}


async def delivered(pool: Pool) -> dict[str, int]:
    row = await pool.fetchrow(
        "SELECT sum(first_copies) AS first_copies, sum(duplicates) AS duplicates,"
        " sum(conflicts) AS conflicts, sum(unreadable) AS unreadable FROM delivery"
    )
    return {name: int(number or 0) for name, number in row.items()} if row else {}


async def differing(pool: Pool, municipality: str = "621") -> list[str]:
    return (await compare(pool, municipality, MEASURES)).differing
