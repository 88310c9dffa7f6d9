"""Payroll's messages in any order, at the same time as the start, and with the database killed in the middle."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.calendar import calendar_of
from chassis.database import Pool
from flexjob_pool.at_the_doors import register
from flexjob_pool.domain.flexjobs import Flexjob
from flexjob_pool.requests.flexjobs import ChangeHours, StartFlexjob
from flexjob_pool.store import lists
from flexjob_pool.store import payroll as store
from flexjob_pool.use_cases import Desk, at_a_desk
from local.fixtures import Templates
from local.postgres import OwnPostgres, postgres_for
from services.flexjob_pool.tests.payroll_system import (
    EMPLOYMENT,
    FLEXJOB,
    PLACEMENT,
    PayrollSystem,
    Step,
    ended,
    message,
    never,
    paid,
)

START = StartFlexjob.model_validate({name: value for name, value in FLEXJOB.items() if name != "placement_id"})


@pytest.fixture
def templates(request: pytest.FixtureRequest, templates: Templates) -> Templates:
    """Those of a server that a test may kill where it has one of its own."""
    own = "own_postgres" in request.fixturenames
    return Templates(request.getfixturevalue("own_postgres")) if own else templates


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[OwnPostgres]:
    server = postgres_for(tmp_path / "postgres")
    if not isinstance(server, OwnPostgres):
        pytest.skip("a server that others run is not killed")
    server.start()
    yield server
    server.stop()


async def test_the_database_is_killed_in_the_middle_and_nothing_is_lost_or_done_twice(
    own_postgres: OwnPostgres, payroll: PayrollSystem
) -> None:
    await payroll.start()
    rates = ["0.4", "0.5"] * 10
    for number, rate in enumerate(rates):
        day = date(2026, 2, 1) + timedelta(days=number)
        await payroll.tell(f"step-{number}", paid(day.isoformat(), rate), at=number)
        if number == len(rates) // 2:
            own_postgres.kill()
    own_postgres.start()
    await payroll.told()
    assert [effective for _, effective in await payroll.hours()] == ["10.00", *["14.80", "18.50"] * 10]
    assert [event["causationid"] for event in await payroll.emitted()] == [f"step-{each}" for each in range(20)]


async def test_a_message_and_the_start_of_its_flexjob_at_the_same_time_never_miss_each_other(
    pool: Pool, clock: str
) -> None:
    async def starting(placement: UUID, desk: Desk) -> object:
        return await register(desk, placement, START)

    async def at_once(barrier: asyncio.Barrier, step: Step) -> None:
        async with pool.acquire() as db:
            await barrier.wait()
            await at_a_desk(db, "621", calendar_of(clock), step)

    for number in range(10):
        employment, placement, barrier = uuid4(), uuid4(), asyncio.Barrier(2)
        event = paid("2026-02-01", "0.5", employment_ref=employment, placement_id=placement)
        await asyncio.gather(
            at_once(barrier, message(f"race-{number}", event, at=1)),
            at_once(barrier, partial(starting, placement)),
        )
        async with pool.acquire() as db:
            flexjob = await lists.find(db, Flexjob.noun, str(placement))
            assert isinstance(flexjob, Flexjob)
            assert [step.employment_ref for step in flexjob.hours] == [None, employment]
            assert (await store.outcomes(db, [employment]))[employment].status == "applied"


OTHER = uuid4()
CHANGE = ChangeHours.model_validate(
    {
        "occurred_on": "2026-03-15",
        "attendance_hours_per_week": "12",
        "effective_hours_per_week": "11",
        "cause": "task_match",
    }
)
STORY: list[Step] = [
    lambda desk: register(desk, PLACEMENT, START),
    lambda desk: register(desk, PLACEMENT, CHANGE),
    message("below", paid("2026-02-01", "0.5"), at=1),
    message("above", paid("2026-02-15", "0.4", "2026-04-01"), at=2),
    message("better", paid("2026-02-15", "0.3", "2026-04-15"), at=9, corrects="above"),
    message("worse", paid("2026-02-15", "0.9"), at=10, corrects="better"),
    message("not-worse", never("worse"), at=11),
    message("mistaken", paid("2026-02-20", "0.6"), at=3),
    message("gone", never("mistaken"), at=12),
    message("end", ended("2026-05-01"), at=4),
    message("later", ended("2026-06-01"), at=13, corrects="end"),
    message("someone-else", paid("2026-02-25", "0.7", person_ref=uuid4()), at=5),
    message("second-employment", paid("2026-03-01", "0.8", employment_ref=OTHER), at=6),
]


async def came_to(desk: Desk) -> object:
    """The flexjob as it stands, and what became of the employments."""
    flexjob = await lists.find(desk.db, Flexjob.noun, str(PLACEMENT))
    assert isinstance(flexjob, Flexjob)
    outcomes = await store.outcomes(desk.db, [EMPLOYMENT, OTHER])
    return flexjob.hours, flexjob.ended_on, flexjob.ended_by, outcomes


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(1, len(STORY))), start=st.integers(0, len(STORY) - 2))
async def test_in_any_order_the_flexjob_comes_to_the_same(
    pool: Pool, clock: str, order: Sequence[int], start: int
) -> None:
    """The flexjob starts somewhere among the messages; what a caseworker changes comes after that."""
    steps = [STORY[number] for number in order]
    position = min(start, steps.index(STORY[1]))
    results = []
    for told in (STORY, [*steps[:position], STORY[0], *steps[position:]]):
        async with pool.acquire() as db:
            transaction = db.transaction()
            await transaction.start()
            for act in (*told, came_to):
                came = await at_a_desk(db, "621", calendar_of(clock), act)
            results.append(came)
            await transaction.rollback()
    assert results[0] == results[1]
