import asyncio
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from chassis.calendar import calendar_of
from chassis.migrate import HTTP, OUTBOX, Component, MigrationRefused, check_migrated, migrate

CLOCK = calendar_of("system")
FIRST = "CREATE TABLE thing (id integer PRIMARY KEY);"
SECOND = "ALTER TABLE thing ADD COLUMN name text; INSERT INTO thing VALUES (1, 'one');"


@pytest.fixture
def component(tmp_path: Path) -> Component:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_thing.sql").write_text(FIRST)
    (folder / "0002_name.sql").write_text(SECOND)
    (folder / "README.md").write_text("Not SQL.")
    return Component("things", folder)


def write(component: Component, name: str, sql: str) -> None:
    (Path(str(component.files)) / name).write_text(sql)


async def names_of(dsn: str) -> list[str]:
    db = await asyncpg.connect(dsn)
    try:
        return [row["name"] for row in await db.fetch("SELECT name FROM thing ORDER BY id")]
    finally:
        await db.close()


async def test_files_are_applied_in_order_and_once(database_url: str, component: Component) -> None:
    assert await migrate(database_url, [component], clock=CLOCK) == ["things/0001_thing.sql", "things/0002_name.sql"]
    assert await migrate(database_url, [component], clock=CLOCK) == []
    assert await names_of(database_url) == ["one"]


async def test_the_migrations_of_the_chassis_itself_apply(database_url: str) -> None:
    applied = await migrate(database_url, [OUTBOX, HTTP], clock=CLOCK)

    assert applied
    await check_migrated(database_url, [OUTBOX, HTTP])


async def test_two_starters_at_once_apply_each_file_once(database_url: str, component: Component) -> None:
    applied = await asyncio.gather(*(migrate(database_url, [component], clock=CLOCK) for _ in range(5)))

    assert sorted(map(len, applied)) == [0, 0, 0, 0, 2]
    assert await names_of(database_url) == ["one"]


async def test_an_edited_file_is_refused(database_url: str, component: Component) -> None:
    await migrate(database_url, [component], clock=CLOCK)
    write(component, "0001_thing.sql", FIRST + " ")

    with pytest.raises(MigrationRefused, match=r"0001_thing\.sql was edited"):
        await migrate(database_url, [component], clock=CLOCK)
    with pytest.raises(MigrationRefused, match=r"0001_thing\.sql was edited"):
        await check_migrated(database_url, [component])


async def test_a_file_that_fails_leaves_nothing_of_itself(database_url: str, component: Component) -> None:
    write(component, "0003_wrong.sql", "INSERT INTO thing VALUES (2, 'two'); SELECT nothing_of_the_kind;")

    with pytest.raises(asyncpg.UndefinedColumnError):
        await migrate(database_url, [component], clock=CLOCK)

    assert await names_of(database_url) == ["one"]
    with pytest.raises(MigrationRefused, match=r"lacks things/0003_wrong\.sql: run `migrate` first"):
        await check_migrated(database_url, [component])


async def test_an_empty_database_is_not_ready(database_url: str, component: Component) -> None:
    with pytest.raises(MigrationRefused, match=r"lacks things/0001_thing\.sql, things/0002_name\.sql"):
        await check_migrated(database_url, [component])


async def test_a_database_ahead_of_the_package_is_ready(database_url: str, component: Component) -> None:
    await migrate(database_url, [component], clock=CLOCK)
    (Path(str(component.files)) / "0002_name.sql").unlink()

    await check_migrated(database_url, [component])


async def test_a_file_that_comes_before_an_applied_one_is_refused(database_url: str, component: Component) -> None:
    await migrate(database_url, [component], clock=CLOCK)
    write(component, "0001_late.sql", "SELECT 1")

    with pytest.raises(MigrationRefused, match=r"0001_late\.sql comes before 0002_name\.sql"):
        await migrate(database_url, [component], clock=CLOCK)


async def test_a_file_without_a_number_is_refused(database_url: str, component: Component) -> None:
    write(component, "indexes.sql", "SELECT 1")

    with pytest.raises(MigrationRefused, match=r"must be named NNNN_name\.sql"):
        await migrate(database_url, [component], clock=CLOCK)


async def test_a_migration_gives_up_rather_than_hold_up_a_busy_table(database_url: str, component: Component) -> None:
    await migrate(database_url, [component], clock=CLOCK)
    write(component, "0003_more.sql", "ALTER TABLE thing ADD COLUMN more text")
    db = await asyncpg.connect(database_url)
    try:
        async with db.transaction():
            await db.execute("SELECT * FROM thing")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await migrate(database_url, [component], clock=CLOCK)
    finally:
        await db.close()

    assert await migrate(database_url, [component], clock=CLOCK) == ["things/0003_more.sql"]


async def test_the_calendar_dates_what_was_applied(database_url: str, component: Component, tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("2026-03-01T08:00:00Z")

    await migrate(database_url, [component], clock=calendar_of(f"file:{clock}"))

    db = await asyncpg.connect(database_url)
    try:
        assert await db.fetchval("SELECT DISTINCT applied_at FROM migration") == datetime(2026, 3, 1, 8, tzinfo=UTC)
    finally:
        await db.close()
