import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import pytest

from chassis.database import UNAVAILABLE, Pool, create_pool, is_there
from local.waiting import until


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with await create_pool(database_url, name="things") as pool:
        yield pool


async def test_json_travels_as_python_objects_and_instants_in_utc(pool: Pool) -> None:
    body = await pool.fetchval("SELECT $1::jsonb", {"day": date(2026, 1, 1), "æ": [1, None, "\u2028"]})
    instant = await pool.fetchval("SELECT '2026-07-01T00:00+02:00'::timestamptz")

    assert body == {"day": "2026-01-01", "æ": [1, None, "\u2028"]}
    assert instant == datetime(2026, 6, 30, 22, tzinfo=UTC)


async def test_a_pool_names_itself_and_limits_every_wait(pool: Pool) -> None:
    names = ("application_name", "lock_timeout", "statement_timeout", "TimeZone")
    shown = [await pool.fetchval(f"SHOW {name}") for name in names]

    assert shown == ["things", "10s", "30s", "UTC"]


LOCKED = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = $1"


async def test_a_connection_given_back_in_the_middle_of_a_transaction_is_clean_for_the_next(database_url: str) -> None:
    async with await create_pool(database_url, name="things", max_size=1) as one:
        async with one.acquire() as db:
            pid = await db.fetchval("SELECT pg_backend_pid()")
            await db.execute("BEGIN; CREATE TABLE thing (); SET LOCAL statement_timeout = 0")
            await db.execute("SELECT pg_advisory_xact_lock(1)")

        async with one.acquire() as db:
            assert await db.fetchval("SELECT pg_backend_pid()") == pid
            assert not db.is_in_transaction()
            assert await db.fetchval("SELECT to_regclass('thing')") is None
            assert await db.fetchval("SHOW statement_timeout") == "30s"
            assert await db.fetchval(LOCKED, pid) == 0


async def test_a_statement_that_is_given_up_leaves_its_connection_clean_for_the_next(
    pool: Pool, database_url: str
) -> None:
    async with await create_pool(database_url, name="things", max_size=1) as one:
        pid = await one.fetchval("SELECT pg_backend_pid()")

        async def dawdle() -> None:
            async with one.acquire() as db, db.transaction():
                await db.execute("SELECT pg_advisory_xact_lock(1), pg_sleep(60)")

        dawdling = asyncio.create_task(dawdle())
        await until(lambda: pool.fetchval(LOCKED, pid))
        dawdling.cancel()
        await asyncio.gather(dawdling, return_exceptions=True)

        assert await one.fetchval("SELECT pg_backend_pid()") == pid
        assert await one.fetchval(LOCKED, pid) == 0


async def test_a_database_is_there_until_it_cannot_be_reached(pool: Pool) -> None:
    await is_there(pool)
    await pool.close()

    with pytest.raises(UNAVAILABLE):
        await is_there(pool)
