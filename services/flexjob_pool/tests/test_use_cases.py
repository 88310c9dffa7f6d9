"""State and events under concurrent requests, on real PostgreSQL: every connection is another caseworker."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.calendar import Calendar, SystemCalendar, danish_date
from chassis.database import Pool
from chassis.migrate import component_of
from flexjob_pool import requests, store, use_cases
from flexjob_pool.domain import refusals
from flexjob_pool.domain.refusals import Refusal
from flexjob_pool.use_cases import Desk, Recorded

RULES_DAY = date(2026, 1, 1)
DAY = timedelta(days=1)
YEARS = (2026, 2027)
UseCase = Callable[[Desk], Awaitable[Recorded]]


@dataclass(frozen=True)
class Standing:
    """A calendar that stands still, so that everything is registered at the same instant."""

    instant: datetime = datetime(2026, 3, 2, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    def today(self) -> date:
        return danish_date(self.instant)


STANDING = Standing()

# Every example empties the tables, so that the database of the test can serve them all.
on_one_database = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WIPE = "TRUNCATE rules, fiscal_year, budget, application, pool_grant, allocation, flexjob, hours, movement, outbox"


async def act(pool: Pool, use_case: UseCase) -> Recorded:
    async with pool.acquire() as db, db.transaction():
        return await use_case(Desk(db, "621", STANDING))


async def race(pool: Pool, *use_cases: UseCase, calendar: Calendar = STANDING) -> list[Recorded | Refusal]:
    """Perform all at once, each on a connection of its own; what each came to. All else than a refusal is raised."""

    ready = asyncio.Barrier(max(1, len(use_cases)))

    async def attempt(use_case: UseCase) -> Recorded | Refusal:
        try:
            async with pool.acquire() as db, db.transaction():
                desk = Desk(db, "621", calendar)
                await ready.wait()
                return await use_case(desk)
        except Refusal as refusal:
            return refusal

    return await asyncio.gather(*(attempt(use_case) for use_case in use_cases))


def refused(outcomes: Sequence[Recorded | Refusal]) -> list[type[Refusal]]:
    return [type(outcome) for outcome in outcomes if isinstance(outcome, Refusal)]


def adopt(**limits: Any) -> UseCase:
    ask = requests.AdoptRules(occurred_on=RULES_DAY, refund_share=Decimal("0.5"), eligible_units=("Senior",), **limits)
    return lambda desk: use_cases.adopt_rules(desk, ask)


def allocate(year: int, amount_ore: int, budget_id: UUID | None = None, day: date = RULES_DAY) -> UseCase:
    ask = requests.AllocateBudget(occurred_on=day, budget_id=budget_id, fiscal_year=year, amount_ore=amount_ore)
    return lambda desk: use_cases.allocate_budget(desk, ask)


def apply(application_id: UUID, amount_ore: int, months: int = 12) -> UseCase:
    ask = requests.Apply(
        occurred_on=RULES_DAY,
        application_id=application_id,
        department="Senior",
        workplace_unit="Aahaven",
        effective_hours_per_week=Decimal(8),
        months=months,
        amount_ore=amount_ore,
    )
    return lambda desk: use_cases.apply(desk, ask)


def approve(application_id: UUID) -> UseCase:
    return lambda desk: use_cases.approve(desk, application_id, requests.Approve(occurred_on=RULES_DAY))


def reject(application_id: UUID) -> UseCase:
    ask = requests.Reject(occurred_on=RULES_DAY, reject_code="no_match")
    return lambda desk: use_cases.reject(desk, application_id, ask)


def commit(application_id: UUID, grant_id: UUID, first: date, end: date, day: date = RULES_DAY) -> UseCase:
    ask = requests.CommitGrant(
        occurred_on=day, grant_id=grant_id, application_id=application_id, period_from=first, period_to=end
    )
    return lambda desk: use_cases.commit_grant(desk, ask)


def start(placement_id: UUID, grant_id: UUID | None, first: date) -> UseCase:
    ask = requests.StartFlexjob(
        occurred_on=first,
        placement_id=placement_id,
        person_ref=uuid4(),
        department="Senior",
        workplace_unit="Aahaven",
        grant_id=grant_id,
        attendance_hours_per_week=Decimal(12),
        effective_hours_per_week=Decimal(8),
        grant_term="permanent",
        retention=False,
        scheme="post2013",
    )
    return lambda desk: use_cases.start_flexjob(desk, ask)


def change(placement_id: UUID, day: date, effective: int) -> UseCase:
    ask = requests.ChangeHours(
        occurred_on=day,
        attendance_hours_per_week=Decimal(12),
        effective_hours_per_week=Decimal(effective),
        cause="capacity_up",
    )
    return lambda desk: use_cases.change_hours(desk, placement_id, ask)


def end(placement_id: UUID, day: date) -> UseCase:
    ask = requests.EndFlexjob(occurred_on=day, reason_code="pension")
    return lambda desk: use_cases.end_flexjob(desk, placement_id, ask)


async def events(pool: Pool, name: str = "") -> list[dict[str, Any]]:
    """The data of the events in the outbox, all or those of one name, as they were appended."""
    rows = await pool.fetch("SELECT type, body FROM outbox ORDER BY position")
    return [json.loads(row["body"])["data"] for row in rows if name in row["type"]]


async def registered(pool: Pool) -> list[dict[str, Any]]:
    """Every event as (time, id) order them, which is how a reader tells two of one date apart."""
    told = [json.loads(row["body"]) for row in await pool.fetch("SELECT body FROM outbox ORDER BY position")]
    return sorted(told, key=lambda event: (datetime.fromisoformat(event["time"]), event["id"]))


async def running_flexjob(pool: Pool, amount_ore: int = 1000) -> tuple[UUID, UUID]:
    """A flexjob of the first hundred days of July, with its grant: (placement, grant)."""
    application_id, grant_id, placement_id = uuid4(), uuid4(), uuid4()
    first = date(2026, 7, 1)
    for use_case in (
        adopt(),
        allocate(2026, amount_ore),
        apply(application_id, amount_ore),
        approve(application_id),
        commit(application_id, grant_id, first, first + 100 * DAY),
        start(placement_id, grant_id, first),
    ):
        await act(pool, use_case)
    return placement_id, grant_id


def books_on(day: str, told: Sequence[dict[str, Any]]) -> tuple[Counter[int], Counter[int]]:
    """What the events allocate and draw by fiscal year at the end of a day."""
    dated = sorted((event["data"] for event in told), key=lambda data: data["occurred_on"])
    begun = [data for data in dated if data["occurred_on"] <= day]
    totals = {data["budget_id"]: data for data in begun if "budget_id" in data}
    draws = {data["grant_id"]: data["allocations"] for data in begun if "allocations" in data}
    allocated, drawn = Counter[int](), Counter[int]()
    for data in totals.values():
        allocated[data["fiscal_year"]] += data["amount_ore"]
    for part in (part for allocations in draws.values() for part in allocations):
        drawn[part["fiscal_year"]] += part["amount_ore"]
    return allocated, drawn


async def check_books(pool: Pool) -> None:
    """On no date is a year overdrawn, and its sums are those of its rows and those that the events tell."""
    told = await registered(pool)
    for day in {event["data"]["occurred_on"] for event in told}:
        allocated, drawn = books_on(day, told)
        assert all(drawn[year] <= allocated[year] for year in drawn), day
    told_budgets, told_draws = books_on("9999-12-31", told)
    for row in await pool.fetch("SELECT * FROM fiscal_year"):
        year = row["fiscal_year"]
        assert row["drawn_ore"] <= row["budget_ore"]
        assert (row["budget_ore"], row["drawn_ore"]) == (told_budgets[year], told_draws[year])
        kept = await pool.fetchval("SELECT coalesce(sum(amount_ore), 0) FROM allocation WHERE fiscal_year = $1", year)
        assert row["drawn_ore"] == kept


@dataclass(frozen=True)
class Wish:
    """A grant that is wanted, and after how many days its flexjob ends; None when it is to be committed in the race."""

    amount_ore: int
    committed: date
    first: date
    days: int
    lasted: int | None


ANY_DECISION_DAY = st.dates(RULES_DAY, date(2026, 6, 1))
WISHES = st.builds(
    Wish,
    amount_ore=st.integers(1, 100),
    committed=ANY_DECISION_DAY,
    first=st.dates(RULES_DAY, date(2027, 3, 1)),
    days=st.integers(1, 300),
    lasted=st.none() | st.integers(0, 320),
)


@on_one_database
@given(
    wishes=st.lists(WISHES, min_size=2, max_size=8),
    budgets=st.tuples(st.integers(0, 300), st.integers(0, 200)),
    totals=st.lists(st.tuples(st.sampled_from([0, 1]), st.integers(0, 300), ANY_DECISION_DAY), max_size=4),
)
async def test_no_race_of_commitments_releases_and_budgets_overdraws_a_year(
    pool: Pool, wishes: list[Wish], budgets: tuple[int, int], totals: list[tuple[int, int, date]]
) -> None:
    await pool.execute(WIPE)
    budget_ids = (uuid4(), uuid4())
    await act(pool, adopt())
    for year, amount, budget_id in zip(YEARS, budgets, budget_ids, strict=True):
        await act(pool, allocate(year, amount, budget_id))
    racing = [allocate(YEARS[which], total, budget_ids[which], day) for which, total, day in totals]
    for wish in wishes:
        application_id, grant_id, placement_id = uuid4(), uuid4(), uuid4()
        await act(pool, apply(application_id, wish.amount_ore))
        await act(pool, approve(application_id))
        commitment = commit(application_id, grant_id, wish.first, wish.first + wish.days * DAY, wish.committed)
        if wish.lasted is None:
            racing += [commitment, commitment]
        elif not refused(await race(pool, commitment)):
            await act(pool, start(placement_id, grant_id, wish.first))
            racing += [end(placement_id, wish.first + wish.lasted * DAY)] * 2

    await race(pool, *racing)

    await check_books(pool)
    for name, key in (("grant.committed", "application_id"), ("grant.released", "grant_id"), ("ended", "placement_id")):
        assert set(Counter(data[key] for data in await events(pool, name)).values()) <= {1}


async def test_of_commitments_that_fit_one_by_one_only_those_that_fit_together_are_made(pool: Pool) -> None:
    await act(pool, adopt())
    await act(pool, allocate(2026, 1000))
    applications = [uuid4() for _ in range(10)]
    for application_id in applications:
        await act(pool, apply(application_id, 300))
        await act(pool, approve(application_id))

    outcomes = await race(pool, *(commit(one, uuid4(), date(2026, 7, 1), date(2026, 8, 1)) for one in applications))

    assert refused(outcomes) == [refusals.BudgetExceeded] * 7
    assert await pool.fetchval("SELECT drawn_ore FROM fiscal_year") == 900
    await check_books(pool)


async def test_a_grant_over_new_year_is_refused_for_each_year_that_it_overdraws(pool: Pool) -> None:
    application_id = uuid4()
    for use_case in (adopt(), allocate(2026, 100), apply(application_id, 1000), approve(application_id)):
        await act(pool, use_case)

    with pytest.raises(refusals.SeveralReasons) as refusal:
        await act(pool, commit(application_id, uuid4(), date(2026, 7, 1), date(2027, 7, 1)))

    assert [type(reason) for reason in refusal.value.reasons] == [refusals.BudgetExceeded] * 2
    assert not await pool.fetch("SELECT FROM pool_grant")


async def test_a_grant_is_released_once_however_many_end_its_flexjob(pool: Pool) -> None:
    placement_id, grant_id = await running_flexjob(pool)

    outcomes = await race(pool, *(end(placement_id, date(2026, 7, 1) + n * DAY) for n in range(10, 90, 10)))

    assert refused(outcomes) == [refusals.AlreadyEnded] * 7
    [ended], [released] = await events(pool, "flexjob.ended"), await events(pool, "grant.released")
    assert released["grant_id"] == str(grant_id)
    assert released["amount_ore"] == 10 * (date.fromisoformat(ended["occurred_on"]) - date(2026, 7, 1)).days
    await check_books(pool)


async def test_what_a_release_frees_can_be_committed_again(pool: Pool) -> None:
    placement_id, _ = await running_flexjob(pool)
    await act(pool, end(placement_id, date(2026, 7, 1) + 40 * DAY))
    application_id = uuid4()
    await act(pool, apply(application_id, 600))
    await act(pool, approve(application_id))

    def again(day: date) -> UseCase:
        return commit(application_id, uuid4(), date(2026, 9, 1), date(2026, 10, 1), day)

    # The end is ahead, so the money is free from today on; the day before, the first grant still drew it all.
    assert refused(await race(pool, again(STANDING.today() - DAY))) == [refusals.BudgetExceeded]
    await act(pool, again(STANDING.today()))

    assert await pool.fetchval("SELECT drawn_ore FROM fiscal_year") == 1000
    await check_books(pool)


async def test_a_budget_pays_for_nothing_that_is_committed_before_it_is_in_force(pool: Pool) -> None:
    application_id, raised_on = uuid4(), date(2026, 10, 1)
    for use_case in (adopt(), allocate(2026, 100), allocate(2026, 900, day=raised_on), apply(application_id, 600)):
        await act(pool, use_case)
    await act(pool, approve(application_id))

    def commitment(day: date) -> UseCase:
        return commit(application_id, uuid4(), date(2026, 11, 1), date(2026, 12, 1), day)

    assert refused(await race(pool, commitment(raised_on - DAY))) == [refusals.BudgetExceeded]
    await act(pool, commitment(raised_on))
    await check_books(pool)


async def test_decisions_of_one_instant_about_one_date_keep_their_order(pool: Pool) -> None:
    placement_id, budget_id, day = uuid4(), uuid4(), date(2026, 3, 1)
    await act(pool, start(placement_id, None, day))
    asked = [10, 5] * 10
    for number in asked:
        await act(pool, allocate(2026, number, budget_id))
        await act(pool, change(placement_id, day, number))

    told = await registered(pool)

    assert len({event["time"] for event in told}) == 1
    assert [event["data"]["amount_ore"] for event in told if "budget_id" in event["data"]] == asked
    changes = [event["data"]["effective_hours_per_week"] for event in told if "cause" in event["data"]]
    assert changes == [f"{number}.00" for number in asked]


@pytest.mark.parametrize("calendar", [STANDING, SystemCalendar()])
async def test_changes_that_race_are_told_in_the_order_of_their_rows(pool: Pool, calendar: Calendar) -> None:
    placement_id, day = uuid4(), date(2026, 3, 1)
    await act(pool, start(placement_id, None, day))
    before = len(await registered(pool))

    await race(pool, *(change(placement_id, day, hours) for hours in range(1, 12) if hours != 8), calendar=calendar)

    async with pool.acquire() as db:
        flexjob = await store.find_flexjob(db, placement_id)
    assert flexjob
    assert [step.effective_hours_per_week for step in flexjob.hours[1:]] == [
        Decimal(event["data"]["effective_hours_per_week"]) for event in (await registered(pool))[before:]
    ]


async def test_a_decision_is_dated_when_it_is_taken_and_not_when_it_begins_to_wait(pool: Pool) -> None:
    placement_id, day = uuid4(), date(2026, 3, 1)
    await act(pool, start(placement_id, None, day))
    async with pool.acquire() as slow, slow.transaction():
        waits = Desk(slow, "621", SystemCalendar())
        async with pool.acquire() as quick, quick.transaction():
            await change(placement_id, day, 9)(Desk(quick, "621", SystemCalendar()))
        await change(placement_id, day, 10)(waits)

    told = [event["data"].get("effective_hours_per_week") for event in await registered(pool)]

    assert told == ["8.00", "9.00", "10.00"]


async def test_a_grant_pays_for_one_flexjob_however_many_start_on_it(pool: Pool) -> None:
    await running_flexjob(pool)
    await act(pool, allocate(2026, 1000))
    # A connection prepares each statement on its first use, so only the later rounds run in step.
    for _ in range(3):
        application_id, grant_id = uuid4(), uuid4()
        await act(pool, apply(application_id, 100))
        await act(pool, approve(application_id))
        await act(pool, commit(application_id, grant_id, date(2026, 9, 1), date(2026, 10, 1)))

        outcomes = await race(pool, *(start(uuid4(), grant_id, date(2026, 9, 1)) for _ in range(6)))

        assert refused(outcomes) == [refusals.GrantInUse] * 5


async def test_a_released_grant_pays_for_no_other_flexjob(pool: Pool) -> None:
    placement_id, grant_id = await running_flexjob(pool)
    await act(pool, end(placement_id, date(2026, 7, 11)))

    with pytest.raises(refusals.GrantIsReleased):
        await act(pool, start(uuid4(), grant_id, date(2026, 9, 1)))


async def test_a_placement_starts_once_however_many_start_it(pool: Pool) -> None:
    placement_id = uuid4()

    outcomes = await race(pool, *(start(placement_id, None, date(2026, 3, 1)) for _ in range(6)))

    assert refused(outcomes) == [refusals.PlacementAlreadyStarted] * 5
    assert len(await events(pool, "flexjob.started")) == 1


async def test_an_application_is_decided_once_however_many_decide_it(pool: Pool) -> None:
    application_id = uuid4()
    await act(pool, adopt())
    await act(pool, apply(application_id, 100))

    outcomes = await race(pool, *(approve(application_id), reject(application_id)) * 4)

    assert refused(outcomes) == [refusals.AlreadyDecided] * 7
    assert len(await events(pool, "application.")) == 2


async def test_one_budget_named_for_two_years_at_once_belongs_to_one_of_them(pool: Pool) -> None:
    budget_id = uuid4()

    outcomes = await race(pool, *(allocate(year, 100 + year, budget_id) for year in range(2020, 2028)))

    assert refused(outcomes) == [refusals.BudgetOfAnotherYear] * 7
    await check_books(pool)


async def test_rules_adopted_at_once_are_numbered_without_gaps_and_never_edited(pool: Pool) -> None:
    await race(pool, *(adopt(max_months=months) for months in range(1, 9)))

    assert [rules.rules_version for rules in await store_rules(pool)] == list(range(1, 9))
    assert sorted(data["rules_version"] for data in await events(pool)) == list(range(1, 9))
    with pytest.raises(asyncpg.RaiseError):
        await pool.execute("UPDATE rules SET max_months = 120")


async def store_rules(pool: Pool) -> list[Any]:
    async with pool.acquire() as db:
        return list(await store.list_rules(db))


@on_one_database
@given(
    steps=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)), min_size=1, max_size=8),
    ended=st.none() | st.integers(0, 60),
)
async def test_hours_that_race_with_an_end_leave_rows_that_the_events_tell(
    pool: Pool, steps: list[tuple[int, int]], ended: int | None
) -> None:
    await pool.execute(WIPE)
    placement_id, first = uuid4(), date(2026, 3, 1)
    await act(pool, start(placement_id, None, first))
    racing = [change(placement_id, first + days * DAY, hours) for days, hours in steps]
    racing += [] if ended is None else [end(placement_id, first + ended * DAY)]

    await race(pool, *racing)

    told = [data for data in await events(pool) if "effective_hours_per_week" in data]
    async with pool.acquire() as db:
        flexjob = await store.find_flexjob(db, placement_id)
    assert flexjob
    assert [(str(step.occurred_on), str(step.effective_hours_per_week)) for step in flexjob.hours] == [
        (data["occurred_on"], data["effective_hours_per_week"])
        for data in sorted(told, key=lambda data: data["occurred_on"])
    ]
    assert [data["occurred_on"] for data in await events(pool, "ended")] == [
        str(day) for day in [flexjob.ended_on] if day
    ]


class PowerCut(Exception):
    """Something fails after a use case and before its commit."""


@pytest.mark.parametrize("name", ["rules", "budget", "application", "flexjob"])
async def test_a_rollback_leaves_neither_row_nor_event(pool: Pool, name: str) -> None:
    work = {
        "rules": adopt(),
        "budget": allocate(2026, 100),
        "application": apply(uuid4(), 100),
        "flexjob": start(uuid4(), None, RULES_DAY),
    }[name]

    async def interrupted() -> None:
        async with pool.acquire() as db, db.transaction():
            await work(Desk(db, "621", STANDING))
            assert await db.fetchval("SELECT count(*) FROM outbox") == 1
            raise PowerCut

    with pytest.raises(PowerCut):
        await interrupted()

    assert await pool.fetchval("SELECT count(*) FROM outbox") == 0
    assert await pool.fetchval(f"SELECT count(*) FROM {name}") == 0  # noqa: S608 - one of four names above


async def test_a_rolled_back_end_leaves_the_grant_as_it_was(pool: Pool) -> None:
    placement_id, _ = await running_flexjob(pool)
    before = await pool.fetchval("SELECT count(*) FROM outbox")

    async def interrupted() -> None:
        async with pool.acquire() as db, db.transaction():
            await end(placement_id, date(2026, 7, 11))(Desk(db, "621", STANDING))
            raise PowerCut

    with pytest.raises(PowerCut):
        await interrupted()

    assert await pool.fetchval("SELECT count(*) FROM outbox") == before
    assert await pool.fetchval("SELECT drawn_ore FROM fiscal_year") == 1000
    await act(pool, end(placement_id, date(2026, 7, 11)))
    await check_books(pool)


async def test_the_books_of_an_older_database_are_carried_over(pool: Pool) -> None:
    await running_flexjob(pool)
    [_, migration] = component_of("flexjob_pool").migrations()
    movements = "SELECT fiscal_year, occurred_on, amount_ore FROM movement ORDER BY position"
    before = await pool.fetch(movements)

    await pool.execute("DROP TABLE movement")
    await pool.execute(migration.sql)

    assert before == await pool.fetch(movements)


async def test_the_table_itself_refuses_a_draw_beyond_the_budget(pool: Pool) -> None:
    await running_flexjob(pool)

    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute("UPDATE fiscal_year SET drawn_ore = budget_ore + 1")
