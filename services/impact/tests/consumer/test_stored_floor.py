"""How far the bus has acknowledged is kept in the database, and a database or a stream that went back loses nothing."""

import asyncio
from collections.abc import Sequence

import pytest

from chassis.bus import Bus
from chassis.database import Pool, create_pool
from chassis.migrate import component_of, migrate
from chassis.provision import provision
from impact import consumer
from impact.ingest import DURABLE, DatabaseWentBack, ingest
from impact.ledger import Delivery
from impact.store import consumers
from local.postgres import Postgres
from local.waiting import until
from services.impact.tests.consumer.traffic import (
    ACK_WAIT,
    CLOCK,
    LANE,
    MEASURES,
    body,
    budget,
    consumer_of,
    delivered,
    differing,
    end_of,
    facts,
    publish,
    running,
    settled,
)


async def test_the_floor_is_stored_after_it_was_acknowledged(pool: Pool, bus: Bus) -> None:
    async with running(consumer_of(pool, bus)):
        await publish(bus, body(budget(), "a"), body(budget(), "b"))
        await until(lambda: floor_is(pool, 2))


async def floor_is(pool: Pool, sequence: int) -> bool:
    async with pool.acquire() as db:
        return (await consumers.floor(db, LANE.name, DURABLE)).sequence == sequence


async def test_a_graceful_stop_stores_the_floor_once_more(
    pool: Pool, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "FLOOR_SECONDS", 3600)
    async with running(consumer_of(pool, bus)):
        await publish(bus, body(budget(), "a"))
        await until(lambda: settled(bus))

    assert await floor_is(pool, 1)


async def test_a_restart_repeats_nothing_below_the_stored_floor(pool: Pool, bus: Bus) -> None:
    async with running(consumer_of(pool, bus)):
        await publish(bus, body(budget(), "a"))
        await until(lambda: floor_is(pool, 1))
    async with running(consumer_of(pool, bus)):
        await publish(bus, body(budget(), "b"))
        await until(lambda: floor_is(pool, 2))

    assert await delivered(pool) == {"first_copies": 2, "duplicates": 0, "conflicts": 0, "unreadable": 0}


async def test_a_consumer_ahead_of_the_stored_floor_is_set_back_to_it(pool: Pool, bus: Bus) -> None:
    """As after a restore: the bus has acknowledged events that the database does not hold any more."""
    await publish(bus, *(body(budget(), name) for name in "abc"))
    async with running(consumer_of(pool, bus)):
        await until(lambda: floor_is(pool, 3))
    await pool.execute("TRUNCATE lane, definition, ledger, link, history, outcome, outcome_count")
    await pool.execute("TRUNCATE delta, running_sum, counted_day, delivery, fact_count")
    await pool.execute("UPDATE consumer_floor SET sequence = 0")

    async with running(consumer_of(pool, bus)):
        await until(lambda: floor_is(pool, 3))

    assert {event_id for _, event_id, _ in await facts(pool)} == {"a", "b", "c"}
    assert await differing(pool) == []


async def test_a_stream_that_ends_behind_the_stored_floor_is_read_from_its_beginning(pool: Pool, bus: Bus) -> None:
    await publish(bus, body(budget(), "a"), body(budget(), "b"))
    async with running(consumer_of(pool, bus)):
        await until(lambda: floor_is(pool, 2))
    await pool.execute("UPDATE consumer_floor SET sequence = 1000")

    async with running(consumer_of(pool, bus)):
        await until(lambda: floor_is(pool, 2))

    assert await delivered(pool) == {"first_copies": 2, "duplicates": 2, "conflicts": 0, "unreadable": 0}


@pytest.mark.parametrize("grown_to", [7, 9])
async def test_a_restored_database_lacks_nothing_of_a_stream_that_was_lost_and_grew_again(
    pool: Pool, bus: Bus, postgres: Postgres, grown_to: int
) -> None:
    """The restored database is the one of the backup; what was lived after the backup happened in another."""
    await ingest_all(pool, bus, [f"before{number}" for number in range(7)])
    await bus.jetstream.delete_stream(LANE.name)
    await provision(bus.jetstream, LANE.municipality, ack_wait_seconds=ACK_WAIT)
    lived_on = postgres.create_database()
    await migrate(lived_on, [component_of("impact")], clock=CLOCK)
    after = [f"after{number}" for number in range(grown_to)]
    async with await create_pool(lived_on, name="lived_on") as other:
        await ingest_all(other, bus, after[:5])

    await ingest_all(pool, bus, after[5:])

    assert {event_id for _, event_id, _ in await facts(pool)} == {*after, *(f"before{number}" for number in range(7))}
    assert await differing(pool) == []


async def ingest_all(pool: Pool, bus: Bus, names: Sequence[str]) -> None:
    """Publish while no consumer runs, then start one and stop it when it is done."""
    await publish(bus, *(body(budget(), name) for name in names))
    end = await end_of(bus, LANE)
    async with running(consumer_of(pool, bus)):
        await until(lambda: settled(bus))
    assert await floor_is(pool, end)


async def test_a_database_that_went_back_under_a_running_consumer_ends_it(pool: Pool, bus: Bus) -> None:
    consumer = consumer_of(pool, bus)
    task = asyncio.create_task(consumer.run())
    await publish(bus, body(budget(), "a"))
    await until(lambda: settled(bus))

    await pool.execute("TRUNCATE lane, ledger")

    await ends_for_the_database(task)


async def test_a_database_that_went_back_under_an_idle_consumer_ends_it(pool: Pool, bus: Bus) -> None:
    await ingest_all(pool, bus, ["a"])
    task = asyncio.create_task(consumer_of(pool, bus).run())
    await until(lambda: is_waiting(bus))

    await pool.execute("TRUNCATE lane, ledger")

    await ends_for_the_database(task)


async def test_a_database_that_went_back_takes_no_batch_on_top(pool: Pool) -> None:
    delivery = Delivery(LANE.name, 1, {}, body(budget(), "a"))

    with pytest.raises(DatabaseWentBack):
        await ingest(pool, LANE, [delivery], measures=MEASURES, calendar=CLOCK, known=1)

    assert await facts(pool) == []


async def test_a_worker_learns_of_what_another_one_committed(pool: Pool, bus: Bus) -> None:
    task = asyncio.create_task(consumer_of(pool, bus).run())
    await until(lambda: is_waiting(bus))
    delivery = Delivery(LANE.name, 1, {}, body(budget(), "a"))
    await ingest(pool, LANE, [delivery], measures=MEASURES, calendar=CLOCK)
    await until_the_floor_is_stored(pool)
    await until_the_floor_is_stored(pool)

    await pool.execute("TRUNCATE lane, ledger")

    await ends_for_the_database(task)


async def until_the_floor_is_stored(pool: Pool) -> None:
    before = await pool.fetchval("SELECT stored_at FROM consumer_floor")

    async def stored_again() -> bool:
        return bool(await pool.fetchval("SELECT stored_at FROM consumer_floor") != before)

    await until(stored_again)


async def is_waiting(bus: Bus) -> bool:
    """Whether a worker has aligned itself and asks for messages."""
    return bool((await bus.jetstream.consumer_info(LANE.name, DURABLE)).num_waiting)


async def ends_for_the_database(task: "asyncio.Task[None]") -> None:
    await until(task.done)
    error = task.exception()
    assert isinstance(error, ExceptionGroup)
    assert error.subgroup(DatabaseWentBack)
