"""The ingest loop: from a stream to the ledger, one transaction per batch, acknowledged after its commit.

What fails for want of a server is delivered again; it is never parked, never kept as evidence, never dropped.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import asyncpg
import nats.errors
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo

from chassis.bus import Bus
from chassis.calendar import Calendar
from chassis.database import UNAVAILABLE, Connection, Pool
from contracts.streams import Stream
from impact.floor import Floor, first_to_repeat
from impact.fold import Fold, Measure
from impact.ledger import (
    Arrival,
    Delivery,
    Entry,
    Evidence,
    Sorted,
    admit,
    histories_of,
    identities_of,
    not_storable,
    receive,
    sort_out,
)
from impact.store import consumers, ledger

DURABLE = "impact"
MAX_BATCH = 500
SLICE = 20
FETCH_SECONDS = 5.0
FLOOR_SECONDS = 3.0
ACK_WAIT_SECONDS = 30.0
PAUSE_SECONDS = (0.2, 2.0)
# asyncpg takes a connection that dies as it is handed out for a mistake of its own.
PASSING = (*UNAVAILABLE, asyncpg.PostgresError, nats.errors.Error)

T = TypeVar("T")
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
    transactions. Raises DatabaseWentBack when the lane ends before the position `known`.
    """
    received = await receive_all(deliveries, stream.municipality)
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
    fold = Fold(measures)
    async with pool.acquire() as db, db.transaction():
        lane = await ledger.lock_lane(db, stream.municipality, calendar.now())
        if lane.position < known:
            raise DatabaseWentBack
        batch = sort_out(received, await ledger.hashes_of(db, lane, identities_of(received)))
        fold.remember(await ledger.facts_of(db, lane, histories_of(batch.fresh, fold)))
        entries = admit(lane, batch.fresh, fold)
        await ledger.append(db, lane, entries)
        await consumers.count(db, lane, stream.name, batch)
        await consumers.keep(db, lane, batch.evidence)
        await consumers.hear(db, lane, batch.heartbeats, received_at=datetime.now(UTC))
    _tell(stream, batch, entries)
    return lane.position + len(entries)


