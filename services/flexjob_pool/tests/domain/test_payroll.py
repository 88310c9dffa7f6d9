"""Payroll's rules alone: which versions hold, what they say day by day, and what is due of it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.payroll import EmploymentEnded, WorkingTimeChanged
from contracts.platform import EventRetracted
from flexjob_pool.domain.payroll import reasons
from flexjob_pool.domain.payroll.operations import Correct, Made, Operation, Register, Retract, operations_for
from flexjob_pool.domain.payroll.reconcile import Booked, Differing, Due, Hours, Wanted, due
from flexjob_pool.domain.payroll.timeline import Employment, employments_of, steps_of
from flexjob_pool.domain.payroll.versions import Identity, Message, Standing, standings_of, versions_of
from flexjob_pool.domain.refusals import Refusal
from flexjob_pool.requests.flexjobs import PayEnd, PayHours

SOURCE = "urn:kraftcenter:621:sd_loen"
NAMES = UUID("9a8f4d8e-5f0c-4c53-9d0e-0c4c6f0f7f11")
TODAY = date(2026, 11, 2)
DAY = timedelta(days=1)


def ref(name: str) -> UUID:
    return uuid5(NAMES, name)


def on(text: str) -> date:
    """A day of 2026, as "03-01"."""
    return date.fromisoformat(f"2026-{text}")


def hours(attendance: str, effective: str) -> Hours:
    return Hours(Decimal(attendance), Decimal(effective))


def pay_hours(day: str, held: Hours) -> PayHours:
    return PayHours(
        occurred_on=on(day),
        employment_ref=ref("employment"),
        attendance_hours_per_week=held.attendance,
        effective_hours_per_week=held.effective,
    )


def hours_of(ask: PayHours) -> Hours:
    return Hours(ask.attendance_hours_per_week, ask.effective_hours_per_week)


BOOKED = Booked(ref("person"), "post2013", on("01-01"), None, {on("01-01"): hours("12", "10")})


def paid(  # noqa: PLR0913 - what an interval consists of
    id: str,  # noqa: A002
    rate: str,
    first: str,
    end: str | None = None,
    *,
    at: int = 0,
    employment: str = "employment",
    placement: str = "placement",
    person: str = "person",
    corrects: str | None = None,
) -> Message:
    """An interval, registered `at` so many minutes past midnight."""
    event = WorkingTimeChanged(
        occurred_on=on(first),
        ends_on=end and on(end),
        employment_ref=ref(employment),
        placement_id=ref(placement),
        person_ref=ref(person),
        occupation_rate=Decimal(rate),
        reason_code="registration_error" if corrects else None,
    )
    return Message(SOURCE, id, minute(at), corrects, event)


def ended(id: str, day: str, *, at: int = 0, employment: str = "employment", corrects: str | None = None) -> Message:  # noqa: A002
    event = EmploymentEnded(
        occurred_on=on(day),
        employment_ref=ref(employment),
        placement_id=ref("placement"),
        person_ref=ref("person"),
        reason_code="late_information" if corrects else None,
    )
    return Message(SOURCE, id, minute(at), corrects, event)


def retracted(id: str, target: str, *, at: int = 0) -> Message:  # noqa: A002
    return Message(SOURCE, id, minute(at), None, EventRetracted(event_id=target, reason_code="never_happened"))


def minute(past_midnight: int) -> datetime:
    return datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=past_midnight)


def in_force(*messages: Message) -> list[str]:
    return [version.told.id for version in versions_of(messages)]


def employments(*messages: Message) -> list[Employment]:
    return employments_of(versions_of(messages), {})


def rates(*messages: Message) -> list[tuple[date, str | None]]:
    (employment,) = employments(*messages)
    return [(step.day, step.interval and str(step.interval.rate)) for step in steps_of(employment)]


def registrations(found: Iterable[Due]) -> list[PayHours | PayEnd]:
    return [each.ask for each in found if isinstance(each, Wanted)]


def wanted(*messages: Message, booked: Booked = BOOKED) -> list[tuple[date, str] | date]:
    """What is due: effective hours from a day, or the day of the end."""
    asked = registrations(due(booked, employments(*messages), TODAY))
    return [
        (each.occurred_on, str(each.effective_hours_per_week)) if isinstance(each, PayHours) else each.occurred_on
        for each in asked
    ]


def differing(*messages: Message, booked: Booked | None = BOOKED) -> set[tuple[type[Refusal], str | None]]:
    """What differs, and the message that it is about."""
    return {
        (type(each.reason), each.message and each.message.id)
        for each in due(booked, employments(*messages), TODAY)
        if isinstance(each, Differing)
    }


# Versions


def test_of_several_corrections_the_one_registered_last_holds_in_any_order_of_arrival() -> None:
    chain = [
        paid("root", "0.3", "03-01"),
        paid("first", "0.4", "03-01", at=1, corrects="root"),
        paid("second", "0.5", "03-01", at=2, corrects="first"),
        paid("same instant", "0.6", "03-01", at=2, corrects="root"),
    ]
    assert {tuple(in_force(*order)) for order in permutations(chain)} == {("second",)}


def test_a_retracted_correction_restores_the_version_before_it_and_a_retracted_root_removes_the_chain() -> None:
    root, correction = paid("root", "0.3", "03-01"), paid("new", "0.4", "03-01", at=1, corrects="root")
    assert in_force(root, correction, retracted("gone", "new", at=2)) == ["root"]
    assert in_force(root, correction, retracted("gone", "root", at=2)) == []


def test_a_retraction_of_a_retraction_changes_nothing() -> None:
    assert in_force(paid("root", "0.3", "03-01"), retracted("gone", "root"), retracted("back", "gone")) == []


def test_what_points_at_a_message_that_has_not_come_waits_for_it() -> None:
    correction, retraction = paid("new", "0.4", "03-01", at=1, corrects="root"), retracted("gone", "new", at=2)
    waiting = standings_of([correction, retraction])
    assert set(waiting.values()) == {Standing.WAITING}
    known = standings_of([correction, retraction, paid("root", "0.3", "03-01")])
    assert [known[Identity(SOURCE, id)] for id in ("root", "new", "gone")] == [  # noqa: A001
        Standing.IN_FORCE,
        Standing.RETRACTED,
        Standing.IN_FORCE,
    ]


def test_a_correction_of_another_type_or_of_another_source_or_of_itself_never_holds() -> None:
    root = paid("root", "0.3", "03-01")
    other_type = ended("end", "06-01", at=1, corrects="root")
    itself = paid("loop", "0.4", "03-01", at=1, corrects="loop")
    elsewhere = Message("urn:kraftcenter:621:other", "far", minute(1), "root", root.event)
    assert in_force(root, other_type, itself, elsewhere) == ["root"]


# Timeline


def test_of_overlapping_intervals_the_one_registered_last_holds_and_the_one_below_shows_again() -> None:
    below, above = paid("below", "0.3", "01-01"), paid("above", "0.5", "03-01", "06-01", at=1)
    expected = [(on("01-01"), "0.3"), (on("03-01"), "0.5"), (on("06-01"), "0.3")]
    assert rates(below, above) == rates(above, below) == expected


def test_an_interval_registered_before_another_does_not_cover_it_however_late_it_comes() -> None:
    assert rates(paid("new", "0.5", "03-01", at=1), paid("old", "0.3", "01-01")) == [
        (on("01-01"), "0.3"),
        (on("03-01"), "0.5"),
    ]


def test_correcting_an_old_interval_does_not_lift_it_above_newer_ones() -> None:
    old, newer = paid("old", "0.3", "01-01"), paid("newer", "0.5", "03-01", at=1)
    correction = paid("correction", "0.4", "01-01", at=2, corrects="old")
    assert rates(old, newer, correction) == [(on("01-01"), "0.4"), (on("03-01"), "0.5")]


def test_where_no_interval_holds_payroll_says_nothing() -> None:
    assert rates(paid("one", "0.3", "01-01", "03-01"), paid("two", "0.5", "04-01", "06-01")) == [
        (on("01-01"), "0.3"),
        (on("03-01"), None),
        (on("04-01"), "0.5"),
        (on("06-01"), None),
    ]


def test_the_end_registered_last_holds_and_cuts_what_was_planned_after_it() -> None:
    planned = [paid("one", "0.3", "02-01"), paid("two", "0.5", "06-01")]
    ends = [ended("late", "08-01", at=1), ended("early", "05-01", at=2)]
    assert rates(*planned, *ends) == [(on("02-01"), "0.3"), (on("05-01"), None)]
    assert differing(*planned, *ends) == set()


# What is due


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


# Contradictions


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


# What is done about it


def carried_out(made: Sequence[Made], operations: Iterable[Operation]) -> list[Made]:
    """What payroll has registered once the operations are done."""
    standing = {each.event_id: each.ask for each in made}
    for number, each in enumerate(operations):
        if isinstance(each, Retract):
            del standing[each.event_id]
        elif isinstance(each, Correct):
            assert each.event_id in standing
            standing[each.event_id] = each.ask
        else:
            standing[uuid5(NAMES, f"{len(standing)} {number} {each}")] = each.ask
    return [Made(event_id, asked) for event_id, asked in standing.items()]


def test_what_is_missing_is_registered_what_differs_is_corrected_and_what_is_gone_is_retracted() -> None:
    first, second = paid("first", "0.5", "03-01"), paid("second", "0.8", "06-01", at=1)
    made = carried_out([], operations_for([], due(BOOKED, employments(first, second), TODAY)))
    assert [(each.ask.occurred_on, each.ask.employment_ref) for each in made] == [
        (on("03-01"), ref("employment")),
        (on("06-01"), ref("employment")),
    ]
    messages = [
        first,
        second,
        paid("correction", "0.6", "03-01", at=2, corrects="first"),
        retracted("gone", "second", at=2),
        ended("end", "09-01", at=3),
    ]
    done = operations_for(made, due(BOOKED, employments(*messages), TODAY))
    assert [type(each) for each in done] == [Retract, Correct, Register]
    assert isinstance(done[0], Retract)
    assert done[0].event_id == made[1].event_id


def test_an_end_that_comes_later_is_moved_before_hours_are_registered_in_the_days_it_gains() -> None:
    made = [Made(ref("end"), PayEnd(occurred_on=on("06-01"), employment_ref=ref("employment")))]
    messages = [paid("after", "0.5", "07-01"), ended("end", "09-01", at=1)]
    done = operations_for(made, due(BOOKED, employments(*messages), TODAY))
    assert [type(each) for each in done] == [Correct, Register]


@st.composite
def stories(draw: st.DrawFn) -> list[Message]:
    """What a payroll system may tell of two employments on one flexjob, contradictions and wrong pointers included."""
    messages: list[Message] = []
    days = st.integers(0, 20)
    for number in range(draw(st.integers(1, 9))):
        employment = draw(st.sampled_from(["one", "one", "one", "two"]))
        person = draw(st.sampled_from(["person"] * 9 + ["other"]))
        first, length = on("01-01") + DAY * draw(days), draw(st.none() | st.integers(1, 12))
        target = draw(st.none() | st.integers(0, 9).map(str))
        common = {"employment_ref": ref(employment), "placement_id": ref("placement"), "person_ref": ref(person)}
        reason = "registration_error" if target else None
        rate = draw(st.sampled_from(["0", "0.2703", "0.4", "0.5"]))
        event = draw(
            st.sampled_from(
                [
                    WorkingTimeChanged(
                        **common,
                        occurred_on=first,
                        ends_on=first + DAY * length if length else None,
                        occupation_rate=Decimal(rate),
                        reason_code=reason,
                    )
                ]
                * 4
                + [EmploymentEnded(**common, occurred_on=first, reason_code=reason)]
                + [EventRetracted(event_id=target or "0", reason_code="never_happened")]
            )
        )
        corrects = None if isinstance(event, EventRetracted) else target
        messages.append(Message(SOURCE, str(number), minute(draw(st.integers(0, 3))), corrects, event))
    return messages


@st.composite
def at_the_doors(draw: st.DrawFn) -> Booked:
    """What caseworkers may have registered of a flexjob."""
    started_on = on("01-01") + DAY * draw(st.integers(0, 5))
    changes = draw(st.dictionaries(st.integers(1, 20), st.sampled_from([hours("12", "10"), hours("20", "14.80")])))
    ended_on = draw(st.none() | st.integers(21, 30).map(lambda days: started_on + DAY * days))
    booked = {started_on: hours("12", "10")} | {started_on + DAY * day: each for day, each in changes.items()}
    return Booked(ref("person"), draw(st.sampled_from(["post2013", "pre2013"])), started_on, ended_on, booked)


@given(at_the_doors(), stories(), st.data())
def test_any_order_and_any_duplicates_end_in_the_same_registrations(
    booked: Booked, story: list[Message], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(story + data.draw(st.lists(st.sampled_from(story), max_size=4))))
    come: dict[tuple[str, str], Message] = {}
    made: list[Made] = []
    for message in order:
        come[message.identity] = message
        made = carried_out(made, operations_for(made, due(booked, employments(*come.values()), TODAY)))
    told_at_once = registrations(due(booked, employments(*story), TODAY))
    assert sorted((each.ask for each in made), key=repr) == sorted(told_at_once, key=repr)
    assert operations_for(made, due(booked, employments(*story), TODAY)) == []


@given(at_the_doors(), stories())
def test_hours_day_by_day_are_those_that_began_last(booked: Booked, story: list[Message]) -> None:
    one = [each for each in employments(*story) if each.employment_ref == ref("one")]
    if not one or any(version.event.person_ref != booked.person_ref for version in one[0].versions):
        return
    asked = registrations(due(booked, one, TODAY))
    changed = dict(booked.hours) | {each.occurred_on: hours_of(each) for each in asked if isinstance(each, PayHours)}
    end = next((each.occurred_on for each in asked if isinstance(each, PayEnd)), booked.ended_on)
    current, said = booked.hours[booked.started_on], holding(booked, one[0], booked.started_on - DAY)
    day = booked.started_on
    while day < (end or on("03-01")):
        before, said = said, holding(booked, one[0], day)
        if day in booked.hours:
            current = booked.hours[day]
        elif said != before and (now := paid_on(booked, one[0], said, day)):
            current = now
        assert current == changed[max(each for each in changed if each <= day)], day
        day += DAY


def holding(booked: Booked, employment: Employment, day: date) -> str | None:
    """The id of the message that holds on a day, by looking at each of them; an end that does not fit ends nothing."""
    ends = [each.event.occurred_on for each in employment.versions if isinstance(each.event, EmploymentEnded)]
    fitting = [end for end in ends if end == booked.ended_on or (not booked.ended_on and end >= booked.started_on)]
    if fitting and day >= fitting[-1]:
        return None
    for version in reversed(employment.versions):
        event = version.event
        if isinstance(event, WorkingTimeChanged) and event.occurred_on <= day < (event.ends_on or date.max):
            return version.told.id
    return None


def paid_on(booked: Booked, employment: Employment, said: str | None, day: date) -> Hours | None:
    """The hours that a message pays for, those of the doors without one, None for no hours."""
    doors = booked.hours_on(day)
    if said is None:
        return doors
    (rate,) = (
        version.event.occupation_rate
        for version in employment.versions
        if version.told.id == said and isinstance(version.event, WorkingTimeChanged)
    )
    found = {"0": None, "0.2703": Decimal("10.00"), "0.4": Decimal("14.80"), "0.5": Decimal("18.50")}[str(rate)]
    if found is None:
        return None
    return Hours(max(doors.attendance, found), found) if booked.scheme == "post2013" else Hours(found, doors.effective)
