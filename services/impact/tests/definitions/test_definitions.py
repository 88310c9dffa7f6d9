"""Definition versions side by side: each in force over the whole past, or not at all, while the lane goes on."""

import asyncio
from dataclasses import replace

import pytest

from chassis.database import Pool, create_pool
from impact.entries.flexjobs import F1
from impact.entries.workforce import E1, HEADCOUNT
from impact.fold import Measure
from impact.rebuild import rebuild
from impact.store.definitions import DefinitionMissing
from impact.verify.watch import proven
from services.impact.tests.definitions.second_version import (
    BEFORE_E1,
    BOTH,
    CLOCK,
    LATER,
    LIFE,
    MEASURES,
    SECOND,
    WITH_SECOND,
    answer,
    bring_in,
    differing,
    in_force,
    open_gate,
    put_in_force,
    started,
    unable,
)


async def test_old_positions_are_answered_by_the_first_definition_and_later_ones_by_the_second(life: Pool) -> None:
    await put_in_force(life, WITH_SECOND)
    assert await answer(life, BOTH) == (1, 2), "what was told of these positions stays what it was"

    await bring_in(life, LATER, WITH_SECOND, after=len(LIFE))

    told_then = [await answer(life, BOTH, position=position) for position in range(5)]
    assert told_then == [(1, 0), (1, 0), (1, 1), (1, 2), (2, 6)]
    assert await answer(life, BOTH) == (2, 6)


async def test_a_definition_that_is_named_answers_at_any_position(life: Pool) -> None:
    await put_in_force(life, WITH_SECOND)
    await bring_in(life, LATER, WITH_SECOND, after=len(LIFE))

    first = [await answer(life, BOTH, position=position, version=1) for position in range(5)]
    second = [await answer(life, BOTH, position=position, version=2) for position in range(5)]

    assert first == [(1, 0), (1, 0), (1, 1), (1, 2), (1, 3)]
    assert second == [(2, 0), (2, 0), (2, 2), (2, 4), (2, 6)]
    assert await differing(life, WITH_SECOND) == []


async def test_a_measure_that_is_new_answers_for_the_whole_past(pool: Pool) -> None:
    await bring_in(pool, LIFE, BEFORE_E1)
    assert await answer(pool, [E1]) == (0, 0), "by no definition"

    await put_in_force(pool, MEASURES, proven("621"))

    assert [await answer(pool, [E1], position=position) for position in range(4)] == [
        (1, 0),
        (1, 100),
        (1, 100),
        (1, 100),
    ]
    assert (await in_force(pool))[HEADCOUNT.id, 1] == 0
    assert await differing(pool, MEASURES) == []


async def test_bringing_into_force_what_is_already_changes_nothing(life: Pool) -> None:
    await put_in_force(life, WITH_SECOND)
    await bring_in(life, LATER, WITH_SECOND, after=len(LIFE))
    before = await in_force(life)

    await put_in_force(life, WITH_SECOND)

    assert await in_force(life) == before
    assert before[SECOND.id, 2] == len(LIFE) + 1


@pytest.mark.parametrize("definition", [replace(SECOND, rule=unable), replace(SECOND, id="newcomer", rule=unable)])
async def test_a_rule_that_raises_on_an_admitted_fact_stays_out_and_the_lane_goes_on(
    life: Pool, definition: Measure
) -> None:
    before = await in_force(life)
    await put_in_force(life, [*MEASURES, definition])
    assert await in_force(life) == before

    assert await bring_in(life, LATER, [*MEASURES, definition], after=len(LIFE)) == len(LIFE) + 1

    assert await answer(life, [F1]) == (1, 3)
    assert await life.fetchval("SELECT count(*) FROM ledger WHERE parked IS NOT NULL") == 0
    assert await differing(life, MEASURES) == []


async def test_a_worker_that_lacks_a_definition_in_force_takes_nothing_in(life: Pool) -> None:
    await put_in_force(life, WITH_SECOND)

    with pytest.raises(DefinitionMissing, match="persons_in_flexjob/2"):
        await bring_in(life, LATER, MEASURES, after=len(LIFE))

    assert await life.fetchval("SELECT max(position) FROM ledger") == len(LIFE)
    assert await life.fetchval("SELECT position FROM lane") == len(LIFE)
    assert await bring_in(life, LATER, WITH_SECOND, after=len(LIFE)) == len(LIFE) + 1


async def test_a_program_that_lacks_a_definition_in_force_rebuilds_nothing(life: Pool) -> None:
    """It would take the deltas of the other definition for odd ones, and drop them."""
    await put_in_force(life, WITH_SECOND)

    with pytest.raises(DefinitionMissing):
        await rebuild(life, "621", MEASURES, calendar=CLOCK, gate=open_gate)
    with pytest.raises(DefinitionMissing):
        await differing(life, MEASURES)
    with pytest.raises(DefinitionMissing):
        await put_in_force(life, [*MEASURES, replace(SECOND, id="newcomer")])

    assert await answer(life, BOTH, version=2) == (2, 4)
    assert await differing(life, WITH_SECOND) == []


async def test_a_fact_that_cannot_be_read_any_more_keeps_new_definitions_out_and_the_lane_goes_on(life: Pool) -> None:
    await life.execute("UPDATE ledger SET body = jsonb_set(body, '{data,headcount}', '\"many\"') WHERE position = 1")

    await put_in_force(life, WITH_SECOND)

    assert (SECOND.id, 2) not in await in_force(life)
    assert await bring_in(life, LATER, WITH_SECOND, after=len(LIFE)) == len(LIFE) + 1


async def test_a_lane_without_facts_is_left_as_it_is(pool: Pool) -> None:
    await put_in_force(pool, WITH_SECOND)
    assert await in_force(pool) == {}

    await bring_in(pool, LIFE, WITH_SECOND)

    assert set((await in_force(pool)).values()) == {0}
    assert await answer(pool, BOTH, position=2) == (2, 2)


async def test_two_workers_may_bring_the_same_into_force_at_once(life: Pool, database_url: str) -> None:
    async with await create_pool(database_url, name="another") as another:
        await asyncio.gather(*(put_in_force(each, WITH_SECOND) for each in (life, another)))

    assert (await in_force(life))[SECOND.id, 2] == len(LIFE) + 1
    assert await differing(life, WITH_SECOND) == []
    await bring_in(life, LATER, WITH_SECOND, after=len(LIFE))
    assert await answer(life, BOTH) == (2, 6)


async def test_traffic_goes_on_while_a_definition_comes_into_force(life: Pool) -> None:
    """A worker of before it is refused from then on, whoever comes first; nothing falls between."""

    async def traffic() -> int:
        admitted = 0
        for number in range(20):
            try:
                await bring_in(life, [started(f"P{number}", "2026-05-01")], MEASURES, after=len(LIFE) + number)
            except DefinitionMissing:
                continue
            admitted += 1
        return admitted

    admitted, _ = await asyncio.gather(traffic(), put_in_force(life, WITH_SECOND))

    assert (await in_force(life))[SECOND.id, 2] == len(LIFE) + admitted + 1
    assert await answer(life, BOTH) == (1, 2 + admitted)
    assert await answer(life, BOTH, version=2) == (2, 2 * (2 + admitted))
    assert await differing(life, WITH_SECOND) == []
