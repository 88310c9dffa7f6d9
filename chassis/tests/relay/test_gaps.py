"""What a stream loses from its midst is found and published again, as soon as the stream would take it."""

import asyncio
from datetime import timedelta

import pytest

from chassis.gaps import GapSearch
from chassis.held import Held
from chassis.tests.relay.producer import SOON, Producer, relaying
from local.damage import damage
from local.waiting import until

A_WINDOW = timedelta(seconds=0.3)


async def published(producer: Producer, count: int) -> list[str]:
    await producer.limit(duplicate_window=A_WINDOW.total_seconds())
    async with relaying(producer.relay()):
        ids = await producer.append(count)
        await producer.drained()
    return ids


async def older(producer: Producer, age: timedelta) -> None:
    await producer.pool.execute("UPDATE outbox SET published_at = published_at - $1::interval", age)


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize(("count", "lost"), [(20, 0), (20, 10), (350, 99), (350, 100)])
async def test_what_a_damaged_block_lost_is_published_again(
    producer: Producer, count: int, lost: int, torn: bool
) -> None:
    ids = await published(producer, count)
    await older(producer, 3 * A_WINDOW)
    await asyncio.to_thread(damage, producer.server, producer.stream, within=ids[lost].encode(), torn=torn)
    left = await producer.stored()
    assert left == (ids[:lost] if torn else [*ids[:lost], *ids[lost + 1 :]]), "the damage is another"

    async with relaying(producer.relay(poll_seconds=SOON)) as relay:
        await until(lambda: relay.regressions, message="the gap was not found")
        await producer.drained()

    assert sorted(await producer.stored()) == sorted(ids)
    assert (await producer.stored())[: len(left)] == left


async def test_a_running_relay_looks_again_after_the_bus_was_away(producer: Producer) -> None:
    await producer.limit(duplicate_window=A_WINDOW.total_seconds())
    async with relaying(producer.relay(poll_seconds=SOON)) as relay:
        ids = await producer.append(20)
        await producer.drained()
        await older(producer, 3 * A_WINDOW)
        await asyncio.to_thread(damage, producer.server, producer.stream, within=ids[10].encode())
        ids += await producer.append(1)

        await until(lambda: relay.regressions, seconds=30, message="the gap was not found")
        await producer.drained()

    assert sorted(await producer.stored()) == sorted(ids)


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=400)])
async def test_what_the_stream_would_refuse_or_has_aged_away_is_left_alone(producer: Producer, age: timedelta) -> None:
    ids = await published(producer, 20)
    await producer.limit(duplicate_window=600)
    await older(producer, age)
    await asyncio.to_thread(damage, producer.server, producer.stream, within=ids[10].encode())

    search = GapSearch(Held(producer.bus, producer.stream))
    async with producer.pool.acquire() as db:
        while search.due:
            assert await search.look(db) == 0


async def test_a_stream_that_has_aged_away_is_looked_through_at_once(producer: Producer) -> None:
    await published(producer, 350)
    await producer.limit(max_age=0.2, duplicate_window=0.2)
    await until(producer.is_empty)

    before = producer.bus.broker.connection.stats["out_msgs"]
    async with producer.pool.acquire() as db:
        assert await GapSearch(Held(producer.bus, producer.stream)).look(db) == 0

    assert producer.bus.broker.connection.stats["out_msgs"] - before < 10
