"""The hours of a flexjob: from when they hold, what bounds them, and who tells of them."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from flexjob_pool.domain.flexjobs import Flexjob, Hours
from flexjob_pool.domain.grants import Grant
from flexjob_pool.domain.refusals import CodeNotInForce, NothingChanges
from flexjob_pool.domain.refusals.flexjobs import AfterEnd, BeforeStart, EffectiveAboveAttendance
from flexjob_pool.requests.flexjobs import ChangeHours, PayHours
from services.flexjob_pool.tests.domain.conftest import DAY, END, FIRST, World, ended, hours, names


@given(
    days=st.lists(st.integers(0, 400), max_size=6),
    day=st.integers(-30, 500),
    effective=st.integers(1, 12),
    lasted=st.none() | st.integers(0, 500),
)
def test_hours_change_within_the_days_of_a_flexjob_when_they_are_new(
    days: list[int], day: int, effective: int, lasted: int | None
) -> None:
    world = World(date(2027, 12, 1))
    placement_id = world.start()
    held = {0: 8}
    for number, n in enumerate(sorted(days), start=1):
        if held[max(held)] != number:
            world.ask(placement_id, ChangeHours, FIRST + n * DAY, **hours("12", str(number)), cause="capacity_up")
            held[n] = number
    if lasted is not None:
        ended(world, placement_id, FIRST + lasted * DAY)
    in_force = [number for n, number in held.items() if n <= day]
    ask = {**hours("12", str(effective)), "cause": "task_match"}

    if day < 0:
        assert world.refused(placement_id, ChangeHours, FIRST + day * DAY, **ask) == {BeforeStart}
    elif lasted is not None and day >= lasted:
        assert world.refused(placement_id, ChangeHours, FIRST + day * DAY, **ask) == {AfterEnd}
    elif in_force[-1] == effective:
        assert world.refused(placement_id, ChangeHours, FIRST + day * DAY, **ask) == {NothingChanges}
    else:
        world.ask(placement_id, ChangeHours, FIRST + day * DAY, **ask)
        flexjob = world.one(Flexjob, placement_id)
        assert flexjob.hours_on(FIRST + day * DAY).effective_hours_per_week == effective
        assert [step.occurred_on for step in flexjob.hours] == sorted(step.occurred_on for step in flexjob.hours)


def test_of_two_changes_on_one_day_the_last_registered_holds() -> None:
    world = World()
    placement_id = world.start()
    for effective in ("9", "10"):
        world.ask(placement_id, ChangeHours, FIRST, **hours("12", effective), cause="capacity_up")

    assert world.one(Flexjob, placement_id).hours_on(FIRST).effective_hours_per_week == 10


def test_hours_may_outgrow_the_grant_after_the_start_and_the_amount_stays() -> None:
    """The grant bound the hours at the start; more hours later are what a flexjob is for, at the workplace's cost."""
    world = World()
    grant_id = world.commit(FIRST, END)
    placement_id = world.start(grant_id=grant_id)
    before = world.one(Grant, grant_id)

    events = world.ask(placement_id, ChangeHours, FIRST + DAY, **hours("20", "13"), cause="capacity_up")

    assert names(events) == ["flexjob.hours_changed"]
    assert world.one(Grant, grant_id) == before


def test_attendance_changes_apart_from_effective_hours_which_never_outgrow_it() -> None:
    world = World()
    placement_id = world.start()

    assert world.ask(placement_id, ChangeHours, FIRST, **hours("15", "8"), cause="task_match")
    assert world.refused(placement_id, ChangeHours, FIRST, **hours("15", "15.01"), cause="mood") == {
        EffectiveAboveAttendance,
        CodeNotInForce,
    }


def test_a_registration_error_is_no_cause_of_new_hours_but_of_a_correction() -> None:
    world = World()
    placement_id = world.start()
    wrong = {**hours("12", "9"), "cause": "registration_error"}

    assert world.refused(placement_id, ChangeHours, FIRST + DAY, **wrong) == {CodeNotInForce}


def test_hours_of_payroll_have_no_cause_and_show_their_employment_here_alone() -> None:
    world = World()
    placement_id, employment_ref = world.start(), uuid4()

    [event] = world.ask(placement_id, PayHours, FIRST + DAY, **hours("12", "9.25"), employment_ref=employment_ref)

    assert world.one(Flexjob, placement_id).hours[-1] == Hours(
        FIRST + DAY, Decimal(12), Decimal("9.25"), "not_stated", employment_ref
    )
    assert event.contract.name == "flexjob.hours_changed"
    assert "employment_ref" not in event.model_dump(mode="json")
    again = {**hours("12", "9.25"), "employment_ref": employment_ref}
    assert world.refused(placement_id, PayHours, FIRST + DAY, **again) == {NothingChanges}
    assert world.refused(placement_id, PayHours, FIRST - DAY, **again) == {BeforeStart}
    assert world.ask(placement_id, PayHours, FIRST + 9 * DAY, **hours("0", "0"), employment_ref=employment_ref)
    stated = {**again, **hours("12", "10"), "cause": "capacity_up"}
    assert world.ask(placement_id, PayHours, FIRST + 10 * DAY, **stated)
    assert world.one(Flexjob, placement_id).hours[-1].cause == "capacity_up"
