"""What cannot be taken is set aside, told to operations and tried again; what is behind it goes on."""

import asyncio

import asyncpg
import pytest

from chassis.database import Connection
from chassis.subscriber import Subscriber
from chassis.tests.subscriber.reader import DURABLE, Reader, nothing, refusing, stopped_after
from chassis.wire import Reading


async def test_an_event_that_the_handler_cannot_take_is_set_aside_and_those_behind_go_on(reader: Reader) -> None:
    reader.after = refusing("b")
    await reader.publish(*map(reader.body, "abc"))

    async with reader.running() as reading:
        await reader.until_settled()
        assert reading.trouble is None

    assert await reader.effects() == ["a", "c"], "what it had written before it failed is undone"
    assert await reader.counts() == {"applied": 2, "failed": 1}
    kept = await reader.pool.fetchrow("SELECT event_id, reason, body FROM inbox WHERE outcome = 'failed'")
    assert tuple(kept or ()) == ("b", "Unheard", reader.body("b"))


async def test_a_second_copy_of_what_is_set_aside_changes_nothing(reader: Reader) -> None:
    reader.before = refusing("a")
    await reader.publish(reader.body("a"), reader.body("a"))

    async with reader.running():
        await reader.until_settled()

    assert await reader.counts() == {"failed": 1, "duplicate": 1}


async def test_what_was_set_aside_is_tried_again_in_order_at_a_start(reader: Reader) -> None:
    reader.before = refusing("a", "c", "d")
    await reader.publish(*map(reader.body, "abcd"))
    async with reader.running():
        await reader.until_settled()

    reader.before = refusing("c")
    await reader.publish(reader.body("e"))
    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["b", "a", "d", "e"]
    assert await reader.counts() == {"applied": 4, "failed": 1}
    assert await reader.pool.fetchval("SELECT count(*) FROM inbox WHERE body IS NOT NULL") == 1


async def test_a_service_may_have_it_tried_again_while_it_reads(reader: Reader) -> None:
    reader.before = refusing("a")
    await reader.publish(reader.body("a"))
    async with reader.running() as reading:
        await reader.until_settled()
        assert await reading.retry(reader.pool) == 0

        reader.before = nothing

        assert await asyncio.gather(*(reading.retry(reader.pool) for _ in range(3))) in (
            [1, 0, 0],
            [0, 1, 0],
            [0, 0, 1],
        )
    assert await reader.effects() == ["a"]
    assert await reader.counts() == {"applied": 1}


async def test_an_event_of_another_municipality_is_set_aside(reader: Reader) -> None:
    await reader.publish(reader.body("a").replace(b":621:", b":630:"))

    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == []
    assert await reader.pool.fetchval("SELECT reason FROM inbox") == "WrongMunicipality"


async def test_what_fails_only_at_the_commit_is_set_aside_too(reader: Reader) -> None:
    await reader.pool.execute("INSERT INTO effect (stream, event_id) VALUES ($1, 'b')", reader.stream.name)
    await reader.publish(*map(reader.body, "abc"))

    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["b", "a", "c"]
    assert await reader.pool.fetchval("SELECT reason FROM inbox WHERE event_id = 'b'") == "UniqueViolationError"


@pytest.mark.parametrize(
    "mistake",
    [
        "SELECT 1 / 0",
        "SELECT * FROM nowhere",
        "nonsense",
        "SELECT pg_sleep(5)",
    ],
)
async def test_a_mistake_in_sql_blocks_nothing(reader: Reader, mistake: str) -> None:
    async def mistaken(db: Connection, reading: Reading) -> None:
        if reading.envelope.id == "b":
            await db.execute("SET LOCAL statement_timeout = 50")
            await db.execute(mistake)
        await reader.handle(db, reading)

    reading = Subscriber(reader.bus, reader.stream, durable=DURABLE, reads=reader.reads, handle=mistaken)
    await reader.publish(*map(reader.body, "abc"))
    async with stopped_after(reading.run(reader.pool)):
        await reader.until_settled()

    assert await reader.effects() == ["a", "c"]
    assert await reader.counts() == {"applied": 2, "failed": 1}


async def test_a_value_that_the_driver_refuses_blocks_nothing(reader: Reader) -> None:
    async def mistaken(db: Connection, reading: Reading) -> None:
        if reading.envelope.id == "b":
            await db.execute("SELECT $1::bigint", "not a number")
        await reader.handle(db, reading)

    reading = Subscriber(reader.bus, reader.stream, durable=DURABLE, reads=reader.reads, handle=mistaken)
    await reader.publish(*map(reader.body, "abc"))
    async with stopped_after(reading.run(reader.pool)):
        await reader.until_settled()

    assert await reader.effects() == ["a", "c"]


async def test_what_passes_by_itself_is_tried_until_it_has(reader: Reader) -> None:
    async def busy(reading: Reading) -> None:
        if reader.seen.count(reading.envelope.id) < 3:
            raise asyncpg.DeadlockDetectedError

    reader.after = busy
    await reader.publish(*map(reader.body, "ab"))

    async with reader.running():
        await reader.until_settled()

    assert reader.seen == ["a"] * 3 + ["b"] * 3
    assert await reader.counts() == {"applied": 2}


async def test_operations_see_counts_what_is_set_aside_and_what_waits(reader: Reader) -> None:
    reader.before = refusing("b")
    await reader.publish(*map(reader.body, "ab"))
    async with reader.running() as reading:
        await reader.until_settled()
    await reader.publish(*map(reader.body, "cde"))

    families = {family.name: family for family in await reading.measure(reader.pool)}

    def value(name: str, **labels: str) -> float:
        [sample] = [
            sample for sample in families[name].samples if sample.labels == {"stream": reader.stream.name, **labels}
        ]
        return float(sample.value)

    assert value("inbox_events", outcome="applied") == 1
    assert value("inbox_events", outcome="failed") == value("inbox_failed") == 1
    assert value("inbox_delivered") == 2
    assert value("inbox_pending") == 3
