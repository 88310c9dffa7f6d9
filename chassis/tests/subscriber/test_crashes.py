"""Wherever a reader dies: nothing is acknowledged before its commit, and each event counts once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nats.aio.msg import Msg

from chassis.bus import Bus
from chassis.database import Pool
from chassis.tests.subscriber.reader import ACK_WAIT, DURABLE, Reader, Step, nothing, reader_of
from chassis.wire import Reading
from local.waiting import until

MUNICIPALITIES = (f"{number:03}" for number in count(101))


async def test_a_crash_within_the_handler_leaves_nothing_and_the_event_comes_again_first(reader: Reader) -> None:
    crashed = asyncio.Event()

    async def crash(_reading: Reading) -> None:
        crashed.set()
        await asyncio.Event().wait()

    reader.after = crash
    await reader.publish(*map(reader.body, "ab"))
    async with reader.running():
        await crashed.wait()
    assert await reader.effects() == []
    assert await reader.counts() == {}

    reader.after = nothing
    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["a", "b"]
    assert await reader.counts() == {"applied": 2}


async def test_nothing_is_acknowledged_before_its_commit(reader: Reader) -> None:
    held = asyncio.Event()

    async def hold(_reading: Reading) -> None:
        held.set()
        await asyncio.Event().wait()

    reader.after = hold
    await reader.publish(reader.body("a"))

    async with reader.running():
        await held.wait()
        await reader.bus.broker.connection.flush()
        info = await reader.bus.jetstream.consumer_info(reader.stream.name, DURABLE)
        assert info.ack_floor
        assert (info.ack_floor.stream_seq, info.num_ack_pending) == (0, 1)


async def test_work_that_takes_longer_than_the_wait_is_not_delivered_again(reader: Reader) -> None:
    slow = asyncio.Event()

    async def wait(_reading: Reading) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(slow.wait(), 4 * ACK_WAIT)

    reader.after = wait
    await reader.publish(reader.body("a"))

    async with reader.running():
        await reader.until_settled()
        info = await reader.bus.jetstream.consumer_info(reader.stream.name, DURABLE)

    assert info.num_redelivered == 0
    assert await reader.counts() == {"applied": 1}


CRASHES = st.lists(st.tuples(st.sampled_from(["handler", "acknowledgement"]), st.integers(1, 4)), max_size=3)
DELIVERIES = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["0.40", "0.50"])), min_size=1, max_size=8)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=DELIVERIES, crashes=CRASHES)
async def test_any_copies_in_any_order_and_any_crash_count_once(
    pool: Pool, bus: Bus, deliveries: list[tuple[str, str]], crashes: list[tuple[str, int]]
) -> None:
    reader = await reader_of(pool, bus, next(MUNICIPALITIES))
    await reader.publish(*(reader.body(name, rate=rate) for name, rate in deliveries))
    for place, after in crashes:
        with crash_at(place, after) as (crashed, step):
            reader.before = step
            async with reader.running():
                await until(lambda: either(crashed, reader), seconds=30)

    reader.before = nothing
    async with reader.running():
        await reader.until_settled()

    first: dict[str, str] = {}
    for name, rate in deliveries:
        first.setdefault(name, rate)
    assert await reader.effects() == list(first)
    counted = await reader.counts()
    conflicts = {(name, rate) for name, rate in deliveries if first[name] != rate}
    assert counted.get("conflict", 0) == len(conflicts)
    assert counted["applied"] == len(first)
    assert sum(counted.values()) >= len(deliveries)


async def either(crashed: asyncio.Event, reader: Reader) -> bool:
    return crashed.is_set() or await reader.settled()


@contextmanager
def crash_at(place: str, after: int) -> Iterator[tuple[asyncio.Event, Step]]:
    """Stand still for ever at the so manieth handling or acknowledgement; whoever waits then ends the reader."""
    crashed, left, acknowledge = asyncio.Event(), count(1), Msg.ack

    async def stand_still() -> None:
        if next(left) == after:
            crashed.set()
            await asyncio.Event().wait()

    async def before(_reading: Reading) -> None:
        if place == "handler":
            await stand_still()

    async def ack(self: Msg) -> None:
        if place == "acknowledgement":
            await stand_still()
        await acknowledge(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Msg, "ack", ack)
        yield crashed, before
