"""The ingest loop against a real bus and a real database, also when either is not there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count
from time import monotonic
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.bus import Bus
from chassis.calendar import SystemCalendar
from chassis.database import Pool, create_pool
from chassis.provision import provision
from chassis.wire import seal
from contracts.event import Event
from contracts.flexjob_pool import BudgetAllocated
from contracts.platform import Published, ServiceHeartbeat
from contracts.streams import Stream
from impact import consumer
from impact.catalogue import INDICATORS, measures_of
from impact.consumer import DURABLE, Consumer, DatabaseWentBack, first_to_repeat
from impact.rebuild import Differences, compare
from impact.store import consumers
from local.nats import NatsServer
from local.waiting import until

LANE = Stream("621", "flexjob_pool")
MEASURES = measures_of(INDICATORS)
REGISTERED = datetime(2026, 6, 1, 9, tzinfo=UTC)
SOURCE = "urn:kraftcenter:621:flexjob_pool"
ACK_WAIT = 1.0
MUNICIPALITIES = (f"{number:03}" for number in count(101))

Lives = st.SearchStrategy[list[Event]]


@pytest.fixture
async def bus(nats_server: NatsServer) -> AsyncIterator[Bus]:
    bus = Bus(nats_server.url, name="impact")
    await bus.start()
    await provision(bus.jetstream, LANE.municipality, ack_wait_seconds=ACK_WAIT)
    yield bus
    await bus.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter pauses: waiting longer proves nothing more."""
    monkeypatch.setattr(consumer, "PAUSE_SECONDS", (0.02, 0.2))
    monkeypatch.setattr(consumer, "FLOOR_SECONDS", 0.1)
    monkeypatch.setattr(consumer, "FETCH_SECONDS", 1.0)


def consumer_of(pool: Pool, bus: Bus, stream: Stream = LANE) -> Consumer:
    return Consumer(pool, bus, stream, measures=MEASURES, calendar=SystemCalendar())


@asynccontextmanager
async def running(*consumers: Consumer) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in consumers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


def budget(amount_ore: int = 100, day: date = date(2026, 1, 1)) -> BudgetAllocated:
    return BudgetAllocated(occurred_on=day, budget_id=UUID(int=1), fiscal_year=2026, amount_ore=amount_ore)


def body(event: Event, event_id: str, stream: Stream = LANE) -> bytes:
    municipality, producer = stream.municipality, stream.producer
    return seal(event, municipality=municipality, producer=producer, id=event_id, time=REGISTERED).body


async def publish(bus: Bus, *bodies: bytes, stream: Stream = LANE, headers: dict[str, str] | None = None) -> None:
    subject = stream.subjects.replace(">", "any.thing.v1")
    for raw in bodies:
        await bus.jetstream.publish(subject, raw, headers=headers)


async def settled(bus: Bus, stream: Stream = LANE) -> bool:
    """Whether everything on the stream is acknowledged; the server's own count of what is pending lags behind."""
    info = await bus.jetstream.consumer_info(stream.name, DURABLE)
    return info.ack_floor is not None and info.ack_floor.stream_seq == await end_of(bus, stream)


async def end_of(bus: Bus, stream: Stream) -> int:
    return (await bus.jetstream.stream_info(stream.name)).state.last_seq


async def facts(pool: Pool, municipality: str = "621") -> list[tuple[int, str, str | None]]:
    rows = await pool.fetch(
        "SELECT position, event_id, parked FROM ledger WHERE municipality = $1 ORDER BY position", municipality
    )
    return [(row["position"], row["event_id"], row["parked"]) for row in rows]


async def delivered(pool: Pool) -> dict[str, int]:
    row = await pool.fetchrow(
        "SELECT sum(first_copies) AS first_copies, sum(duplicates) AS duplicates,"
        " sum(conflicts) AS conflicts, sum(unreadable) AS unreadable FROM delivery"
    )
    return {name: int(number or 0) for name, number in row.items()} if row else {}


async def differences(pool: Pool, municipality: str = "621") -> Differences:
    async with pool.acquire() as db, db.transaction(isolation="repeatable_read"):
        return await compare(db, municipality, MEASURES)


