"""The rules, told as worked examples that can be checked by hand."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain
from uuid import UUID, uuid5

from contracts.event import Event
from contracts.flexjob_pool import (
    Allocation,
    BudgetAllocated,
    FlexjobEnded,
    FlexjobHoursChanged,
    FlexjobStarted,
    GrantCommitted,
    GrantReleased,
)
from impact.catalogue import (
    EFFECTIVE_HOURS,
    HOURS_STARTED,
    INDICATORS,
    PERSONS_IN_FLEXJOB,
    PLACEMENTS_STARTED,
    POOL_ALLOCATED,
    POOL_DRAWN,
    measures_of,
)
from impact.fold import Delta, Fact, Fold, Measure

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
THE_END = date(2027, 12, 31)


def ref(name: str) -> UUID:
    return uuid5(UUID(int=0), name)


def started(
    day: date, hours: str, *, job: str = "job", department: str = "Senior", present: str = "37"
) -> FlexjobStarted:
    return FlexjobStarted(
        occurred_on=day,
        placement_id=ref(job),
        person_ref=ref("Ane"),
        department=department,
        workplace_unit="Bakkebo",
        attendance_hours_per_week=Decimal(present),
        effective_hours_per_week=Decimal(hours),
        grant_term="temporary_5y",
        retention=False,
        scheme="post2013",
    )


def changed(day: date, hours: str, *, job: str = "job") -> FlexjobHoursChanged:
    return FlexjobHoursChanged(
        occurred_on=day,
        placement_id=ref(job),
        person_ref=ref("Ane"),
        attendance_hours_per_week=Decimal(37),
        effective_hours_per_week=Decimal(hours),
        cause="capacity_up",
    )


def ended(day: date, *, job: str = "job") -> FlexjobEnded:
    return FlexjobEnded(occurred_on=day, placement_id=ref(job), person_ref=ref("Ane"), reason_code="pension")


def budget(day: date, amount_ore: int, *, name: str = "budget", year: int = 2026) -> BudgetAllocated:
    return BudgetAllocated(occurred_on=day, budget_id=ref(name), fiscal_year=year, amount_ore=amount_ore)


def parts(amounts: dict[int, int]) -> tuple[Allocation, ...]:
    return tuple(Allocation(fiscal_year=year, amount_ore=amount) for year, amount in amounts.items())


def committed(day: date, amounts: dict[int, int], *, grant: str) -> GrantCommitted:
    return GrantCommitted(
        occurred_on=day,
        grant_id=ref(grant),
        application_id=ref(f"application for {grant}"),
        amount_ore=sum(amounts.values()),
        allocations=parts(amounts),
        period_from=day,
        period_to=THE_END,
    )


def released(day: date, still_drawn: dict[int, int], *, grant: str) -> GrantReleased:
    return GrantReleased(
        occurred_on=day,
        grant_id=ref(grant),
        application_id=ref(f"application for {grant}"),
        amount_ore=sum(still_drawn.values()),
        allocations=parts(still_drawn),
    )


def deltas_of(events: Iterable[Event]) -> list[Delta]:
    fold = Fold(measures_of(INDICATORS))
    registered = datetime(2026, 1, 1, tzinfo=UTC)
    return list(
        chain.from_iterable(
            fold.admit(Fact(position, "source", f"e{position}", event.contract.type, registered, event))
            for position, event in enumerate(events, start=1)
        )
    )


def stock(measure: Measure, deltas: Sequence[Delta], day: date, **cell: str) -> Decimal:
    """What stands at the end of a day, in all cells or in one."""
    return sum(
        (
            delta.amount
            for delta in deltas
            if delta.measure == measure.id and delta.date <= day and cell.items() <= dict(delta.dimensions).items()
        ),
        Decimal(0),
    )


def test_hours_that_rise_from_4_to_12_and_a_half_add_8_and_a_half_from_that_day() -> None:
    story = deltas_of([started(MARCH, "4.00"), changed(APRIL, "12.50")])

    assert stock(EFFECTIVE_HOURS, story, date(2026, 3, 31)) == 4
    assert stock(EFFECTIVE_HOURS, story, APRIL) == Decimal("12.5")
    gained = stock(EFFECTIVE_HOURS, story, APRIL) - stock(EFFECTIVE_HOURS, story, MARCH)
    assert round(gained / 37, 4) == Decimal("0.2297")
    assert stock(HOURS_STARTED, story, APRIL) == 4, "hours added at the start stay what they were"


def test_effective_hours_count_not_the_hours_of_attendance() -> None:
    story = deltas_of([started(MARCH, "8.00", present="12.00")])

    assert round(stock(HOURS_STARTED, story, MARCH) / 37, 4) == Decimal("0.2162")
    assert stock(EFFECTIVE_HOURS, story, MARCH) == 8


def test_the_pool_is_used_by_what_is_committed_and_given_back_what_is_released() -> None:
    story = deltas_of(
        [
            budget(date(2026, 1, 1), 10_000_000),
            committed(date(2026, 1, 5), {2026: 3_328_000}, grant="A"),
            committed(date(2026, 7, 1), {2026: 2_600_000}, grant="B"),
            released(date(2026, 9, 30), {2026: 1_300_000}, grant="B"),
        ]
    )

    def utilisation(day: date) -> Decimal:
        return stock(POOL_DRAWN, story, day) / stock(POOL_ALLOCATED, story, day)

    assert utilisation(date(2026, 7, 1)) == Decimal("0.5928")
    assert utilisation(date(2026, 9, 30)) == Decimal("0.4628")


def test_a_grant_over_new_year_draws_on_two_budgets() -> None:
    story = deltas_of(
        [
            committed(date(2026, 10, 1), {2026: 700, 2027: 300}, grant="A"),
            released(date(2027, 2, 1), {2026: 700, 2027: 100}, grant="A"),
        ]
    )

    assert stock(POOL_DRAWN, story, THE_END, fiscal_year="2026") == 700
    assert stock(POOL_DRAWN, story, THE_END, fiscal_year="2027") == 100
    assert {delta.contributor for delta in story} == {f"{ref('A')}/2026", f"{ref('A')}/2027"}


def test_a_year_that_a_release_does_not_name_is_not_drawn_on_any_more() -> None:
    story = deltas_of([committed(MARCH, {2026: 700, 2027: 300}, grant="A"), released(APRIL, {2026: 700}, grant="A")])

    assert stock(POOL_DRAWN, story, THE_END, fiscal_year="2027") == 0


def test_a_release_without_a_commitment_draws_nothing() -> None:
    assert deltas_of([released(MARCH, {2026: 100}, grant="A")]) == []


def test_a_budget_is_what_was_last_decided_and_two_budgets_of_a_year_add_up() -> None:
    story = deltas_of(
        [
            budget(MARCH, 1000),
            budget(APRIL, 400),
            budget(APRIL, 50, name="extra"),
        ]
    )

    assert stock(POOL_ALLOCATED, story, MARCH) == 1000
    assert stock(POOL_ALLOCATED, story, APRIL, fiscal_year="2026") == 450


def test_one_person_in_two_flexjobs_is_one_person_two_placements_and_eleven_hours() -> None:
    story = deltas_of([started(MARCH, "6.00", job="first"), started(MARCH, "5.00", job="second")])

    assert stock(PERSONS_IN_FLEXJOB, story, MARCH) == 1
    assert stock(PLACEMENTS_STARTED, story, MARCH, kind="flexjob") == 2
    assert stock(EFFECTIVE_HOURS, story, MARCH) == 11
    assert round(stock(HOURS_STARTED, story, MARCH) / 37, 4) == Decimal("0.2973")


def test_a_person_in_two_departments_sits_whole_in_the_one_with_most_hours() -> None:
    story = deltas_of(
        [
            started(MARCH, "6.00", job="first", department="Senior"),
            started(APRIL, "9.00", job="second", department="Teknik"),
            ended(date(2026, 5, 1), job="second"),
        ]
    )

    for day, department, hours in ((MARCH, "Senior", 6), (APRIL, "Teknik", 15), (date(2026, 5, 1), "Senior", 6)):
        other = {"Senior": "Teknik", "Teknik": "Senior"}[department]
        assert stock(PERSONS_IN_FLEXJOB, story, day, department=department) == 1
        assert stock(PERSONS_IN_FLEXJOB, story, day, department=other) == 0
        assert stock(EFFECTIVE_HOURS, story, day, department=department) == hours


def test_with_as_many_hours_in_both_the_department_of_the_earliest_start_holds_the_person() -> None:
    story = deltas_of(
        [
            started(APRIL, "6.00", job="later", department="Børn"),
            started(MARCH, "6.00", job="earlier", department="Teknik"),
        ]
    )

    assert stock(PERSONS_IN_FLEXJOB, story, APRIL, department="Teknik") == 1
    assert stock(PERSONS_IN_FLEXJOB, story, APRIL, department="Børn") == 0


def test_with_the_same_start_too_the_lowest_placement_id_decides() -> None:
    jobs = sorted(("one", "two"), key=ref)
    story = deltas_of(
        [
            started(MARCH, "6.00", job=jobs[1], department="Børn"),
            started(MARCH, "6.00", job=jobs[0], department="Teknik"),
        ]
    )

    assert stock(PERSONS_IN_FLEXJOB, story, MARCH, department="Teknik") == 1


def test_a_flexjob_ends_on_the_day_after_its_last() -> None:
    story = deltas_of([started(MARCH, "6.00"), ended(APRIL)])

    assert stock(PERSONS_IN_FLEXJOB, story, date(2026, 3, 31)) == 1
    assert stock(PERSONS_IN_FLEXJOB, story, APRIL) == 0
    assert stock(EFFECTIVE_HOURS, story, APRIL) == 0
    assert stock(PLACEMENTS_STARTED, story, APRIL) == 1, "it was started all the same"


def test_an_end_dated_before_the_start_leaves_no_running_job() -> None:
    story = deltas_of([started(APRIL, "6.00"), ended(MARCH)])

    assert stock(PERSONS_IN_FLEXJOB, story, THE_END) == 0
    assert stock(PLACEMENTS_STARTED, story, THE_END) == 1


def test_hours_after_the_end_and_a_second_start_of_the_same_placement_change_nothing() -> None:
    once = deltas_of([started(MARCH, "6.00"), ended(APRIL)])
    more = deltas_of(
        [
            started(MARCH, "6.00"),
            ended(APRIL),
            changed(date(2026, 4, 2), "20.00"),
            started(date(2026, 4, 3), "9.00", department="Teknik"),
        ]
    )

    assert more == once


def test_hours_of_a_job_that_never_started_wait_without_effect() -> None:
    assert deltas_of([changed(MARCH, "6.00"), ended(APRIL)]) == []


def test_what_is_about_a_person_names_the_person_and_what_is_not_names_nobody() -> None:
    story = deltas_of([started(MARCH, "6.00"), changed(APRIL, "8.00"), committed(MARCH, {2026: 5}, grant="A")])

    for delta in story:
        about_a_person = delta.measure != POOL_DRAWN.id
        assert delta.person == (str(ref("Ane")) if about_a_person else None)


def test_every_delta_has_exactly_the_dimensions_that_the_indicators_of_its_measure_promise() -> None:
    story = deltas_of([started(MARCH, "6.00"), budget(MARCH, 10), committed(MARCH, {2026: 5}, grant="A")])
    promised = {(measure.id, indicator.dimensions) for indicator in INDICATORS for measure in indicator.measures}

    assert len({delta.measure for delta in story}) > 5
    assert {(delta.measure, tuple(name for name, _ in delta.dimensions)) for delta in story} <= promised
