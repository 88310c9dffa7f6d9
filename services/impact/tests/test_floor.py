"""The floor is never above what this database lacks, whoever looks first; a database that went back loses nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from itertools import count
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy

from chassis.bus import Bus
from chassis.calendar import SystemCalendar
from chassis.database import Pool
from chassis.provision import provision
from chassis.wire import seal
from contracts.flexjob_pool import BudgetAllocated
from contracts.streams import Stream
from impact import consumer
from impact.catalogue import INDICATORS, measures_of
from impact.consumer import Consumer
from impact.ingest import DURABLE, DatabaseWentBack, ingest
from impact.ledger import Delivery
from impact.store import consumers
from local.nats import NatsServer
from local.waiting import until

LANE, OTHER = Stream("621", "flexjob_pool"), Stream("621", "partnerships")
MEASURES = measures_of(INDICATORS)
NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
NAMES = count()
BUDGET = BudgetAllocated(occurred_on=date(2026, 1, 1), budget_id=UUID(int=1), fiscal_year=2026, amount_ore=100)
# A replica that lacks the last second: here it lacks everything that was committed since.
WENT_BACK = """
TRUNCATE lane, ledger, link, history, delta, running_sum, outcome, outcome_count, counted_day, definition,
    delivery, fact_count, heartbeat, evidence, consumer_floor
"""


async def commit(pool: Pool, *sequences: int, stream: str = LANE.name) -> None:
    async with pool.acquire() as db:
        await consumers.note_committed(db, stream, DURABLE, sequences, NOW)


async def raised(pool: Pool, *, acknowledged: int, first: int = 1, stream: str = LANE.name) -> int:
    """The floor after a look at the bus."""
    async with pool.acquire() as db:
        known = {"acknowledged": acknowledged, "first": first}
        await consumers.raise_floor(db, stream, DURABLE, **known, created=NOW, stored_at=NOW)
        return (await consumers.floor(db, stream, DURABLE)).sequence


async def test_what_is_acknowledged_and_committed_is_below_the_floor(pool: Pool) -> None:
    await commit(pool, 1, 2, 3)

    assert await raised(pool, acknowledged=3) == 3


async def test_what_is_committed_and_not_acknowledged_yet_is_above_it(pool: Pool) -> None:
    await commit(pool, 1, 2, 3)

    assert await raised(pool, acknowledged=2) == 2
    assert await raised(pool, acknowledged=3) == 3


async def test_what_is_acknowledged_and_not_in_this_database_holds_the_floor(pool: Pool) -> None:
    assert await raised(pool, acknowledged=3) == 0
    await commit(pool, 1, 3)
    assert await raised(pool, acknowledged=3) == 1
    await commit(pool, 2)
    assert await raised(pool, acknowledged=3) == 3


async def test_what_the_stream_has_dropped_by_age_does_not_hold_the_floor(pool: Pool) -> None:
    assert await raised(pool, acknowledged=9, first=10) == 9
    await commit(pool, 10, 11)
    assert await raised(pool, acknowledged=11, first=10) == 11
    await commit(pool, 14)
    assert await raised(pool, acknowledged=14, first=12) == 11, "12 and 13 are there and may be asked for"
    assert await raised(pool, acknowledged=14, first=14) == 14


async def test_each_stream_has_a_floor_of_its_own(pool: Pool) -> None:
    await commit(pool, 1, 2)
    await commit(pool, 1, stream=OTHER.name)

    assert await raised(pool, acknowledged=2) == 2
    assert await raised(pool, acknowledged=2, stream=OTHER.name) == 1


async def test_below_the_floor_nothing_is_remembered_one_by_one(pool: Pool) -> None:
    await commit(pool, *range(1, 1001), 1002)
    await raised(pool, acknowledged=1002)

    assert await pool.fetchval("SELECT committed FROM consumer_floor") == await pool.fetchval(
        "SELECT '{[1002,1003)}'::int8multirange"
    )


SEQUENCES = st.integers(1, 9)
STEPS = st.one_of(
    st.tuples(st.just("commit"), st.sets(SEQUENCES, min_size=1)),
    st.tuples(st.just("acknowledge"), SEQUENCES),
    st.tuples(st.just("expire"), SEQUENCES),
    st.tuples(st.just("look"), st.just(0)),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=14))
async def test_whatever_happens_all_below_the_floor_is_committed_or_gone(
    pool: Pool, steps: list[tuple[str, int | set[int]]]
) -> None:
    stream = f"STREAM_{next(NAMES)}"
    committed, acknowledged, first, floor = set[int](), 0, 1, 0
    for step, what in [*steps, ("look", 0)]:
        if isinstance(what, set):
            committed |= what
            await commit(pool, *what, stream=stream)
        elif step == "acknowledge":
            acknowledged = max(acknowledged, what)
        elif step == "expire":
            first = max(first, what)
        else:
            floor = await raised(pool, acknowledged=acknowledged, first=first, stream=stream)
            assert set(range(first, floor + 1)) <= committed
            assert floor <= acknowledged

    held = acknowledged == floor or floor + 1 not in committed
    assert held, "it rises as far as it may"
    assert floor >= min(first - 1, acknowledged)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter pauses: waiting longer proves nothing more."""
    monkeypatch.setattr(consumer, "PAUSE_SECONDS", (0.02, 0.2))
    monkeypatch.setattr(consumer, "FLOOR_SECONDS", 0.1)
    monkeypatch.setattr(consumer, "FETCH_SECONDS", 1.0)


