"""What a grant gives back, and when: released once, by itself or as its flexjob ends."""

from datetime import date
from uuid import uuid4

import pytest

from contracts.flexjob_pool import Allocation
from flexjob_pool.domain.grants import Grant, amounts
from flexjob_pool.domain.money import steps
from flexjob_pool.domain.refusals import NothingChanges
from flexjob_pool.domain.refusals.money import GrantDatedBack, GrantIsReleased
from flexjob_pool.requests.flexjobs import EndFlexjob
from flexjob_pool.requests.grants import AdjustGrant, PostRefund, ReleaseGrant, ReverseRefund
from services.flexjob_pool.tests.domain.conftest import DAY, END, FIRST, TODAY, World, names, reasons_of

FAR_AHEAD = date(2027, 12, 31)


def test_a_grant_without_a_flexjob_is_released_whole_and_for_good() -> None:
    world = World()
    grant_id = world.commit()

    assert world.refused(grant_id, ReleaseGrant, date(2026, 1, 31)) == {GrantDatedBack}
    [event] = world.ask(grant_id, ReleaseGrant, TODAY)

    grant = world.one(Grant, grant_id)
    assert event.model_dump()["amount_ore"] == grant.amount_ore == 0
    assert (grant.status, grant.released_on) == ("released", TODAY)
    assert sum(ore for _, _, ore in steps(grant)) == 0
    assert world.refused(grant_id, ReleaseGrant, TODAY) == {GrantIsReleased}
    again = {"amount_ore": 1, "period_from": FIRST, "period_to": END}
    assert world.refused(grant_id, AdjustGrant, TODAY, **again) == {GrantIsReleased}
    assert reasons_of(lambda: world.start(grant_id=grant_id)) == {GrantIsReleased}


def test_a_release_keeps_the_days_of_the_flexjob_until_then() -> None:
    world = World()
    grant_id = world.commit(date(2026, 7, 1), date(2026, 10, 9), amount_ore=100_000)
    placement_id = world.start(date(2026, 7, 1), grant_id=grant_id)

    assert names(world.ask(grant_id, ReleaseGrant, date(2026, 7, 26))) == ["grant.released"]

    assert amounts(world.one(Grant, grant_id).allocations) == {2026: 25_000}
    assert names(world.ask(placement_id, EndFlexjob, date(2026, 8, 1), reason_code="other")) == ["flexjob.ended"]


def test_a_release_never_falls_below_what_was_refunded_and_not_reversed() -> None:
    world = World()
    grant_id = world.commit(date(2026, 7, 1), date(2026, 10, 9), amount_ore=100_000)
    kept, back = uuid4(), uuid4()
    for refund_id, month in ((kept, "2026-07"), (back, "2026-08")):
        world.ask(refund_id, PostRefund, TODAY, grant_id=grant_id, payroll_month=month, wage_ore=60_000)
    world.ask(back, ReverseRefund, TODAY, reason_code="posted_twice")

    world.ask(grant_id, ReleaseGrant, TODAY)

    assert world.one(Grant, grant_id).allocations == (Allocation(fiscal_year=2026, amount_ore=30_000),)


def test_a_release_that_gives_nothing_back_is_refused() -> None:
    world = World()
    grant_id = world.commit(date(2026, 7, 1), date(2026, 8, 1))
    world.start(date(2026, 7, 1), grant_id=grant_id)

    assert world.refused(grant_id, ReleaseGrant, date(2026, 8, 1)) == {NothingChanges}
    assert world.ask(grant_id, ReleaseGrant, date(2026, 7, 31))


