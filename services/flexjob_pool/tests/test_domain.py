"""The rules alone: no clock, no database."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.event import DatedEvent
from contracts.flexjob_pool import (
    Allocation,
    BudgetAllocated,
    FlexjobEnded,
    FlexjobHoursChanged,
    FlexjobStarted,
    GrantCommitted,
    GrantReleased,
)
from flexjob_pool.domain import applications, flexjobs, grants, refusals
from flexjob_pool.domain.validity import check_reach, months_after

DAY = timedelta(days=1)
FAR_AHEAD = date(2099, 1, 1)
ANY_DAY = st.dates(date(2013, 1, 1), date(2034, 12, 31))
ANY_AMOUNT = st.integers(1, 10**13)

APPLICATION = applications.Application(
    application_id=uuid4(),
    need_id=None,
    department="Senior",
    workplace_unit="Aahaven",
    effective_hours_per_week=Decimal("12.50"),
    months=12,
    amount_ore=2_600_000,
    submitted_on=date(2026, 1, 10),
    status="submitted",
    decided_on=None,
    rules_version=None,
    reject_code=None,
    grant_id=None,
)
APPROVED = replace(APPLICATION, status="approved", decided_on=date(2026, 1, 20), rules_version=1)
RULES = applications.Rules(1, date(2026, 1, 1), Decimal("0.5"), Decimal("20.00"), 12, ("Senior",))
START = FlexjobStarted(
    occurred_on=date(2026, 7, 1),
    placement_id=uuid4(),
    person_ref=uuid4(),
    department="Senior",
    workplace_unit="Aahaven",
    attendance_hours_per_week=Decimal("12.00"),
    effective_hours_per_week=Decimal("8.00"),
    grant_term="temporary_5y",
    retention=False,
    scheme="post2013",
)
FLEXJOB = flexjobs.Flexjob(
    placement_id=START.placement_id,
    person_ref=START.person_ref,
    department=START.department,
    workplace_unit=START.workplace_unit,
    grant_id=None,
    need_id=None,
    grant_term=START.grant_term,
    retention=False,
    scheme=START.scheme,
    started_on=START.occurred_on,
    hours=(flexjobs.Hours(START.occurred_on, Decimal("12.00"), Decimal("8.00"), None),),
    ended_on=None,
    reason_code=None,
)


def reasons_of(decide: Callable[[], object]) -> set[type[refusals.Refusal]]:
    """The names of everything that a decision was refused for."""
    with pytest.raises(refusals.Refusal) as refused:
        decide()
    return {type(reason) for reason in refused.value.reasons}


def grant_of(amount_ore: int, first: date, end: date) -> grants.Grant:
    application = replace(APPROVED, amount_ore=amount_ore, months=120)
    return grants.Grant(
        grant_id=uuid4(),
        application_id=application.application_id,
        department=application.department,
        workplace_unit=application.workplace_unit,
        effective_hours_per_week=application.effective_hours_per_week,
        committed_on=date(2013, 1, 1),
        period_from=first,
        period_to=end,
        allocations=grants.allocations_of(application, first, end),
        released_on=None,
        placement_id=FLEXJOB.placement_id,
    )


def change(day: date, attendance: str, effective: str) -> FlexjobHoursChanged:
    return FlexjobHoursChanged(
        occurred_on=day,
        placement_id=FLEXJOB.placement_id,
        person_ref=FLEXJOB.person_ref,
        attendance_hours_per_week=Decimal(attendance),
        effective_hours_per_week=Decimal(effective),
        cause="capacity_up",
    )


def end(day: date, reason: str = "ordinary_job") -> FlexjobEnded:
    return FlexjobEnded(
        occurred_on=day, placement_id=FLEXJOB.placement_id, person_ref=FLEXJOB.person_ref, reason_code=reason
    )


def draws(events: Iterable[DatedEvent]) -> dict[int, int]:
    return {
        part.fiscal_year: part.amount_ore
        for event in events
        if isinstance(event, GrantCommitted | GrantReleased)
        for part in event.allocations
    }


def every_refusal() -> list[type[refusals.Refusal]]:
    return [
        kind
        for kind in vars(refusals).values()
        if isinstance(kind, type) and issubclass(kind, refusals.Refusal) and "danish" in vars(kind)
    ]


@pytest.mark.parametrize("kind", every_refusal())
def test_every_refusal_says_what_it_is_in_danish_and_english(kind: type[refusals.Refusal]) -> None:
    assert kind.__doc__
    assert kind.__doc__.endswith(".")
    assert kind.danish.endswith(".")
    assert kind.__doc__.count("{") == kind.danish.count("{")


def test_a_refusal_writes_numbers_as_each_language_does() -> None:
    refusal = refusals.HoursAboveMaximum(maximum=Decimal("12.50"))

    assert "12.50" in refusal.in_english
    assert "12,50" in refusal.in_danish


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2025, 9, 1), 30, date(2028, 3, 1)),
        (date(2025, 8, 31), 30, date(2028, 2, 29)),
        (date(2025, 12, 31), 2, date(2026, 2, 28)),
        (date(2025, 12, 1), 12, date(2026, 12, 1)),
    ],
)
def test_calendar_months_are_clamped_to_the_end_of_the_month(day: date, months: int, later: date) -> None:
    assert months_after(day, months) == later


def test_dates_reach_from_1990_to_two_years_ahead() -> None:
    today = date(2026, 3, 1)
    check_reach(today, first=date(1990, 1, 1), last=date(2028, 3, 1))

    assert reasons_of(lambda: check_reach(today, early=date(1989, 12, 31), late=date(2028, 3, 2))) == {
        refusals.DateOutOfReach
    }


@given(starts=st.lists(ANY_DAY, max_size=8), day=ANY_DAY)
def test_the_rules_of_a_day_are_the_latest_begun_and_of_these_the_highest_version(
    starts: list[date], day: date
) -> None:
    versions = [replace(RULES, rules_version=number, occurred_on=start) for number, start in enumerate(starts, start=1)]
    begun = [rules for rules in versions if rules.occurred_on <= day]

    if begun:
        found = applications.rules_on(versions, day)
        assert all(found.occurred_on >= rules.occurred_on for rules in begun)
        assert all(found.rules_version >= r.rules_version for r in begun if r.occurred_on == found.occurred_on)
        assert found in begun
    else:
        assert reasons_of(lambda: applications.rules_on(versions, day)) == {refusals.NoRulesInForce}


@given(count=st.integers(0, 20))
def test_versions_are_numbered_from_one_without_gaps(count: int) -> None:
    versions: list[applications.Rules] = []
    for _ in range(count):
        versions.append(replace(RULES, rules_version=applications.next_version(versions)))

    assert [rules.rules_version for rules in versions] == list(range(1, count + 1))


@given(hours=st.decimals(1, 168, places=2), months=st.integers(1, 120), eligible=st.booleans())
def test_an_approval_is_refused_for_all_that_excludes_it_at_once(hours: Decimal, months: int, eligible: bool) -> None:
    application = replace(
        APPLICATION, effective_hours_per_week=hours, months=months, department="Senior" if eligible else "Teknik"
    )
    expected = {
        kind
        for kind, excluded in {
            refusals.UnitNotEligible: not eligible,
            refusals.HoursAboveMaximum: hours > 20,
            refusals.MonthsAboveMaximum: months > 12,
        }.items()
        if excluded
    }

    def decide() -> list[DatedEvent]:
        return applications.approve(application, [RULES], date(2026, 2, 1))

    if expected:
        assert reasons_of(decide) == expected
    else:
        assert [event.contract.name for event in decide()] == ["application.approved"]


def test_a_listed_workplace_is_eligible_as_one_in_a_listed_department_is() -> None:
    rules = replace(RULES, eligible_units=("Aahaven",))

    assert applications.approve(APPLICATION, [rules], date(2026, 2, 1))


def test_an_application_is_decided_under_the_rules_of_the_day_of_decision() -> None:
    stricter = replace(RULES, rules_version=2, occurred_on=date(2026, 3, 1), max_weekly_effective_hours=Decimal(10))

    [approved] = applications.approve(APPLICATION, [RULES, stricter], date(2026, 2, 28))

    assert approved.model_dump()["rules_version"] == 1
    assert reasons_of(lambda: applications.approve(APPLICATION, [RULES, stricter], date(2026, 3, 1))) == {
        refusals.HoursAboveMaximum
    }


@pytest.mark.parametrize("status", ["approved", "rejected"])
def test_an_application_is_decided_once(status: Literal["approved", "rejected"]) -> None:
    decided = replace(APPROVED, status=status)

    assert reasons_of(lambda: applications.approve(decided, [RULES], date(2026, 2, 1))) == {refusals.AlreadyDecided}
    assert reasons_of(lambda: applications.reject(decided, [RULES], date(2026, 2, 1), "other")) == {
        refusals.AlreadyDecided
    }


def test_an_application_is_not_decided_before_it_was_submitted() -> None:
    assert reasons_of(lambda: applications.approve(APPLICATION, [RULES], date(2026, 1, 9))) == {
        refusals.DecidedBeforeSubmission
    }


def test_a_rejection_needs_a_code_of_the_list() -> None:
    assert reasons_of(lambda: applications.reject(APPLICATION, [RULES], date(2026, 2, 1), "mood")) == {
        refusals.CodeNotInForce
    }


@given(first=ANY_DAY, days=st.integers(1, 3650), amount=ANY_AMOUNT)
def test_a_grant_is_spread_over_its_fiscal_years_to_the_ore(first: date, days: int, amount: int) -> None:
    last = first + (days - 1) * DAY

    allocations = grant_of(amount, first, last + DAY).allocations

    assert sum(part.amount_ore for part in allocations) == amount
    assert [part.fiscal_year for part in allocations] == list(range(first.year, last.year + 1))
    for part in allocations:
        in_year = sum((first + n * DAY).year == part.fiscal_year for n in range(days))
        assert abs(part.amount_ore * days - amount * in_year) < days


def test_a_period_may_be_as_long_as_the_months_that_were_approved() -> None:
    assert grants.allocations_of(APPROVED, date(2027, 2, 28), date(2028, 2, 28))
    assert reasons_of(lambda: grants.allocations_of(APPROVED, date(2027, 2, 28), date(2028, 2, 29))) == {
        refusals.PeriodLongerThanApproved
    }
    assert reasons_of(lambda: grants.allocations_of(APPROVED, date(2027, 2, 28), date(2027, 2, 28))) == {
        refusals.PeriodIsEmpty
    }


def test_half_a_grant_goes_back_when_its_flexjob_ends_half_way() -> None:
    first = date(2026, 7, 1)
    grant = grant_of(2_600_000, first, first + 26 * 7 * DAY)

    assert draws(grants.release(grant, first, first + 13 * 7 * DAY, today=FAR_AHEAD)) == {2026: 1_300_000}


@given(
    first=ANY_DAY,
    days=st.integers(1, 1000),
    amount=ANY_AMOUNT,
    started=st.integers(-50, 1100),
    lasted=st.integers(0, 1200),
)
def test_a_release_leaves_the_share_of_the_days_that_the_flexjob_lasted(
    first: date, days: int, amount: int, started: int, lasted: int
) -> None:
    grant = grant_of(amount, first, first + days * DAY)
    job = {first + n * DAY for n in range(started, started + lasted)}

    events = grants.release(grant, first + started * DAY, first + (started + lasted) * DAY, today=FAR_AHEAD)

    remaining = draws(events) or {part.fiscal_year: part.amount_ore for part in grant.allocations}
    for part in grant.allocations:
        whole = [d for n in range(days) if (d := first + n * DAY).year == part.fiscal_year]
        used = sum(day in job for day in whole)
        assert 0 <= remaining[part.fiscal_year] <= part.amount_ore
        assert abs(2 * remaining[part.fiscal_year] * len(whole) - 2 * part.amount_ore * used) <= len(whole)


def test_a_grant_that_was_needed_to_its_end_releases_nothing() -> None:
    grant = grant_of(1000, date(2026, 1, 1), date(2027, 1, 1))

    assert grants.release(grant, date(2026, 1, 1), date(2027, 1, 1), today=FAR_AHEAD) == []


def test_a_release_is_never_dated_before_its_grant() -> None:
    grant = replace(grant_of(1000, date(2026, 1, 1), date(2027, 1, 1)), committed_on=date(2026, 6, 1))

    [released] = grants.release(grant, date(2026, 1, 1), date(2026, 3, 1), today=FAR_AHEAD)

    assert released.occurred_on == date(2026, 6, 1)


@pytest.mark.parametrize(
    ("ended_on", "back_on"),
    [
        (date(2026, 9, 1), date(2026, 7, 1)),
        (date(2026, 7, 1), date(2026, 7, 1)),
        (date(2026, 5, 1), date(2026, 5, 1)),
    ],
)
def test_the_money_goes_back_on_the_day_of_the_end_and_at_once_when_that_is_ahead(
    ended_on: date, back_on: date
) -> None:
    grant = grant_of(1000, date(2026, 1, 1), date(2027, 1, 1))

    [released] = grants.release(grant, date(2026, 1, 1), ended_on, today=date(2026, 7, 1))

    assert released.occurred_on == back_on


@given(budget=st.integers(0, 1000), drawn=st.integers(0, 1000), asked=st.integers(0, 1000), second=st.integers(0, 1000))
def test_a_commitment_fits_every_year_or_is_refused_for_each_that_it_overdraws(
    budget: int, drawn: int, asked: int, second: int
) -> None:
    drawn = min(drawn, budget)
    free = {2026: budget - drawn, 2027: budget}
    fact = GrantCommitted(
        occurred_on=date(2026, 2, 1),
        grant_id=uuid4(),
        application_id=APPROVED.application_id,
        amount_ore=asked + second,
        allocations=(
            Allocation(fiscal_year=2026, amount_ore=asked),
            Allocation(fiscal_year=2027, amount_ore=second),
        ),
        period_from=date(2026, 7, 1),
        period_to=date(2027, 7, 1),
    )
    too_much = (drawn + asked > budget) + (second > budget)

    if too_much:
        with pytest.raises(refusals.Refusal) as refused:
            grants.commit_grant(APPROVED, free, fact)
        assert [type(reason) for reason in refused.value.reasons] == [refusals.BudgetExceeded] * too_much
    else:
        assert grants.commit_grant(APPROVED, free, fact) == [fact]


@given(others=st.integers(0, 1000), before=st.integers(0, 1000), drawn=st.integers(0, 2000), total=st.integers(0, 1000))
def test_a_budget_never_falls_below_what_is_committed(others: int, before: int, drawn: int, total: int) -> None:
    drawn = min(drawn, others + before)
    budget = grants.Budget(uuid4(), 2026, before, date(2026, 1, 1))
    free_ore = others + before - drawn
    fact = BudgetAllocated(occurred_on=date(2026, 2, 1), budget_id=budget.budget_id, fiscal_year=2026, amount_ore=total)

    if total == before:
        assert reasons_of(lambda: grants.allocate_budget(budget, free_ore, fact)) == {refusals.NothingChanges}
    elif others + total < drawn:
        assert reasons_of(lambda: grants.allocate_budget(budget, free_ore, fact)) == {refusals.BudgetBelowCommitments}
    else:
        assert grants.allocate_budget(budget, free_ore, fact) == [fact]


def test_a_budget_keeps_its_year_and_is_not_dated_back() -> None:
    budget = grants.Budget(uuid4(), 2026, 100, date(2026, 1, 2))
    fact = BudgetAllocated(occurred_on=date(2026, 1, 1), budget_id=budget.budget_id, fiscal_year=2027, amount_ore=200)

    assert reasons_of(lambda: grants.allocate_budget(budget, 0, fact)) == {
        refusals.BudgetOfAnotherYear,
        refusals.BudgetDatedBack,
    }


def test_a_start_is_refused_for_all_reasons_at_once() -> None:
    fact = START.model_copy(
        update={
            "effective_hours_per_week": Decimal("12.01"),
            "grant_term": "for_ever",
            "grant_id": uuid4(),
        }
    )

    assert reasons_of(lambda: flexjobs.start_flexjob(None, None, fact)) == {
        refusals.EffectiveAboveAttendance,
        refusals.CodeNotInForce,
        refusals.GrantUnknown,
    }


def test_a_placement_starts_once() -> None:
    assert reasons_of(lambda: flexjobs.start_flexjob(FLEXJOB, None, START)) == {refusals.PlacementAlreadyStarted}


@pytest.mark.parametrize(("scheme", "day"), [("pre2013", date(2013, 1, 1)), ("post2013", date(2012, 12, 31))])
def test_the_scheme_follows_the_date_of_the_start(scheme: str, day: date) -> None:
    fact = START.model_copy(update={"scheme": scheme, "occurred_on": day, "grant_term": "permanent"})

    assert reasons_of(lambda: flexjobs.start_flexjob(None, None, fact)) == {refusals.CodeNotInForce}


def test_before_2013_a_person_could_be_paid_for_more_hours_than_worked() -> None:
    fact = START.model_copy(
        update={
            "scheme": "pre2013",
            "occurred_on": date(2012, 12, 31),
            "grant_term": "permanent",
            "effective_hours_per_week": Decimal(37),
        }
    )

    assert flexjobs.start_flexjob(None, None, fact) == [fact]


@pytest.mark.parametrize(
    ("known", "refusal"),
    [
        ({"released_on": date(2026, 6, 1)}, refusals.GrantIsReleased),
        ({"placement_id": uuid4()}, refusals.GrantInUse),
    ],
)
def test_a_grant_pays_for_one_flexjob_and_not_once_released(
    known: dict[str, object], refusal: type[refusals.Refusal]
) -> None:
    grant = replace(grant_of(1000, date(2026, 7, 1), date(2027, 7, 1)), **{"placement_id": None, **known})  # type: ignore[arg-type]  # mixed on purpose
    fact = START.model_copy(update={"grant_id": grant.grant_id})

    assert reasons_of(lambda: flexjobs.start_flexjob(None, grant, fact)) == {refusal}


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ({"department": "Teknik"}, refusals.GrantOfAnotherWorkplace),
        ({"workplace_unit": "Vesterled"}, refusals.GrantOfAnotherWorkplace),
        ({"occurred_on": date(2026, 6, 30)}, refusals.OutsideGrantPeriod),
        ({"occurred_on": date(2027, 7, 1)}, refusals.OutsideGrantPeriod),
        ({"effective_hours_per_week": Decimal("12.51")}, refusals.HoursAboveGrant),
    ],
)
def test_a_grant_pays_for_what_was_applied_for_and_nothing_else(
    asked: dict[str, object], refusal: type[refusals.Refusal]
) -> None:
    grant = replace(grant_of(1000, date(2026, 7, 1), date(2027, 7, 1)), placement_id=None)
    most = {
        "grant_id": grant.grant_id,
        "attendance_hours_per_week": Decimal(20),
        "effective_hours_per_week": Decimal("12.5"),
    }

    for day in (grant.period_from, grant.period_to - DAY):
        assert flexjobs.start_flexjob(None, grant, START.model_copy(update={**most, "occurred_on": day}))
    wrong = START.model_copy(update={**most, **asked})
    assert reasons_of(lambda: flexjobs.start_flexjob(None, grant, wrong)) == {refusal}


@given(
    days=st.lists(st.integers(0, 400), max_size=6),
    day=st.integers(-30, 500),
    effective=st.integers(1, 12),
    ended=st.none() | st.integers(0, 500),
)
def test_hours_change_within_the_days_of_a_flexjob_when_they_are_new(
    days: list[int], day: int, effective: int, ended: int | None
) -> None:
    steps = [
        flexjobs.Hours(FLEXJOB.started_on + n * DAY, Decimal(12), Decimal(number % 12 + 1), "capacity_up")
        for number, n in enumerate(sorted(days))
    ]
    flexjob = replace(
        FLEXJOB,
        hours=(*FLEXJOB.hours, *steps),
        ended_on=None if ended is None else FLEXJOB.started_on + ended * DAY,
    )
    fact = change(FLEXJOB.started_on + day * DAY, "12", str(effective))
    held = [step for step in flexjob.hours if step.occurred_on <= fact.occurred_on]

    if day < 0:
        assert reasons_of(lambda: flexjobs.change_hours(flexjob, fact)) == {refusals.ChangedBeforeStart}
    elif ended is not None and day >= ended:
        assert reasons_of(lambda: flexjobs.change_hours(flexjob, fact)) == {refusals.ChangedAfterEnd}
    elif held[-1].effective_hours_per_week == effective:
        assert reasons_of(lambda: flexjobs.change_hours(flexjob, fact)) == {refusals.NothingChanges}
    else:
        assert flexjobs.change_hours(flexjob, fact) == [fact]


def test_hours_may_outgrow_the_grant_after_the_start_and_the_amount_stays() -> None:
    """The grant bound the hours at the start; more hours later are what a flexjob is for, at the workplace's cost."""
    grant = grant_of(1000, FLEXJOB.started_on, FLEXJOB.started_on + 365 * DAY)
    flexjob = replace(FLEXJOB, grant_id=grant.grant_id)
    fact = change(date(2026, 8, 1), "20", "13")
    assert fact.effective_hours_per_week > grant.effective_hours_per_week

    assert flexjobs.change_hours(flexjob, fact) == [fact]


