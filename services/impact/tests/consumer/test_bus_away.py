"""The ingest loop when the bus goes away and comes back."""

import asyncio
from time import monotonic

from chassis.bus import Bus
from chassis.database import Pool
from impact import consumer
from local.nats import NatsServer
from local.waiting import until
from services.impact.tests.consumer.traffic import body, budget, consumer_of, facts, publish, running, settled


async def test_a_bus_that_is_killed_and_comes_back_is_read_on(pool: Pool, bus: Bus, nats_server: NatsServer) -> None:
    async with running(consumer_of(pool, bus)):
        await publish(bus, body(budget(), "a"))
        await until(lambda: settled(bus))
        await asyncio.to_thread(nats_server.kill)
        await asyncio.to_thread(nats_server.start)
        await until(lambda: bus.connected)
        await publish(bus, body(budget(), "b"))
        await until(lambda: has_facts(pool, 2), seconds=20)


async def test_a_bus_that_is_away_is_asked_for_no_more_than_one_batch(
    pool: Pool, bus: Bus, nats_server: NatsServer
) -> None:
    async with running(consumer_of(pool, bus)):
        await until(lambda: settled(bus))
        await asyncio.to_thread(nats_server.kill)
        await until(lambda: not bus.connected)
        away_since = monotonic()
        await until(lambda: monotonic() - away_since > 4 * consumer.FETCH_SECONDS)

        waiting = bus.broker.connection._pending  # noqa: SLF001 - what it will send
        assert len([command for command in waiting if b".CONSUMER.MSG.NEXT." in command]) <= 1
        await asyncio.to_thread(nats_server.start)
        await until(lambda: bus.connected)
        await publish(bus, body(budget(), "a"))
        await until(lambda: has_facts(pool, 1), seconds=20)


async def has_facts(pool: Pool, number: int) -> bool:
    return len(await facts(pool)) == number
