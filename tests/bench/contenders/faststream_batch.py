"""A straightforward FastStream batch: five hundred messages at the most, a loop over them, one transaction."""

import asyncio
from typing import Any

from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub

from chassis.database import create_pool
from tests.bench.contenders.contender import Contender, Place, Promise, here
from tests.bench.contenders.handling import delivery_of, raw, serve
from tests.bench.contenders.plain import open_lane, take_in

BATCH = 500
# As long as a batch that is not full waits for more; with a full stream none does.
FILL_SECONDS = 1.0
FASTSTREAM_BATCH = Contender(
    name="faststream_batch",
    promise=Promise.ALL,
    module="tests.bench.contenders.faststream_batch",
    durable="faststream_batch",
)


async def handle_all(place: Place) -> None:
    """Handle batches until killed."""
    async with await create_pool(place.database_url, name="faststream_batch", max_size=1) as pool:
        async with pool.acquire() as db:
            await open_lane(db, place.stream, place.calendar)
        broker = NatsBroker(place.nats_url, logger=None)

        @broker.subscriber(
            place.stream.subjects,
            durable="faststream_batch",
            stream=JStream(place.stream.name, declare=False),
            pull_sub=PullSub(batch_size=BATCH, batch=True, timeout=FILL_SECONDS),
            decoder=raw,
            ack_policy=AckPolicy.NACK_ON_ERROR,
        )
        async def handle(messages: list[Any]) -> None:
            async with pool.acquire() as db, db.transaction():
                for message in messages:
                    await take_in(db, place.stream, delivery_of(message), place.calendar)

        await serve(broker)


if __name__ == "__main__":
    asyncio.run(handle_all(here()))
