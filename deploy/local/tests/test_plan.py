"""The plan is a pure function of its seed, and tells the story that it promises."""

from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from local.actions import Apply, ChangeHours, CommitGrant, EndFlexjob, Reject, StartFlexjob
from local.expected.figures import expected_figures
from local.plan import CAUSES_DOWN, CAUSES_UP, END_REASONS, FIRST_DAY, LAST_DAY, WORKPLACES, plan_year

YEAR = plan_year(2025, 100)
seeds = st.integers(0, 10**9)


@given(seed=seeds, people=st.integers(0, 40))
@settings(max_examples=20, deadline=None)
def test_the_same_seed_tells_the_same_year(seed: int, people: int) -> None:
    assert plan_year(seed, people) == plan_year(seed, people)


def test_another_seed_tells_another_year() -> None:
    assert plan_year(1, 10) != plan_year(2, 10)


@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_every_day_lies_in_the_year_and_nothing_is_registered_before_it_is_true(seed: int) -> None:
    plan = plan_year(seed, 40)

    assert [action.registered_on for action in plan] == sorted(action.registered_on for action in plan)
    assert all(FIRST_DAY <= action.registered_on <= LAST_DAY for action in plan)
    assert all(action.occurred_on <= action.registered_on for action in plan)


@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_hours_change_only_between_start_and_end_in_order_and_never_to_the_same(seed: int) -> None:
    lives: dict[UUID, list[StartFlexjob | ChangeHours | EndFlexjob]] = defaultdict(list)
    for action in plan_year(seed, 40):
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


@given(seed=seeds, people=st.integers(0, 40))
@settings(max_examples=10, deadline=None)
def test_no_budget_is_ever_overdrawn(seed: int, people: int) -> None:
    plan = plan_year(seed, people)

    for month in range(1, 13):
        day = date(2025, month, 28)
        utilisation = expected_figures(plan, as_of=day, known_on=day)["F5"]
        assert all(share.value is not None and share.value <= 1 for share in utilisation.cuts["fiscal_year"].values())


def test_the_year_holds_what_a_pool_meets() -> None:
    kinds = Counter(type(action) for action in YEAR)
    late = [a for a in YEAR if isinstance(a, ChangeHours | EndFlexjob) and a.registered_on > a.occurred_on]
    grants = [action for action in YEAR if isinstance(action, CommitGrant)]
    starts = [action for action in YEAR if isinstance(action, StartFlexjob)]

    assert 90 <= kinds[StartFlexjob] <= 130
    assert {action.reason_code for action in YEAR if isinstance(action, EndFlexjob)} == set(END_REASONS)
    assert len({action.reject_code for action in YEAR if isinstance(action, Reject)}) == 3
    assert {start.department for start in starts} == set(WORKPLACES)
    assert len({start.person_ref for start in starts}) < len(starts)
    assert late
    assert {len({g.period_from.year, g.period_to.year}) for g in grants} == {1, 2}
    assert any(start.grant_id for start in starts)
    assert any(start.occurred_on.year < 2025 for start in starts)


def test_the_year_gives_no_figure_about_jobs_an_easy_answer() -> None:
    figures = expected_figures(YEAR, as_of=LAST_DAY, known_on=LAST_DAY)
    weeks = {share.value for indicator in ("J4", "J4e") for share in figures[indicator].cuts["weeks"].values()}

    assert all(share and 0 < share < 1 for share in weeks)
    assert all(0 < (figures[indicator].whole.value or 0) < 1 for indicator in ("J3", "J3r", "F8"))
    assert set(figures["F3"].cuts["cause"]) == {*CAUSES_UP, *CAUSES_DOWN, "other_job"}


def test_pauses_between_jobs_are_as_long_as_they_may_be_and_a_day_longer() -> None:
    starts = [action for action in YEAR if isinstance(action, StartFlexjob)]
    person_of = {start.placement_id: start.person_ref for start in starts}
    pauses = {
        (start.occurred_on - end.occurred_on).days
        for end in YEAR
        if isinstance(end, EndFlexjob)
        for start in starts
        if start.person_ref == person_of[end.placement_id]
    }

    assert {0, 28, 29} <= pauses


def test_a_request_is_the_path_and_the_body_of_its_door() -> None:
    change = next(action for action in YEAR if isinstance(action, ChangeHours))
    application = next(action for action in YEAR if isinstance(action, Apply))

    path, body = change.request()
    assert path == f"/v1/flexjobs/{change.placement_id}/hours-changes"
    assert body == {
        "occurred_on": change.occurred_on.isoformat(),
        "attendance_hours_per_week": str(change.attendance_hours_per_week),
        "effective_hours_per_week": str(change.effective_hours_per_week),
        "cause": change.cause,
    }
    assert application.request()[1]["amount_ore"] == application.amount_ore
