"""Awareness sessions and snapshots of the workforce."""

from uuid import uuid4

from contracts.workplaces import Workplace
from flexjob_pool.domain.refusals.workplaces import (
    SessionExists,
    SnapshotExists,
    SnapshotOfAnother,
    TraineesAboveStaff,
    WorkplaceTwice,
)
from flexjob_pool.domain.workforce import Session, Snapshot, snapshot_key
from flexjob_pool.requests.workforce import HoldSession, TakeSnapshot
from services.flexjob_pool.tests.domain.conftest import DAY, TODAY, UNIT, World, names

OTHER = {"department": "Teknik", "workplace_unit": "Aahaven"}
STAFF = {
    "department": "Senior",
    "headcount": 412,
    "fte": "371.25",
    "trainee_headcount": 12,
    "wage_subsidy_headcount": 3,
}
KEY = snapshot_key("Senior", TODAY)


def test_a_session_is_held_once_for_workplaces_that_are_each_named_once() -> None:
    world, session_id = World(), uuid4()

    assert world.refused(session_id, HoldSession, TODAY, workplaces=[UNIT, OTHER, UNIT], managers=4) == {WorkplaceTwice}
    assert names(world.ask(session_id, HoldSession, TODAY, workplaces=[UNIT, OTHER], managers=4)) == [
        "awareness.session_held"
    ]

    session = world.one(Session, session_id)
    assert session == Session(session_id, TODAY, (Workplace(**UNIT), Workplace(**OTHER)), 4)
    assert world.refused(session_id, HoldSession, TODAY, workplaces=[UNIT], managers=4) == {SessionExists}


def test_a_department_is_counted_once_a_day() -> None:
    world = World()

    assert KEY == "Senior/2026-03-02"
    assert names(world.ask(KEY, TakeSnapshot, TODAY, **STAFF)) == ["workforce.snapshot_taken"]

    assert world.one(Snapshot, KEY).headcount == 412
    assert world.refused(KEY, TakeSnapshot, TODAY, **STAFF) == {SnapshotExists}
    assert world.ask(snapshot_key("Senior", TODAY + DAY), TakeSnapshot, TODAY + DAY, **STAFF)
    assert world.ask(snapshot_key("Teknik", TODAY), TakeSnapshot, TODAY, **{**STAFF, "department": "Teknik"})


def test_a_snapshot_keeps_its_department_and_day() -> None:
    world = World()

    assert world.refused(KEY, TakeSnapshot, TODAY + DAY, **STAFF) == {SnapshotOfAnother}
    assert world.refused(KEY, TakeSnapshot, TODAY, **{**STAFF, "department": "Teknik"}) == {SnapshotOfAnother}


def test_trainees_are_within_the_headcount() -> None:
    world = World()

    assert world.refused(KEY, TakeSnapshot, TODAY, **{**STAFF, "trainee_headcount": 413}) == {TraineesAboveStaff}
    assert world.ask(KEY, TakeSnapshot, TODAY, **{**STAFF, "trainee_headcount": 412})
