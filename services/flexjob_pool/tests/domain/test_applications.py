"""Applications and their one decision."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexjob_pool.domain.applications import Application
from flexjob_pool.domain.grants import Grant
from flexjob_pool.domain.refusals import CodeNotInForce, NotRegistered
from flexjob_pool.domain.refusals.applications import (
    AlreadyDecided,
    AnnulledBeforeApproval,
    ApplicationExists,
    ApplicationIsWithdrawn,
    BeforeSubmission,
    GrantStillDraws,
    HoursAboveMaximum,
    MonthsAboveMaximum,
    NoRulesInForce,
    NotApproved,
    UnitNotEligible,
)
from flexjob_pool.requests.applications import AnnulApproval, Apply, Approve, Reject, WithdrawApplication
from flexjob_pool.requests.ask import Ask
from flexjob_pool.requests.grants import CommitGrant, ReleaseGrant
from services.flexjob_pool.tests.domain.conftest import DAY, UNIT, World, names

DECIDED = date(2026, 2, 1)
SUBMITTED = date(2026, 1, 10)


@given(
    hours=st.decimals(1, 168, places=2),
    months=st.integers(1, 120),
    department=st.sampled_from(["Senior", "Teknik"]),
)
def test_an_approval_is_refused_for_all_that_excludes_it_at_once(hours: Decimal, months: int, department: str) -> None:
    world = World()
    world.adopt()
    application_id = world.apply(effective_hours_per_week=hours, months=months, department=department)
    expected = {
        kind
        for kind, excluded in {
            UnitNotEligible: department != "Senior",
            HoursAboveMaximum: hours > 20,
            MonthsAboveMaximum: months > 12,
        }.items()
        if excluded
    }

    if expected:
        assert world.refused(application_id, Approve, DECIDED) == expected
    else:
        assert names(world.ask(application_id, Approve, DECIDED)) == ["application.approved"]


def test_a_listed_workplace_is_eligible_as_one_in_a_listed_department_is() -> None:
    world = World()
    world.adopt(eligible_units=["Aahaven"])

    assert world.approve()


def test_an_application_is_decided_under_the_rules_of_the_day_of_decision() -> None:
    world = World()
    world.adopt()
    world.adopt(date(2026, 3, 1), max_weekly_effective_hours="10")
    first, second = world.apply(), world.apply()

    [approved] = world.ask(first, Approve, date(2026, 2, 28))

    assert approved.model_dump()["rules_version"] == world.one(Application, first).rules_version == 1
    assert world.refused(second, Approve, date(2026, 3, 1)) == {HoursAboveMaximum}
    assert world.refused(second, Approve, date(2026, 1, 9)) == {BeforeSubmission}


def test_nothing_is_decided_on_a_day_without_rules() -> None:
    world = World()
    world.adopt(DECIDED)
    application_id = world.apply()

    assert world.refused(application_id, Approve, DECIDED - DAY) == {NoRulesInForce}
    assert world.refused(application_id, Reject, DECIDED - DAY, reject_code="other") == {NoRulesInForce}


@pytest.mark.parametrize(("first", "values"), [(Approve, {}), (Reject, {"reject_code": "other"})])
def test_an_application_is_decided_once(first: type[Ask], values: dict[str, str]) -> None:
    world = World()
    world.adopt()
    application_id = world.apply()
    world.ask(application_id, first, DECIDED, **values)

    assert world.refused(application_id, Approve, DECIDED) == {AlreadyDecided}
    assert world.refused(application_id, Reject, DECIDED, reject_code="other") == {AlreadyDecided}
    assert world.refused(application_id, WithdrawApplication, DECIDED) == {AlreadyDecided}


def test_an_application_may_be_withdrawn_until_it_is_decided() -> None:
    world = World()
    world.adopt()
    application_id = world.apply(SUBMITTED)

    assert world.refused(application_id, WithdrawApplication, SUBMITTED - DAY) == {BeforeSubmission}
    assert names(world.ask(application_id, WithdrawApplication, SUBMITTED)) == ["application.withdrawn"]

    application = world.one(Application, application_id)
    assert (application.status, application.withdrawn_on) == ("withdrawn", SUBMITTED)
    assert world.refused(application_id, Approve, DECIDED) == {ApplicationIsWithdrawn}
    assert world.refused(application_id, WithdrawApplication, DECIDED) == {ApplicationIsWithdrawn}


def test_a_rejection_needs_a_code_of_the_list_and_keeps_it() -> None:
    world = World()
    world.adopt()
    application_id = world.apply()

    assert world.refused(application_id, Reject, DECIDED, reject_code="mood") == {CodeNotInForce}
    world.ask(application_id, Reject, DECIDED, reject_code="no_match")

    application = world.one(Application, application_id)
    assert (application.status, application.decided_on, application.reject_code) == ("rejected", DECIDED, "no_match")


def test_an_application_is_made_once_and_decided_only_if_it_was_made() -> None:
    world = World()
    application_id = world.apply()
    wish = {**UNIT, "effective_hours_per_week": "8", "months": 12, "amount_ore": 1}

    assert world.refused(application_id, Apply, SUBMITTED, **wish) == {ApplicationExists}
    assert world.refused(uuid4(), Approve, DECIDED) == {NotRegistered}


def test_only_an_approval_is_annulled_and_only_once() -> None:
    world = World()
    application_id = world.approve(DECIDED)

    assert world.refused(world.apply(), AnnulApproval, DECIDED, reason_code="other") == {NotApproved}
    assert world.refused(application_id, AnnulApproval, DECIDED - DAY, reason_code="mood") == {
        AnnulledBeforeApproval,
        CodeNotInForce,
    }
    assert world.ask(application_id, AnnulApproval, DECIDED, reason_code="not_used")

    application = world.one(Application, application_id)
    assert (application.status, application.annulled_on, application.reason_code) == ("annulled", DECIDED, "not_used")
    assert world.refused(application_id, AnnulApproval, DECIDED, reason_code="other") == {NotApproved}
    assert world.refused(application_id, Approve, DECIDED) == {AlreadyDecided}
    period = {"application_id": application_id, "period_from": date(2026, 7, 1), "period_to": date(2026, 8, 1)}
    assert world.refused(uuid4(), CommitGrant, DECIDED, **period) == {NotApproved}


def test_an_approval_stands_as_long_as_a_grant_draws_because_of_it() -> None:
    world = World()
    grant_id = world.commit()
    application_id = world.one(Grant, grant_id).application_id
    released = date(2026, 3, 1)

    assert world.refused(application_id, AnnulApproval, released, reason_code="not_used") == {GrantStillDraws}
    world.ask(grant_id, ReleaseGrant, released)

    assert world.refused(application_id, AnnulApproval, released - DAY, reason_code="not_used") == {GrantStillDraws}
    assert world.ask(application_id, AnnulApproval, released, reason_code="not_used")


def test_an_approval_that_paid_for_a_flexjob_in_part_stands() -> None:
    world = World()
    grant_id = world.commit()
    world.start(grant_id=grant_id)
    world.ask(grant_id, ReleaseGrant, date(2026, 9, 1))
    application_id = world.one(Grant, grant_id).application_id

    assert world.refused(application_id, AnnulApproval, date(2026, 9, 1), reason_code="not_used") == {GrantStillDraws}
