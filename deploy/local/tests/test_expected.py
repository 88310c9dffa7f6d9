"""The expectation itself, held against numbers that can be checked by hand."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from local.actions.action import Action
from local.actions.flexjobs import ChangeHours, EndFlexjob, StartFlexjob
from local.actions.pool import AllocateBudget, Apply, CommitGrant
from local.expected.figures import expected_figures
from local.expected.value import Figure, Value

NEW_YEAR = date(2025, 1, 1)
YEAR_END = date(2025, 12, 31)


def ref(number: int) -> UUID:
    return UUID(int=number, version=4)


def start(  # noqa: PLR0913 - each test names only what it is about
    placement: int, day: date, hours: str, *, person: int = 1, department: str = "Senior", grant: int | None = None
) -> StartFlexjob:
    return StartFlexjob(
        registered_on=day,
        occurred_on=day,
        placement_id=ref(placement),
        person_ref=ref(100 + person),
        grant_id=None if grant is None else ref(grant),
        department=department,
        workplace_unit=department,
        attendance_hours_per_week=Decimal(37),
        effective_hours_per_week=Decimal(hours),
        grant_term="temporary_5y",
        retention=False,
    )


def change(placement: int, day: date, hours: str, *, days_late: int = 0) -> ChangeHours:
    return ChangeHours(
        registered_on=day + timedelta(days=days_late),
        occurred_on=day,
        placement_id=ref(placement),
        attendance_hours_per_week=Decimal(37),
        effective_hours_per_week=Decimal(hours),
        cause="capacity_up",
    )


def end(placement: int, day: date) -> EndFlexjob:
    return EndFlexjob(registered_on=day, occurred_on=day, placement_id=ref(placement), reason_code="resigned")


def budget(number: int, fiscal_year: int, kroner: int) -> AllocateBudget:
    return AllocateBudget(
        registered_on=NEW_YEAR,
        occurred_on=NEW_YEAR,
        budget_id=ref(number),
        fiscal_year=fiscal_year,
        amount_ore=100 * kroner,
    )


def grant(number: int, ore: int, period_from: date, period_to: date) -> list[Action]:
    application = Apply(
        registered_on=NEW_YEAR,
        occurred_on=NEW_YEAR,
        application_id=ref(number + 1000),
        department="Senior",
        workplace_unit="Senior",
        effective_hours_per_week=Decimal(8),
        months=12,
        amount_ore=ore,
    )
    committed = CommitGrant(
        registered_on=NEW_YEAR,
        occurred_on=NEW_YEAR,
        grant_id=ref(number),
        application_id=ref(number + 1000),
        period_from=period_from,
        period_to=period_to,
    )
    return [application, committed]


def at(as_of: date, *actions: Action, known_on: date = date(2030, 1, 1)) -> dict[str, Figure]:
    return expected_figures(actions, as_of=as_of, known_on=known_on)


def cells(figure: Figure) -> dict[str, Decimal | None]:
    (cut,) = figure.cuts.values()
    return {name: cell.value for name, cell in cut.items()}


def test_hours_up_move_the_mean_and_leave_the_hours_at_start_alone() -> None:
    figures = at(YEAR_END, start(1, date(2025, 2, 1), "4"), change(1, date(2025, 3, 1), "12.50"))

    assert figures["J2"].whole.value == Decimal("0.108108")
    assert figures["F4"].whole.value == Decimal("12.5")


def test_effective_hours_count_and_attendance_does_not() -> None:
    figures = at(YEAR_END, start(1, date(2025, 2, 1), "8"))

    assert figures["J2"].whole.value == Decimal("0.216216")
    assert figures["J1"] == Figure(
        Value(Decimal(1)),
        {
            "kind": {"flexjob": Value(Decimal(1))},
            "origin": {"unknown": Value(Decimal(1))},
            "partner": {"no": Value(Decimal(1))},
        },
    )


def test_a_stock_is_what_holds_at_the_end_of_its_day() -> None:
    story = (start(1, date(2025, 3, 1), "12.50"), change(1, date(2025, 3, 16), "20"), end(1, date(2025, 4, 1)))

    assert at(date(2025, 2, 28), *story)["F1"].whole.value == 0
    assert at(date(2025, 2, 28), *story)["F4"].whole.value is None
    assert at(date(2025, 3, 15), *story)["F4"].whole.value == Decimal("12.5")
    assert at(date(2025, 3, 16), *story)["F4"].whole.value == Decimal(20)
    assert at(date(2025, 3, 31), *story)["F1"].whole.value == 1
    assert at(date(2025, 4, 1), *story)["F1"].whole.value == 0


def test_the_pool_of_the_worked_example_is_used_to_59_and_then_46_percent() -> None:
    half_year = (date(2025, 7, 1), date(2025, 12, 30))
    story = (
        budget(1, 2025, 100_000),
        *grant(2, 33_280_00, date(2025, 1, 1), date(2026, 1, 1)),
        *grant(3, 26_000_00, *half_year),
        start(4, half_year[0], "12.50", grant=3),
        end(4, half_year[0] + timedelta(weeks=13)),
    )

    assert at(date(2025, 7, 1), *story)["F5"].whole.value == Decimal("0.5928")
    assert at(YEAR_END, *story)["F5"].whole.value == Decimal("0.4628")


def test_a_grant_over_new_year_is_shared_by_days_to_the_last_ore() -> None:
    # Three days, two of them in 2025: 66.67 and 33.33 of 100 øre; the larger remainder takes the odd øre.
    story = (budget(1, 2025, 1), budget(2, 2026, 1), *grant(3, 100, date(2025, 12, 30), date(2026, 1, 2)))

    assert cells(at(YEAR_END, *story)["F5"]) == {"2025": Decimal("0.67"), "2026": Decimal("0.33")}


def test_an_early_end_frees_each_year_by_its_own_days_rounded_half_up() -> None:
    # 67 øre for two days of 2025, one of them used: 33.5, so 34 stay; 2026 gets all its 33 øre back.
    story = (
        budget(1, 2025, 1),
        budget(2, 2026, 1),
        *grant(3, 100, date(2025, 12, 30), date(2026, 1, 2)),
        start(4, date(2025, 12, 30), "8", grant=3),
        end(4, date(2025, 12, 31)),
    )

    assert cells(at(YEAR_END, *story)["F5"]) == {"2025": Decimal("0.34"), "2026": Decimal(0)}


def test_two_flexjobs_of_one_person_are_one_person_and_two_placements() -> None:
    figures = at(
        YEAR_END,
        start(1, date(2025, 2, 1), "6", department="Senior"),
        start(2, date(2025, 3, 1), "5", department="Teknik"),
        start(3, date(2025, 3, 1), "10", person=2, department="Teknik"),
    )

    assert figures["J1"].whole.value == 3
    assert figures["J2"].whole.value == Decimal("0.567568")
    assert cells(figures["F1"]) == {"Senior": Decimal(1), "Teknik": Decimal(1)}
    assert cells(figures["F4"]) == {"Senior": Decimal(11), "Teknik": Decimal(10)}
    assert figures["F4"].whole.value == Decimal("10.5")


def test_equal_hours_put_the_person_where_the_earlier_job_is() -> None:
    figures = at(
        YEAR_END,
        start(1, date(2025, 3, 1), "6", department="Teknik"),
        start(2, date(2025, 2, 1), "6", department="Senior"),
    )

    assert cells(figures["F1"]) == {"Senior": Decimal(1)}


def test_two_small_jobs_in_one_department_outweigh_a_larger_one_elsewhere() -> None:
    figures = at(
        YEAR_END,
        start(1, date(2025, 2, 1), "7", department="Teknik"),
        start(2, date(2025, 3, 1), "4", department="Senior"),
        start(3, date(2025, 4, 1), "4", department="Senior"),
    )

    assert cells(figures["F4"]) == {"Senior": Decimal(15)}


def test_days_of_a_grant_before_the_flexjob_are_freed_at_its_end() -> None:
    story = (
        budget(1, 2025, 1),
        *grant(2, 100, date(2025, 3, 1), date(2025, 3, 11)),
        start(3, date(2025, 3, 3), "8", grant=2),
        end(3, date(2025, 3, 8)),
    )

    assert at(date(2025, 3, 7), *story)["F5"].whole.value == 1
    assert at(date(2025, 3, 8), *story)["F5"].whole.value == Decimal("0.5")


def test_a_late_registration_moves_the_past_once_it_is_known() -> None:
    story = (start(1, date(2025, 2, 1), "4"), change(1, date(2025, 3, 25), "10", days_late=9))

    assert at(date(2025, 3, 31), *story, known_on=date(2025, 3, 31))["F4"].whole.value == 4
    assert at(date(2025, 3, 31), *story, known_on=date(2025, 4, 30))["F4"].whole.value == 10


def test_a_start_before_the_year_is_in_the_stock_and_not_in_the_flow() -> None:
    figures = at(YEAR_END, start(1, date(2024, 12, 31), "7.40"))

    assert figures["F1"].whole.value == 1
    assert figures["J1"] == Figure(Value(Decimal(0)), {"kind": {}, "origin": {}, "partner": {}})
