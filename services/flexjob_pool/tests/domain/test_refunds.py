"""Refunds of wages: once a month, within the grant, and whole when reversed."""

from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexjob_pool.domain.grants import Grant
from flexjob_pool.domain.refunds import Refund, share_of
from flexjob_pool.domain.refusals import CodeNotInForce, NotRegistered
from flexjob_pool.domain.refusals.money import (
    AlreadyReversed,
    GrantUnknown,
    GrantUsedUp,
    MonthOutsideGrant,
    MonthRefundedAlready,
    RefundBeforeGrant,
    RefundExists,
    ReversedBeforePosted,
)
from flexjob_pool.requests.flexjobs import EndFlexjob
from flexjob_pool.requests.grants import PostRefund, ReverseRefund
from services.flexjob_pool.tests.domain.conftest import DAY, END, FIRST, TODAY, World

COMMITTED = date(2026, 2, 1)


@given(wage=st.integers(0, 10**13), share=st.decimals(0, 1, places=4))
def test_a_refund_is_the_share_of_the_wage_half_up_to_the_ore(wage: int, share: Decimal) -> None:
    ten_thousandths = int(share * 10_000)

    assert share_of(wage, share) == (2 * wage * ten_thousandths + 10_000) // 20_000


def test_a_refund_follows_the_rules_that_the_application_was_approved_under() -> None:
    world = World()
    grant_id = world.commit()
    world.adopt(date(2026, 1, 25), refund_share="0.9")

    world.ask(refund_id := uuid4(), PostRefund, TODAY, grant_id=grant_id, payroll_month="2026-07", wage_ore=300_001)

    refund = world.one(Refund, refund_id)
    assert (refund.refund_ore, refund.status) == (150_001, "posted")
    assert world.one(Grant, grant_id).refunded_in(2026) == 150_001


@pytest.mark.parametrize(
    ("month", "within"), [("2026-06", False), ("2026-07", True), ("2027-06", True), ("2027-07", False)]
)
def test_a_month_is_refunded_within_the_period_of_the_grant(month: str, within: bool) -> None:
    world = World()
    ask = {"grant_id": world.commit(FIRST, END), "payroll_month": month, "wage_ore": 2000}

    if within:
        assert world.ask(uuid4(), PostRefund, TODAY, **ask)
    else:
        assert world.refused(uuid4(), PostRefund, TODAY, **ask) == {MonthOutsideGrant}


def test_a_refund_is_posted_once_from_a_grant_that_has_been_given() -> None:
    world = World()
    ask = {"grant_id": world.commit(day=COMMITTED), "payroll_month": "2026-07", "wage_ore": 2000}

    assert world.refused(uuid4(), PostRefund, COMMITTED - DAY, **ask) == {RefundBeforeGrant}
    world.ask(refund_id := uuid4(), PostRefund, COMMITTED, **ask)

    assert world.refused(refund_id, PostRefund, COMMITTED, **ask) == {RefundExists}
    assert world.refused(uuid4(), PostRefund, COMMITTED, **ask) == {MonthRefundedAlready}
    assert world.refused(uuid4(), PostRefund, COMMITTED, **{**ask, "grant_id": uuid4()}) == {GrantUnknown}


def test_a_fiscal_year_refunds_what_it_was_allocated_and_no_more() -> None:
    world = World()
    grant_id = world.commit(date(2026, 12, 1), date(2027, 2, 1), amount_ore=62_000)

    def refund(month: str, wage_ore: int) -> dict[str, object]:
        return {"grant_id": grant_id, "payroll_month": month, "wage_ore": wage_ore}

    assert world.refused(uuid4(), PostRefund, TODAY, **refund("2026-12", 62_001)) == {GrantUsedUp}
    assert world.ask(uuid4(), PostRefund, TODAY, **refund("2026-12", 62_000))
    assert world.ask(uuid4(), PostRefund, TODAY, **refund("2027-01", 62_000))


def test_a_released_grant_refunds_what_it_kept() -> None:
    world = World()
    grant_id = world.commit(date(2026, 7, 1), date(2026, 10, 9), amount_ore=100_000)
    placement_id = world.start(date(2026, 7, 1), grant_id=grant_id)
    world.ask(placement_id, EndFlexjob, date(2026, 7, 26), reason_code="other")
    ask = {"grant_id": grant_id, "payroll_month": "2026-07"}

    assert world.refused(uuid4(), PostRefund, TODAY, **ask, wage_ore=50_001) == {GrantUsedUp}
    assert world.ask(uuid4(), PostRefund, TODAY, **ask, wage_ore=50_000)


def a_refund(world: World) -> tuple[UUID, dict[str, object]]:
    ask = {"grant_id": world.commit(), "payroll_month": "2026-07", "wage_ore": 2000}
    world.ask(refund_id := uuid4(), PostRefund, TODAY, **ask)
    return refund_id, ask


def test_a_refund_is_reversed_once_and_whole() -> None:
    world = World()
    refund_id, ask = a_refund(world)

    assert world.refused(refund_id, ReverseRefund, TODAY - DAY, reason_code="mood") == {
        ReversedBeforePosted,
        CodeNotInForce,
    }
    [event] = world.ask(refund_id, ReverseRefund, TODAY, reason_code="wage_corrected")

    assert event.model_dump()["refund_ore"] == 1000
    assert world.one(Refund, refund_id).status == "reversed"
    assert world.refused(refund_id, ReverseRefund, TODAY, reason_code="other") == {AlreadyReversed}
    assert world.refused(uuid4(), ReverseRefund, TODAY, reason_code="other") == {NotRegistered}
    assert world.ask(uuid4(), PostRefund, TODAY, **ask)
