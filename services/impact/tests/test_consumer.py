"""The ingest loop against a real bus and a real database, also when either is not there."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from time import monotonic
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.bus import Bus
from chassis.calendar import SystemCalendar, calendar_of
from chassis.database import Pool, create_pool
from chassis.migrate import component_of, migrate
from chassis.provision import provision
from chassis.wire import seal
from contracts.event import Event
from contracts.flexjob_pool import BudgetAllocated
from contracts.platform import Published, ServiceHeartbeat
from contracts.streams import Stream
from impact import consumer
from impact.catalogue import INDICATORS, measures_of
from impact.consumer import Consumer
from impact.ingest import DURABLE, SLICE, DatabaseWentBack, ingest, receive_all
from impact.ledger import Delivery
from impact.rebuild import compare
from impact.store import consumers
from local.nats import NatsServer
from local.postgres import Postgres
from local.waiting import until

LANE = Stream("621", "flexjob_pool")
MEASURES = measures_of(INDICATORS)
REGISTERED = datetime(2026, 6, 1, 9, tzinfo=UTC)
SOURCE = "urn:kraftcenter:621:flexjob_pool"
ACK_WAIT = 1.0
LONG_ACK_WAIT = 3.0
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


async def differing(pool: Pool, municipality: str = "621") -> list[str]:
    async with pool.acquire() as db, db.transaction(isolation="repeatable_read"):
        return (await compare(db, municipality, MEASURES)).differing


async def test_poison_between_good_events_is_seen_and_the_good_ones_count(pool: Pool, bus: Bus) -> None:
    poison = [
        b"not json",
        body(budget(), "v2").replace(b".v1", b".v2"),
        body(budget(), "float").replace(b'"amount_ore":100', b'"amount_ore":0.5'),
        body(budget(), "elsewhere").replace(b":621:", b":630:"),
        body(budget(day=date(1989, 1, 1)), "old"),
        body(budget(777), "first"),
        b'{"id": "\\u0000"}',
        with_trace(body(budget(), "nul"), b'"traceparent":"a\\u0000"'),
        with_trace(body(budget(), "nul"), b'"tracestate":{"\\u0000":1}'),
        with_trace(body(budget(), "endless"), b'"tracestate":1e400'),
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
        (9, "unreadable", "holds_nul", poison[7]),
        (10, "unreadable", "holds_nul", poison[8]),
        (11, "unreadable", "not_canonical", poison[9]),
    ]
    assert kept[0]["headers"] == {"Nats-Odd": "x"}
    assert await delivered(pool) == {"first_copies": 6, "duplicates": 0, "conflicts": 1, "unreadable": 5}
    assert await pool.fetchval("SELECT sum(amount) FROM running_sum WHERE measure = 'pool_allocated'") == 300
    assert await differing(pool) == []


def with_trace(raw: bytes, attribute: bytes) -> bytes:
    return raw.removesuffix(b"}") + b"," + attribute + b"}"


async def test_what_the_database_refuses_for_its_content_is_kept_and_the_others_count(pool: Pool, bus: Bus) -> None:
    """No body is known that the reader accepts and PostgreSQL refuses, so the table is told to refuse one."""
    await pool.execute("ALTER TABLE ledger ADD CHECK (1 / CASE event_id WHEN 'culprit' THEN 0 ELSE 1 END = 1)")
    names = ["a", "b", "culprit", "c", "d"]
    await publish(bus, *(body(budget(), name) for name in names))

    async with running(consumer_of(pool, bus)):
        await until(lambda: settled(bus))

    assert [event_id for _, event_id, _ in await facts(pool)] == ["a", "b", "c", "d"]
    kept = await pool.fetch("SELECT stream_sequence, kind, reason, raw FROM evidence")
    assert [tuple(row.values()) for row in kept] == [(3, "unreadable", "not_storable", body(budget(), "culprit"))]
    assert await delivered(pool) == {"first_copies": 4, "duplicates": 0, "conflicts": 0, "unreadable": 1}
    assert await differing(pool) == []


async def test_while_a_batch_is_read_others_have_their_turn() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(others())
    received = await receive_all([Delivery(LANE.name, 1, {}, body(budget(), "a"))] * (3 * SLICE + 1), "621")
    waiting.cancel()

    assert (len(received), turns) == (3 * SLICE + 1, 4)


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
        await publish(bus, beat(2, later))
        await until(lambda: settled(bus))
        await publish(bus, beat(1, REGISTERED))
        await until(lambda: settled(bus))

    heard = await pool.fetch("SELECT producer, source, published, sent_at FROM heartbeat")
    assert [tuple(row.values()) for row in heard] == [("flexjob_pool", SOURCE, 2, later)]
    assert (await facts(pool), sum((await delivered(pool)).values())) == ([], 0)


async def test_a_heartbeat_that_cannot_be_read_does_not_make_up_for_a_lost_event(pool: Pool, bus: Bus) -> None:
    said = ServiceHeartbeat(producer="flexjob_pool", published=(Published(source=SOURCE, events=1),))
    sound = body(said, "beat")
    async with running(consumer_of(pool, bus)):
        await publish(bus, sound.replace(b'"events":1', b'"events":-1'), sound.replace(b".v1", b".v2"))
        await until(lambda: settled(bus))

    assert [parked for *_, parked in await facts(pool)] == ["invalid_data"]
    assert await pool.fetchval("SELECT sum(facts - heartbeats) FROM fact_count") == 0


async def test_what_is_recorded_later_never_has_an_earlier_instant(pool: Pool, tmp_path: Path) -> None:
    file = tmp_path / "clock"
    for sequence, instant in enumerate(["2026-06-02T08:00:00Z", "2026-06-01T08:00:00Z", "2026-06-03T08:00:00Z"]):
        file.write_text(instant)
        delivery = Delivery(LANE.name, sequence, {}, body(budget(), f"e{sequence}"))
        await ingest(pool, LANE, [delivery], measures=MEASURES, calendar=calendar_of(f"file:{file}"))

    recorded = await pool.fetch("SELECT recorded_at FROM ledger ORDER BY position")
    assert [row["recorded_at"].day for row in recorded] == [2, 2, 3]


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
    await provision(bus.jetstream, LANE.municipality, ack_wait_seconds=LONG_ACK_WAIT)
    async with running(consumer_of(pool, bus), consumer_of(pool, bus)):
        await publish(bus, body(budget(), "a"))
        await until(lambda: settled(bus))
        async with pool.acquire() as db, db.transaction():
            await db.execute("SELECT FROM lane WHERE municipality = '621' FOR UPDATE")
            await publish(bus, body(budget(), "b"))
            held = monotonic()
            await until(lambda: monotonic() - held > 1.5 * LONG_ACK_WAIT)
        await until(lambda: settled(bus))

    assert await delivered(pool) == {"first_copies": 2, "duplicates": 0, "conflicts": 0, "unreadable": 0}


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
    await pool.execute("TRUNCATE delta, running_sum, delivery, fact_count")
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
    await migrate(lived_on, [component_of("impact")], clock=SystemCalendar())
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
        await ingest(pool, LANE, [delivery], measures=MEASURES, calendar=SystemCalendar(), known=1)

    assert await facts(pool) == []


async def test_a_worker_learns_of_what_another_one_committed(pool: Pool, bus: Bus) -> None:
    task = asyncio.create_task(consumer_of(pool, bus).run())
    await until(lambda: is_waiting(bus))
    delivery = Delivery(LANE.name, 1, {}, body(budget(), "a"))
    await ingest(pool, LANE, [delivery], measures=MEASURES, calendar=SystemCalendar())
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

    assert await differing(pool, stream.municipality) == []
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
