"""How soon an event counts: from the broker's timestamp until a reader sees the position that impact gave it.

Seen is what `GET /v1/figures` begins its snapshot with, the position of the lane; a watcher with its own connection
asks for it about a thousand times a second, and an event is seen when the first answer is there that includes it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from statistics import quantiles

import asyncpg
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from chassis.wire import Sealed
from contracts.streams import Stream
from impact.store.ledger import POSITION_OF
from local.waiting import until
from tests.bench.servers import Servers

LOOK_SECONDS = 0.001
ANSWER_SECONDS = 30.0
SEEN_SECONDS = 120
ACK_WAIT_SECONDS = 60.0


class Watcher:
    """When each position of a lane was first seen."""

    def __init__(self, db: "asyncpg.Connection[asyncpg.Record]", municipality: str) -> None:
        self._db = db
        self._municipality = municipality
        self.position = 0
        self.seen: list[tuple[int, float]] = []

    async def watch(self) -> None:
        """Look until cancelled."""
        look = await self._db.prepare(POSITION_OF)
        while True:
            position = await look.fetchval(self._municipality) or 0
            if position > self.position:
                self.position = position
                self.seen.append((position, time.time()))
            await asyncio.sleep(LOOK_SECONDS)

    def first_seen(self, positions: Sequence[int]) -> list[float]:
        """When each of these ascending positions was seen."""
        found, steps = [], iter(self.seen)
        step, at = next(steps)
        for position in positions:
            while step < position:
                step, at = next(steps)
            found.append(at)
        return found


@asynccontextmanager
async def watching(dsn: str, municipality: str) -> AsyncIterator[Watcher]:
    """Somebody looks at the lane while the block runs."""
    db = await asyncpg.connect(dsn, server_settings={"application_name": "watcher"})
    watcher = Watcher(db, municipality)
    task = asyncio.create_task(watcher.watch())
    try:
        yield watcher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await db.close()


async def fresh(servers: Servers, dsn: str, stream: Stream, events: Sequence[Sealed], rate: float) -> list[float]:
    """Publish at a steady rate, each event once; the milliseconds that each took until it was seen."""
    before = (await servers.jetstream.stream_info(stream.name)).state.last_seq
    async with watching(dsn, stream.municipality) as watcher:
        await until(lambda: watcher.position, message="the lane is empty")
        end = watcher.position + len(events)
        await publish_steadily(servers.nc, events, rate)
        await until(lambda: watcher.position >= end, seconds=SEEN_SECONDS, message="impact does not catch up")
        stored = await timestamps(servers, stream, after=before)
        db = await asyncpg.connect(dsn)
        try:
            rows = await db.fetch(PLACES, stream.municipality, stream.name, before)
        finally:
            await db.close()
        seen = watcher.first_seen([row["position"] for row in rows])
        return [1000 * (at - stored[row["stream_sequence"]]) for row, at in zip(rows, seen, strict=True)]


PLACES = """
SELECT position, stream_sequence FROM ledger
WHERE municipality = $1 AND stream = $2 AND stream_sequence > $3 ORDER BY position
"""


async def publish_steadily(nc: Client, events: Sequence[Sealed], rate: float) -> None:
    """Each event by itself, at its time, whether or not the one before was answered; return when all were."""
    jetstream = nc.jetstream(timeout=ANSWER_SECONDS)
    began = asyncio.get_running_loop().time()
    answers = []
    for number, event in enumerate(events):
        wait = began + number / rate - asyncio.get_running_loop().time()
        if wait > 0:
            await asyncio.sleep(wait)
        headers = {"Nats-Msg-Id": event.message_id}
        answers.append(asyncio.create_task(jetstream.publish(event.nats_subject, event.body, headers=headers)))
    await asyncio.gather(*answers)


async def timestamps(servers: Servers, stream: Stream, *, after: int) -> dict[int, float]:
    """The broker's timestamp of each message, in seconds, by its sequence."""
    end = (await servers.jetstream.stream_info(stream.name)).state.last_seq
    config = ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=after + 1,
        ack_policy=AckPolicy.NONE,
        headers_only=True,
    )
    reader = await servers.jetstream.pull_subscribe("", stream=stream.name, config=config)
    found: dict[int, float] = {}
    while len(found) < end - after:
        for message in await reader.fetch(500, timeout=ANSWER_SECONDS):
            found[message.metadata.sequence.stream] = message.metadata.timestamp.timestamp()
    await reader.unsubscribe()
    return found


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent do not exceed."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]
