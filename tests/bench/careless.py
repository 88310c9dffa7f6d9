"""A contender that loses an event, or counts one twice: the gate must see it. Never part of a run."""

import asyncio
import os
from functools import partial

import nats

from chassis.database import create_pool
from tests.bench.contenders.contender import Contender, Place, Promise, here
from tests.bench.contenders.handling import delivery_of
from tests.bench.contenders.plain import open_lane, take_in

MODULE = "tests.bench.careless"
FAULT = "BENCH_FAULT"
TWICE = "UPDATE running_sum SET amount = 2 * amount WHERE ctid = (SELECT min(ctid) FROM running_sum WHERE amount <> 0)"


def _settings(place: Place, fault: str) -> dict[str, str]:
    return {**place.env, FAULT: fault}


def careless(fault: str) -> Contender:
    """One that `drops` the fifth event, or `doubles` a sum."""
    return Contender(
        name="careless",
        promise=Promise.ALL,
        module=MODULE,
        durable="careless",
        settings=partial(_settings, fault=fault),
    )


async def take_all(place: Place, fault: str) -> None:
    """Take batches in, with that fault, until killed."""
    jetstream = (await nats.connect(place.nats_url)).jetstream()
    subscription = await jetstream.pull_subscribe_bind("careless", stream=place.stream.name)
    async with await create_pool(place.database_url, name="careless", max_size=1) as pool, pool.acquire() as db:
        await open_lane(db, place.stream, place.calendar)
        while True:
            try:
                messages = await subscription.fetch(500, timeout=5)
            except TimeoutError:
                continue
            async with db.transaction():
                for delivery in map(delivery_of, messages):
                    if fault != "drops" or delivery.sequence != 5:
                        await take_in(db, place.stream, delivery, place.calendar)
                if fault == "doubles":
                    await db.execute(TWICE)
            for message in messages:
                await message.ack()


if __name__ == "__main__":
    asyncio.run(take_all(here(), os.environ[FAULT]))
