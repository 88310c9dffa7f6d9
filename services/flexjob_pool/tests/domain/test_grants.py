"""Grants: committed once and adjusted; what they draw on each fiscal year."""

from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexjob_pool.domain.applications import Application
from flexjob_pool.domain.grants import Grant, amounts, spread, touches, used
from flexjob_pool.domain.money import steps
from flexjob_pool.domain.refusals import DateOutOfReach, NothingChanges, NotRegistered
from flexjob_pool.domain.refusals.applications import ApplicationUnknown, NotApproved
from flexjob_pool.domain.refusals.money import (
    AlreadyGranted,
    AmountAboveApproved,
    BelowRefunds,
    CommittedBeforeApproval,
    FlexjobOutsidePeriod,
    GrantDatedBack,
    GrantExists,
    PeriodIsEmpty,
    PeriodLongerThanApproved,
    RefundedOutsidePeriod,
)
from flexjob_pool.requests.grants import AdjustGrant, CommitGrant, PostRefund
from services.flexjob_pool.tests.domain.conftest import DAY, END, FIRST, TODAY, World

ANY_DAY = st.dates(date(2013, 1, 1), date(2034, 12, 31))
ANY_AMOUNT = st.integers(1, 10**13)


def a_grant(amount_ore: int, first: date, end: date) -> Grant:
    allocations = spread(amount_ore, first, end)
    return Grant(
        grant_id=uuid4(),
        application_id=uuid4(),
        department="Senior",
        workplace_unit="Aahaven",
        effective_hours_per_week="8",  # type: ignore[arg-type]  # of no concern to what is drawn
        committed_on=first,
        period_from=first,
        period_to=end,
        amount_ore=amount_ore,
        allocations=allocations,
        draws=(),
    )


@given(first=ANY_DAY, days=st.integers(1, 3650), amount=ANY_AMOUNT)
def test_a_grant_is_spread_over_its_fiscal_years_to_the_ore(first: date, days: int, amount: int) -> None:
    last = first + (days - 1) * DAY

    allocations = spread(amount, first, last + DAY)

    assert sum(part.amount_ore for part in allocations) == amount
    assert [part.fiscal_year for part in allocations] == list(range(first.year, last.year + 1))
    for part in allocations:
        in_year = sum((first + n * DAY).year == part.fiscal_year for n in range(days))
        assert abs(part.amount_ore * days - amount * in_year) < days


@given(
    first=ANY_DAY,
    days=st.integers(1, 1000),
    amount=ANY_AMOUNT,
    started=st.integers(-50, 1100),
    lasted=st.integers(0, 1200),
)
def test_what_is_used_is_the_share_of_the_days_that_the_flexjob_lasted(
    first: date, days: int, amount: int, started: int, lasted: int
) -> None:
    grant = a_grant(amount, first, first + days * DAY)
    job = {first + n * DAY for n in range(started, started + lasted)}

    remaining = amounts(used(grant, first + started * DAY, first + (started + lasted) * DAY))

    for part in grant.allocations:
        whole = [d for n in range(days) if (d := first + n * DAY).year == part.fiscal_year]
        in_job = sum(day in job for day in whole)
        assert 0 <= remaining[part.fiscal_year] <= part.amount_ore
        assert abs(2 * remaining[part.fiscal_year] * len(whole) - 2 * part.amount_ore * in_job) <= len(whole)


@pytest.mark.parametrize(
    ("month", "within"),
    [("2026-06", False), ("2026-07", True), ("2026-12", True), ("2027-01", True), ("2027-02", False)],
)
def test_a_month_lies_in_a_period_by_any_of_its_days(month: str, within: bool) -> None:
    assert touches(month, date(2026, 7, 31), date(2027, 1, 2)) is within
    assert not touches("2027-01", date(2026, 7, 31), date(2027, 1, 1))


def test_a_grant_reserves_what_was_approved_for_its_period() -> None:
    world = World()

    grant = world.one(Grant, world.commit(FIRST, END))

    assert grant.status == "committed"
    assert grant.amount_ore == 2_600_000
    assert amounts(grant.allocations) == {2026: 1_310_685, 2027: 1_289_315}
    assert list(steps(grant)) == [(2026, date(2026, 2, 1), -1_310_685), (2027, date(2026, 2, 1), -1_289_315)]
    assert world.one(Application, grant.application_id).grant_id == grant.grant_id


