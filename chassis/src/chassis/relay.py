"""The relay: brings the outbox to the stream, in order, from the table, always.

There is one active relay per database, as long as the connection lives that it reads and marks with. It never publishes
without saying where it expects the stream to end; where the two disagree, the stream's own tail decides.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING

import asyncpg
import nats.errors
import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from chassis import outbox, phantoms
from chassis.batch import Refused, StoredElsewhere, publish_batch
from chassis.bus import REQUEST_SECONDS, Bus
from chassis.database import ACQUIRE_SECONDS, ANSWER_SECONDS, CONNECT_SECONDS, SESSION, UNAVAILABLE, Pool
from chassis.gaps import GapSearch
from chassis.held import Held
from contracts.streams import Stream

if TYPE_CHECKING:
    RelayConnection = asyncpg.Connection[asyncpg.Record]

MAX_BATCH = 500
TOLD_PHANTOMS = 20
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 5.0
RECONCILE_SECONDS = 300.0
# What was published last leaves dead entries in the index; what commits late is behind them, and seldom far.
NEAR = 1000
LOOK_BACK_SECONDS = 5.0

log = structlog.get_logger()


class Relay:
    """Publishes one database's outbox to one stream.

    `active` is false on a relay that stands by; `regressions` counts how often the stream had lost events that it had
    acknowledged.
    """

    def __init__(self, dsn: str, bus: Bus, stream: Stream, *, poll_seconds: float = 1.0) -> None:
        self.active = False
        self.regressions = 0
        self._trouble: str | None = "starting"
        self._dsn = dsn
        self._bus = bus
        self._stream = stream
        self._poll_seconds = poll_seconds
        self._held = Held(bus, stream)
        self._gaps = GapSearch(self._held)
        self._wake = asyncio.Event()
        self._limit = MAX_BATCH
        self._failures = 0
        self._last = 0
        self._said_last = 0
        self._begin_after = 0
        self._looked_back_at = 0.0

    @property
    def trouble(self) -> str | None:
        """Why events do not reach the bus; None when they do, or when another process relays them."""
        if self.active and not self._bus.connected:
            return "not connected to the bus"
        return self._trouble

    async def run(self) -> None:
        """Relay until cancelled, through losses of the database and of the bus."""
        while True:
            try:
                async with self._connection() as db:
                    await self._stand_by(db)
                    await self._bus.start()
                    await self._relay(db)
            except (*UNAVAILABLE, nats.errors.Error) as error:
                await self._back_off(error)
            finally:
                self.active = False

    async def measure(self, pool: Pool) -> list[Metric]:
        """What operations see: the outbox as it stands in the database, and the relay of this process."""
        async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            backlog, strangers = await outbox.backlog(db), await phantoms.count(db)
        age = (datetime.now(UTC) - backlog.oldest).total_seconds() if backlog.oldest else 0
        # It says whose heartbeats are due, also while none has come anywhere.
        active = GaugeMetricFamily(
            "relay_active", "1 when this process is the one that publishes.", labels=("municipality", "producer")
        )
        active.add_metric([self._stream.municipality, self._stream.producer], self.active)
        return [
            GaugeMetricFamily("outbox_pending", "Events that wait for the bus.", value=backlog.pending),
            GaugeMetricFamily("outbox_oldest_age_seconds", "How long the oldest of them has waited.", value=age),
            GaugeMetricFamily(
                "outbox_parked", "Events that the bus will never take as they are.", value=backlog.parked
            ),
            GaugeMetricFamily(
                "outbox_phantoms",
                "Events of the stream that the outbox does not know, and nobody decided on.",
                value=strangers,
            ),
            active,
            CounterMetricFamily("relay_regressions", "Times the stream had lost events.", value=self.regressions),
        ]

    @asynccontextmanager
    async def _connection(self) -> "AsyncIterator[RelayConnection]":
        settings = {"application_name": f"relay {self._stream.name}", **SESSION}
        db = await asyncpg.connect(
            self._dsn, timeout=CONNECT_SECONDS, command_timeout=ANSWER_SECONDS, server_settings=settings
        )
        try:
            await db.add_listener(outbox.CHANNEL, lambda *_: self._wake.set())
            yield db
        finally:
            # Closing politely would wait for a server that may be gone; the lock ends with the connection either way.
            db.terminate()

    async def _stand_by(self, db: "RelayConnection") -> None:
        """Ask again and again for the lock: waiting in one statement would keep VACUUM from its work.

        A relay that begins gives what was parked another chance: the stream may take more than it did.
        """
        self._trouble = None
        while not await outbox.become_relay(db):  # noqa: ASYNC110 - nothing tells when a lock is free
            await asyncio.sleep(self._poll_seconds)
        self.active, self._trouble = True, "waiting for the bus"
        log.info("relay_active", stream=self._stream.name)
        if unparked := await outbox.unpark(db):
            log.warning("events_unparked", stream=self._stream.name, positions=unparked)

    async def _relay(self, db: "RelayConnection") -> None:
        # Whoever relayed before may have died between the stream's answer and the mark.
        certain_until, losses = 0.0, self._bus.losses
        while True:
            try:
                if self._bus.connected and self._bus.losses != losses:
                    certain_until, losses = 0.0, self._bus.losses
                    self._gaps.begin_again()
                if monotonic() >= certain_until:
                    await self._reconcile(db)
                    # A purge leaves the last sequence as it was, so that no publication is ever refused for it.
                    certain_until = monotonic() + RECONCILE_SECONDS
                await self._publish_next(db)
            except (Refused, StoredElsewhere, nats.errors.Error) as error:
                certain_until = 0.0
                self._said_last = error.last_sequence if isinstance(error, Refused) else 0
                self._limit = max(1, self._limit // 2)
                await self._back_off(error)
            else:
                self._failures, self._trouble, self._said_last = 0, None, 0

    async def _publish_next(self, db: "RelayConnection") -> None:
        self._wake.clear()
        rows = await self._next(db)
        if not rows:
            await (self._look_for_gaps(db) if self._gaps.due else self._wait())
            return
        try:
            first = await publish_batch(
                self._bus.broker.connection,
                rows,
                stream=self._stream.name,
                expected_last_sequence=self._last,
                answer_seconds=REQUEST_SECONDS,
            )
        except Refused as refusal:
            await self._close_in(db, rows, refusal)
        else:
            await outbox.mark_published(db, rows, first_sequence=first, at=datetime.now(UTC))
            self._last = first + len(rows) - 1
            self._begin_after = rows[-1].position - NEAR
            self._limit = min(MAX_BATCH, 2 * self._limit)

    async def _next(self, db: "RelayConnection") -> list[outbox.Row]:
        """From near the last one on, and every few seconds from the beginning."""
        if monotonic() - self._looked_back_at >= LOOK_BACK_SECONDS:
            self._looked_back_at = monotonic()
            return await outbox.unpublished(db, self._limit)
        return await outbox.unpublished(db, self._limit, after=self._begin_after)

    async def _close_in(self, db: "RelayConnection", rows: Sequence[outbox.Row], refusal: Refused) -> None:
        """Halve the batch until the culprit is alone, and park that one; a refusal for another reason goes on up."""
        if len(rows) > 1 and refusal.divisible:
            self._limit = len(rows) // 2
        elif refusal.permanent:
            await outbox.park(db, rows[0], str(refusal))
            log.error("event_parked", stream=self._stream.name, position=rows[0].position, reason=str(refusal))
        else:
            raise refusal

    async def _reconcile(self, db: "RelayConnection") -> None:
        """Learn from the stream's own tail what it holds, and go on from there."""
        info = await self._held.info()
        survivor = await self._held.last_survivor(db, info.state)
        tail = [stored async for stored in self._held.after(survivor)]
        async with db.transaction():
            settlement = await outbox.settle(
                db,
                survivor=survivor,
                tail=tail,
                first_sequence=info.state.first_seq,
                kept_since=self._held.kept_since(info),
            )
            fresh = await phantoms.note(db, settlement.strangers, after=survivor, now=datetime.now(UTC))
        # A damaged store may say that it ends earlier than it lets anybody write.
        self._last = max([info.state.last_seq, self._said_last, *(stored.sequence for stored in tail)])
        self._begin_after = 0
        self._tell(settlement, fresh)

    async def _look_for_gaps(self, db: "RelayConnection") -> None:
        if lost := await self._gaps.look(db):
            self.regressions += 1
            self._begin_after = 0
            log.warning("gap_found", stream=self._stream.name, lost=lost)

    def _tell(self, settlement: outbox.Settlement, fresh: Sequence[phantoms.Phantom]) -> None:
        if settlement.lost:
            self.regressions += 1
        if settlement.lost or settlement.found:
            log.warning("relay_reconciled", stream=self._stream.name, lost=settlement.lost, found=settlement.found)
        if fresh:
            ids = [phantom.message_id for phantom in fresh[:TOLD_PHANTOMS]]
            log.error("phantoms_found", stream=self._stream.name, events=len(fresh), first=ids)

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._poll_seconds):
                await self._wake.wait()

    async def _back_off(self, error: Exception) -> None:
        self._trouble = f"{type(error).__name__}: {error}" if isinstance(error, Refused) else type(error).__name__
        self._failures += 1
        log.warning("relay_pauses", stream=self._stream.name, error=self._trouble, failures=self._failures)
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(self._failures, 10))
        await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311 - spreads retries, guards nothing