async def test_poison_between_good_events_is_seen_and_the_good_ones_count(pool: Pool, bus: Bus) -> None:
    poison = [
        b"not json",
        body(budget(), "v2").replace(b".v1", b".v2"),
        body(budget(), "float").replace(b'"amount_ore":100', b'"amount_ore":0.5'),
        body(budget(), "elsewhere").replace(b":621:", b":630:"),
        body(budget(day=date(1989, 1, 1)), "old"),
        body(budget(777), "first"),
        b'{"id": "\\u0000"}',
    ]
    await publish(bus, body(budget(100), "first"), *poison, body(budget(300), "last"), headers={"Nats-Odd": "x"})

    async with running(consumer_of(pool, bus)):
        await until(lambda: settled(bus))

    assert await facts(pool) == [
        (1, "first", None),
        (2, "v2", "unknown_type"),
        (3, "float", "invalid_data"),
        (4, "elsewhere", "wrong_municipality"),
        (5, "old", "absurd_date"),
        (6, "last", None),
    ]
    kept = await pool.fetch("SELECT stream_sequence, kind, reason, headers, raw FROM evidence ORDER BY stream_sequence")
    assert [(row["stream_sequence"], row["kind"], row["reason"], row["raw"]) for row in kept] == [
        (2, "unreadable", "not_json", poison[0]),
        (7, "conflict", "same id, other body", poison[5]),
        (8, "unreadable", "holds_nul", poison[6]),
    ]
    assert kept[0]["headers"] == {"Nats-Odd": "x"}
    assert await delivered(pool) == {"first_copies": 6, "duplicates": 0, "conflicts": 1, "unreadable": 2}
    assert await pool.fetchval("SELECT sum(amount) FROM running_sum WHERE measure = 'pool_allocated'") == 300
    assert await differences(pool) == Differences([], [], [])


async def test_a_second_copy_is_counted_as_delivered_and_changes_nothing(pool: Pool, bus: Bus) -> None:
    async with running(consumer_of(pool, bus)):
        await publish(bus, body(budget(), "a"))
        await until(lambda: settled(bus))
        await publish(bus, body(budget(), "a"), body(budget(), "a"))
        await until(lambda: settled(bus))

    assert await facts(pool) == [(1, "a", None)]
    assert await delivered(pool) == {"first_copies": 1, "duplicates": 2, "conflicts": 0, "unreadable": 0}
    assert await pool.fetchval("SELECT facts FROM fact_count WHERE source = $1", SOURCE) == 1


async def test_a_heartbeat_tells_what_was_published_and_an_older_one_never_overwrites_it(pool: Pool, bus: Bus) -> None:
    def beat(events: int, sent_at: datetime) -> bytes:
        said = ServiceHeartbeat(producer="flexjob_pool", published=(Published(source=SOURCE, events=events),))
        return seal(said, municipality="621", producer="flexjob_pool", id=f"beat{events}", time=sent_at).body

    later = REGISTERED + timedelta(seconds=15)
    async with running(consumer_of(pool, bus)):
        await publish(bus, beat(2, later), beat(1, REGISTERED))
        await until(lambda: settled(bus))

    heard = await pool.fetch("SELECT producer, source, published, sent_at FROM heartbeat")
    assert [tuple(row.values()) for row in heard] == [("flexjob_pool", SOURCE, 2, later)]
    assert (await facts(pool), sum((await delivered(pool)).values())) == ([], 0)


async def test_what_the_database_cannot_take_now_is_delivered_again_and_never_parked(
    pool: Pool, bus: Bus, database_url: str
) -> None:
    async with await create_pool(database_url, name="refused", max_size=2) as refused:
        await pool.execute("ALTER TABLE ledger RENAME TO away")
        async with running(consumer_of(refused, bus)):
            await publish(bus, body(budget(), "a"))
            await until(lambda: was_redelivered(bus))
            assert await acknowledged(bus) == 0
            await pool.execute("ALTER TABLE away RENAME TO ledger")
            await until(lambda: settled(bus))

    assert await facts(pool) == [(1, "a", None)]
    assert await delivered(pool) == {"first_copies": 1, "duplicates": 0, "conflicts": 0, "unreadable": 0}


async def was_redelivered(bus: Bus) -> bool:
    return bool((await bus.jetstream.consumer_info(LANE.name, DURABLE)).num_redelivered)


async def acknowledged(bus: Bus) -> int:
    info = await bus.jetstream.consumer_info(LANE.name, DURABLE)
    return info.ack_floor.stream_seq if info.ack_floor else 0


async def test_a_batch_that_takes_longer_than_the_ack_wait_is_delivered_once(pool: Pool, bus: Bus) -> None:
    async with running(consumer_of(pool, bus), consumer_of(pool, bus)):
        await publish(bus, body(budget(), "a"))
        await until(lambda: settled(bus))
        async with pool.acquire() as db, db.transaction():
            await db.execute("SELECT FROM lane WHERE municipality = '621' FOR UPDATE")
            await publish(bus, body(budget(), "b"))
            held = monotonic()
            await until(lambda: monotonic() - held > 2.5 * ACK_WAIT)
        await until(lambda: settled(bus))

    assert await delivered(pool) == {"first_copies": 2, "duplicates": 0, "conflicts": 0, "unreadable": 0}


async def test_the_floor_is_stored_after_it_was_acknowledged(pool: Pool, bus: Bus) -> None:
    async with running(consumer_of(pool, bus)):
        await publish(bus, body(budget(), "a"), body(budget(), "b"))
        await until(lambda: floor_is(pool, 2))


