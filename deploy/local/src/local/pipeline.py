"""When a day is over: all that a municipality's systems told has gone through the pool, and was counted by impact."""

from datetime import UTC, date, datetime, time
from functools import partial

import httpx
from nats.js import JetStreamContext

from contracts.streams import Stream, streams_of
from local.waiting import until

DRAIN_SECONDS = 60
OUTBOX_PENDING = "outbox_pending"
SWEPT_UNTIL = "reviews_swept_until_timestamp_seconds"


class Pipeline:
    """The way of an event of one municipality from the outbox of whoever tells it to the last who reads it."""

    def __init__(
        self, municipality: str, *, pool: httpx.AsyncClient, gateway: httpx.AsyncClient, jetstream: JetStreamContext
    ) -> None:
        self._pool = pool
        self._gateway = gateway
        self._jetstream = jetstream
        self._streams = {stream.producer: stream for stream in streams_of(municipality)}

    async def drained(self, day: date) -> None:
        """Return when everything of a day is published, delivered and acknowledged; TimeoutError after a minute."""
        # In the direction of travel: what has left an outbox is on the stream before its readers are asked.
        await self._published(self._gateway, "gateway")
        await self._read("gateway", "flexjob_pool")
        await until(
            partial(self._swept, day), seconds=DRAIN_SECONDS, message="the reviews of the day are not called for"
        )
        await self._published(self._pool, "flexjob_pool")
        for producer in self._streams:
            await self._read(producer, "impact")

    async def _published(self, client: httpx.AsyncClient, name: str) -> None:
        async def empty() -> bool:
            pending = await _samples(client, OUTBOX_PENDING)
            return bool(pending) and not any(pending)

        await until(empty, seconds=DRAIN_SECONDS, message=f"the outbox of {name} does not drain")

    async def _read(self, producer: str, durable: str) -> None:
        caught_up = partial(self._is_read, self._streams[producer], durable)
        await until(caught_up, seconds=DRAIN_SECONDS, message=f"{durable} does not catch up with {producer}")

    async def _is_read(self, stream: Stream, durable: str) -> bool:
        # Not num_pending: the server may answer a publication before it counts it as pending.
        last = (await self._jetstream.stream_info(stream.name)).state.last_seq
        floor = (await self._jetstream.consumer_info(stream.name, durable)).ack_floor
        return floor is not None and floor.stream_seq >= last

    async def _swept(self, day: date) -> bool:
        midnight = datetime.combine(day, time(tzinfo=UTC)).timestamp()
        return await _samples(self._pool, SWEPT_UNTIL) == [midnight]


async def _samples(client: httpx.AsyncClient, metric: str) -> list[float]:
    """The values of a metric, whatever its labels."""
    scrape = await client.get("/metrics")
    scrape.raise_for_status()
    return [float(line.rpartition(" ")[2]) for line in scrape.text.splitlines() if line.startswith(metric)]
