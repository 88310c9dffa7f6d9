"""What is due at the pool of what payroll told, and what contradicts and is left out."""

from datetime import date

import pytest

from flexjob_pool.domain.payroll import reasons
from flexjob_pool.domain.payroll.reconcile import Booked, Hours, due
from flexjob_pool.domain.payroll.timeline import employments_of
from flexjob_pool.domain.payroll.versions import Message, versions_of
from flexjob_pool.requests.flexjobs import PayHours
from services.flexjob_pool.tests.domain.payroll_messages import (
    BOOKED,
    SOURCE,
    TODAY,
    differing,
    employments,
    ended,
    hours,
    minute,
    on,
    paid,
    ref,
    registrations,
    wanted,
)


def pay_hours(day: str, held: Hours) -> PayHours:
    return PayHours(
        occurred_on=on(day),
        employment_ref=ref("employment"),
        attendance_hours_per_week=held.attendance,
        effective_hours_per_week=held.effective,
    )


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        ("0.3378", hours("12.50", "12.50")),
        ("0.25", hours("12", "9.25")),
        ("0.2905", hours("12", "10.75")),  # 10.7485 h
        ("0.5", hours("18.50", "18.50")),
        ("0.1350", hours("12", "5.00")),  # 4.995 h, exactly half a cent
    ],
)
def test_effective_hours_are_the_rate_of_37_half_up_and_attendance_is_raised_to_them(
    rate: str, expected: Hours
) -> None:
    asked = registrations(due(BOOKED, employments(paid("one", rate, "03-01")), TODAY))
    assert asked == [pay_hours("03-01", expected)]


def test_before_2013_payroll_pays_for_attendance_and_effective_hours_stay() -> None:
    old = Booked(BOOKED.person_ref, "pre2013", on("01-01"), None, {on("01-01"): hours("37", "15")})
    asked = registrations(due(old, employments(paid("one", "0.8", "03-01")), TODAY))
    assert asked == [pay_hours("03-01", hours("29.60", "15"))]


def test_hours_that_are_in_force_already_are_not_due() -> None:
    assert wanted(paid("same", "0.2703", "03-01")) == []  # 10.0011 h
    assert wanted(paid("one", "0.5", "03-01"), paid("two", "0.5", "06-01", at=1)) == [(on("03-01"), "18.50")]


def test_where_payroll_falls_silent_the_hours_of_the_doors_hold_again() -> None:
    booked = Booked(BOOKED.person_ref, "post2013", on("01-01"), None, {**BOOKED.hours, on("04-01"): hours("12", "11")})
    assert wanted(paid("one", "0.5", "03-01", "05-01"), booked=BOOKED) == [(on("03-01"), "18.50"), (on("05-01"), "10")]
    assert wanted(paid("one", "0.5", "03-01", "05-01"), booked=booked) == [(on("03-01"), "18.50")]


def test_future_dated_intervals_are_due_at_once_up_to_two_years_ahead() -> None:
    future = paid("future", "0.5", "12-01")
    assert wanted(future) == [(on("12-01"), "18.50")]
    too_far = Message(
        SOURCE, "far", minute(1), None, future.event.model_copy(update={"occurred_on": date(2028, 11, 3)})
    )
    assert wanted(too_far) == []
    assert differing(too_far) == {(reasons.TooFarAhead, "far")}


def test_an_open_end_written_as_a_day_far_away_is_no_end() -> None:
    open_end = paid("open", "0.5", "03-01").event.model_copy(update={"ends_on": date(9999, 12, 31)})
    message = Message(SOURCE, "open", minute(0), None, open_end)
    assert wanted(message) == [(on("03-01"), "18.50")]
    assert differing(message) == set()


def test_a_rate_of_nothing_registers_nothing_and_is_shown() -> None:
    leave = [paid("paid", "0.5", "03-01"), paid("leave", "0", "05-01", "07-01", at=1)]
    assert wanted(*leave) == [(on("03-01"), "18.50")]
    assert differing(*leave) == {(reasons.NoHoursPaid, "leave")}


def test_the_end_of_the_employment_ends_the_flexjob() -> None:
    assert wanted(ended("end", "09-01")) == [on("09-01")]
    assert wanted(paid("one", "0.5", "03-01"), ended("end", "09-01", at=1)) == [on("09-01"), (on("03-01"), "18.50")]


def test_an_unknown_flexjob_is_a_reason_and_registers_nothing() -> None:
    messages = [paid("one", "0.5", "03-01")]
    assert differing(*messages, booked=None) == {(reasons.FlexjobUnknown, None)}
    assert registrations(due(None, employments(*messages), TODAY)) == []


def test_an_interval_of_another_person_is_left_out_and_shown() -> None:
    messages = [paid("right", "0.5", "03-01"), paid("wrong", "0.8", "04-01", at=1, person="other")]
    assert wanted(*messages) == [(on("03-01"), "18.50")]
    assert differing(*messages) == {(reasons.AnotherPerson, "wrong")}


def test_an_interval_that_names_another_placement_than_the_first_is_left_out_unless_a_caseworker_matched() -> None:
    messages = [paid("first", "0.5", "03-01"), paid("second", "0.8", "04-01", at=1, placement="other")]
    assert wanted(*messages) == [(on("03-01"), "18.50")]
    assert differing(*messages) == {(reasons.AnotherPlacement, "second")}
    (matched,) = employments_of(versions_of(messages), {ref("employment"): ref("third")})
    assert matched.placement_id == ref("third")
    assert len(registrations(due(BOOKED, [matched], TODAY))) == 2