def test_a_release_after_the_end_keeps_the_days_until_the_end() -> None:
    world = World()
    grant_id = world.commit(date(2026, 7, 1), date(2026, 10, 9), amount_ore=100_000)
    placement_id = world.start(date(2026, 7, 1), grant_id=grant_id)
    refund = {"grant_id": grant_id, "payroll_month": "2026-07", "wage_ore": 200_000}
    world.ask(refund_id := uuid4(), PostRefund, TODAY, **refund)
    assert names(world.ask(placement_id, EndFlexjob, date(2026, 7, 26), reason_code="other")) == ["flexjob.ended"]
    world.ask(refund_id, ReverseRefund, TODAY, reason_code="posted_twice")

    world.ask(grant_id, ReleaseGrant, date(2026, 9, 1))

    assert amounts(world.one(Grant, grant_id).allocations) == {2026: 25_000}


def test_half_a_grant_goes_back_when_its_flexjob_ends_half_way() -> None:
    world = World(FAR_AHEAD)
    first = date(2026, 7, 1)
    grant_id = world.commit(first, first + 26 * 7 * DAY)
    placement_id = world.start(first, grant_id=grant_id)

    events = world.ask(placement_id, EndFlexjob, first + 13 * 7 * DAY, reason_code="pension")

    assert names(events) == ["flexjob.ended", "grant.released"]
    assert amounts(world.one(Grant, grant_id).allocations) == {2026: 1_300_000}


def test_a_grant_that_was_needed_to_its_end_is_not_released_by_that() -> None:
    world = World(FAR_AHEAD)
    grant_id = world.commit(FIRST, END)
    placement_id = world.start(FIRST, grant_id=grant_id)

    assert names(world.ask(placement_id, EndFlexjob, END, reason_code="pension")) == ["flexjob.ended"]
    assert world.one(Grant, grant_id).status == "committed"
    assert world.refused(grant_id, ReleaseGrant, END) == {NothingChanges}


def test_a_release_is_never_dated_before_the_last_change_of_its_grant() -> None:
    world = World(FAR_AHEAD)
    grant_id = world.commit(FIRST, END)
    placement_id = world.start(FIRST, grant_id=grant_id)
    adjusted = date(2026, 12, 1)
    world.ask(grant_id, AdjustGrant, adjusted, amount_ore=1000, period_from=FIRST, period_to=END)

    world.ask(placement_id, EndFlexjob, date(2026, 9, 1), reason_code="pension")

    assert world.one(Grant, grant_id).released_on == adjusted


@pytest.mark.parametrize(
    ("ended_on", "back_on"),
    [
        (date(2026, 9, 1), date(2026, 8, 1)),
        (date(2026, 8, 1), date(2026, 8, 1)),
        (date(2026, 7, 2), date(2026, 7, 2)),
    ],
)
def test_the_money_goes_back_on_the_day_of_the_end_and_at_once_when_that_is_ahead(
    ended_on: date, back_on: date
) -> None:
    world = World(date(2026, 8, 1))
    grant_id = world.commit(FIRST, END)
    placement_id = world.start(FIRST, grant_id=grant_id)

    [_, released] = world.ask(placement_id, EndFlexjob, ended_on, reason_code="pension")

    assert released.occurred_on == back_on


def test_the_pool_of_the_worked_example_is_used_as_it_says() -> None:
    """Two jobs at 160 kroner an hour of which 50 % are refunded; the second ends after half of its 26 weeks (E11)."""
    world = World(FAR_AHEAD)
    hourly, weeks = 16_000, 52
    first = world.commit(
        date(2026, 1, 1), date(2026, 12, 31), effective_hours_per_week="8", amount_ore=8 * hourly * weeks // 2
    )
    second = world.commit(date(2026, 7, 1), date(2026, 7, 1) + 26 * 7 * DAY, amount_ore=125 * hourly * 26 // 10 // 2)
    placement_id = world.start(date(2026, 7, 1), grant_id=second)

    def utilisation() -> str:
        drawn = sum(world.one(Grant, key).amount_ore for key in (first, second))
        return f"{drawn / 10_000_000:.1%}"

    assert utilisation() == "59.3%"
    world.ask(placement_id, EndFlexjob, date(2026, 7, 1) + 13 * 7 * DAY, reason_code="resigned")

    assert utilisation() == "46.3%"
