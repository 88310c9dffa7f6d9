"""The life of a flexjob: it starts once, and nothing that happens in it splits it."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from flexjob_pool.domain.flexjobs import DevelopmentStep, Flexjob, Stay
from flexjob_pool.domain.grants import Grant
from flexjob_pool.domain.refusals import CodeNotInForce, NothingChanges, NotRegistered, Refusal
from flexjob_pool.domain.refusals.flexjobs import (
    AfterEnd,
    AlreadyOrdinary,
    BeforeStart,
    EffectiveAboveAttendance,
    GrantInUse,
    GrantOfAnotherWorkplace,
    HoursAboveGrant,
    OutsideGrantPeriod,
    PlacementAlreadyStarted,
)
from flexjob_pool.domain.refusals.money import GrantIsReleased, GrantUnknown
from flexjob_pool.requests.flexjobs import (
    ChangeHours,
    ObtainOrdinaryEmployment,
    StartFlexjob,
    TakeDevelopmentStep,
    Transfer,
)
from flexjob_pool.requests.grants import ReleaseGrant
from services.flexjob_pool.tests.domain.conftest import (
    DAY,
    END,
    FIRST,
    TODAY,
    UNIT,
    World,
    ended,
    hours,
    names,
    reasons_of,
)


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