def test_an_approved_application_gets_one_grant_and_no_other_gets_any() -> None:
    world = World()
    granted = world.one(Grant, world.commit())
    period = {"period_from": FIRST, "period_to": END}
    day = date(2026, 2, 1)

    assert world.refused(granted.grant_id, CommitGrant, day, application_id=uuid4(), **period) == {GrantExists}
    assert world.refused(uuid4(), CommitGrant, day, application_id=granted.application_id, **period) == {AlreadyGranted}
    assert world.refused(uuid4(), CommitGrant, day, application_id=world.apply(), **period) == {NotApproved}
    assert world.refused(uuid4(), CommitGrant, day, application_id=uuid4(), **period) == {ApplicationUnknown}


def test_a_grant_is_not_committed_before_its_approval_nor_for_longer() -> None:
    world = World()
    application_id = world.approve(date(2026, 1, 20))

    def reasons(day: date, first: date, end: date) -> set[type[Exception]]:
        ask = {"application_id": application_id, "period_from": first, "period_to": end}
        return {*world.refused(uuid4(), CommitGrant, day, **ask)}

    decided = date(2026, 1, 20)
    assert reasons(decided - DAY, FIRST, FIRST) == {CommittedBeforeApproval, PeriodIsEmpty}
    assert reasons(decided, date(2027, 2, 28), date(2028, 2, 29)) == {PeriodLongerThanApproved}
    assert reasons(decided, date(2028, 3, 3), date(2028, 4, 1)) == {DateOutOfReach}
    assert world.commit(date(2027, 2, 28), date(2028, 2, 28))


def test_an_adjusted_grant_draws_its_new_amount_over_its_new_period() -> None:
    world = World()
    grant_id = world.commit(FIRST, END)

    [event] = world.ask(
        grant_id, AdjustGrant, TODAY, amount_ore=1000, period_from=date(2026, 7, 1), period_to=date(2026, 8, 1)
    )

    grant = world.one(Grant, grant_id)
    assert event.model_dump()["allocations"] == ({"fiscal_year": 2026, "amount_ore": 1000},)
    assert (grant.amount_ore, grant.period_to) == (1000, date(2026, 8, 1))
    assert [step for step in steps(grant) if step[1] == TODAY] == [
        (2026, TODAY, 1_309_685),
        (2027, TODAY, 1_289_315),
    ]


def test_a_grant_is_adjusted_within_what_was_approved() -> None:
    world = World()
    grant_id = world.commit(FIRST, END)
    same = {"amount_ore": 2_600_000, "period_from": FIRST, "period_to": END}

    assert world.refused(grant_id, AdjustGrant, TODAY, **same) == {NothingChanges}
    assert world.refused(grant_id, AdjustGrant, TODAY, **{**same, "amount_ore": 2_600_001}) == {AmountAboveApproved}
    assert world.refused(grant_id, AdjustGrant, TODAY, **{**same, "period_to": END + DAY}) == {PeriodLongerThanApproved}
    assert world.refused(grant_id, AdjustGrant, TODAY, **{**same, "period_to": FIRST}) == {PeriodIsEmpty}
    assert world.refused(grant_id, AdjustGrant, date(2026, 1, 31), **same) == {GrantDatedBack}
    assert world.refused(uuid4(), AdjustGrant, TODAY, **same) == {NotRegistered}


def test_a_grant_is_not_adjusted_away_from_what_rests_on_it() -> None:
    world = World(date(2026, 8, 31))
    grant_id = world.commit(FIRST, END)
    world.start(FIRST, grant_id=grant_id)
    world.ask(uuid4(), PostRefund, world.case.today, grant_id=grant_id, payroll_month="2026-07", wage_ore=2000)
    less = {"amount_ore": 999, "period_from": FIRST, "period_to": date(2026, 9, 1)}

    assert world.refused(grant_id, AdjustGrant, world.case.today, **less) == {BelowRefunds}
    later = {"amount_ore": 5000, "period_from": date(2026, 8, 1), "period_to": date(2026, 9, 1)}
    assert world.refused(grant_id, AdjustGrant, world.case.today, **later) == {
        RefundedOutsidePeriod,
        FlexjobOutsidePeriod,
    }
    assert world.ask(grant_id, AdjustGrant, world.case.today, **{**less, "amount_ore": 1000})
