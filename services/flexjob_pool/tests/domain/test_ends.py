"""How a flexjob ends: once, whoever tells of it, and what its end releases."""

from datetime import date
from uuid import uuid4

from flexjob_pool.domain.flexjobs import Flexjob
from flexjob_pool.domain.grants import Grant, amounts
from flexjob_pool.domain.refusals import CodeNotInForce
from flexjob_pool.domain.refusals.flexjobs import AlreadyEnded, EndedBeforeStart
from flexjob_pool.requests.flexjobs import EndFlexjob, PayEnd
from services.flexjob_pool.tests.domain.conftest import DAY, END, FIRST, World, ended, names


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
