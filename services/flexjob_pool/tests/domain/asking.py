"""Anything that may be asked, and a municipality in which something is going on already."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from flexjob_pool.domain.case import Key
from flexjob_pool.requests import applications, budgets, flexjobs, grants, job7, needs, reviews, rules
from flexjob_pool.requests.ask import Ask
from services.flexjob_pool.tests.domain.conftest import DAY, UNIT, asked

FIRST_DAY = date(2026, 1, 1)


def ids(noun: int, most: int) -> list[UUID]:
    """A few ids, so that what is asked often concerns the same."""
    return [UUID(int=noun << 64 | number) for number in range(1, most + 1)]


NEEDS, WISHES, GRANTS, REFUNDS, JOBS, REVIEWS, REQUESTS, PERSONS, EMPLOYMENTS, BUDGETS = (
    ids(noun, most) for noun, most in enumerate([2, 5, 3, 4, 3, 2, 1, 2, 1, 1], start=1)
)
SOME_DAY = st.integers(0, 25).map(lambda n: FIRST_DAY + n * 30 * DAY)
UNITS = st.sampled_from([UNIT, {"department": "Teknik", "workplace_unit": "Vej"}])
HOURS = st.sampled_from(["4", "8", "12.5", "25"])
AMOUNTS = st.integers(1, 300_000)
PERIODS = st.sampled_from(
    [
        {"period_from": FIRST_DAY + start * DAY, "period_to": FIRST_DAY + (start + days) * DAY}
        for start in (0, 30, 200)
        for days in (0, 180, 365)
    ]
)


def asking(
    keys: Sequence[Key],
    kind: type[Ask],
    *parts: st.SearchStrategy[dict[str, Any]],
    **values: st.SearchStrategy[Any],
) -> st.SearchStrategy[tuple[Key, Ask]]:
    """Something to ask about one of some resources; parts are fields that go together."""
    fields = st.tuples(st.fixed_dictionaries({"occurred_on": SOME_DAY, **values}), *parts)
    asks = fields.map(lambda given: kind.model_validate({name: one for part in given for name, one in part.items()}))
    return st.tuples(st.sampled_from(keys), asks)


def pick(keys: list[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(keys)


HOURS_ASKED = {"attendance_hours_per_week": st.just("25"), "effective_hours_per_week": HOURS}
ANYTHING = st.one_of(
    asking(
        REFUNDS,
        grants.PostRefund,
        grant_id=pick(GRANTS),
        payroll_month=pick(["2026-03", "2026-12", "2027-01"]),
        wage_ore=AMOUNTS,
    ),
    asking(REFUNDS, grants.ReverseRefund, reason_code=pick(["other"])),
    asking(GRANTS, grants.CommitGrant, PERIODS, application_id=pick(WISHES)),
    asking(GRANTS, grants.AdjustGrant, PERIODS, amount_ore=AMOUNTS),
    asking(GRANTS, grants.ReleaseGrant),
    asking(
        JOBS,
        flexjobs.StartFlexjob,
        UNITS,
        person_ref=pick(PERSONS),
        grant_id=pick([None, *GRANTS]),
        need_id=pick([None, *NEEDS]),
        grant_term=pick(["temporary_5y", "permanent"]),
        retention=st.booleans(),
        scheme=pick(["post2013"]),
        **HOURS_ASKED,
    ),
    asking(JOBS, flexjobs.ChangeHours, cause=pick(["task_match"]), **HOURS_ASKED),
    asking(JOBS, flexjobs.PayHours, employment_ref=pick(EMPLOYMENTS), **HOURS_ASKED),
    asking(JOBS, flexjobs.Transfer, UNITS),
    asking(JOBS, flexjobs.TakeDevelopmentStep, step_code=pick(["mentor"])),
    asking(JOBS, flexjobs.ObtainOrdinaryEmployment, effective_hours_per_week=HOURS),
    asking(JOBS, flexjobs.EndFlexjob, reason_code=pick(["other"])),
    asking(JOBS, flexjobs.PayEnd, employment_ref=pick(EMPLOYMENTS)),
    asking(
        REVIEWS,
        reviews.HoldReview,
        placement_id=pick(JOBS),
        review_kind=pick(["early", "m30"]),
        outcome_code=pick(["continues"]),
    ),
    asking(WISHES, applications.Apply, UNITS, effective_hours_per_week=HOURS, months=pick([6, 12]), amount_ore=AMOUNTS),
    asking(WISHES, applications.Approve),
    asking(WISHES, applications.Reject, reject_code=pick(["no_match"])),
    asking(WISHES, applications.WithdrawApplication),
    asking(WISHES, applications.AnnulApproval, reason_code=pick(["not_used"])),
    asking(
        [""],
        rules.AdoptRules,
        refund_share=pick(["0.5", "0.3333"]),
        max_weekly_effective_hours=pick([None, "10", "20"]),
        eligible_units=pick([["Senior"]]),
    ),
    asking(BUDGETS, budgets.AdjustBudget, amount_ore=AMOUNTS),
    asking(NEEDS, needs.WithdrawNeed, reason_code=pick(["other"])),
    asking(NEEDS, needs.ProposeCandidate, person_ref=pick(PERSONS)),
    asking(REQUESTS, job7.OfferCandidate, person_ref=pick(PERSONS)),
    asking(REQUESTS, job7.PlaceCandidate, person_ref=pick(PERSONS), placement_id=pick(JOBS)),
)


def beginning() -> Iterator[tuple[Key, Ask]]:
    """A municipality in which something is going on already, so that most of what is asked concerns something."""
    yield "", asked(rules.AdoptRules, FIRST_DAY, refund_share="0.5", eligible_units=["Senior"])
    yield BUDGETS[0], asked(budgets.AllocateBudget, FIRST_DAY, fiscal_year=2026, amount_ore=10**9)
    hours = {"effective_hours_per_week_from": "4", "effective_hours_per_week_to": "12"}
    for need_id in NEEDS:
        yield need_id, asked(needs.ReportNeed, FIRST_DAY, **UNIT, task_codes=["care"], **hours)
    wish = {"effective_hours_per_week": "12.5", "months": 12, "amount_ore": 300_000}
    for application_id in WISHES[:4]:
        yield application_id, asked(applications.Apply, FIRST_DAY, **UNIT, **wish)
    for application_id in WISHES[:2]:
        yield application_id, asked(applications.Approve, FIRST_DAY)
    period = {"period_from": FIRST_DAY, "period_to": FIRST_DAY + 365 * DAY}
    yield GRANTS[0], asked(grants.CommitGrant, FIRST_DAY, application_id=WISHES[0], **period)
    job = {"attendance_hours_per_week": "12", "effective_hours_per_week": "8", "grant_term": "temporary_5y"}
    person = {"person_ref": PERSONS[0], "retention": False, "scheme": "post2013", "grant_id": GRANTS[0]}
    yield JOBS[0], asked(flexjobs.StartFlexjob, FIRST_DAY, **UNIT, **job, **person)
    yield REQUESTS[0], asked(job7.RequestCandidate, FIRST_DAY, from_municipality="621", to_municipality="630")
