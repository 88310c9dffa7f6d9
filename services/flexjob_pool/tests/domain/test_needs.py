"""Needs and candidates."""

from datetime import date
from uuid import uuid4

from flexjob_pool.domain.needs import Candidate, Need
from flexjob_pool.domain.refusals import CodeNotInForce, NotRegistered
from flexjob_pool.domain.refusals.needs import (
    AlreadyProposed,
    BeforeNeed,
    HoursReversed,
    NeedExists,
    NeedIsFilled,
    NeedIsWithdrawn,
    NeedUnknown,
)
from flexjob_pool.requests.applications import Apply
from flexjob_pool.requests.needs import ProposeCandidate, ReportNeed, WithdrawNeed
from services.flexjob_pool.tests.domain.conftest import DAY, UNIT, World, names, reasons_of

REPORTED = date(2026, 1, 5)


def test_a_need_is_open_once_reported() -> None:
    world = World()

    need = world.one(Need, world.need(REPORTED))

    assert (need.status, need.reported_on, need.task_codes) == ("open", REPORTED, ("care",))
    hours = {"effective_hours_per_week_from": "4", "effective_hours_per_week_to": "4"}
    assert world.refused(need.need_id, ReportNeed, REPORTED, **UNIT, task_codes=["care"], **hours) == {NeedExists}


def test_the_fewest_hours_of_a_need_are_not_more_than_the_most() -> None:
    world = World()

    assert world.need(effective_hours_per_week_from="12")
    assert reasons_of(lambda: world.need(effective_hours_per_week_from="12.01")) == {HoursReversed}


def test_a_need_is_withdrawn_once_while_it_is_open() -> None:
    world = World()
    need_id = world.need(REPORTED)

    assert world.refused(need_id, WithdrawNeed, REPORTED - DAY, reason_code="mood") == {BeforeNeed, CodeNotInForce}
    [event] = world.ask(need_id, WithdrawNeed, REPORTED, reason_code="tasks_gone")

    assert event.model_dump()["workplace_unit"] == "Aahaven"
    need = world.one(Need, need_id)
    assert (need.status, need.withdrawn_on, need.reason_code) == ("withdrawn", REPORTED, "tasks_gone")
    assert world.refused(need_id, WithdrawNeed, REPORTED, reason_code="other") == {NeedIsWithdrawn}


def test_a_person_is_proposed_once_for_an_open_need() -> None:
    world = World()
    need_id, person_ref = world.need(REPORTED), uuid4()

    assert names(world.ask(need_id, ProposeCandidate, REPORTED, person_ref=person_ref)) == ["candidate.proposed"]
    assert world.ask(need_id, ProposeCandidate, REPORTED, person_ref=uuid4())

    assert world.one(Need, need_id).candidates[0] == Candidate(person_ref, REPORTED)
    assert world.refused(need_id, ProposeCandidate, REPORTED - DAY, person_ref=person_ref) == {
        AlreadyProposed,
        BeforeNeed,
    }
    world.ask(need_id, WithdrawNeed, REPORTED, reason_code="other")
    assert world.refused(need_id, ProposeCandidate, REPORTED, person_ref=uuid4()) == {NeedIsWithdrawn}


def test_nothing_is_said_about_a_need_that_nobody_reported() -> None:
    world = World()

    assert world.refused(uuid4(), WithdrawNeed, REPORTED, reason_code="other") == {NotRegistered}
    assert world.refused(uuid4(), ProposeCandidate, REPORTED, person_ref=uuid4()) == {NotRegistered}


def test_the_first_flexjob_that_names_a_need_fills_it() -> None:
    world = World()
    need_id = world.need()

    placement_id = world.start(need_id=need_id)

    need = world.one(Need, need_id)
    assert (need.status, need.filled_by, need.filled_on) == ("filled", placement_id, date(2026, 7, 1))
    assert reasons_of(lambda: world.start(need_id=need_id)) == {NeedIsFilled}
    assert world.refused(need_id, ProposeCandidate, date(2026, 7, 1), person_ref=uuid4()) == {NeedIsFilled}
    assert world.refused(need_id, WithdrawNeed, date(2026, 7, 1), reason_code="other") == {NeedIsFilled}


def test_a_flexjob_fills_no_need_that_is_unknown_withdrawn_or_reported_later() -> None:
    world = World()
    need_id = world.need(REPORTED)

    assert reasons_of(lambda: world.start(need_id=uuid4())) == {NeedUnknown}
    assert reasons_of(lambda: world.start(REPORTED - DAY, need_id=need_id)) == {BeforeNeed}
    world.ask(need_id, WithdrawNeed, REPORTED, reason_code="other")
    assert reasons_of(lambda: world.start(need_id=need_id)) == {NeedIsWithdrawn}


def test_an_application_may_name_an_open_need() -> None:
    world = World()
    need_id = world.need()
    wish = {**UNIT, "effective_hours_per_week": "8", "months": 12, "amount_ore": 1}

    assert world.apply(need_id=need_id)
    assert world.refused(uuid4(), Apply, date(2026, 1, 10), need_id=uuid4(), **wish) == {NeedUnknown}
    world.ask(need_id, WithdrawNeed, REPORTED, reason_code="other")
    assert world.refused(uuid4(), Apply, date(2026, 1, 10), need_id=need_id, **wish) == {NeedIsWithdrawn}
