"""A straightforward FastStream handler: one message, one transaction, one after the other."""

import asyncio
from typing import Any

from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker

from chassis.database import create_pool
from tests.bench.contenders.contender import Contender, Place, Promise, here
from tests.bench.contenders.handling import delivery_of, raw, serve
from tests.bench.contenders.plain import open_lane, take_in

# Few enough to be handled before what was pushed first counts as lost.
AT_ONCE = 200
NAIVE = Contender(
    name="naive",
    promise=Promise.ALL,
    module="tests.bench.contenders.naive",
    durable="naive",
    deliver_subject="_DELIVER.naive",
    at_once=AT_ONCE,
)


async def handle_all(place: Place) -> None:
    """Handle messages as they are pushed, until killed."""
    async with await create_pool(place.database_url, name="naive", max_size=1) as pool:
        async with pool.acquire() as db:
            await open_lane(db, place.stream, place.calendar)
        broker = NatsBroker(place.nats_url, logger=None)

        @broker.subscriber(
            place.stream.subjects,
            durable="naive",
            stream=JStream(place.stream.name, declare=False),
            decoder=raw,
            ack_policy=AckPolicy.NACK_ON_ERROR,
        )
        async def handle(message: Any) -> None:
            async with pool.acquire() as db, db.transaction():
                await take_in(db, place.stream, delivery_of(message), place.calendar)

        await serve(broker)


if __name__ == "__main__":
    asyncio.run(handle_all(here()))
