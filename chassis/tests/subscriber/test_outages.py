"""A broker, a database or a durable that is away is waited for, and the order is kept."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chassis.bus import Bus
from chassis.database import Pool, create_pool
from chassis.provision import provision
from chassis.tests.subscriber.reader import ACK_WAIT, DURABLE, Reader, prepare, reader_of
from chassis.wire import Reading
from contracts.streams import Stream
from local.nats import NatsServer
from local.postgres import OwnPostgres, Postgres, postgres_for
from local.waiting import until


async def test_the_order_is_kept_while_the_broker_dies_again_and_again(reader: Reader, nats_server: NatsServer) -> None:
    names = [f"e{number}" for number in range(60)]
    await reader.publish(*map(reader.body, names))
    dice = random.Random(4)  # noqa: S311 - repeatable, no secret

    async with reader.running():
        for _ in range(3):
            enough = len(reader.seen) + dice.randint(1, 10)
            await until(lambda: len(reader.seen) >= enough, seconds=30)  # noqa: B023 - awaited at once
            nats_server.kill()
            nats_server.start()
        await reader.until_settled()

    assert await reader.effects() == names
    assert (await reader.counts())["applied"] == len(names)


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[Postgres]:
    server = postgres_for(tmp_path / "postgres")
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("ending", ["stop", "kill"])
async def test_the_order_is_kept_while_the_database_is_away(own_postgres: Postgres, bus: Bus, ending: str) -> None:
    if not isinstance(own_postgres, OwnPostgres):
        pytest.skip("a server that others run is not stopped")
    url = own_postgres.create_database()
    await prepare(url)
    names = [f"e{number}" for number in range(40)]
    async with await create_pool(url, name="test") as pool:
        # Starting a server holds up this very loop: nothing can be said to be in progress meanwhile.
        reader = await reader_of(pool, bus, "621", ack_wait=30)
        await reader.publish(*map(reader.body, names))
        async with reader.running() as reading:
            await until(lambda: len(reader.seen) > 5)
            getattr(own_postgres, ending)()
            await until(lambda: reading.trouble is not None)
            info = await bus.jetstream.consumer_info(reader.stream.name, DURABLE)
            assert info.num_ack_pending == 1
            own_postgres.start()
            await reader.until_settled()
        info = await bus.jetstream.consumer_info(reader.stream.name, DURABLE)

        assert await reader.effects() == names
        assert info.delivered is not None
        assert info.delivered.consumer_seq == len(names), "nothing was delivered a second time"
        counts = await reader.counts()
        assert counts.pop("applied") == len(names)
        assert counts in ({}, {"duplicate": 1}), "only what was committed without an answer is brought in again"


async def test_a_start_without_database_waits_for_it(own_postgres: Postgres, bus: Bus) -> None:
    if not isinstance(own_postgres, OwnPostgres):
        pytest.skip("a server that others run is not stopped")
    url = own_postgres.create_database()
    await prepare(url)
    async with await create_pool(url, name="test") as pool:
        reader = await reader_of(pool, bus, "621")
        await reader.publish(reader.body("a"))
        own_postgres.kill()
        async with reader.running() as reading:
            await until(lambda: reading.trouble not in (None, "starting"))
            own_postgres.start()
            await reader.until_settled()
        assert await reader.effects() == ["a"]


async def test_it_waits_for_its_durable_and_never_makes_one(pool: Pool, bus: Bus) -> None:
    reader = Reader(pool, bus, Stream("621", "gateway"))
    async with reader.running() as reading:
        await until(lambda: reading.trouble == "NotFoundError")
        with suppress(Exception):
            await bus.jetstream.consumer_info(reader.stream.name, DURABLE)
            pytest.fail("it made a durable")
        await provision(bus.jetstream, "621", ack_wait_seconds=ACK_WAIT)
        await reader.publish(reader.body("a"))
        await reader.until_settled()

    assert await reader.effects() == ["a"]


async def test_while_it_waits_others_have_their_turn_and_it_stops_at_once(reader: Reader) -> None:
    """Also with the bus and the database away, and something under way."""
    held, turns = asyncio.Event(), 0

    async def hold(_reading: Reading) -> None:
        held.set()
        await asyncio.Event().wait()

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    reader.after = hold
    await reader.publish(reader.body("a"))
    beside = asyncio.create_task(others())
    async with asyncio.timeout(5):
        async with reader.running():
            await held.wait()
            before = turns
            await until(lambda: turns > before + 20)
    beside.cancel()

    info = await reader.bus.jetstream.consumer_info(reader.stream.name, DURABLE)
    assert info.num_waiting is not None
    assert await reader.effects() == []