@pytest.fixture
async def bus(nats_server: NatsServer) -> AsyncIterator[Bus]:
    bus = Bus(nats_server.url, name="impact")
    await bus.start()
    await provision(bus.jetstream, LANE.municipality, ack_wait_seconds=1.0)
    yield bus
    await bus.stop()


def worker(pool: Pool, bus: Bus) -> Consumer:
    return Consumer(pool, bus, LANE, measures=MEASURES, calendar=SystemCalendar())


@asynccontextmanager
async def running(consumer: Consumer) -> AsyncIterator[None]:
    task = asyncio.create_task(consumer.run())
    yield
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() or isinstance(task.exception(), ExceptionGroup)


def body(event_id: str, stream: Stream = LANE) -> bytes:
    return seal(BUDGET, municipality="621", producer=stream.producer, id=event_id, time=NOW).body


async def publish(bus: Bus, *ids: str) -> None:
    for event_id in ids:
        await bus.jetstream.publish(LANE.subjects.replace(">", "any.thing.v1"), body(event_id))


async def ids(pool: Pool) -> list[str]:
    return [row["event_id"] for row in await pool.fetch("SELECT event_id FROM ledger ORDER BY position")]


async def has(pool: Pool, *events: str) -> bool:
    return sorted(await ids(pool)) == sorted(events)


async def acknowledged(bus: Bus, number: int) -> bool:
    info = await bus.jetstream.consumer_info(LANE.name, DURABLE)
    return info.ack_floor is not None and info.ack_floor.stream_seq == number


async def subscription(bus: Bus) -> JetStreamContext.PullSubscription:
    return await bus.jetstream.pull_subscribe_bind(DURABLE, stream=LANE.name)


async def test_an_idle_worker_that_looks_first_after_the_database_went_back_hides_nothing(pool: Pool, bus: Bus) -> None:
    """It never saw the position that is gone, so it cannot know; and the bus says that all is acknowledged."""
    idle, busy = worker(pool, bus), worker(pool, bus)
    await idle._align()  # noqa: SLF001 - exactly before the other one commits
    await publish(bus, "a", "b")
    async with running(busy):
        await until(lambda: has(pool, "a", "b"))
        await until(lambda: acknowledged(bus, 2))
    await pool.execute(WENT_BACK)
    await idle._store_floor()  # noqa: SLF001 - exactly after the database went back

    async with running(worker(pool, bus)):
        await until(lambda: has(pool, "a", "b"))


async def test_another_stream_of_the_lane_that_fills_the_positions_again_hides_nothing(pool: Pool, bus: Bus) -> None:
    """The lane is as long as it was, so its position does not tell."""
    first = worker(pool, bus)
    await first._align()  # noqa: SLF001 - batch by batch
    await publish(bus, "a")
    subscribed = await subscription(bus)
    await first._take_batch(subscribed)  # noqa: SLF001 - batch by batch
    await subscribed.unsubscribe()
    await until(lambda: acknowledged(bus, 1))
    await pool.execute(WENT_BACK)
    other = [Delivery(OTHER.name, 1, {}, body("b", OTHER))]
    await ingest(pool, OTHER, other, measures=MEASURES, calendar=SystemCalendar())
    await first._store_floor()  # noqa: SLF001 - it notices nothing, and must not

    async with running(worker(pool, bus)):
        await until(lambda: has(pool, "a", "b"))


async def test_a_worker_that_saw_the_position_that_is_gone_ends_and_the_next_one_brings_it_back(
    pool: Pool, bus: Bus
) -> None:
    await publish(bus, "a", "b")
    task = asyncio.create_task(worker(pool, bus).run())
    await until(lambda: has(pool, "a", "b"))
    await until(lambda: acknowledged(bus, 2))
    await pool.execute(WENT_BACK)
    await until(task.done)
    error = task.exception()
    assert isinstance(error, ExceptionGroup)
    assert error.subgroup(DatabaseWentBack)

    async with running(worker(pool, bus)):
        await until(lambda: has(pool, "a", "b"))


async def test_a_restart_repeats_nothing_where_old_messages_have_expired(pool: Pool, bus: Bus) -> None:
    """What the stream lost by age below its first message is not waited for."""
    await publish(bus, "a", "b", "c")
    async with running(worker(pool, bus)):
        await until(lambda: acknowledged(bus, 3))
    await pool.execute("UPDATE consumer_floor SET sequence = 0, committed = '{[3,4)}'")
    await keep_the_last(bus)

    async def floor_is_raised() -> bool:
        return bool(await pool.fetchval("SELECT sequence = 3 FROM consumer_floor"))

    async with running(worker(pool, bus)):
        await until(floor_is_raised)
    counted = await pool.fetchval("SELECT sum(duplicates) FROM delivery")

    async with running(worker(pool, bus)):
        await publish(bus, "d")
        await until(lambda: has(pool, "a", "b", "c", "d"))

    assert await pool.fetchval("SELECT sum(duplicates) FROM delivery") == counted


async def keep_the_last(bus: Bus) -> None:
    """Drop all other messages, as age would."""
    config = (await bus.jetstream.stream_info(LANE.name)).config
    await bus.jetstream.update_stream(config.evolve(max_msgs=1, discard=DiscardPolicy.OLD))
    assert (await bus.jetstream.stream_info(LANE.name)).state.first_seq == 3
    await bus.jetstream.update_stream(config)
