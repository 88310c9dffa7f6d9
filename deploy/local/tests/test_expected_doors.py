"""Needs, reviews, Job7, staff and money: what they must come to, told as stories that can be counted on fingers."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from local.actions.action import Action
from local.actions.flexjobs import EndFlexjob, HoldReview, StartFlexjob
from local.actions.pool import AdjustBudget, AdjustGrant, AllocateBudget, Apply, CommitGrant, ReleaseGrant
from local.actions.workplaces import PlaceCandidate, ReportNeed, RequestCandidate, TakeSnapshot
from local.expected.figures import expected_figures
from local.expected.value import Figure, Value

FIRST = date(2025, 9, 1)
FOREVER = date(2035, 1, 1)


def after(days: int) -> date:
    return FIRST + timedelta(days=days)


def ref(number: int) -> UUID:
    return UUID(int=number, version=4)


def start(number: int, on: date, *, need: int | None = None, entered: date | None = None) -> StartFlexjob:
    return StartFlexjob(
        registered_on=entered or on,
        occurred_on=on,
        placement_id=ref(number),
        person_ref=ref(100 + number),
        need_id=ref(need) if need else None,
        department="Senior",
        workplace_unit="Åhaven",
        attendance_hours_per_week=Decimal(37),
        effective_hours_per_week=Decimal(8),
        grant_term="temporary_5y",
        retention=False,
    )


def need(number: int, on: date, *, unit: str = "Åhaven") -> ReportNeed:
    return ReportNeed(
        registered_on=on,
        occurred_on=on,
        need_id=ref(number),
        department="Senior",
        workplace_unit=unit,
        task_codes=("care",),
        effective_hours_per_week_from=Decimal(4),
        effective_hours_per_week_to=Decimal(9),
    )


def figure(name: str, *actions: Action, as_of: date, known_on: date = FOREVER) -> Figure:
    return expected_figures(actions, as_of=as_of, known_on=known_on)[name]


def share(over: int, under: int) -> Value:
    return Value(round(Decimal(over) / under, 6), Decimal(over), Decimal(under))


def days(median: str | None, of: int) -> Value:
    return Value(None if median is None else Decimal(median), denominator=Decimal(of))


def test_days_to_fill_are_the_median_over_the_needs_that_are_filled() -> None:
    story = (
        need(50, FIRST), need(51, FIRST), need(52, FIRST, unit="Elim"), need(53, FIRST),
        start(1, after(20), need=50), start(2, after(31), need=51), start(3, after(90), need=52),
    )  # fmt: skip

    assert figure("F6", *story, as_of=after(19)).whole == days(None, 0)
    assert figure("F6", *story, as_of=after(31)).whole == days("25.5", 2)
    assert figure("F6", *story, as_of=after(90)).whole == days("31", 3)
    assert figure("F6", *story, as_of=after(90)).cuts["workplace_unit"] == {
        "Åhaven": days("25.5", 2),
        "Elim": days("90", 1),
    }


def held(kind: str, on: date) -> HoldReview:
    return HoldReview(registered_on=on, occurred_on=on, placement_id=ref(1), review_kind=kind, outcome_code="continues")


def test_a_review_is_due_after_30_months_of_the_calendar_clamped_and_a_status_after_54() -> None:
    job = start(1, date(2025, 8, 31))

    assert figure("F7", job, as_of=date(2028, 2, 28)).cuts["review_kind"] == {}
    assert figure("F7", job, as_of=date(2028, 2, 29)).cuts["review_kind"] == {"m30": share(0, 1)}
    assert figure("F7", job, as_of=date(2030, 2, 28)).cuts["review_kind"].keys() == {"m30", "m54"}


def test_a_review_counts_once_it_is_called_for_and_when_it_is_held_in_time() -> None:
    job, due = start(1, FIRST), date(2028, 3, 1)

    assert figure("F7", job, as_of=due, known_on=due - timedelta(days=91)).whole.denominator == 0
    assert figure("F7", job, as_of=due, known_on=due - timedelta(days=90)).whole == share(0, 1)
    assert figure("F7", job, held("m30", due), as_of=due).whole == share(1, 1)
    assert figure("F7", job, held("m30", due + timedelta(days=1)), as_of=due + timedelta(days=1)).whole == share(0, 1)


def test_a_review_of_a_flexjob_that_is_over_by_its_day_counts_nowhere() -> None:
    end = EndFlexjob(
        registered_on=date(2028, 3, 1), occurred_on=date(2028, 3, 1), placement_id=ref(1), reason_code="resigned"
    )

    assert figure("F7", start(1, FIRST), end, as_of=date(2028, 3, 1)).whole.denominator == 0


def test_what_fell_due_before_the_flexjob_was_entered_is_nobodys_fault() -> None:
    late = start(1, date(2020, 1, 15), entered=date(2025, 1, 3))

    assert figure("F7", late, as_of=date(2025, 1, 14)).whole.denominator == 0
    assert figure("F7", late, as_of=date(2025, 1, 15)).whole == share(0, 1)


def test_an_early_talk_puts_the_next_review_off() -> None:
    early = held("early", date(2027, 6, 1))

    assert figure("F7", start(1, FIRST), early, as_of=date(2029, 11, 30)).whole.denominator == 0
    assert figure("F7", start(1, FIRST), early, as_of=date(2029, 12, 1)).whole == share(0, 1)


def asked(number: int, on: date, to: str, *, asking: str = "621") -> RequestCandidate:
    return RequestCandidate(
        registered_on=on, occurred_on=on, request_id=ref(number), from_municipality=asking, to_municipality=to
    )


def placed(number: int, on: date) -> PlaceCandidate:
    return PlaceCandidate(
        registered_on=on, occurred_on=on, request_id=ref(number), person_ref=ref(7), placement_id=ref(8)
    )


@pytest.mark.parametrize(("waited", "in_time"), [(90, 1), (91, 0)])
def test_a_candidate_counts_when_90_days_have_passed_and_in_time_when_placed_by_then(waited: int, in_time: int) -> None:
    story = (asked(1, FIRST, "607"), placed(1, after(waited)), asked(2, FIRST, "630", asking="410"))

    assert figure("F9", *story, as_of=after(89)).whole.denominator == 0
    assert figure("F9", *story, as_of=after(91)) == Figure(
        share(in_time, 1), {"to_municipality": {"607": share(in_time, 1)}}
    )


def count(department: str, on: date, headcount: int) -> TakeSnapshot:
    return TakeSnapshot(
        registered_on=on,
        occurred_on=on,
        department=department,
        headcount=headcount,
        fte=Decimal(headcount) * Decimal("0.75"),
        trainee_headcount=headcount // 10,
        wage_subsidy_headcount=0,
    )


def test_the_last_count_of_each_department_stands_and_flexjobs_are_counted_on_its_day() -> None:
    story = (count("Senior", FIRST, 40), count("Teknik", FIRST, 60), count("Senior", after(30), 50), start(1, after(5)))

    assert figure("E1", *story, as_of=after(29)).whole.value == 100
    assert figure("E1", *story, as_of=after(30)).whole.value == 110
    assert figure("E1f", *story, as_of=after(30)).whole.value == Decimal("82.5")
    assert figure("E2", *story, as_of=after(30)).whole == share(11, 110)
    assert figure("F2", *story, as_of=after(29)).whole == share(0, 100)
    assert figure("F2", *story, as_of=after(30)).cuts["department"] == {"Senior": share(1, 50), "Teknik": share(0, 60)}


BUDGET = AllocateBudget(registered_on=FIRST, occurred_on=FIRST, budget_id=ref(1), fiscal_year=2025, amount_ore=1000)
ASKED = Apply(
    registered_on=FIRST,
    occurred_on=FIRST,
    application_id=ref(2),
    department="Senior",
    workplace_unit="Åhaven",
    effective_hours_per_week=Decimal(8),
    months=2,
    amount_ore=400,
)
GRANT = CommitGrant(
    registered_on=FIRST,
    occurred_on=FIRST,
    grant_id=ref(3),
    application_id=ref(2),
    period_from=after(10),
    period_to=after(50),
)


def test_a_budget_and_a_grant_are_what_they_were_last_adjusted_to_and_a_release_is_for_good() -> None:
    raised = AdjustBudget(registered_on=after(2), occurred_on=after(2), budget_id=ref(1), amount_ore=2000)
    less = AdjustGrant(
        registered_on=after(3),
        occurred_on=after(3),
        grant_id=ref(3),
        amount_ore=300,
        period_from=after(10),
        period_to=after(40),
    )
    back = ReleaseGrant(registered_on=after(4), occurred_on=after(4), grant_id=ref(3))
    told = [figure("F5", BUDGET, ASKED, GRANT, raised, less, back, as_of=after(day)).whole.value for day in range(5)]

    assert told == [Decimal("0.4"), Decimal("0.4"), Decimal("0.2"), Decimal("0.15"), 0]


def test_an_end_registered_late_frees_money_from_the_day_of_the_grant_at_the_earliest() -> None:
    job = replace(start(4, after(10)), grant_id=ref(3))
    end = EndFlexjob(registered_on=after(40), occurred_on=after(20), placement_id=ref(4), reason_code="resigned")
    told = [figure("F5", BUDGET, ASKED, GRANT, job, end, as_of=after(day)).whole.value for day in (19, 20)]

    assert told == [Decimal("0.4"), Decimal("0.1")]
