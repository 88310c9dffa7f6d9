from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis import outbox
from chassis.database import Pool
from chassis.outbox import Row, Settlement, Stored
from chassis.wire import Sealed

Seals = Callable[[int], list[Sealed]]
NOW = datetime(2026, 3, 5, 9, tzinfo=UTC)
SUBJECT = "events.621.flexjob_pool.flexjob.started.v1"


async def append(pool: Pool, events: list[Sealed], *, now: datetime = NOW) -> None:
    async with pool.acquire() as db, db.transaction():
        await outbox.append(db, events, now=now)


async def test_events_wait_in_the_order_in_which_they_were_appended(pool: Pool, sealed: Seals) -> None:
    events = sealed(300)

    await append(pool, events)

    async with pool.acquire() as db:
        waiting = await outbox.unpublished(db, 500)
        assert [(row.message_id, row.subject, row.body) for row in waiting] == [
            (event.message_id, event.nats_subject, event.body) for event in events
        ]
        assert await outbox.unpublished(db, 2) == waiting[:2]


async def test_what_waits_is_looked_for_behind_a_position(pool: Pool, sealed: Seals) -> None:
    await append(pool, sealed(5))

    async with pool.acquire() as db:
        waiting = await outbox.unpublished(db, 10)
        assert await outbox.unpublished(db, 2, after=waiting[1].position) == waiting[2:4]
        assert await outbox.unpublished(db, 2, after=-1000) == waiting[:2]


async def test_a_heartbeat_reads_an_index_and_not_every_event(pool: Pool, sealed: Seals) -> None:
    await append(pool, sealed(2000))
    await pool.execute("VACUUM ANALYZE outbox")
    asked: list[tuple[str, tuple[Any, ...]]] = []

    async with pool.acquire() as db:
        with db.query_logger(lambda query: asked.append((query.query, query.args))):
            await outbox.published_counts(db)
            await outbox.forget_heartbeats(db, before=NOW)
        for query, values in asked:
            plan = "\n".join(row[0] for row in await db.fetch(f"EXPLAIN {query}", *values))
            assert "outbox_by_type" in plan
            assert "Seq Scan" not in plan


async def test_no_events_are_no_statement(pool: Pool) -> None:
    await append(pool, [])


async def test_the_callers_transaction_decides(pool: Pool, sealed: Seals) -> None:
    async with pool.acquire() as db:
        transaction = db.transaction()
        await transaction.start()
        await outbox.append(db, sealed(1), now=NOW)
        await transaction.rollback()
        assert await outbox.unpublished(db, 1) == []


async def test_an_identity_enters_once(pool: Pool, sealed: Seals) -> None:
    event = sealed(1)[0]
    await append(pool, [event])

    for copy in (event, replace(event, body_hash=b"another")):
        with pytest.raises(asyncpg.UniqueViolationError):
            await append(pool, [copy])


@pytest.mark.parametrize("column", ["source", "event_id", "subject", "body", "body_hash", "message_id", "appended_at"])
async def test_an_event_in_the_outbox_is_never_changed(pool: Pool, sealed: Seals, column: str) -> None:
    await append(pool, sealed(1))

    with pytest.raises(asyncpg.RaiseError, match="never changed"):
        await pool.execute(f"UPDATE outbox SET {column} = {column}")  # noqa: S608 - the test's own names


async def test_the_backlog_tells_what_waits_and_what_is_parked(pool: Pool, sealed: Seals) -> None:
    await append(pool, sealed(1), now=NOW - timedelta(minutes=3))
    await append(pool, sealed(3))
    async with pool.acquire() as db:
        first, second, *_ = await outbox.unpublished(db, 10)
        assert await outbox.backlog(db) == outbox.Backlog(4, NOW - timedelta(minutes=3), 0)

        await outbox.mark_published(db, [first], first_sequence=1, at=NOW)
        await outbox.park(db, second, "too large")

        assert await outbox.backlog(db) == outbox.Backlog(2, NOW, 1)


async def test_one_connection_at_a_time_is_the_relay(pool: Pool) -> None:
    async with pool.acquire() as one, pool.acquire() as other:
        assert await outbox.become_relay(one)
        assert not await outbox.become_relay(other)


IDS = range(8)
SEQUENCES = st.lists(st.sampled_from(IDS), unique=True)


@pytest.mark.parametrize("step", [2, 10_000])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.tuples(SEQUENCES, SEQUENCES, st.integers(0, 8), st.integers(0, 2)))
async def test_whatever_was_recorded_the_tail_of_the_stream_decides(
    pool: Pool, sealed: Seals, monkeypatch: pytest.MonkeyPatch, step: int, story: tuple[list[int], list[int], int, int]
) -> None:
    monkeypatch.setattr(outbox, "STEP", step)
    record, tail, survivors, strangers = story
    await pool.execute("TRUNCATE outbox RESTART IDENTITY")
    await append(pool, sealed(len(IDS)))
    survivor = min(survivors, len(record))
    tail = [number for number in tail if number not in record[:survivor]]
    async with pool.acquire() as db:
        rows = await outbox.unpublished(db, len(IDS))
        await outbox.mark_published(db, [rows[number] for number in record], first_sequence=1, at=NOW)

        told = messages(rows, tail, strangers, survivor)
        settlement = await outbox.settle(db, survivor=survivor, tail=told, first_sequence=1, kept_since=NOW)

        there = record[:survivor] + tail
        recorded = await outbox.recorded_until(db, 100, 100)
        waiting = await outbox.unpublished(db, 100)
    assert [entry.message_id for entry in reversed(recorded)] == [rows[number].message_id for number in there]
    assert [entry.sequence for entry in reversed(recorded)] == list(range(1, len(there) + 1))
    assert [row.position for row in waiting] == [row.position for number, row in enumerate(rows) if number not in there]
    above = set(record[survivor:])
    assert settlement == Settlement(len(set(tail) - above), len(above - set(tail)), tuple(told[len(tail) :]))


def messages(rows: list[Row], tail: list[int], strangers: int, survivor: int) -> list[Stored]:
    ids = [rows[number].message_id for number in tail] + [f"stranger {number}" for number in range(strangers)]
    return [Stored(survivor + number, NOW, message_id, SUBJECT) for number, message_id in enumerate(ids, start=1)]


async def test_what_waits_is_found_by_an_index_however_much_was_published(pool: Pool, sealed: Seals) -> None:
    await append(pool, sealed(2000))
    async with pool.acquire() as db:
        rows = await outbox.unpublished(db, 1990)
        await outbox.mark_published(db, rows, first_sequence=1, at=NOW)
        await db.execute("VACUUM ANALYZE outbox")
        plan = await db.fetch("""
            EXPLAIN SELECT position FROM outbox
            WHERE published_at IS NULL AND parked_reason IS NULL ORDER BY position LIMIT 500
        """)
    assert "outbox_unpublished" in str(plan)