class Consumer:
    """Brings one stream to the lane of its municipality; a second one on the same stream adds availability.

    `freshness` is how many seconds after the broker's timestamp the oldest event of the last batch was committed.
    """

    def __init__(
        self,
        pool: Pool,
        bus: Bus,
        stream: Stream,
        *,
        measures: Sequence[Measure],
        calendar: Calendar,
    ) -> None:
        self.freshness: float | None = None
        self._pool = pool
        self._bus = bus
        self._stream = stream
        self._bring_in = partial(ingest, pool, stream, measures=measures, calendar=calendar)
        self._position = 0
        self._stream_created: datetime | None = None
        self._ack_wait = 0.0

    async def run(self) -> None:
        """Ingest until cancelled, through losses of the database and of the bus. Raises DatabaseWentBack."""
        await self._persist(self._bus.start)
        await self._persist(self._align)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_floor())
                tasks.create_task(self._take_batches())
        except asyncio.CancelledError:
            if self._bus.connected:
                with suppress(*PASSING, DatabaseWentBack):
                    await self._store_floor()
            raise

    async def _take_batches(self) -> None:
        jetstream = self._bus.jetstream
        subscription = await self._persist(lambda: jetstream.pull_subscribe_bind(DURABLE, stream=self._stream.name))
        try:
            while True:
                await self._persist(lambda: self._take_batch(subscription))
        finally:
            # What still waits in it is delivered again; left alone, it would hold up the connection's drain.
            with suppress(nats.errors.Error):
                await subscription.unsubscribe()

    async def _take_batch(self, subscription: JetStreamContext.PullSubscription) -> None:
        """Commit, then acknowledge; a batch that cannot be committed is delivered again later."""
        try:
            messages = await subscription.fetch(MAX_BATCH, timeout=FETCH_SECONDS)
        except TimeoutError:
            messages = []
        if not messages:
            return
        try:
            async with self._in_progress(messages):
                self._position = await self._ingest(messages)
        except PASSING:
            delay = _pause()
            for message in messages:
                await message.nak(delay)
            raise
        for message in messages:
            await message.ack()

    async def _ingest(self, messages: Sequence[Msg]) -> int:
        deliveries = [_delivery(message) for message in messages]
        position = await self._bring_in(deliveries, known=self._position)
        oldest = min(message.metadata.timestamp for message in messages)
        self.freshness = (datetime.now(UTC) - oldest).total_seconds()
        return position

    @asynccontextmanager
    async def _in_progress(self, messages: Sequence[Msg]) -> AsyncIterator[None]:
        telling = asyncio.create_task(self._tell_in_progress(messages))
        try:
            yield
        finally:
            telling.cancel()
            await asyncio.wait([telling])

    async def _tell_in_progress(self, messages: Sequence[Msg]) -> None:
        while True:
            await asyncio.sleep(self._ack_wait / 3)
            with suppress(nats.errors.Error):
                for message in messages:
                    await message.in_progress()

    async def _align(self) -> None:
        """Have everything delivered again that this database may lack; what it has already changes nothing."""
        jetstream, stream = self._bus.jetstream, self._stream.name
        async with self._pool.acquire() as db:
            self._position = await ledger.position_of(db, self._stream.municipality)
            # Before the bus is asked: another worker may acknowledge and store more meanwhile.
            stored = await consumers.floor(db, stream, DURABLE)
            info = await jetstream.consumer_info(stream, DURABLE)
            found = await jetstream.stream_info(stream)
            acknowledged, end, self._stream_created = _floor_of(info), found.state.last_seq, found.created
            again_from = first_to_repeat(stored, acknowledged=acknowledged, end=end, created=found.created)
            if again_from is not None:
                await self._note_floor(db, again_from - 1)
                await jetstream.reset_consumer(stream, DURABLE, again_from)
                log.warning("consumer_reset", stream=stream, stored=stored.sequence, acknowledged=acknowledged, end=end)
        self._ack_wait = info.config.ack_wait or ACK_WAIT_SECONDS

    async def _keep_floor(self) -> None:
        while True:
            await asyncio.sleep(FLOOR_SECONDS)
            await self._persist(self._store_floor)

    async def _store_floor(self) -> None:
        # Read before the position: what is acknowledged by now was committed before.
        info = await self._bus.jetstream.consumer_info(self._stream.name, DURABLE)
        known = self._position
        async with self._pool.acquire() as db:
            position = await ledger.position_of(db, self._stream.municipality)
            if position < known:
                raise DatabaseWentBack
            self._position = max(position, self._position)
            await self._note_floor(db, _floor_of(info))

    async def _note_floor(self, db: Connection, sequence: int) -> None:
        floor = Floor(sequence, self._stream_created)
        await consumers.store_floor(db, self._stream.name, DURABLE, floor, datetime.now(UTC))

    async def _persist(self, step: Callable[[], Awaitable[T]]) -> T:
        """Try until it works, as long as it is a server that fails."""
        while True:
            try:
                result = await step()
            except PASSING as error:
                log.warning("ingest_interrupted", stream=self._stream.name, error=type(error).__name__)
                await asyncio.sleep(_pause())
            else:
                _heed_cancellation()
                return result


def _heed_cancellation() -> None:
    """Python 3.11's wait_for, which nats-py and asyncpg use, swallows a cancellation that meets its result."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


def _pause() -> float:
    return random.uniform(*PAUSE_SECONDS)  # noqa: S311 - spreads retries, hides nothing


def _floor_of(info: ConsumerInfo) -> int:
    return info.ack_floor.stream_seq if info.ack_floor else 0


def _delivery(message: Msg) -> Delivery:
    return Delivery(message.metadata.stream, message.metadata.sequence.stream, message.headers or {}, message.data)


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
