"""What is done about what is due: any order of arrival and any duplicate end in the same registrations."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from uuid import uuid5

from hypothesis import given
from hypothesis import strategies as st

from contracts.payroll import EmploymentEnded, WorkingTimeChanged
from contracts.platform import EventRetracted
from flexjob_pool.domain.payroll.operations import Correct, Made, Operation, Register, Retract, operations_for
from flexjob_pool.domain.payroll.reconcile import Booked, Hours, due
from flexjob_pool.domain.payroll.timeline import Employment
from flexjob_pool.domain.payroll.versions import Message
from flexjob_pool.requests.flexjobs import PayEnd, PayHours
from services.flexjob_pool.tests.domain.payroll_messages import (
    BOOKED,
    DAY,
    NAMES,
    SOURCE,
    TODAY,
    employments,
    ended,
    hours,
    minute,
    on,
    paid,
    ref,
    registrations,
    retracted,
)


def hours_of(ask: PayHours) -> Hours:
    return Hours(ask.attendance_hours_per_week, ask.effective_hours_per_week)


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
