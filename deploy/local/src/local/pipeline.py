"""When a day is over, and when it was counted: how far what a municipality's systems told has come."""

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

    async def over(self, day: date, *, payroll: bool) -> None:
        """Return when the pool has heard all of a day and called for its reviews; TimeoutError after a minute.

        Unless `payroll` told something on the day, nothing of it comes through the gateway.
        """
        if payroll:
            await until(self._gateway_is_empty, seconds=DRAIN_SECONDS, message="the outbox of gateway does not drain")
            await self._read("gateway", "flexjob_pool")
        swept = partial(self._is_swept, day)
        await until(swept, seconds=DRAIN_SECONDS, message="flexjob_pool does not call for the day's reviews")

    async def counted(self) -> None:
        """Return when everything that was told so far is published, and impact has it; TimeoutError after a minute."""
        # In the direction of travel: what has left an outbox is on the stream before its readers are asked.
        await until(self._gateway_is_empty, seconds=DRAIN_SECONDS, message="the outbox of gateway does not drain")
        await until(self._pool_is_empty, seconds=DRAIN_SECONDS, message="the outbox of flexjob_pool does not drain")
        for producer in ("gateway", "flexjob_pool"):
            await self._read(producer, "impact")

    async def _gateway_is_empty(self) -> bool:
        return (await _samples(self._gateway)).get(OUTBOX_PENDING) == 0

    async def _pool_is_empty(self) -> bool:
        return (await _samples(self._pool)).get(OUTBOX_PENDING) == 0

    async def _is_swept(self, day: date) -> bool:
        return (await _samples(self._pool)).get(SWEPT_UNTIL) == datetime.combine(day, time(tzinfo=UTC)).timestamp()

    async def _read(self, producer: str, durable: str) -> None:
        caught_up = partial(self._is_read, self._streams[producer], durable)
        await until(caught_up, seconds=DRAIN_SECONDS, message=f"{durable} does not catch up with {producer}")

    async def _is_read(self, stream: Stream, durable: str) -> bool:
        # Not num_pending: the server may answer a publication before it counts it as pending.
        last = (await self._jetstream.stream_info(stream.name)).state.last_seq
        floor = (await self._jetstream.consumer_info(stream.name, durable)).ack_floor
        return floor is not None and floor.stream_seq >= last


async def _samples(client: httpx.AsyncClient) -> dict[str, float]:
    """The metrics of a service that have no labels; one that has just started, or lost its database, tells less."""
    scrape = await client.get("/metrics")
    scrape.raise_for_status()
    samples = (line.split(" ") for line in scrape.text.splitlines() if not line.startswith("#") and "{" not in line)
    return {name: float(value) for name, value, *_ in samples}
