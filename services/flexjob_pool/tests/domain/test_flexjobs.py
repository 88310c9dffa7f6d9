"""The life of a flexjob: it starts once and ends once, and nothing in between splits it."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexjob_pool.domain.flexjobs import DevelopmentStep, Flexjob, Hours, Stay
from flexjob_pool.domain.grants import Grant, amounts
from flexjob_pool.domain.refusals import CodeNotInForce, NothingChanges, NotRegistered, Refusal
from flexjob_pool.domain.refusals.flexjobs import (
    AfterEnd,
    AlreadyEnded,
    AlreadyOrdinary,
    BeforeStart,
    EffectiveAboveAttendance,
    EndedBeforeStart,
    GrantInUse,
    GrantOfAnotherWorkplace,
    HoursAboveGrant,
    OutsideGrantPeriod,
    PlacementAlreadyStarted,
)
from flexjob_pool.domain.refusals.money import GrantIsReleased, GrantUnknown
from flexjob_pool.requests.flexjobs import (
    ChangeHours,
    EndFlexjob,
    ObtainOrdinaryEmployment,
    PayEnd,
    PayHours,
    StartFlexjob,
    TakeDevelopmentStep,
    Transfer,
)
from flexjob_pool.requests.grants import ReleaseGrant
from services.flexjob_pool.tests.domain.conftest import DAY, END, FIRST, TODAY, UNIT, World, names, reasons_of


def hours(attendance: str, effective: str) -> dict[str, Any]:
    return {"attendance_hours_per_week": attendance, "effective_hours_per_week": effective}


def ended(world: World, placement_id: UUID, day: date) -> UUID:
    world.ask(placement_id, EndFlexjob, day, reason_code="resigned")
    return placement_id


def test_a_start_is_refused_for_all_reasons_at_once() -> None:
    world = World()

    assert reasons_of(
        lambda: world.start(effective_hours_per_week="12.01", grant_term="for_ever", grant_id=uuid4())
    ) == {EffectiveAboveAttendance, CodeNotInForce, GrantUnknown}


def test_a_placement_starts_once() -> None:
    world = World()
    placement_id = world.start()
    job = {**UNIT, **hours("12", "8"), "grant_term": "permanent", "retention": False, "scheme": "post2013"}

    assert world.refused(placement_id, StartFlexjob, FIRST, **job, person_ref=uuid4()) == {PlacementAlreadyStarted}


def test_before_2013_a_person_could_be_paid_for_more_hours_than_worked() -> None:
    world = World()

    placement_id = world.start(date(2012, 12, 31), **hours("12", "37"), scheme="pre2013", grant_term="permanent")

    assert world.ask(placement_id, ChangeHours, FIRST, **hours("10", "37"), cause="capacity_down")


def test_one_person_in_two_flexjobs_has_two_placements_with_hours_of_their_own() -> None:
    """Six and five hours are two flexjobs of one person, whose eleven hours are added elsewhere (E20)."""
    world, person_ref = World(), uuid4()

    jobs = [world.start(person_ref=person_ref, **hours(number, number)) for number in ("6", "5")]

    assert {world.one(Flexjob, job).person_ref for job in jobs} == {person_ref}
    assert sum(world.one(Flexjob, job).hours_on(FIRST).effective_hours_per_week for job in jobs) == 11


def test_a_grant_pays_for_one_flexjob_and_not_once_released() -> None:
    world = World()
    used, released = world.commit(), world.commit()
    placement_id = world.start(grant_id=used)
    world.ask(released, ReleaseGrant, TODAY)

    assert world.one(Grant, used).placement_id == placement_id
    assert reasons_of(lambda: world.start(grant_id=used)) == {GrantInUse}
    assert reasons_of(lambda: world.start(grant_id=released)) == {GrantIsReleased}


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"department": "Teknik"}, GrantOfAnotherWorkplace),
        ({"workplace_unit": "Vesterled"}, GrantOfAnotherWorkplace),
        ({"day": FIRST - DAY}, OutsideGrantPeriod),
        ({"day": END}, OutsideGrantPeriod),
        ({"effective_hours_per_week": "12.51"}, HoursAboveGrant),
    ],
)
def test_a_grant_pays_for_what_was_applied_for_and_nothing_else(values: dict[str, Any], refusal: type[Refusal]) -> None:
    world = World()
    most = hours("20", "12.5")

    for day in (FIRST, END - DAY):
        assert world.start(day, **most, grant_id=world.commit(FIRST, END))
    grant_id = world.commit(FIRST, END)
    assert reasons_of(lambda: world.start(**{**most, **values}, grant_id=grant_id)) == {refusal}


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


def test_a_transfer_moves_a_flexjob_and_splits_no_spell() -> None:
    world = World()
    grant_id = world.commit(FIRST, END)
    placement_id = world.start(grant_id=grant_id)
    before = world.one(Flexjob, placement_id)

    events = world.ask(placement_id, Transfer, FIRST + 30 * DAY, department="Teknik", workplace_unit="Vej")

    assert names(events) == ["flexjob.transferred"]
    flexjob = world.one(Flexjob, placement_id)
    assert (flexjob.department, flexjob.workplace_unit) == ("Teknik", "Vej")
    assert flexjob.stay_on(FIRST + 29 * DAY) == Stay(FIRST, "Senior", "Aahaven")
    assert (flexjob.status, flexjob.started_on, flexjob.hours) == ("running", before.started_on, before.hours)
    assert world.one(Grant, grant_id).workplace_unit == "Aahaven"


def test_a_transfer_registered_late_lies_before_those_that_are_known() -> None:
    world = World()
    placement_id = world.start()
    world.ask(placement_id, Transfer, FIRST + 30 * DAY, department="Teknik", workplace_unit="Vej")

    world.ask(placement_id, Transfer, FIRST + 10 * DAY, department="Kultur", workplace_unit="Museum")

    flexjob = world.one(Flexjob, placement_id)
    assert flexjob.department == "Teknik"
    assert flexjob.stay_on(FIRST + 10 * DAY).workplace_unit == "Museum"
    assert world.refused(placement_id, Transfer, FIRST + 9 * DAY, **UNIT) == {NothingChanges}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Transfer, {"department": "Teknik", "workplace_unit": "Vej"}),
        (TakeDevelopmentStep, {"step_code": "mentor"}),
        (ChangeHours, {**hours("12", "9"), "cause": "capacity_up"}),
    ],
)
def test_what_happens_in_a_flexjob_happens_on_its_days(kind: Any, values: dict[str, Any]) -> None:
    world = World()
    placement_id = ended(world, world.start(FIRST), FIRST + 10 * DAY)

    assert world.refused(placement_id, kind, FIRST - DAY, **values) == {BeforeStart}
    assert world.refused(placement_id, kind, FIRST + 10 * DAY, **values) == {AfterEnd}
    assert world.ask(placement_id, kind, FIRST, **values)
    assert world.refused(uuid4(), kind, FIRST, **values) == {NotRegistered}


def test_a_development_step_is_one_of_the_list_and_may_have_been_timed() -> None:
    world = World()
    placement_id = world.start()

    world.ask(placement_id, TakeDevelopmentStep, FIRST, step_code="course", hours="7.50")

    assert world.one(Flexjob, placement_id).steps == (DevelopmentStep(FIRST, "course", Decimal("7.50")),)
    assert world.refused(placement_id, TakeDevelopmentStep, FIRST, step_code="yoga") == {CodeNotInForce}


def test_ordinary_employment_is_obtained_once_within_a_flexjob_or_as_it_ends() -> None:
    world = World()
    end = FIRST + 10 * DAY
    placement_id = ended(world, world.start(FIRST), end)

    assert world.refused(placement_id, ObtainOrdinaryEmployment, FIRST - DAY, effective_hours_per_week="20") == {
        BeforeStart
    }
    assert world.refused(placement_id, ObtainOrdinaryEmployment, end + DAY, effective_hours_per_week="20") == {AfterEnd}
    world.ask(placement_id, ObtainOrdinaryEmployment, end, effective_hours_per_week="20")

    flexjob = world.one(Flexjob, placement_id)
    assert (flexjob.ordinary_on, flexjob.ordinary_hours_per_week) == (end, Decimal(20))
    assert world.refused(placement_id, ObtainOrdinaryEmployment, end, effective_hours_per_week="30") == {
        AlreadyOrdinary
    }


def test_a_flexjob_may_end_on_the_day_it_started_and_not_before() -> None:
    world = World()
    placement_id = world.start()

    assert world.refused(placement_id, EndFlexjob, FIRST - DAY, reason_code="mood") == {
        EndedBeforeStart,
        CodeNotInForce,
    }
    assert world.ask(placement_id, EndFlexjob, FIRST, reason_code="pension")

    flexjob = world.one(Flexjob, placement_id)
    assert (flexjob.status, flexjob.ended_on, flexjob.reason_code) == ("ended", FIRST, "pension")


def test_a_flexjob_ends_once_whoever_tells_of_it() -> None:
    world = World()
    first, second = ended(world, world.start(), FIRST), world.start()
    employment_ref = uuid4()

    [event] = world.ask(second, PayEnd, FIRST, employment_ref=employment_ref)

    flexjob = world.one(Flexjob, second)
    assert (event.contract.name, flexjob.reason_code, flexjob.ended_by) == (
        "flexjob.ended",
        "not_stated",
        employment_ref,
    )
    assert "employment_ref" not in event.model_dump(mode="json")
    assert world.one(Flexjob, first).ended_by is None
    assert world.refused(first, PayEnd, END, employment_ref=employment_ref) == {AlreadyEnded}
    assert world.refused(first, EndFlexjob, END, reason_code="pension") == {AlreadyEnded}


def test_a_later_end_takes_over_from_the_one_that_payroll_told_of() -> None:
    world = World()
    placement_id = world.start()
    world.ask(placement_id, PayEnd, FIRST, employment_ref=uuid4())
    world.ask(placement_id, PayEnd, FIRST + DAY, employment_ref=uuid4())
    assert world.one(Flexjob, placement_id).ended_on == FIRST + DAY

    assert world.ask(placement_id, EndFlexjob, END, reason_code="pension")

    flexjob = world.one(Flexjob, placement_id)
    assert (flexjob.ended_on, flexjob.ended_by, flexjob.reason_code) == (END, None, "pension")
    assert world.refused(placement_id, EndFlexjob, END, reason_code="pension") == {AlreadyEnded}


def test_the_end_that_payroll_tells_of_releases_the_grant_too() -> None:
    world = World()
    grant_id = world.commit(date(2026, 7, 1), date(2026, 10, 9), amount_ore=1000)
    placement_id = world.start(date(2026, 7, 1), grant_id=grant_id)

    events = world.ask(placement_id, PayEnd, date(2026, 8, 20), employment_ref=uuid4())

    assert names(events) == ["flexjob.ended", "grant.released"]
    assert amounts(world.one(Grant, grant_id).allocations) == {2026: 500}
