"""A year of 2,000 people with all that goes wrong in one: a rebuild gives the same rows, and live traffic goes on."""

import asyncio
import gc
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import asyncpg
import pytest

from chassis.calendar import Calendar, calendar_of
from chassis.database import Connection, Pool
from impact.catalogue import INDICATORS
from impact.fold import Fact
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.rebuild import GateClosed, compare, rebuild
from impact.store.figures import snapshot
from impact.store.replay import COLUMNS, STANDING
from impact.verify.drift import Pair, verify
from impact.verify.watch import HORIZON, proven
from services.impact.tests.pages import pages_of
from services.impact.tests.year import (
    LANE,
    MEASURES,
    NEW_YEAR,
    deliveries,
)

PEOPLE = 2000
A_FEW = 40
BATCH = 500


async def bring_in(pool: Pool, arriving: Sequence[Delivery], calendar: Calendar, *, batch: int = BATCH) -> None:
    """Ingest all, again where the lane was held for too long, as the consumer does."""
    for start in range(0, len(arriving), batch):
        while True:
            with suppress(asyncpg.LockNotAvailableError):
                await ingest(pool, LANE, arriving[start : start + batch], measures=MEASURES, calendar=calendar)
                break


@pytest.fixture
def after_the_year(tmp_path: Path) -> Calendar:
    file = tmp_path / "clock"
    file.write_text("2027-12-01T08:00:00Z", encoding="utf-8")
    return calendar_of(f"file:{file}")


async def rows_of(pool: Pool) -> dict[str, str]:
    """A fingerprint of each table that follows from the ledger."""
    prints = {table: FINGERPRINT.format(table, STANDING.get(table, "true")) for table in COLUMNS}
    return {table: await pool.fetchval(query, "621") for table, query in prints.items()}


FINGERPRINT = """
SELECT md5(string_agg(known::text, ' ' ORDER BY known::text)) FROM {} AS known WHERE municipality = $1 AND {}
"""


async def differing(pool: Pool) -> list[str]:
    return (await compare(pool, "621", MEASURES)).differing


async def undamaged(_: Connection) -> int:
    """A gate that nothing may come to."""
    raise AssertionError("rows differed")


async def proven_now(db: Connection) -> int:
    """A gate that is over sooner than the one in use, which proves ten positions of the past as well."""
    return len((await verify(db, "621", INDICATORS, [Pair(HORIZON)])).drift)


DAMAGE = (
    "DELETE FROM link WHERE position % 5 = 0",
    "UPDATE link SET target = 'another' WHERE position % 5 = 1",
    "DELETE FROM history WHERE position % 50 = 0",
    "UPDATE history SET root = NULL WHERE position % 50 = 1",
    "DELETE FROM delta WHERE position % 50 = 0",
    "UPDATE delta SET amount = amount + 1, person = NULL WHERE position % 50 = 1",
    "DELETE FROM running_sum WHERE date < '2026-02-01'",
    "UPDATE running_sum SET amount = amount + 1 WHERE date > '2027-01-01'",
    "DELETE FROM outcome WHERE position % 50 = 0",
    "UPDATE outcome SET outcome = 'waiting' WHERE position % 50 = 1",
    "DELETE FROM outcome_count WHERE outcome = 'superseded'",
    "UPDATE outcome_count SET facts = facts + 1",
    "DELETE FROM counted_day WHERE occurred_on < '2026-06-01'",
    "UPDATE counted_day SET facts = facts + 1",
)


async def damage(pool: Pool) -> None:
    for statement in DAMAGE:
        assert await pool.execute(statement) not in {"DELETE 0", "UPDATE 0"}


@pytest.mark.timeout(300)
async def test_a_year_of_2000_people_is_rebuilt_to_identical_rows_with_live_traffic_going_on(
    pool: Pool, after_the_year: Calendar
) -> None:
    arriving = deliveries(PEOPLE)
    until_autumn = len(arriving) * 4 // 5
    await bring_in(pool, arriving[:until_autumn], after_the_year)
    seen: list[int] = []

    rebuilt, _ = await asyncio.gather(
        rebuild(
            pool,
            "621",
            MEASURES,
            calendar=after_the_year,
            gate=undamaged,
            progress=lambda _, upto: seen.append(upto),
        ),
        bring_in(pool, arriving[until_autumn:], after_the_year, batch=50),
    )

    assert rebuilt.differing == []
    assert rebuilt.position > seen[0], "what came in meanwhile was told as well"
    facts = len({delivery.raw for delivery in arriving})
    positions = await pool.fetch("SELECT position FROM ledger ORDER BY position")
    assert [row["position"] for row in positions] == list(range(1, facts + 1))
    assert facts > 8000
    counts = {row["outcome"]: row["facts"] for row in await pool.fetch(OUTCOMES)}
    assert counts["superseded"] > 200
    assert counts["retracted"] > 70
    assert "parked" not in counts
    await repairs_damage(pool, after_the_year)


