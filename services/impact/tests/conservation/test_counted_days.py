"""The facts that count, by type and day: counted as they come, by the migration, and anew after an older impact."""

from contextlib import nullcontext
from datetime import date
from itertools import count

from asyncpg import Record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.calendar import SystemCalendar
from chassis.database import Connection, Pool
from chassis.migrate import component_of
from impact import parked
from impact.entries.flexjobs import F1
from impact.figures import ask
from impact.fold import Fact
from impact.rebuild import compare, rebuild
from impact.store.days import count_anew
from impact.store.figures import figure_at, known, snapshot, with_facts
from impact.store.thorough import thorough_balance
from services.impact.tests.conservation.deliveries import (
    DECISION,
    MEASURES,
    RULES,
    bring_in,
    edited,
    heartbeat,
    retraction,
    sealed,
    started,
    tell,
)
from services.impact.tests.conservation.older import older

STANDING = "SELECT * FROM counted_day WHERE facts <> 0 ORDER BY municipality, type, occurred_on"
BEFORE, AFTER = 3, 4
MUNICIPALITIES = (f"{number:03}" for number in count(101))


async def rows(db: Connection) -> list[Record]:
    return list(await db.fetch(STANDING))


async def facts_behind(pool: Pool) -> int | None:
    async with snapshot(pool) as db:
        question = ask(F1, "621", as_of=date(2026, 6, 30))
        (figure,) = await with_facts(db, [await figure_at(db, question, await known(db, "621"))])
        return figure.facts


async def odd(pool: Pool, municipality: str = "621") -> list[str]:
    async with pool.acquire() as db, db.transaction(isolation="repeatable_read"):
        accounts = (await thorough_balance(db, municipality, MEASURES)).open_in_lane
    return [account.name for account in accounts] + (await compare(pool, municipality, MEASURES)).differing


async def moved_by_an_older_one(pool: Pool) -> None:
    """Three starts more, and one retracted, with a change that waits for it: kept as they are, and not counted."""
    with older():
        await bring_in(pool, *(sealed(started(number), f"start-{number}") for number in (5, 6, 7)))
        await bring_in(pool, sealed(retraction("start-1"), "undo-1"))


async def test_a_lane_from_before_they_were_counted_is_counted_by_the_migration(lane: Pool) -> None:
    migration = (component_of("impact").files / "0007_counted_days.sql").read_text(encoding="utf-8")
    async with lane.acquire() as db, db.transaction():
        counted = await rows(db)
        await db.execute("DROP TABLE counted_day")
        await db.execute(migration)

        assert counted
        assert await rows(db) == counted


async def test_no_number_is_told_where_an_older_impact_moved_the_lane_and_nothing_is_called_wrong(lane: Pool) -> None:
    assert await facts_behind(lane) == BEFORE

    await moved_by_an_older_one(lane)

    assert await facts_behind(lane) is None
    assert await odd(lane) == []


async def test_the_next_batch_of_a_newer_one_counts_anew_even_if_it_brings_no_fact(lane: Pool) -> None:
    await moved_by_an_older_one(lane)
    await bring_in(lane, sealed(heartbeat(15), "beat-2"))

    assert await facts_behind(lane) == AFTER
    assert await odd(lane) == []


async def test_so_does_a_decision_about_a_parked_fact(lane: Pool) -> None:
    with older():
        await bring_in(lane, sealed(started(5), "start-5"), edited(sealed(RULES, "odd-2"), data={}))
        position = await lane.fetchval("SELECT position FROM lane")
    async with lane.acquire() as db, db.transaction():
        await parked.discard(db, DECISION, position, calendar=SystemCalendar())

    assert await facts_behind(lane) == BEFORE + 1
    assert await odd(lane) == []


async def test_so_does_a_rebuild_which_has_nothing_else_to_replace_and_so_asks_no_gate(lane: Pool) -> None:
    await moved_by_an_older_one(lane)

    rebuilt = await rebuild(lane, "621", MEASURES, calendar=SystemCalendar(), gate=closed)

    assert rebuilt.differing == []
    assert await facts_behind(lane) == AFTER


async def closed(_: Connection) -> int:
    return 1


async def test_days_that_are_counted_wrongly_are_still_noticed_by_all(lane: Pool) -> None:
    await lane.execute("UPDATE counted_day SET facts = facts + 1")

    assert await odd(lane) == ["counted_days"] * 3 + ["counted_day"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_older_and_newer_impacts_by_turns_in_any_order_leave_every_account_closed(
    pool: Pool, stories: st.SearchStrategy[list[Fact]], data: st.DataObject
) -> None:
    municipality = next(MUNICIPALITIES)
    facts = data.draw(stories)
    for fact in facts:
        with older() if data.draw(st.booleans()) else nullcontext():
            await tell(pool, municipality, fact)
    by_turns = await odd(pool, municipality)
    await tell(pool, municipality, facts[0])

    assert await pool.fetchval("SELECT days_upto = position FROM lane WHERE municipality = $1", municipality)
    assert (by_turns, await odd(pool, municipality)) == ([], [])


async def test_counting_anew_leaves_the_batch_its_own_time_limit(pool: Pool) -> None:
    async with pool.acquire() as db, db.transaction():
        before = await db.fetchval("SHOW statement_timeout")
        await count_anew(db, "621")
        assert await db.fetchval("SHOW statement_timeout") == before != "0"
