"""Two municipalities on one stack: each has its own year and its own figures, and neither sees the other."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from local.actions.flexjobs import StartFlexjob
from local.comparison import compare
from local.expected.figures import expected_figures
from local.hall import Hall, Stranger, halls
from local.plan.chance import DAYS
from local.plan.story import Year
from local.plan.year import plan_years
from local.simulator import set_clock
from local.stack import Stack, running_stack

# The first days, in which everybody is registered who came before the year.
LIVED = DAYS[:10]
TODAY = LIVED[-1]
YEARS = plan_years(3, 20)


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    clock = tmp_path / "clock"
    set_clock(clock, LIVED[0])
    codes = [year.town.municipality for year in YEARS]
    settings = {"CLOCK": f"file:{clock}"}
    async with running_stack(tmp_path / "stack", municipalities=codes, settings=settings) as running:
        async with halls(running, YEARS) as towns:
            for day in LIVED:
                set_clock(clock, day)
                for town in towns:
                    await town.office.work(day)
                    await town.office.settle(day, counted=True)
        yield running


@pytest.mark.timeout(240)
async def test_neither_of_two_municipalities_sees_anything_of_the_other(stack: Stack) -> None:
    async with halls(stack, YEARS) as towns:
        for town in towns:
            await figures_are_its_own(town)
            others = [code for code in stack.tokens if code != town.municipality]
            await town.turns_away(stack.tokens[code] for code in others)
            await flexjobs_are_its_own(town)
        with pytest.raises(Stranger):
            await towns[0].turns_away([stack.tokens["621"]])


async def figures_are_its_own(town: Hall) -> None:
    code = town.municipality
    expected = expected_figures(town.year.actions, municipality=code, as_of=TODAY, known_on=TODAY)
    lines = await compare(town.impact, expected, municipality=code, as_of=TODAY, known_on=TODAY)

    assert [str(line) for line in lines if not line.agrees] == []
    assert any(line.indicator == "F1" and line.answered.value for line in lines)


async def flexjobs_are_its_own(town: Hall) -> None:
    """What one municipality registered, the other's pool has never heard of."""
    listed = (await town.office.pool.get("/v1/flexjobs", params={"limit": 500})).raise_for_status().json()["items"]
    assert {flexjob["placement_id"] for flexjob in listed} == started_in(town.year)
    (other,) = (year for year in YEARS if year.town != town.year.town)
    for placement_id in started_in(other):
        answer = await town.office.pool.get(f"/v1/flexjobs/{placement_id}")
        assert answer.status_code == httpx.codes.NOT_FOUND


def started_in(year: Year) -> set[str]:
    starts = [action for action in year.actions if isinstance(action, StartFlexjob) and action.registered_on <= TODAY]
    return {str(start.placement_id) for start in starts}
