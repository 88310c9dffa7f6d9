"""No year is overdrawn, under concurrent requests on real PostgreSQL: every connection is another caseworker."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flexjob_pool.domain import refusals
from flexjob_pool.domain.refusals import money as of_money
from flexjob_pool.requests.budgets import AdjustBudget
from flexjob_pool.requests.grants import AdjustGrant, ReleaseGrant
from services.flexjob_pool.tests.acts import Act, asked, corrected, end, refused, retracted
from services.flexjob_pool.tests.books import check_books
from services.flexjob_pool.tests.conftest import DAY, RULES_DAY

YEARS = (2026, 2027)
# Every example empties the tables, so that the database of the test can serve them all.
on_one_database = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


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
    wishes=st.lists(WISHES, min_size=2, max_size=4),
    budgets=st.tuples(st.integers(0, 300), st.integers(0, 200)),
    totals=st.lists(st.tuples(st.sampled_from([0, 1]), st.integers(0, 300), ANY_DECISION_DAY), max_size=3),
    later=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 250)), max_size=2),
)
async def test_no_race_of_commitments_releases_budgets_and_corrections_overdraws_a_year(
    office: Any,
    wishes: list[Wish],
    budgets: tuple[int, int],
    totals: list[tuple[int, int, date]],
    later: list[tuple[int, int]],
) -> None:
    await office.wipe()
    await office.rules()
    budget_ids = [await office.budget(year, amount) for year, amount in zip(YEARS, budgets, strict=True)]
    racing: list[Act] = [
        asked(budget_ids[which], AdjustBudget(occurred_on=day, amount_ore=total)) for which, total, day in totals
    ]
    for wish in wishes:
        grant_id, placement_id = uuid4(), uuid4()
        commitment = office.commitment(
            await office.approved(wish.amount_ore), wish.first, wish.first + wish.days * DAY, wish.committed
        )
        if wish.lasted is None:
            racing += [asked(grant_id, commitment), asked(uuid4(), commitment)]
        elif not refused(await office.race(asked(grant_id, commitment))):
            await office.ask(placement_id, office.start(wish.first, grant_id=grant_id))
            racing += [asked(placement_id, end(wish.first + wish.lasted * DAY))] * 2
            racing += [asked(grant_id, ReleaseGrant(occurred_on=wish.first + DAY))]
            racing += [asked(grant_id, adjusted(wish))]
    submissions = [event["id"] for event in await office.told("application.submitted")]
    allocations = [event["id"] for event in await office.told("budget_allocated")]
    racing += [corrected(submissions[at % len(submissions)], amount_ore=amount) for at, amount in later]
    racing += [corrected(allocations[at % 2], amount_ore=amount) for at, amount in later]
    racing += [retracted(submissions[at % len(submissions)]) for at, _ in later]

    await office.race(*racing)

    await check_books(office)
    now = await office.pool.fetch("SELECT data, type FROM standing WHERE event_id = root_id")
    for name, key in (("grant.committed", "application_id"), ("grant.released", "grant_id"), ("ended", "placement_id")):
        assert set(Counter(row["data"][key] for row in now if name in row["type"]).values()) <= {1}


def adjusted(wish: Wish) -> AdjustGrant:
    amount, last = max(1, wish.amount_ore // 2), wish.first + (wish.days // 2 + 1) * DAY
    return AdjustGrant(occurred_on=wish.first, amount_ore=amount, period_from=wish.first, period_to=last)


async def test_of_commitments_that_fit_one_by_one_only_those_that_fit_together_are_made(office: Any) -> None:
    await office.rules()
    await office.budget(2026, 1000)
    wanted = [office.commitment(await office.approved(300), date(2026, 7, 1), date(2026, 8, 1)) for _ in range(10)]

    outcomes = await office.race(*(asked(uuid4(), one) for one in wanted))

    assert refused(outcomes) == [of_money.BudgetExceeded] * 7
    await check_books(office)


async def test_a_grant_over_new_year_is_refused_for_each_year_that_it_overdraws(office: Any) -> None:
    await office.rules()
    await office.budget(2026, 100)
    commitment = office.commitment(await office.approved(1000), date(2026, 7, 1), date(2027, 7, 1))

    with pytest.raises(refusals.SeveralReasons) as refusal:
        await office.ask(uuid4(), commitment)

    assert [type(reason) for reason in refusal.value.reasons] == [of_money.BudgetExceeded] * 2
    assert not await office.pool.fetch("SELECT FROM resource WHERE noun = 'grant'")


async def test_what_a_release_frees_can_be_committed_again(office: Any) -> None:
    placement_id, _ = await office.running_flexjob()
    await office.ask(placement_id, end(date(2026, 7, 1) + 40 * DAY))
    application_id, today = await office.approved(600), office.calendar.today()

    def again(day: date) -> Act:
        return asked(uuid4(), office.commitment(application_id, date(2026, 9, 1), date(2026, 10, 1), day))

    # The end is ahead, so the money is free from today on; the day before, the first grant still drew it all.
    assert refused(await office.race(again(today - DAY))) == [of_money.BudgetExceeded]
    assert not refused(await office.race(again(today)))
    await check_books(office)


async def test_a_budget_pays_for_nothing_that_is_committed_before_it_is_in_force(office: Any) -> None:
    raised_on = date(2026, 10, 1)
    await office.rules()
    await office.budget(2026, 100)
    await office.budget(2026, 900, raised_on)
    application_id = await office.approved(600)

    def commitment(day: date) -> Act:
        return asked(uuid4(), office.commitment(application_id, date(2026, 11, 1), date(2026, 12, 1), day))

    assert refused(await office.race(commitment(raised_on - DAY))) == [of_money.BudgetExceeded]
    assert not refused(await office.race(commitment(raised_on)))
    await check_books(office)


async def test_a_budget_may_not_be_lowered_corrected_or_retracted_below_what_is_committed(office: Any) -> None:
    await office.running_flexjob(1000)
    [allocated] = await office.told("budget_allocated")
    budget_id = allocated["data"]["budget_id"]

    for act in (
        asked(budget_id, AdjustBudget(occurred_on=RULES_DAY, amount_ore=999)),
        corrected(allocated["id"], amount_ore=999),
        corrected(allocated["id"], occurred_on="2026-02-01"),
        corrected(allocated["id"], fiscal_year=2027),
        retracted(allocated["id"]),
    ):
        assert refused(await office.race(act)) == [of_money.BudgetExceeded]

    await office.correct(allocated["id"], amount_ore=1001)
    await check_books(office)
