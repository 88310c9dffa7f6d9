"""A database that reads the gateway's stream, what may be published there, and handlers that refuse."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import nats.errors

from chassis import inbox
from chassis.bus import Bus
from chassis.calendar import calendar_of
from chassis.database import Connection, Pool
from chassis.migrate import INBOX, migrate
from chassis.provision import provision
from chassis.subscriber import Subscriber
from chassis.tasks import cancel
from chassis.wire import Reading, seal
from contracts.event import Event
from contracts.payroll import EmploymentEnded, WorkingTimeChanged
from contracts.platform import ServiceHeartbeat
from contracts.streams import Stream
from local.waiting import until

DURABLE = "flexjob_pool"
ACK_WAIT = 0.3
REGISTERED = datetime(2026, 6, 1, 9, tzinfo=UTC)
EFFECT = """
CREATE TABLE effect (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream text NOT NULL,
    event_id text NOT NULL,
    UNIQUE (stream, event_id) DEFERRABLE INITIALLY DEFERRED
)
"""
Step = Callable[[Reading], Awaitable[None]]


async def prepare(url: str) -> None:
    await migrate(url, [INBOX], clock=calendar_of("system"))
    db = await asyncpg.connect(url)
    await db.execute(EFFECT)
    await db.close()


async def reader_of(pool: Pool, bus: Bus, municipality: str, *, ack_wait: float = ACK_WAIT) -> "Reader":
    await provision(bus.jetstream, municipality, ack_wait_seconds=ack_wait)
    return Reader(pool, bus, Stream(municipality, "gateway"))


async def nothing(_reading: Reading) -> None:
    """What a handler does beside its effect."""


@asynccontextmanager
async def stopped_after(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run beside the block and be cancelled after it; an error of its own is the block's."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        await cancel(task)
        if not task.cancelled():
            task.result()


@dataclass
class Reader:
    """A database that reads the gateway's stream, and what can be seen of both."""

    pool: Pool
    bus: Bus
    stream: Stream
    before: Step = nothing
    after: Step = nothing
    reads: tuple[type[Event], ...] = (WorkingTimeChanged, EmploymentEnded)
    seen: list[str] = field(default_factory=list)

    def subscriber(self) -> Subscriber:
        return Subscriber(self.bus, self.stream, durable=DURABLE, reads=self.reads, handle=self.handle)

    async def handle(self, db: Connection, reading: Reading) -> None:
        self.seen.append(reading.envelope.id)
        await self.before(reading)
        query = "INSERT INTO effect (stream, event_id) VALUES ($1, $2)"
        await db.execute(query, self.stream.name, reading.envelope.id)
        await self.after(reading)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Subscriber]:
        reading = self.subscriber()
        async with stopped_after(reading.run(self.pool)):
            yield reading

    async def publish(self, *bodies: bytes, headers: dict[str, str] | None = None) -> None:
        for raw in bodies:
            await self.bus.jetstream.publish(self.stream.subjects.replace(">", "a.b.v1"), raw, headers=headers)

    def body(self, name: str, *, rate: str = "0.40", source: str = "payroll") -> bytes:
        ref = UUID(int=1)
        event = WorkingTimeChanged(
            occurred_on=date(2026, 5, 1),
            employment_ref=ref,
            placement_id=ref,
            person_ref=ref,
            occupation_rate=Decimal(rate),
        )
        return self._sealed(event, name, source)

    def ended(self, name: str) -> bytes:
        ref = UUID(int=1)
        event = EmploymentEnded(occurred_on=date(2026, 5, 1), employment_ref=ref, placement_id=ref, person_ref=ref)
        return self._sealed(event, name, "payroll")

    def heartbeat(self, name: str) -> bytes:
        return self._sealed(ServiceHeartbeat(producer="gateway", published=()), name, "gateway")

    def _sealed(self, event: Event, name: str, source: str) -> bytes:
        municipality = self.stream.municipality
        urn = f"urn:kraftcenter:{municipality}:{source}"
        return seal(event, municipality=municipality, producer="gateway", id=name, time=REGISTERED, source=urn).body

    async def effects(self) -> list[str]:
        query = "SELECT event_id FROM effect WHERE stream = $1 ORDER BY number"
        return [row["event_id"] for row in await self.pool.fetch(query, self.stream.name)]

    async def counts(self) -> dict[str, int]:
        """Those that are not zero; the books must be right."""
        async with self.pool.acquire() as db:
            assert await inbox.differences(db) == []
            return {
                str(outcome): number for outcome, number in (await inbox.counts(db, self.stream.name)).items() if number
            }

    async def floor(self) -> int:
        async with self.pool.acquire() as db:
            progress = await inbox.progress(db, self.stream.name)
        return progress.floor.sequence if progress else 0

    async def settled(self) -> bool:
        """Whether all on the stream is in the database and acknowledged; a bus that does not answer has not told."""
        try:
            info = await self.bus.jetstream.consumer_info(self.stream.name, DURABLE)
            end = (await self.bus.jetstream.stream_info(self.stream.name)).state.last_seq
        except nats.errors.Error:
            return False
        return info.ack_floor is not None and info.ack_floor.stream_seq == end and await self.floor() == end

    async def until_settled(self) -> None:
        await until(self.settled, seconds=15, message="the stream was not read to its end")


class Unheard(Exception):
    """A handler that cannot take an event."""


def refusing(*names: str) -> Step:
    async def refuse(reading: Reading) -> None:
        if reading.envelope.id in names:
            raise Unheard

    return refuse


async def len_of(listed: Awaitable[list[str]], expected: int) -> bool:
    return len(await listed) == expected
