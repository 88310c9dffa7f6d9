"""A service's outbox and stream, what may happen to them, and a relay between the two."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from chassis import outbox
from chassis.batch import publish_batch
from chassis.bus import Bus
from chassis.database import Pool
from chassis.held import Held
from chassis.relay import Relay
from chassis.tasks import cancel
from chassis.wire import Sealed
from contracts.streams import Stream
from local.nats import NatsServer
from local.waiting import until

MUNICIPALITY = "621"
NEVER = 3600.0
SOON = 0.05


@dataclass(frozen=True)
class Producer:
    """A service's outbox and stream, and what may happen to them."""

    url: str
    pool: Pool
    bus: Bus
    stream: Stream
    server: NatsServer
    sealed: Callable[[int], list[Sealed]]

    def relay(self, *, poll_seconds: float = 1.0) -> Relay:
        return Relay(self.url, self.bus, self.stream, poll_seconds=poll_seconds)

    async def append(self, count: int) -> list[str]:
        return await self.append_events(self.sealed(count))

    async def append_events(self, events: list[Sealed]) -> list[str]:
        async with self.pool.acquire() as db, db.transaction():
            await outbox.append(db, events, now=datetime.now(UTC))
        return [event.message_id for event in events]

    async def drained(self) -> None:
        await until(self._is_drained, seconds=30, message="the outbox was not drained")

    async def _is_drained(self) -> bool:
        async with self.pool.acquire() as db:
            return not await outbox.unpublished(db, 1)

    async def stored(self) -> list[str]:
        """The message ids on the stream, in its order."""
        return [stored.message_id async for stored in Held(self.bus, self.stream).after(0)]

    async def publish_without_mark(self) -> None:
        """What a relay does that dies between the stream's answer and the mark."""
        async with self.pool.acquire() as db:
            rows = await outbox.unpublished(db, 500)
            recorded = await outbox.recorded_until(db, sys.maxsize, 1)
        nc, last = self.bus.broker.connection, recorded[0].sequence if recorded else 0
        if rows:
            await publish_batch(nc, rows, stream=self.stream.name, expected_last_sequence=last, answer_seconds=5)

    async def limit(self, **limits: float) -> None:
        config = (await self.bus.jetstream.stream_info(self.stream.name)).config
        await self.bus.jetstream.update_stream(config.evolve(**limits))

    async def have_ids_forgotten(self) -> None:
        """Cut the dedupe window short; a server that runs on may remember ids for as long as it was told at first."""
        await self.limit(duplicate_window=0.1)
        await asyncio.to_thread(self.server.stop)
        await asyncio.to_thread(self.server.start)

    async def allow_purges(self) -> None:
        config = (await self.bus.jetstream.stream_info(self.stream.name)).config
        await self.bus.jetstream.delete_stream(self.stream.name)
        await self.bus.jetstream.add_stream(config.evolve(deny_purge=False, duplicate_window=0.1))

    async def is_empty(self) -> bool:
        return not await self.stored()

    async def parked(self) -> dict[str, str]:
        rows = await self.pool.fetch("SELECT message_id, parked_reason FROM outbox WHERE parked_reason IS NOT NULL")
        return {row["message_id"]: row["parked_reason"] for row in rows}

    async def end_relay_session(self) -> None:
        query = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        await self.pool.execute(query)

    def copy_store(self) -> Path:
        copy = self.server.folder / "copy"
        self.server.stop()
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.server.store_dir, copy)
        self.server.start()
        return copy

    def put_back(self, copy: Path) -> None:
        self.server.stop()
        shutil.rmtree(self.server.store_dir)
        shutil.copytree(copy, self.server.store_dir)
        self.server.start()

    async def lose_tail(self, *, kept: int, lost: int) -> list[str]:
        """Publish, copy the store, publish more, and put the copy back."""
        ids = await self.append(kept)
        await self.drained()
        copy = self.copy_store()
        ids += await self.append(lost)
        await self.drained()
        self.put_back(copy)
        return ids


@asynccontextmanager
async def relaying(relay: Relay) -> AsyncIterator[Relay]:
    task = asyncio.create_task(relay.run())
    try:
        yield relay
        assert not task.done()
    finally:
        await cancel(task)
