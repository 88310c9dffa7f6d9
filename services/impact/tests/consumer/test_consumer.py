"""The ingest loop against a real bus and a real database, also when either is not there."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from time import monotonic

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.bus import Bus
from chassis.calendar import calendar_of
from chassis.database import Pool, create_pool
from chassis.provision import provision
from chassis.wire import seal
from contracts.event import Event
from contracts.platform import Published, ServiceHeartbeat
from contracts.streams import Stream
from impact.ingest import DURABLE, SLICE, ingest, receive_all
from impact.ledger import Delivery
from local.waiting import until
from services.impact.tests.consumer.traffic import (
    ACK_WAIT,
    LANE,
    MEASURES,
    REGISTERED,
    SOURCE,
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

LONG_ACK_WAIT = 3.0
MUNICIPALITIES = (f"{number:03}" for number in count(101))

Lives = st.SearchStrategy[list[Event]]


async def test_poison_between_good_events_is_seen_and_the_good_ones_count(pool: Pool, bus: Bus) -> None:
    poison = [
        b"not json",
        body(budget(), "v2").replace(b".v1", b".v2"),
        body(budget(amount_ore=100), "float").replace(b'"amount_ore":100', b'"amount_ore":0.5'),
        body(budget(), "elsewhere").replace(b":621:", b":630:"),
        body(budget(day=date(1989, 1, 1)), "old"),
        body(budget(amount_ore=777), "first"),
        b'{"id": "\\u0000"}',
        with_trace(body(budget(), "nul"), b'"traceparent":"a\\u0000"'),
        with_trace(body(budget(), "nul"), b'"tracestate":{"\\u0000":1}'),
        with_trace(body(budget(), "endless"), b'"tracestate":1e400'),
    ]
    await publish(
        bus,
        body(budget(amount_ore=100), "first"),
        *poison,
        body(budget(amount_ore=300), "last"),
        headers={"Nats-Odd": "x"},
    )

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


def beat(events: int, sent_at: datetime) -> bytes:
    said = ServiceHeartbeat(producer="flexjob_pool", published=(Published(source=SOURCE, events=events),))
    return seal(said, municipality="621", producer="flexjob_pool", id=f"beat{events}", time=sent_at).body


async def test_a_heartbeat_tells_what_was_published_and_an_older_one_never_overwrites_it(pool: Pool, bus: Bus) -> None:
    later = REGISTERED + timedelta(seconds=15)
    async with running(consumer_of(pool, bus)):
        await publish(bus, beat(2, later))
        await until(lambda: settled(bus))
        await publish(bus, beat(1, REGISTERED))
        await until(lambda: settled(bus))

    heard = await pool.fetch("SELECT producer, source, published, sent_at FROM heartbeat")
    assert [tuple(row.values()) for row in heard] == [("flexjob_pool", SOURCE, 2, later)]
    assert (await facts(pool), sum((await delivered(pool)).values())) == ([], 0)


async def test_a_heartbeat_of_a_clock_that_was_fast_stands_in_nobodys_way(pool: Pool, bus: Bus) -> None:
    fast = datetime.now(UTC) + timedelta(days=3650)
    async with running(consumer_of(pool, bus)):
        await publish(bus, beat(1, fast))
        await until(lambda: settled(bus))
        await publish(bus, beat(2, REGISTERED))
        await until(lambda: settled(bus))

    assert await pool.fetchval("SELECT published FROM heartbeat") == 2


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