def test_attendance_changes_apart_from_effective_hours() -> None:
    fact = change(date(2026, 8, 1), "15", "8")

    assert flexjobs.change_hours(FLEXJOB, fact) == [fact]


def test_effective_hours_do_not_outgrow_attendance() -> None:
    assert reasons_of(lambda: flexjobs.change_hours(FLEXJOB, change(date(2026, 8, 1), "12", "12.01"))) == {
        refusals.EffectiveAboveAttendance
    }


def test_a_flexjob_may_end_on_the_day_it_started_and_not_before() -> None:
    assert flexjobs.end_flexjob(FLEXJOB, None, end(FLEXJOB.started_on), today=FAR_AHEAD)
    too_early = end(FLEXJOB.started_on - DAY, "mood")

    assert reasons_of(lambda: flexjobs.end_flexjob(FLEXJOB, None, too_early, today=FAR_AHEAD)) == {
        refusals.EndedBeforeStart,
        refusals.CodeNotInForce,
    }


def test_a_flexjob_ends_once() -> None:
    ended = replace(FLEXJOB, ended_on=date(2026, 9, 1), reason_code="pension")

    again = end(date(2026, 10, 1))

    assert reasons_of(lambda: flexjobs.end_flexjob(ended, None, again, today=FAR_AHEAD)) == {refusals.AlreadyEnded}


def test_the_end_releases_the_grant_after_it() -> None:
    grant = grant_of(1000, FLEXJOB.started_on, FLEXJOB.started_on + 100 * DAY)

    events = flexjobs.end_flexjob(FLEXJOB, grant, end(FLEXJOB.started_on + 50 * DAY), today=FAR_AHEAD)

    assert [event.contract.name for event in events] == ["flexjob.ended", "grant.released"]
    assert draws(events) == {2026: 500}