async def test_telling_again_remembers_what_a_page_touches_and_not_what_was_told_before(
    pool: Pool, after_the_year: Calendar
) -> None:
    await bring_in(pool, deliveries(A_FEW * 4), after_the_year)
    before = {id(fact) for fact in remembered()}
    told = new = 0

    def count(position: int, upto: int) -> None:
        nonlocal told, new
        told = position
        if position == upto:
            new = sum(id(fact) not in before for fact in remembered())

    with pages_of(20):
        assert not (await compare(pool, "621", MEASURES, count)).differing

    assert told > 600
    assert new < told / 3


def remembered() -> list[Fact]:
    """All facts that this process holds."""
    gc.collect()
    return [each for each in gc.get_objects() if isinstance(each, Fact)]


OUTCOMES = "SELECT outcome, count(*) AS facts FROM outcome GROUP BY outcome"


async def repairs_damage(pool: Pool, calendar: Calendar) -> None:
    """Every table is damaged, the gate opens, and all is as it was."""
    before = await rows_of(pool)
    await damage(pool)
    rebuilt = await rebuild(pool, "621", MEASURES, calendar=calendar, gate=proven_now)

    assert rebuilt.differing == list(COLUMNS)
    assert await rows_of(pool) == before
    chance = Random(1)  # noqa: S311 - any pair will do
    facts = rebuilt.position
    pairs = [Pair(NEW_YEAR + timedelta(days=chance.randrange(700)), chance.randint(0, facts)) for _ in range(2)]
    async with snapshot(pool, readonly=False) as db:
        assert (await verify(db, "621", INDICATORS, pairs)).drift == ()


@pytest.fixture
async def a_small_year(pool: Pool, after_the_year: Calendar) -> Pool:
    await bring_in(pool, deliveries(A_FEW), after_the_year)
    return pool


async def test_damage_is_put_right_through_the_gate_that_is_in_use(
    a_small_year: Pool, after_the_year: Calendar
) -> None:
    before = await rows_of(a_small_year)
    await damage(a_small_year)

    rebuilt = await rebuild(a_small_year, "621", MEASURES, calendar=after_the_year, gate=proven("621"))

    assert rebuilt.differing == list(COLUMNS)
    assert await rows_of(a_small_year) == before


async def test_only_the_tables_that_differ_are_replaced(a_small_year: Pool, after_the_year: Calendar) -> None:
    await a_small_year.execute("UPDATE running_sum SET amount = 0 WHERE date < '2026-02-01'")
    written = "SELECT xmin::text FROM delta ORDER BY position LIMIT 1"
    before = await a_small_year.fetchval(written)

    rebuilt = await rebuild(a_small_year, "621", MEASURES, calendar=after_the_year, gate=proven("621"))

    assert rebuilt.differing == ["running_sum"]
    assert await a_small_year.fetchval(written) == before
    assert await differing(a_small_year) == []


async def test_a_rule_that_the_proofs_contradict_replaces_nothing(a_small_year: Pool, after_the_year: Calendar) -> None:
    before = await rows_of(a_small_year)
    broken = [replace(measure, rule=lambda _: ()) if measure.id == "headcount" else measure for measure in MEASURES]

    with pytest.raises(GateClosed) as closed:
        await rebuild(a_small_year, "621", broken, calendar=after_the_year, gate=proven("621"))

    assert closed.value.cells > 0
    assert await rows_of(a_small_year) == before


async def test_damage_stays_as_it_is_while_the_gate_is_closed(a_small_year: Pool, after_the_year: Calendar) -> None:
    await damage(a_small_year)
    damaged = await rows_of(a_small_year)

    async def closed(_: Connection) -> int:
        return 3

    with pytest.raises(GateClosed):
        await rebuild(a_small_year, "621", MEASURES, calendar=after_the_year, gate=closed)

    assert await rows_of(a_small_year) == damaged


async def test_a_rebuild_leaves_other_lanes_alone(a_small_year: Pool, after_the_year: Calendar) -> None:
    """The other lane's rows are as damaged afterwards as they were before."""
    for table in COLUMNS:
        columns = f"municipality, {COLUMNS[table]}"
        await a_small_year.execute(
            f"INSERT INTO {table} ({columns}) SELECT '630', {COLUMNS[table]} FROM {table}"  # noqa: S608 - our names
        )
    await damage(a_small_year)
    others = (
        "SELECT md5(string_agg(known::text, ' ' ORDER BY known::text)) FROM delta AS known WHERE municipality = '630'"
    )
    before = await a_small_year.fetchval(others)

    await rebuild(a_small_year, "621", MEASURES, calendar=after_the_year, gate=proven("621"))

    assert await a_small_year.fetchval(others) == before
    assert await differing(a_small_year) == []