def test_a_scheme_that_nobody_knows_takes_no_hours_but_an_end() -> None:
    booked = Booked(BOOKED.person_ref, "post2030", BOOKED.started_on, None, BOOKED.hours)
    messages = [paid("one", "0.5", "03-01"), ended("end", "09-01", at=1)]
    assert wanted(*messages, booked=booked) == [on("09-01")]
    assert differing(*messages, booked=booked) == {(reasons.SchemeNotKnown, "one")}


def test_an_interval_that_begins_outside_the_flexjob_is_left_out_and_shown() -> None:
    booked = Booked(BOOKED.person_ref, "post2013", on("02-01"), on("08-01"), {on("02-01"): hours("12", "10")})
    messages = [
        paid("before", "0.3", "01-01"),
        paid("within", "0.5", "03-01", "09-01", at=1),
        paid("after", "0.4", "08-01", at=2),
    ]
    assert wanted(*messages, booked=booked) == [(on("03-01"), "18.50")]
    assert differing(*messages, booked=booked) == {
        (reasons.OutsideFlexjob, "before"),
        (reasons.OutsideFlexjob, "after"),
    }


def test_hours_of_the_doors_from_the_very_same_day_stay_and_the_difference_is_shown() -> None:
    assert wanted(paid("same day", "0.5", "01-01")) == []
    assert differing(paid("same day", "0.5", "01-01")) == {(reasons.OtherHoursRegistered, "same day")}
    assert differing(paid("equal", "0.2703", "01-01")) == set()


def test_of_steps_of_payroll_and_of_the_doors_the_one_that_began_last_holds() -> None:
    booked = Booked(BOOKED.person_ref, "post2013", on("01-01"), None, {**BOOKED.hours, on("05-01"): hours("20", "20")})
    messages = [paid("one", "0.5", "03-01"), paid("two", "0.5", "07-01", at=1)]
    assert wanted(*messages, booked=booked) == [(on("03-01"), "18.50"), (on("07-01"), "18.50")]


def test_another_end_than_that_of_the_doors_is_only_shown_and_the_same_one_is_not() -> None:
    booked = Booked(BOOKED.person_ref, "post2013", on("01-01"), on("08-01"), BOOKED.hours)
    assert wanted(ended("other", "09-01"), booked=booked) == []
    assert differing(ended("other", "09-01"), booked=booked) == {(reasons.OtherEndRegistered, "other")}
    assert differing(ended("same", "08-01"), booked=booked) == set()


def test_an_end_before_the_start_is_only_shown() -> None:
    booked = Booked(BOOKED.person_ref, "post2013", on("02-01"), None, {on("02-01"): hours("12", "10")})
    assert wanted(ended("early", "01-31"), booked=booked) == []
    assert differing(ended("early", "01-31"), booked=booked) == {(reasons.EndsBeforeFlexjob, "early")}


def test_an_end_that_is_left_out_takes_no_hours_and_no_other_end_with_it() -> None:
    started = Booked(BOOKED.person_ref, "post2013", on("02-01"), None, {on("02-01"): hours("12", "10")})
    paying = paid("one", "0.5", "03-01")
    mistaken = [paying, ended("right", "06-01", at=1), ended("mistaken", "01-15", at=2)]
    assert wanted(*mistaken, booked=started) == [on("06-01"), (on("03-01"), "18.50")]
    assert differing(*mistaken, booked=started) == {(reasons.EndsBeforeFlexjob, "mistaken")}

    over = Booked(BOOKED.person_ref, "post2013", on("01-01"), on("08-01"), BOOKED.hours)
    other = [paying, ended("other", "05-01", at=1), paid("after", "0.4", "06-01", at=2)]
    assert wanted(*other, booked=over) == [(on("03-01"), "18.50"), (on("06-01"), "14.80")]
    assert differing(*other, booked=over) == {(reasons.OtherEndRegistered, "other")}


def test_an_interval_registered_after_the_end_and_beginning_after_it_is_shown() -> None:
    messages = [ended("end", "06-01"), paid("after", "0.5", "07-01", at=1)]
    assert wanted(*messages) == [on("06-01")]
    assert differing(*messages) == {(reasons.AfterEmploymentEnd, "after")}


def test_of_employments_that_overlap_on_one_flexjob_the_one_registered_first_holds() -> None:
    messages = [paid("first", "0.5", "03-01"), paid("second", "0.8", "04-01", at=1, employment="other")]
    assert wanted(*messages) == [(on("03-01"), "18.50")]
    assert differing(*messages) == {(reasons.OverlappingEmployments, None)}


def test_employments_that_follow_each_other_on_one_flexjob_do_not_end_it() -> None:
    messages = [
        paid("first", "0.5", "03-01"),
        ended("end", "06-01", at=1),
        paid("second", "0.8", "07-01", at=2, employment="other"),
    ]
    assert wanted(*messages) == [(on("03-01"), "18.50"), (on("06-01"), "10"), (on("07-01"), "29.60")]
    assert differing(*messages) == set()
