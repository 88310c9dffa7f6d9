from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import pytest

from chassis.database import UNAVAILABLE, Pool, create_pool, is_there


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


async def test_a_database_is_there_until_it_cannot_be_reached(pool: Pool) -> None:
    await is_there(pool)
    await pool.close()

    with pytest.raises(UNAVAILABLE):
        await is_there(pool)
