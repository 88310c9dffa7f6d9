"""Reads one stream in its order, one event at a time: inbox and effect commit together, then it is acknowledged.

While a server is away it waits where it is; what the handler cannot take is set aside, and nothing behind it waits.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import asyncpg
import nats.errors
import structlog
from faststream import AckPolicy
from faststream.nats import JStream, NatsMessage, PullSub
from nats.aio.msg import Msg
from prometheus_client.core import GaugeMetricFamily, Metric

from chassis import inbox
from chassis.bus import Bus
from chassis.database import ACQUIRE_SECONDS, UNAVAILABLE, Connection, Pool
from chassis.floor import Floor, first_to_repeat
from chassis.held import Held
from chassis.inbox import Delivery, Outcome
from chassis.tasks import cancel
from chassis.wire import Reading, Unreadable, read
from contracts.event import Event
from contracts.streams import Stream

ACK_WAIT_SECONDS = 30.0
FETCH_SECONDS = 5.0
PAUSE_SECONDS = (0.2, 2.0)
MOST_TRIES = 5
PASSING = (*UNAVAILABLE, asyncpg.PostgresError, nats.errors.Error)

Handle = Callable[[Connection, Reading], Awaitable[None]]
T = TypeVar("T")
log = structlog.get_logger()


class WrongMunicipality(Exception):
    """The source of the event is of another municipality than the stream."""


class ReadOtherwise(Exception):
    """Another program reads other types of this stream: a start decides from where on they are read."""


class _Gap(Exception):
    """Something before this delivery is on the stream and not in this database."""


class _NotNow(Exception):
    """The handler met a server that cannot serve just now, and the database lives."""


class Subscriber:
    """Takes one stream in for one durable; `handle` gets each event of the types in `reads` once, in a transaction.

    `trouble` says why nothing moves, None when all is well.
    """

    def __init__(self, bus: Bus, stream: Stream, *, durable: str, reads: Iterable[type[Event]], handle: Handle) -> None:
        self.trouble: str | None = "starting"
        self._bus = bus
        self._stream = stream
        self._durable = durable
        self._types = frozenset(model.contract.type for model in reads)
        self._handle = handle
        self._ack_wait = ACK_WAIT_SECONDS

    async def run(self, pool: Pool) -> None:
        """Read until cancelled, through losses of the database and of the bus. Raises ReadOtherwise."""
        await self._persist(self._bus.start)
        await self._persist(partial(self._align, pool))
        await self._persist(partial(self.retry, pool))
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        async with self._attached(pool, ended):
            await ended

    async def retry(self, pool: Pool) -> int:
        """Try again, in order, what was set aside, and return how many have their effect now.

        Raises what a database raises that is not there; what was applied until then stays applied.
        """
        async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            waiting = await inbox.failed(db, self._stream.name)
        applied = sum([await self._retry_one(pool, number) for number in waiting])
        if waiting:
            log.info("inbox_retried", stream=self._stream.name, applied=applied, failed=len(waiting) - applied)
        return applied

    async def measure(self, pool: Pool) -> list[Metric]:
        """What operations see of this stream; without a connection to the bus nobody knows what waits there."""
        async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            counts = await inbox.counts(db, self._stream.name)
        events = _family("inbox_events", "Deliveries by what became of them.", "outcome")
        for outcome, number in counts.items():
            events.add_metric([self._stream.name, outcome], number)
        delivered = _family("inbox_delivered", "Deliveries; each has exactly one outcome.")
        delivered.add_metric([self._stream.name], sum(counts.values()))
        failed = _family("inbox_failed", "Events that are set aside until they are tried again.")
        failed.add_metric([self._stream.name], counts[Outcome.FAILED])
        pending = _family("inbox_pending", "Events that wait, or are delivered and not acknowledged.")
        if self._bus.connected:
            with suppress(nats.errors.Error):
                info = await self._bus.jetstream.consumer_info(self._stream.name, self._durable)
                pending.add_metric([self._stream.name], (info.num_pending or 0) + (info.num_ack_pending or 0))
        return [events, delivered, failed, pending]

    async def _align(self, pool: Pool) -> None:
        """Have everything delivered again that this database may lack; what it has already changes nothing."""
        jetstream, stream = self._bus.jetstream, self._stream.name
        async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            stored = await inbox.progress(db, stream)
            floor, types = (stored.floor, stored.types) if stored else (Floor(0, None), self._types)
            info = await jetstream.consumer_info(stream, self._durable)
            found = await jetstream.stream_info(stream)
            reached = info.delivered.stream_seq if info.delivered else 0
            again_from = first_to_repeat(floor, reached=reached, end=found.state.last_seq, created=found.created)
            if not self._types <= types:
                # What an earlier program passed over lies anywhere on the stream.
                again_from = 1
            sequence = floor.sequence if again_from is None else again_from - 1
            await inbox.read_from(db, stream, Floor(sequence, found.created), self._types)
        self._ack_wait = info.config.ack_wait or ACK_WAIT_SECONDS
        if again_from is not None:
            await jetstream.reset_consumer(stream, self._durable, again_from)
            log.warning("consumer_reset", stream=stream, stored=floor.sequence, reached=reached, again_from=again_from)

    @asynccontextmanager
    async def _attached(self, pool: Pool, ended: "asyncio.Future[None]") -> AsyncIterator[None]:
        """Have FastStream pull one message after the other; what ends with an error of ours ends the reading."""

        async def take(message: Any) -> None:
            try:
                await self._take(pool, message)
            except Exception as error:  # noqa: BLE001 - FastStream would swallow it
                if not ended.done():
                    ended.set_exception(error)

        attached = self._bus.broker.subscriber(
            self._stream.subjects,
            stream=JStream(self._stream.name, declare=False),
            durable=self._durable,
            pull_sub=PullSub(batch_size=1, timeout=FETCH_SECONDS),
            ack_policy=AckPolicy.MANUAL,
            decoder=_as_it_came,
            inbox_prefix=self._bus.inbox_prefix,
            persistent=False,
            no_reply=True,
        )
        attached(take)
        await self._persist(attached.start)
        self.trouble = None
        try:
            yield
        finally:
            # What is under way is given up and rolled back; waiting for it would mean waiting for a database.
            for task in attached.tasks:
                task.cancel()
            with suppress(nats.errors.Error):
                await attached.stop()

    async def _take(self, pool: Pool, message: Msg) -> None:
        """Bring one message in, and tell the server meanwhile that it is being worked on."""
        work = asyncio.create_task(self._bring_in(pool, message))
        try:
            while not work.done():
                await asyncio.wait([work], timeout=self._ack_wait / 3)
                if not work.done():
                    with suppress(nats.errors.Error):
                        await message.in_progress()
        finally:
            # FastStream's task group cancels this over and over; the work is to be over all the same.
            await asyncio.shield(cancel(work))
        work.result()

    async def _bring_in(self, pool: Pool, message: Msg) -> None:
        """Commit, then acknowledge; a server that is away is waited for right here, so that the order is kept."""
        delivery, tries = Delivery(self._stream.name, message.metadata.sequence.stream, message.data), 1
        while True:
            try:
                await self._commit(pool, delivery, last_try=tries >= MOST_TRIES)
            except _Gap:
                # It is not acknowledged: it comes again, after what is missing.
                await self._persist(partial(self._align, pool))
                return
            except _NotNow as error:
                tries += 1
                await self._pause(error.__cause__ or error)
            except PASSING as error:
                await self._pause(error)
            else:
                break
        self.trouble = None
        with suppress(nats.errors.Error):
            await message.ack()

    async def _commit(self, pool: Pool, delivery: Delivery, *, last_try: bool) -> None:
        async with pool.acquire(timeout=ACQUIRE_SECONDS) as db, db.transaction():
            progress = await inbox.lock(db, delivery.stream)
            if not progress or not await self._follows(progress.floor.sequence, delivery.sequence):
                raise _Gap
            if progress.types != self._types:
                raise ReadOtherwise
            outcome = await self._record(db, delivery, last_try=last_try)
            await inbox.count(db, delivery, outcome)

    async def _follows(self, floor: int, sequence: int) -> bool:
        """Whether nothing on the stream lies between; what has aged away, or is damaged, leaves a gap that is none."""
        if sequence <= floor + 1:
            return True
        found = await Held(self._bus, self._stream).first_after(floor)
        return found is not None and found.seq == sequence

    async def _record(self, db: Connection, delivery: Delivery, *, last_try: bool) -> Outcome:
        try:
            reading = read(delivery.raw)
        except Unreadable as unreadable:
            return await inbox.keep_unreadable(db, delivery, unreadable.reason)
        if reading.envelope.type not in self._types:
            return Outcome.NOT_READ
        outcome = await inbox.keep(db, delivery, reading)
        if outcome is Outcome.APPLIED and (reason := await self._handled(db, reading, last_try=last_try)):
            await inbox.set_aside(db, reading, delivery, reason)
            log.error("event_set_aside", stream=delivery.stream, sequence=delivery.sequence, reason=reason)
            return Outcome.FAILED
        return outcome

    async def _retry_one(self, pool: Pool, number: int) -> bool:
        async with pool.acquire(timeout=ACQUIRE_SECONDS) as db, db.transaction():
            await inbox.lock(db, self._stream.name)
            body = await inbox.body_of_failed(db, number)
            if body is None:
                return False
            if reason := await self._handled(db, read(body), last_try=True):
                await inbox.still_failed(db, number, reason)
                return False
            await inbox.applied_after_all(db, number)
        return True

    async def _handled(self, db: Connection, reading: Reading, *, last_try: bool) -> str | None:
        """Give the event to the handler, and say why it has no effect, if so. Raises what may pass by itself."""
        try:
            async with db.transaction():
                if reading.envelope.municipality != self._stream.municipality:
                    raise WrongMunicipality  # noqa: TRY301 - set aside as what the handler raises
                await self._handle(db, reading)
                # A constraint that waits for the commit would fail there, and take the inbox with it.
                await db.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except Exception as error:
            if isinstance(error, UNAVAILABLE) and db.is_closed():
                raise
            if isinstance(error, UNAVAILABLE) and not last_try:
                raise _NotNow from error
            return type(error).__name__
        return None

    async def _persist(self, step: Callable[[], Awaitable[T]]) -> T:
        """Try until it works, as long as it is a server that fails."""
        while True:
            try:
                return await step()
            except PASSING as error:
                await self._pause(error)

    async def _pause(self, error: BaseException) -> None:
        self.trouble = type(error).__name__
        log.warning("inbox_waits", stream=self._stream.name, error=self.trouble)
        await asyncio.sleep(random.uniform(*PAUSE_SECONDS))  # noqa: S311 - spreads retries, hides nothing


async def _as_it_came(message: NatsMessage) -> Msg:
    """Nothing is decoded before it is kept."""
    return message.raw_message


def _family(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=("stream", *labels))
