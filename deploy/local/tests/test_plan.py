"""The plan is a pure function of its seed, and tells the story that it promises."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.catalogue import EVENTS
from local import demo
from local.actions.action import Action, Dated
from local.actions.flexjobs import ChangeHours, EndFlexjob, HoldReview, StartFlexjob
from local.actions.payroll import ChangeWorkingTime, EmploymentMessage, Message
from local.actions.pool import CommitGrant, Reject
from local.actions.undo import Correct, Retract
from local.actions.workplaces import RequestCandidate
from local.expected.figures import expected_figures
from local.expected.known import known_at_the_end_of
from local.plan import payroll
from local.plan.chance import FIRST_DAY, LAST_DAY, MONTH_ENDS, OPENING_DAY, Chance
from local.plan.funding import in_vain
from local.plan.jobs import CAUSES_DOWN, CAUSES_UP, END_REASONS
from local.plan.towns import KOLDING, VEJLE
from local.plan.year import plan_year, plan_years

YEAR, NEIGHBOUR = plan_years(2025, 600)
seeds = st.integers(0, 10**9)

# What a caseworker or payroll registers becomes this event, and the rest follows from it.
BECOMES = {
    "AdoptRules": "pool.rules_adopted",
    "AllocateBudget": "pool.budget_allocated",
    "AdjustBudget": "pool.budget_adjusted",
    "ReportNeed": "need.reported",
    "WithdrawNeed": "need.withdrawn",
    "ProposeCandidate": "candidate.proposed",
    "Apply": "application.submitted",
    "Approve": "application.approved",
    "Reject": "application.rejected",
    "WithdrawApplication": "application.withdrawn",
    "AnnulApproval": "application.approval_annulled",
    "CommitGrant": "grant.committed",
    "AdjustGrant": "grant.adjusted",
    "ReleaseGrant": "grant.released",
    "PostRefund": "refund.posted",
    "ReverseRefund": "refund.reversed",
    "StartFlexjob": "flexjob.started",
    "ChangeHours": "flexjob.hours_changed",
    "Transfer": "flexjob.transferred",
    "TakeStep": "flexjob.development_step",
    "HoldReview": "flexjob.review_held",
    "ObtainOrdinaryEmployment": "ordinary_employment.obtained",
    "EndFlexjob": "flexjob.ended",
    "RequestCandidate": "job7.candidate_requested",
    "OfferCandidate": "job7.candidate_offered",
    "PlaceCandidate": "job7.candidate_placed",
    "HoldAwarenessSession": "awareness.session_held",
    "TakeSnapshot": "workforce.snapshot_taken",
    "ChangeWorkingTime": "payroll.working_time_changed",
    "EndEmployment": "payroll.employment_ended",
    "Retract": "event.retracted",
}
BY_ITSELF = {"flexjob.review_due", "service.heartbeat"}
ELSEWHERE = ("placement.",)


@given(seed=seeds, people=st.integers(0, 40))
@settings(max_examples=10, deadline=None)
def test_the_same_seed_tells_the_same_years(seed: int, people: int) -> None:
    assert plan_years(seed, people) == plan_years(seed, people)


def test_another_seed_and_another_town_tell_another_year() -> None:
    assert plan_year(1, KOLDING, 10).actions != plan_year(2, KOLDING, 10).actions
    assert not {*plan_year(1, KOLDING, 10).actions} & {*plan_year(1, VEJLE, 10).actions}


@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_every_day_lies_in_the_year_and_only_payroll_knows_the_future(seed: int) -> None:
    actions = plan_year(seed, KOLDING, 40).actions

    assert [action.registered_on for action in actions] == sorted(action.registered_on for action in actions)
    assert all(FIRST_DAY <= action.registered_on <= LAST_DAY for action in actions)
    assert all(action.occurred_on <= action.registered_on for action in actions if isinstance(action, Dated))
    assert all(action.told_on <= action.registered_on for action in actions if isinstance(action, Message))


@given(seed=seeds, number=st.integers(0, 5))
def test_nothing_that_comes_to_nothing_begins_before_the_year(seed: int, number: int) -> None:
    assert all(action.registered_on >= OPENING_DAY for action in in_vain(Chance(seed), KOLDING, number))


def test_the_agenda_holds_every_action_of_the_cases_on_its_day() -> None:
    noted = Counter(action for day, today in YEAR.agenda.items() for case in today for action in case)

    assert noted == Counter(action for case in YEAR.cases for action in case)
    assert all(action.registered_on == day for day, today in YEAR.agenda.items() for case in today for action in case)


@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_hours_change_only_between_start_and_end_in_order_and_never_to_the_same(seed: int) -> None:
    lives: dict[UUID, list[StartFlexjob | ChangeHours | EndFlexjob]] = defaultdict(list)
    for case in plan_year(seed, KOLDING, 40).cases:
        for action in case:
            if isinstance(action, StartFlexjob | ChangeHours | EndFlexjob):
                lives[action.placement_id].append(action)

    for life in lives.values():
        hours = [
            (step.attendance_hours_per_week, step.effective_hours_per_week)
            for step in life
            if not isinstance(step, EndFlexjob)
        ]
        days = [step.occurred_on for step in life]
        assert isinstance(life[0], StartFlexjob)
        assert all(attendance >= effective > 0 for attendance, effective in hours)
        assert all(before != after for before, after in pairwise(hours))
        assert all(before < after for before, after in pairwise(days))


@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_what_is_undone_was_registered_before_and_stands(seed: int) -> None:
    standing: set[Action] = set()
    for action in plan_year(seed, KOLDING, 100).actions:
        if isinstance(action, Correct | Retract):
            standing.remove(action.action)
        if isinstance(action, Retract) and isinstance(action.action, Correct):
            standing.add(action.action.action)
        standing.add(action)


@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_every_correction_changes_something(seed: int) -> None:
    for correction in (action for action in plan_year(seed, KOLDING, 100).actions if isinstance(action, Correct)):
        corrected = correction.action
        said = dict(corrected.values) if isinstance(corrected, Correct) else {}
        original = corrected.action if isinstance(corrected, Correct) else corrected
        assert any(said.get(name, getattr(original, name)) != value for name, value in correction.values)


@given(seed=seeds, people=st.integers(0, 40))
@settings(max_examples=3, deadline=None)
def test_no_budget_is_ever_overdrawn(seed: int, people: int) -> None:
    actions = plan_year(seed, VEJLE, people).actions

    for day in MONTH_ENDS:
        utilisation = expected_figures(actions, municipality="630", as_of=day, known_on=day)["F5"]
        assert all(share.value is not None and share.value <= 1 for share in utilisation.cuts["fiscal_year"].values())


def test_every_event_of_the_pool_and_of_payroll_occurs() -> None:
    for year in (YEAR, NEIGHBOUR):
        told = {BECOMES[name] for action in year.actions if (name := type(action).__name__) in BECOMES}
        names = {model.contract.name for model in EVENTS} - BY_ITSELF
        assert told == {name for name in names if not name.startswith(ELSEWHERE)}


def test_every_action_is_known_to_be_an_event_or_to_undo_one() -> None:
    assert {type(action).__name__ for action in YEAR.actions} == {*BECOMES, "Correct", "TakeBack", "MatchEmployment"}


def test_the_year_holds_what_a_pool_meets() -> None:
    late = [a for a in YEAR.actions if isinstance(a, ChangeHours | EndFlexjob) and a.registered_on > a.occurred_on]
    grants = [action for action in YEAR.actions if isinstance(action, CommitGrant)]
    starts = [action for action in YEAR.actions if isinstance(action, StartFlexjob)]

    assert {action.reason_code for action in YEAR.actions if isinstance(action, EndFlexjob)} >= set(END_REASONS)
    assert len({action.reject_code for action in YEAR.actions if isinstance(action, Reject)}) == 3
    assert {start.department for start in starts} == set(KOLDING.workplaces)
    assert len({start.person_ref for start in starts}) < len(starts)
    assert late
    assert {len({g.period_from.year, g.period_to.year}) for g in grants} == {1, 2}
    assert {start.scheme for start in starts} == {"pre2013", "post2013"}
    assert {review.review_kind for review in YEAR.actions if isinstance(review, HoldReview)} == {"m30", "m54", "early"}
    assert {r.from_municipality == "621" for r in YEAR.actions if isinstance(r, RequestCandidate)} == {True, False}


def test_the_demo_is_of_1500_people_at_every_one_of_120_workplaces_and_of_the_neighbours_30() -> None:
    starts = [
        [known for known in known_at_the_end_of(LAST_DAY, year.actions) if isinstance(known, StartFlexjob)]
        for year in plan_years(demo.SEED, demo.PEOPLE)
    ]

    assert [len({(start.department, start.workplace_unit) for start in there}) for there in starts] == [120, 30]
    assert len({start.person_ref for there in starts for start in there}) == pytest.approx(1500, rel=0.02)


def test_corrections_are_corrected_and_taken_back_months_later() -> None:
    corrections = [action for action in YEAR.actions if isinstance(action, Correct)]
    retracted = [action.action for action in YEAR.actions if isinstance(action, Retract)]
    corrected = {type(action.action) for action in corrections}
    fields = {name for action in corrections for name, _ in action.values}

    assert {"occurred_on", "effective_hours_per_week", "cause", "person_ref", "department", "reason_code"} <= fields
    assert Correct in corrected
    assert Correct in map(type, retracted)
    assert {StartFlexjob, ChangeHours, EndFlexjob} <= set(map(type, retracted))
    assert any(each.registered_on - each.action.registered_on > timedelta(days=60) for each in corrections)


def test_payroll_meets_every_twist() -> None:
    messages = [action for action in YEAR.actions if isinstance(action, EmploymentMessage)]
    copies = Counter(message.message_id for message in messages)
    told = [message for message in messages if isinstance(message, ChangeWorkingTime)]

    assert len(payroll.TWISTS) == 14
    assert max(copies.values()) == 2
    assert any(message.registered_on - message.occurred_on > timedelta(days=40) for message in told)
    assert any(message.occurred_on - message.registered_on > timedelta(days=60) for message in told)
    assert any(message.registered_on > message.told_on + timedelta(days=40) for message in told)
    assert any(message.corrects for message in messages)
    assert {message.ends_on is None for message in told} == {True, False}


def test_the_year_gives_no_figure_an_easy_answer() -> None:
    figures = expected_figures(YEAR.actions, as_of=LAST_DAY, known_on=LAST_DAY)
    weeks = {share.value for indicator in ("J4", "J4e") for share in figures[indicator].cuts["weeks"].values()}

    assert all(share and 0 < share < 1 for share in weeks)
    assert all(0 < (figures[name].whole.value or 0) < 1 for name in ("J3", "J3r", "F2", "F5", "F7", "F8", "F9", "E2"))
    assert set(figures["F3"].cuts["cause"]) == {*CAUSES_UP, *CAUSES_DOWN, "other_job", "not_stated"}


def test_what_was_thought_in_summer_is_restated_by_the_end_of_the_year() -> None:
    summer = date(2025, 6, 30)
    then, now = (expected_figures(YEAR.actions, as_of=summer, known_on=day) for day in (summer, LAST_DAY))

    # By summer few grants are given, and few candidates were asked for 90 days before.
    assert {name for name in then if then[name] == now[name]} <= {"F5", "F9"}


def test_a_small_year_leaves_no_figure_silent_either() -> None:
    for seed in range(5):
        figures = expected_figures(plan_year(seed, KOLDING, 100).actions, as_of=LAST_DAY, known_on=LAST_DAY)
        assert {name for name, figure in figures.items() if not figure.whole.value} == set()


def test_pauses_between_jobs_are_as_long_as_they_may_be_and_a_day_longer() -> None:
    starts = [action for action in YEAR.actions if isinstance(action, StartFlexjob)]
    person_of = {start.placement_id: start.person_ref for start in starts}
    pauses = {
        (start.occurred_on - end.occurred_on).days
        for end in YEAR.actions
        if isinstance(end, EndFlexjob)
        for start in starts
        if start.person_ref == person_of[end.placement_id]
    }

    assert {0, 28, 29} <= pauses