async def floor_is(pool: Pool, sequence: int) -> bool:
    async with pool.acquire() as db:
        return await consumers.floor(db, LANE.name, DURABLE) == sequence


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
    await pool.execute("TRUNCATE lane, ledger, history, delta, running_sum, delivery, fact_count")
    await pool.execute("UPDATE consumer_floor SET sequence = 0")

    async with running(consumer_of(pool, bus)):
        await until(lambda: floor_is(pool, 3))

    assert {event_id for _, event_id, _ in await facts(pool)} == {"a", "b", "c"}
    assert await differences(pool) == Differences([], [], [])


async def test_a_stream_that_ends_behind_the_stored_floor_is_read_from_its_beginning(pool: Pool, bus: Bus) -> None:
    await publish(bus, body(budget(), "a"), body(budget(), "b"))
    async with running(consumer_of(pool, bus)):
        await until(lambda: floor_is(pool, 2))
    await pool.execute("UPDATE consumer_floor SET sequence = 1000")

    async with running(consumer_of(pool, bus)):
        await until(lambda: floor_is(pool, 2))

    assert await delivered(pool) == {"first_copies": 2, "duplicates": 2, "conflicts": 0, "unreadable": 0}


@pytest.mark.parametrize(
    ("floor", "acknowledged", "end", "expected"),
    [(0, 0, 0, None), (5, 5, 9, None), (5, 3, 9, None), (5, 7, 9, 6), (0, 7, 9, 1), (9, 3, 5, 1), (5, 9, 5, 6)],
)
def test_what_is_repeated_depends_on_floor_and_end(
    floor: int, acknowledged: int, end: int, expected: int | None
) -> None:
    assert first_to_repeat(floor=floor, acknowledged=acknowledged, end=end) == expected


async def test_a_database_that_went_back_under_a_running_consumer_ends_it(pool: Pool, bus: Bus) -> None:
    consumer = consumer_of(pool, bus)
    task = asyncio.create_task(consumer.run())
    await publish(bus, body(budget(), "a"))
    await until(lambda: settled(bus))

    await pool.execute("TRUNCATE lane, ledger")
    await until(task.done)

    error = task.exception()
    assert isinstance(error, ExceptionGroup)
    assert error.subgroup(DatabaseWentBack)


async def test_a_bus_that_is_killed_and_comes_back_is_read_on(pool: Pool, bus: Bus, nats_server: NatsServer) -> None:
    async with running(consumer_of(pool, bus)):
        await publish(bus, body(budget(), "a"))
        await until(lambda: settled(bus))
        await asyncio.to_thread(nats_server.kill)
        await asyncio.to_thread(nats_server.start)
        await until(lambda: bus.connected)
        await publish(bus, body(budget(), "b"))
        await until(lambda: has_facts(pool, 2), seconds=20)


async def has_facts(pool: Pool, number: int) -> bool:
    return len(await facts(pool)) == number


async def test_freshness_is_the_age_at_commit_of_the_oldest_of_the_last_batch(pool: Pool, bus: Bus) -> None:
    consumer = consumer_of(pool, bus)
    assert consumer.freshness is None
    async with running(consumer):
        await publish(bus, body(budget(), "a"))
        await until(lambda: settled(bus))

    assert consumer.freshness is not None
    assert 0 < consumer.freshness < 10


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_two_workers_that_are_killed_between_and_within_transactions_leave_what_a_rebuild_gives(
    pool: Pool, bus: Bus, database_url: str, lives: Lives, data: st.DataObject
) -> None:
    stream = Stream(next(MUNICIPALITIES), "flexjob_pool")
    events = data.draw(lives)
    bodies = [body(event, f"e{number}", stream) for number, event in enumerate(events)]
    arriving = data.draw(st.permutations([*bodies, *data.draw(st.lists(st.sampled_from(bodies), max_size=6))]))
    blows = data.draw(st.lists(st.sampled_from(["connections", "worker", "nothing"]), max_size=6))
    await provision(bus.jetstream, stream.municipality, ack_wait_seconds=ACK_WAIT)

    async with (
        await create_pool(database_url, name="worker", max_size=4) as own,
        running(consumer_of(own, bus, stream), consumer_of(own, bus, stream)),
    ):
        for number, raw in enumerate(arriving):
            await publish(bus, raw, stream=stream)
            if number < len(blows):
                await strike(blows[number], pool, own, bus, stream)
        await until(lambda: settled(bus, stream), seconds=20)

    assert await differences(pool, stream.municipality) == Differences([], [], [])
    assert [position for position, *_ in await facts(pool, stream.municipality)] == list(range(1, len(events) + 1))


async def strike(blow: str, pool: Pool, own: Pool, bus: Bus, stream: Stream) -> None:
    """End the workers' connections, or have a third worker start and be cancelled while it works."""
    if blow == "connections":
        await pool.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'worker'")
    elif blow == "worker":
        async with running(consumer_of(own, bus, stream)):
            await until(lambda: taken(bus, stream))


async def taken(bus: Bus, stream: Stream) -> bool:
    """Whether everything was delivered to some worker, acknowledged or not."""
    info = await bus.jetstream.consumer_info(stream.name, DURABLE)
    return info.delivered is not None and info.delivered.stream_seq == await end_of(bus, stream)
