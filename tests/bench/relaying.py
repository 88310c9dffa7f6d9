"""An outbox brought to its stream: by the relay, and by one awaited publication after the other."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from time import monotonic

import asyncpg

from chassis import outbox
from chassis.bus import Bus
from chassis.relay import Relay
from chassis.wire import Sealed
from local.waiting import until
from tests.bench.progress import Told
from tests.bench.results import Results
from tests.bench.servers import POOL, Servers
from tests.bench.sizes import Sizes
from tests.bench.workload import Workload, once_each

# One municipality, and so one stream, for each round.
RELAYED_OF, AWAITED_OF = 700, 800
KEYS_OF_RELAYING = ("relay_ratio",)
AT_ONCE = 100
DRAIN_SECONDS = 120


async def relaying(servers: Servers, sizes: Sizes, results: Results, told: Told, seed: int) -> None:
    """The two in turn, on a fresh outbox and a fresh stream each time."""
    for number in range(sizes.rounds):
        relayed = once_each(str(RELAYED_OF + number), sizes.relayed, seed=seed)
        awaited = once_each(str(AWAITED_OF + number), sizes.awaited, seed=seed)
        with told.doing(f"the relay, {len(relayed.arriving):,} events; awaited, {len(awaited.arriving):,}"):
            fast, slow = await _relayed(servers, relayed), await _awaited(servers, awaited)
        results.add("relay_ratio", fast / slow)
        results.details.setdefault("relaying", []).append({"relayed_per_s": fast, "awaited_per_s": slow})
        told.say(f"relay {fast:,.0f}/s, one at a time {slow:,.0f}/s")


async def _relayed(servers: Servers, work: Workload) -> float:
    """Events per second from the commit that filled the outbox until all of it is marked as published."""
    await servers.provide(work.stream.municipality)
    bus = Bus(servers.bus.url, name="relay")
    with servers.database(POOL) as dsn:
        db = await asyncpg.connect(dsn)
        relay = Relay(dsn, bus, work.stream)
        task = asyncio.create_task(relay.run())
        try:
            await until(lambda: relay.active and not relay.trouble, seconds=30, message="the relay does not begin")
            began = await _fill(db, work.arriving)
            while (await outbox.backlog(db)).pending:
                await asyncio.sleep(0.01)
                assert monotonic() - began < DRAIN_SECONDS
            seconds = monotonic() - began
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await bus.stop()
            await db.close()
    await _holds(servers, work)
    return len(work.arriving) / seconds


async def _awaited(servers: Servers, work: Workload) -> float:
    """The same by whoever reads a page, publishes each event and awaits the answer, and marks the page."""
    await servers.provide(work.stream.municipality)
    jetstream = servers.jetstream
    with servers.database(POOL) as dsn:
        db = await asyncpg.connect(dsn)
        try:
            began = await _fill(db, work.arriving)
            while rows := await outbox.unpublished(db, AT_ONCE):
                answers = [
                    await jetstream.publish(row.subject, row.body, headers={"Nats-Msg-Id": row.message_id})
                    for row in rows
                ]
                await outbox.mark_published(db, rows, first_sequence=answers[0].seq, at=datetime.now(UTC))
            seconds = monotonic() - began
        finally:
            await db.close()
    await _holds(servers, work)
    return len(work.arriving) / seconds


async def _fill(db: "asyncpg.Connection[asyncpg.Record]", events: Sequence[Sealed]) -> float:
    """Append all in one transaction; when it was committed."""
    async with db.transaction():
        for start in range(0, len(events), 1000):
            await outbox.append(db, events[start : start + 1000], now=datetime.now(UTC))
    return monotonic()


async def _holds(servers: Servers, work: Workload) -> None:
    """The stream holds each event once."""
    state = (await servers.jetstream.stream_info(work.stream.name)).state
    assert state.messages == len(work.arriving), f"{state.messages} messages for {len(work.arriving)} events"
