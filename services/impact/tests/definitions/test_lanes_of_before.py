"""A lane of before there were definitions takes nothing in until it is told anew."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from chassis.database import Pool, create_pool
from chassis.migrate import Component, component_of, migrate
from impact.catalogue import INDICATORS
from impact.entries.flexjobs import F1
from impact.entries.workforce import HEADCOUNT
from impact.store.definitions import LaneNotTold
from impact.verify.watch import proven, verify_once
from local.postgres import Postgres
from services.impact.tests.definitions.second_version import (
    CLOCK,
    LATER,
    LIFE,
    MEASURES,
    answer,
    bring_in,
    in_force,
    put_in_force,
    unable,
)


@pytest.fixture
async def before_both_clocks(postgres: Postgres, life: Pool, tmp_path: Path) -> AsyncIterator[Pool]:
    """A database whose facts were admitted before there were definitions, migrated since."""
    for file in component_of("impact").files.iterdir():
        if file.name < "0003":
            (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    dsn = postgres.create_database()
    await migrate(dsn, [Component("impact", tmp_path)], clock=CLOCK)
    async with await create_pool(dsn, name="test") as old:
        for table in ("lane", "ledger"):
            columns = [row["column_name"] for row in await old.fetch(COLUMNS_OF, table)]
            rows = await life.fetch(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608 - our own names
            places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
            insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - our own names
            await old.executemany(insert, [tuple(row) for row in rows])
    await migrate(dsn, [component_of("impact")], clock=CLOCK)
    async with await create_pool(dsn, name="test") as pool:
        yield pool
    postgres.drop_database(dsn)


COLUMNS_OF = "SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND table_schema = 'public'"
DELTAS = "SELECT * FROM delta ORDER BY position, measure, ordinal"


async def test_a_lane_of_before_there_were_definitions_takes_nothing_in_until_it_is_told_anew(
    before_both_clocks: Pool, life: Pool
) -> None:
    with pytest.raises(LaneNotTold):
        await bring_in(before_both_clocks, LATER, MEASURES, after=len(LIFE))
    assert await before_both_clocks.fetchval("SELECT count(*) FROM delta") == 0

    await put_in_force(before_both_clocks, MEASURES, proven("621"))

    assert set((await in_force(before_both_clocks)).values()) == {0}
    assert await before_both_clocks.fetch(DELTAS) == await life.fetch(DELTAS)
    assert [await answer(before_both_clocks, [F1], position=n) for n in range(4)] == [(1, 0), (1, 0), (1, 1), (1, 2)]
    assert await bring_in(before_both_clocks, LATER, MEASURES, after=len(LIFE)) == len(LIFE) + 1


async def test_a_lane_whose_facts_are_counted_by_nothing_yet_is_called_neither_right_nor_wrong(
    before_both_clocks: Pool,
) -> None:
    assert await verify_once(before_both_clocks, "621", CLOCK, INDICATORS) is None

    assert await before_both_clocks.fetchval("SELECT count(*) FROM verification") == 0


async def test_a_lane_that_cannot_be_told_anew_takes_nothing_in(before_both_clocks: Pool) -> None:
    broken = [replace(measure, rule=unable) if measure is HEADCOUNT else measure for measure in MEASURES]

    with pytest.raises(LaneNotTold):
        await put_in_force(before_both_clocks, broken)

    assert await in_force(before_both_clocks) == {}
    with pytest.raises(LaneNotTold):
        await bring_in(before_both_clocks, LATER, broken, after=len(LIFE))
