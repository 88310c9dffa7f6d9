"""The ingest loop: from a stream to the ledger, batch by batch, each acknowledged after its commit.

What fails for want of a server is delivered again; it is never parked, never kept as evidence, never dropped.
"""

import asyncio
import random
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
from chassis.database import UNAVAILABLE, Pool
from chassis.floor import Floor, first_to_repeat
from contracts.streams import Stream
from impact.fold import Measure
from impact.ingest import DURABLE, DatabaseWentBack, ingest
from impact.ledger import Delivery
from impact.rebuild import Attempt, bring_into_force
from impact.refusals import NOT_ACCEPTED, Refusals
from impact.store import consumers, ledger
from impact.verify.watch import proven

MAX_BATCH = 500
FETCH_SECONDS = 5.0
FLOOR_SECONDS = 3.0
ACK_WAIT_SECONDS = 30.0
PAUSE_SECONDS = (0.2, 2.0)
REFUSED_SECONDS = 10.0
# asyncpg takes a connection that dies as it is handed out for a mistake of its own.
PASSING = (*UNAVAILABLE, asyncpg.PostgresError, nats.errors.Error)

T = TypeVar("T")
log = structlog.get_logger()


class Consumer:
    """Brings one stream to the lane of its municipality; a second one on the same stream adds availability.

    `freshness` is how many seconds after the broker's timestamp the oldest event of the last batch was committed;
    `refusals` is what this program cannot take in. Consumers of one municipality share an attempt.
    """

    def __init__(  # noqa: PLR0913 - two ends, what goes between them, and what its municipality shares
        self,
        pool: Pool,
        bus: Bus,
        stream: Stream,
        *,
        measures: Sequence[Measure],
        calendar: Calendar,
        attempt: Attempt | None = None,
    ) -> None:
        self.freshness: float | None = None
        self.refusals = Refusals(stream)
        self._pool = pool
        self._bus = bus
        self._stream = stream
        self._bring_in = partial(ingest, pool, stream, measures=measures, calendar=calendar)
        self._bring_into_force = partial(
            bring_into_force,
            pool,
            stream.municipality,
            measures,
            calendar=calendar,
            gate=proven(stream.municipality),
            attempt=attempt or Attempt(),
        )
        self._batch = MAX_BATCH
        self._position = 0
        self._stream_created: datetime | None = None
        self._ack_wait = 0.0

    async def run(self) -> None:
        """Ingest until cancelled, through losses of the database and of the bus, and what this program cannot take in.

        Raises DatabaseWentBack.
        """
        await self._persist(self._bus.start)
        await self._insist(self._bring_into_force)
        self.refusals.accept_lane()
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
                await self._insist(lambda: self._take_batch(subscription))
        finally:
            # What still waits in it is delivered again; left alone, it would hold up the connection's drain.
            with suppress(nats.errors.Error):
                await subscription.unsubscribe()

    async def _take_batch(self, subscription: JetStreamContext.PullSubscription) -> None:
        """Commit, then acknowledge; a batch that cannot be committed is delivered again later, as smaller ones."""
        if not self._bus.connected:
            # Requests would pile up, and all be answered at once, with more than a batch, when the bus is back.
            await asyncio.sleep(PAUSE_SECONDS[0])
            return
        try:
            messages = await subscription.fetch(self._batch, timeout=FETCH_SECONDS)
        except TimeoutError:
            messages = []
        if not messages:
            return
        try:
            async with self._in_progress(messages):
                await self._bring(messages)
        except PASSING:
            self._batch = max(1, len(messages) // 2)
            await _give_back(messages, _pause())
            raise
        except NOT_ACCEPTED:
            # One is enough to ask again with; a newer worker may take all the others.
            self._batch = 1
            await _give_back(messages, REFUSED_SECONDS)
            raise
        self._batch = min(2 * self._batch, MAX_BATCH)

    async def _bring(self, messages: Sequence[Msg]) -> None:
        """Commit and acknowledge; halve what this program fails on, until the culprit alone has to wait."""
        try:
            self._position = await self._ingest(messages)
        except (*PASSING, *NOT_ACCEPTED, DatabaseWentBack):
            raise
        except Exception as error:  # noqa: BLE001 - one fact may neither stop the others nor be lost
            if len(messages) == 1:
                self.refusals.refuse(messages[0].metadata.sequence.stream, error)
                await _give_back(messages, REFUSED_SECONDS)
                return
            middle = len(messages) // 2
            await self._bring(messages[:middle])
            await self._bring(messages[middle:])
        else:
            self.refusals.accept(message.metadata.sequence.stream for message in messages)
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
                    # Said of one that was given back, it would undo the delay.
                    if not message.is_acked:
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
            again_from = first_to_repeat(stored, reached=acknowledged, end=end, created=found.created)
            if again_from is not None:
                floor = Floor(again_from - 1, self._stream_created)
                await consumers.set_floor(db, stream, DURABLE, floor, datetime.now(UTC))
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
        found = await self._bus.jetstream.stream_info(self._stream.name)
        known = self._position
        async with self._pool.acquire() as db:
            position = await ledger.position_of(db, self._stream.municipality)
            if position < known:
                raise DatabaseWentBack
            self._position = max(position, self._position)
            self.refusals.accepted_upto(_floor_of(info))
            await consumers.raise_floor(
                db,
                self._stream.name,
                DURABLE,
                acknowledged=_floor_of(info),
                first=found.state.first_seq,
                created=self._stream_created,
                stored_at=datetime.now(UTC),
            )

    async def _insist(self, step: Callable[[], Awaitable[None]]) -> None:
        """Persist, also when the lane is refused: a newer program or a rebuild ends that, and no other lane waits."""
        while True:
            try:
                return await self._persist(step)
            except NOT_ACCEPTED as refusal:
                _heed_cancellation()
                self.refusals.refuse_lane(refusal)
                await asyncio.sleep(REFUSED_SECONDS)

    async def _persist(self, step: Callable[[], Awaitable[T]]) -> T:
        """Try until it works, as long as it is a server that fails."""
        while True:
            try:
                result = await step()
            except PASSING as error:
                _heed_cancellation()
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


async def _give_back(messages: Sequence[Msg], delay: float) -> None:
    """Have those that are not acknowledged delivered again after a while."""
    for message in messages:
        if not message.is_acked:
            await message.nak(delay)


def _pause() -> float:
    return random.uniform(*PAUSE_SECONDS)  # noqa: S311 - spreads retries, hides nothing


def _floor_of(info: ConsumerInfo) -> int:
    return info.ack_floor.stream_seq if info.ack_floor else 0


def _delivery(message: Msg) -> Delivery:
    return Delivery(message.metadata.stream, message.metadata.sequence.stream, message.headers or {}, message.data)
