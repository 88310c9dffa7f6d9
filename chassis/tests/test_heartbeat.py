import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from chassis import outbox, phantoms
from chassis.database import Pool
from chassis.heartbeat import beat, beat_once
from chassis.wire import Sealed, read
from contracts.catalogue import data_of
from contracts.platform import Published, ServiceHeartbeat
from local.waiting import until

Seals = Callable[[int], list[Sealed]]
SOURCE = "urn:kraftcenter:621:flexjob_pool"


async def append(pool: Pool, events: list[Sealed]) -> None:
    async with pool.acquire() as db, db.transaction():
        await outbox.append(db, events, now=datetime.now(UTC))


async def beats(pool: Pool) -> list[ServiceHeartbeat]:
    bodies = await pool.fetch("SELECT body FROM outbox WHERE type = $1 ORDER BY position", outbox.HEARTBEAT)
    events = [data_of(read(row["body"]).envelope) for row in bodies]
    return [event for event in events if isinstance(event, ServiceHeartbeat)]


async def publish_all(pool: Pool, *, at: datetime) -> None:
    async with pool.acquire() as db:
        rows = await outbox.unpublished(db, 100)
        recorded = await outbox.recorded_until(db, 1000, 1)
        first = recorded[0].sequence + 1 if recorded else 1
        await outbox.mark_published(db, rows, first_sequence=first, at=at)


async def test_a_heartbeat_tells_how_many_events_of_each_source_were_published(pool: Pool, sealed: Seals) -> None:
    await beat_once(pool, municipality="621", producer="flexjob_pool")
    await append(pool, sealed(3))

    await beat_once(pool, municipality="621", producer="flexjob_pool")

    first, second = await beats(pool)
    assert first == ServiceHeartbeat(producer="flexjob_pool", published=(Published(source=SOURCE, events=0),))
    assert second == ServiceHeartbeat(producer="flexjob_pool", published=(Published(source=SOURCE, events=3),))


async def test_a_heartbeat_counts_what_the_stream_holds_and_the_outbox_forgot_once(pool: Pool, sealed: Seals) -> None:
    known, at, hash_ = sealed(2), datetime.now(UTC), "0123456789abcdef"
    told = (
        f"{SOURCE}#forgotten#{hash_}",
        f"{SOURCE}#forgotten#{hash_}",
        known[0].message_id,
        f"{SOURCE}#{known[1].id}#{hash_}",
        f"urn:kraftcenter:621:payroll#it#self#{hash_}",
        "",
        "a#stranger#tells",
    )
    await append(pool, known)
    async with pool.acquire() as db:
        strangers = [
            outbox.Stored(number, at, each, "events.621.flexjob_pool.x.y.v1") for number, each in enumerate(told)
        ]
        await phantoms.note(db, strangers, after=-1, now=at)

    await beat_once(pool, municipality="621", producer="flexjob_pool")

    [told_of] = await beats(pool)
    assert {each.source: each.events for each in told_of.published} == {SOURCE: 3, "urn:kraftcenter:621:payroll": 1}


async def test_a_heartbeat_stands_behind_the_events_it_counts(pool: Pool, sealed: Seals) -> None:
    events = sealed(2)
    await append(pool, events)
    await beat_once(pool, municipality="621", producer="flexjob_pool")

    async with pool.acquire() as db:
        *before, last = await outbox.unpublished(db, 10)

    assert [row.message_id for row in before] == [event.message_id for event in events]
    assert last.subject == "events.621.flexjob_pool.service.heartbeat.v1"


async def test_a_heartbeat_is_dated_in_real_time(pool: Pool) -> None:
    before = datetime.now(UTC)
    await beat_once(pool, municipality="621", producer="flexjob_pool")

    body = await pool.fetchval("SELECT body FROM outbox")
    assert before <= read(body).envelope.time <= datetime.now(UTC)


async def test_published_heartbeats_are_forgotten_after_an_hour_but_never_where_the_stream_ends(pool: Pool) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    for _ in range(3):
        await beat_once(pool, municipality="621", producer="flexjob_pool")
    await publish_all(pool, at=long_ago)

    await beat_once(pool, municipality="621", producer="flexjob_pool")

    rows = await pool.fetch("SELECT stream_sequence FROM outbox ORDER BY position")
    assert [row["stream_sequence"] for row in rows] == [3, None]


async def test_events_are_never_forgotten(pool: Pool, sealed: Seals) -> None:
    await append(pool, sealed(2))
    await publish_all(pool, at=datetime.now(UTC) - timedelta(days=1000))

    await beat_once(pool, municipality="621", producer="flexjob_pool")

    assert await pool.fetchval("SELECT count(*) FROM outbox") == 3


async def test_it_beats_until_it_is_cancelled(pool: Pool) -> None:
    async def twice() -> bool:
        return len(await beats(pool)) >= 2

    task = asyncio.create_task(beat(pool, municipality="621", producer="flexjob_pool", every=0.01))
    await until(twice)
    task.cancel()
    await asyncio.wait([task])


async def test_a_database_that_is_away_for_a_moment_costs_a_beat_and_no_more(pool: Pool) -> None:
    async def moved() -> bool:
        return bool(await pool.fetchval("SELECT to_regclass('outbox') IS NOT NULL")) and bool(await beats(pool))

    task = asyncio.create_task(beat(pool, municipality="621", producer="flexjob_pool", every=0.01))
    await pool.execute("""
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND datname = current_database()
    """)
    await until(moved)
    assert not task.done()
    task.cancel()
    await asyncio.wait([task])
