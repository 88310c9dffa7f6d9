"""What was known at the end of a day: corrections, retractions, and what payroll tells, as stories on fingers."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from local.actions.action import Action
from local.actions.flexjobs import ChangeHours, EndFlexjob, StartFlexjob, Transfer
from local.actions.payroll import ChangeWorkingTime, EndEmployment, MatchEmployment, TakeBack
from local.actions.undo import Correct, Retract
from local.expected.figures import expected_figures
from local.expected.known import known_at_the_end_of

FIRST = date(2025, 3, 3)
FOREVER = date(2030, 1, 1)
HALF = Decimal("0.5")


def after(days: int) -> date:
    return FIRST + timedelta(days=days)


def ref(number: int) -> UUID:
    return UUID(int=number, version=4)


START = StartFlexjob(
    registered_on=FIRST,
    occurred_on=FIRST,
    placement_id=ref(1),
    person_ref=ref(101),
    department="Senior",
    workplace_unit="Åhaven",
    attendance_hours_per_week=Decimal(37),
    effective_hours_per_week=Decimal(4),
    grant_term="permanent",
    retention=False,
)
CHANGE = ChangeHours(
    registered_on=after(34),
    occurred_on=after(30),
    placement_id=ref(1),
    attendance_hours_per_week=Decimal(37),
    effective_hours_per_week=Decimal("12.50"),
    cause="capacity_up",
)


def corrected(action: Action, on: date, **values: object) -> Correct:
    return Correct(registered_on=on, action=action, reason_code="registration_error", values=tuple(values.items()))


def taken_back(action: Action, on: date) -> Retract:
    return Retract(registered_on=on, action=action, reason_code="never_happened")


def hours(actions: Iterable[Action], as_of: date, known_on: date = FOREVER) -> Decimal | None:
    return expected_figures(list(actions), as_of=as_of, known_on=known_on)["F4"].whole.value


def test_a_correction_after_the_month_was_told_restates_it_and_leaves_what_was_known_then() -> None:
    story = (START, CHANGE, corrected(CHANGE, after(90), effective_hours_per_week=Decimal("10.50")))
    told = [expected_figures(story, as_of=after(40), known_on=day)["F3"].whole.value for day in (after(89), after(90))]

    assert told == [Decimal("8.5"), Decimal("6.5")]


def test_a_corrected_date_moves_the_past() -> None:
    story = (START, CHANGE, corrected(CHANGE, after(90), occurred_on=after(20)))

    assert hours(story, after(25), known_on=after(89)) == 4
    assert hours(story, after(25), known_on=after(90)) == Decimal("12.5")


def test_a_correction_of_a_correction_holds_and_taking_it_back_restores_the_one_before() -> None:
    first = corrected(CHANGE, after(50), effective_hours_per_week=Decimal(9))
    second = corrected(first, after(60), effective_hours_per_week=Decimal(10))
    story = (START, CHANGE, first, second, taken_back(second, after(70)), taken_back(first, after(80)))

    told = [hours(story, after(40), known_on=day) for day in map(after, (49, 50, 60, 70, 80))]
    assert told == [Decimal("12.5"), 9, 10, 9, Decimal("12.5")]


def test_what_never_happened_takes_its_corrections_with_it() -> None:
    story = (
        START,
        CHANGE,
        corrected(CHANGE, after(50), effective_hours_per_week=Decimal(9)),
        taken_back(CHANGE, after(60)),
    )

    assert hours(story, after(40)) == 4
    assert hours((START, taken_back(START, after(9))), after(40)) is None


def test_a_double_entry_counts_until_it_is_found() -> None:
    again = replace(START, placement_id=ref(2))
    story = (START, again, taken_back(again, after(60)))
    placements = [
        expected_figures(story, as_of=after(9), known_on=day)["J1"].whole.value for day in (after(9), FOREVER)
    ]

    assert placements == [2, 1]


def test_a_job_given_to_the_right_person_is_theirs_from_its_first_day() -> None:
    other = replace(START, placement_id=ref(2), occurred_on=after(5), person_ref=ref(999))
    story = (START, other, corrected(other, after(60), person_ref=ref(101)))

    assert [expected_figures(story, as_of=after(9), known_on=day)["F1"].whole.value for day in (after(9), FOREVER)] == [
        2,
        1,
    ]


def test_a_transfer_changes_the_department_and_splits_nothing() -> None:
    move = Transfer(
        registered_on=after(12),
        occurred_on=after(10),
        placement_id=ref(1),
        department="Teknik",
        workplace_unit="Havnen",
    )
    told = {day: expected_figures((START, move), as_of=day, known_on=FOREVER) for day in (after(9), after(10))}

    assert {day: set(figures["F1"].cuts["department"]) for day, figures in told.items()} == {
        after(9): {"Senior"},
        after(10): {"Teknik"},
    }
    assert told[after(10)]["J1"].whole.value == 1


def paid(  # noqa: PLR0913 - each story names only what it is about
    number: int, first: date, rate: str, *, told: date, until: date | None = None, heard: date | None = None
) -> ChangeWorkingTime:
    return ChangeWorkingTime(
        registered_on=heard or told,
        message_id=ref(number),
        employment_ref=ref(50),
        told_on=told,
        placement_id=ref(1),
        person_ref=ref(101),
        occurred_on=first,
        occupation_rate=Decimal(rate),
        ends_on=until,
    )


def over(number: int, day: date, *, told: date) -> EndEmployment:
    return EndEmployment(
        registered_on=told,
        message_id=ref(number),
        employment_ref=ref(50),
        told_on=told,
        placement_id=ref(1),
        person_ref=ref(101),
        occurred_on=day,
    )


AS_AT_START = paid(10, FIRST, "0.1081", told=FIRST)


def test_hours_of_payroll_are_the_rate_of_37_rounded_half_up_and_told_late_move_the_past() -> None:
    story = (START, AS_AT_START, paid(11, after(20), "0.3378", told=after(20), heard=after(60)))

    assert hours(story, after(30), known_on=after(59)) == 4
    assert hours(story, after(30), known_on=after(60)) == Decimal("12.5")
    assert expected_figures(story, as_of=after(30), known_on=FOREVER)["F3"].cuts["cause"].keys() == {"not_stated"}


def test_a_step_to_the_hours_in_force_is_no_change() -> None:
    assert [type(each) for each in known_at_the_end_of(FOREVER, (START, AS_AT_START))] == [StartFlexjob]


def test_where_an_interval_ends_what_was_told_before_it_holds_again() -> None:
    story = (START, AS_AT_START, paid(11, after(20), "0.5", told=after(20), until=after(40)))

    assert [hours(story, after(day)) for day in (19, 20, 39, 40)] == [4, Decimal("18.5"), Decimal("18.5"), 4]


@pytest.mark.parametrize("told_first", [11, 12])
def test_of_overlapping_intervals_the_one_told_last_holds_however_they_arrive(told_first: int) -> None:
    one = paid(11, after(20), "0.5", told=after(20), until=after(60), heard=after(70 if told_first == 12 else 20))
    other = paid(12, after(40), "1", told=after(40), until=after(80))

    assert [hours((START, AS_AT_START, one, other), after(day)) for day in (30, 50, 70, 80)] == [
        Decimal("18.5"), 37, 37, 4,
    ]  # fmt: skip


def test_a_second_copy_of_a_message_says_nothing_new() -> None:
    message = paid(11, after(20), "0.5", told=after(20))
    copy = paid(11, after(20), "0.5", told=after(20), heard=after(50))

    assert len(known_at_the_end_of(FOREVER, (START, AS_AT_START, message, copy))) == 2


def test_an_unknown_employment_counts_once_it_is_matched() -> None:
    message = replace(paid(11, after(20), "0.5", told=after(20)), placement_id=ref(77))
    match = MatchEmployment(registered_on=after(60), employment_ref=ref(50), placement_id=ref(1))

    assert hours((START, message, match), after(30), known_on=after(59)) == 4
    assert hours((START, message, match), after(30), known_on=after(60)) == Decimal("18.5")


def test_a_message_is_corrected_and_taken_back_like_any_other() -> None:
    wrong = paid(11, after(20), "1", told=after(20))
    right = replace(paid(12, after(25), "0.5", told=after(60)), corrects=ref(11), reason_code="late_information")
    gone = TakeBack(
        registered_on=after(80),
        message_id=ref(13),
        employment_ref=ref(50),
        told_on=after(80),
        reason_code="never_happened",
        taken_back=ref(11),
    )
    story = (START, AS_AT_START, wrong, right, gone)

    assert [hours(story, after(22), known_on=after(day)) for day in (59, 60, 80)] == [37, 4, 4]
    assert [hours(story, after(30), known_on=after(day)) for day in (59, 60, 80)] == [37, Decimal("18.5"), 4]


def test_an_end_by_payroll_is_an_end_unless_a_caseworker_registered_another() -> None:
    end = EndFlexjob(registered_on=after(40), occurred_on=after(40), placement_id=ref(1), reason_code="resigned")
    by_payroll = over(11, after(60), told=after(30))

    assert [hours((START, by_payroll), after(day)) for day in (59, 60)] == [4, None]
    assert [hours((START, end, by_payroll), after(day)) for day in (39, 40)] == [4, None]


def test_in_the_old_scheme_pay_says_nothing_of_effective_hours() -> None:
    old = replace(START, scheme="pre2013")

    assert hours((old, paid(11, after(20), "1", told=after(20)), over(12, after(50), told=after(50))), after(30)) == 4


def test_hours_of_a_caseworker_hold_until_a_later_step_of_payroll() -> None:
    story = (START, AS_AT_START, CHANGE, paid(11, after(60), "0.5", told=after(60)))

    assert [hours(story, after(day)) for day in (29, 30, 59, 60)] == [
        4,
        Decimal("12.5"),
        Decimal("12.5"),
        Decimal("18.5"),
    ]


def test_where_no_interval_holds_any_more_the_hours_of_the_caseworkers_do_again() -> None:
    story = (START, CHANGE, paid(11, after(20), "0.5", told=after(20), until=after(50)))

    assert [hours(story, after(day)) for day in (19, 20, 30, 50)] == [
        4,
        Decimal("18.5"),
        Decimal("12.5"),
        Decimal("12.5"),
    ]


def test_what_a_caseworker_registered_for_the_very_day_stands() -> None:
    assert hours(
        (START, paid(11, FIRST, "1", told=FIRST), CHANGE, paid(12, after(30), "1", told=after(30))), after(40)
    ) == (Decimal("12.5"))
