"""Reviews: when they are due, called for once, held once."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.development import ReviewDue
from contracts.event import DatedEvent
from flexjob_pool.domain.flexjobs import Flexjob
from flexjob_pool.domain.refusals import CodeNotInForce, NotRegistered
from flexjob_pool.domain.refusals.flexjobs import (
    AfterEnd,
    AlreadyHeld,
    BeforeStart,
    ReviewNotCalled,
    ReviewOfAnotherFlexjob,
    ReviewOfAnotherKind,
)
from flexjob_pool.domain.reviews import Review, calls, wanted_reviews
from flexjob_pool.requests.flexjobs import EndFlexjob, StartFlexjob
from flexjob_pool.requests.reviews import HoldReview
from services.flexjob_pool.tests.domain.conftest import DAY, World

START = date(2025, 9, 1)


def running(start: date = START, *, registered: date | None = None, **values: Any) -> tuple[World, UUID]:
    world = World(registered or start)
    return world, world.start(start, **values)


def sweep(world: World, placement_id: UUID, today: date) -> list[ReviewDue]:
    """What the service does on a day of its own accord."""
    world.case.today = today
    asks = calls(world.one(Flexjob, placement_id), today)
    events: list[DatedEvent] = [event for review_id, ask in asks for event in world.do(review_id, ask)]
    return [event for event in events if isinstance(event, ReviewDue)]


def dues(events: list[ReviewDue]) -> list[tuple[str, date]]:
    return [(event.review_kind, event.due_on) for event in events]


@pytest.mark.parametrize(
    ("start", "due_on"), [(date(2025, 9, 1), date(2028, 3, 1)), (date(2025, 8, 31), date(2028, 2, 29))]
)
def test_the_first_review_is_due_two_and_a_half_calendar_years_after_the_start(start: date, due_on: date) -> None:
    """2½ years from 1 September 2025 is 1 March 2028; from 31 August it is clamped to the leap day (E18)."""
    world, placement_id = running(start)

    assert world.one(Flexjob, placement_id).next_review_on == due_on
    assert sweep(world, placement_id, due_on - 91 * DAY) == []
    assert dues(sweep(world, placement_id, due_on - 90 * DAY)) == [("m30", due_on)]


def test_a_temporary_flexjob_has_a_status_after_four_and_a_half_years_besides() -> None:
    """4½ years from 1 September 2025 is 1 March 2030 (E18)."""
    world, placement_id = running()

    assert dues(sweep(world, placement_id, date(2030, 3, 1))) == [("m30", date(2028, 3, 1)), ("m54", date(2030, 3, 1))]


def test_a_permanent_flexjob_has_no_status() -> None:
    world, placement_id = running(grant_term="permanent")

    assert dues(sweep(world, placement_id, date(2030, 3, 1))) == [("m30", date(2028, 3, 1))]


def test_a_review_is_called_for_once_however_often_the_calendar_is_looked_at() -> None:
    world, placement_id = running()
    day = date(2028, 1, 1)

    [(review_id, ask)] = calls(world.one(Flexjob, placement_id), day)
    [due] = sweep(world, placement_id, day)

    assert due.review_id == review_id
    assert world.do(review_id, ask) == []
    assert sweep(world, placement_id, day + DAY) == []
    review = world.one(Review, review_id)
    assert (review.status, review.called_on, review.due_on) == ("due", day, date(2028, 3, 1))


def hold(world: World, review_id: UUID, placement_id: UUID, day: date, kind: str = "m30") -> None:
    world.ask(review_id, HoldReview, day, placement_id=placement_id, review_kind=kind, outcome_code="continues")


def test_the_next_review_is_due_two_and_a_half_years_after_the_one_that_was_held() -> None:
    world, placement_id = running(grant_term="permanent")
    [first] = sweep(world, placement_id, date(2028, 3, 1))

    hold(world, first.review_id, placement_id, date(2028, 8, 31))

    [second] = sweep(world, placement_id, date(2031, 1, 1))
    assert second.due_on == date(2031, 2, 28)
    assert second.review_id != first.review_id


def test_an_early_review_moves_the_next_one_and_a_status_does_not() -> None:
    world, placement_id = running()
    hold(world, uuid4(), placement_id, date(2026, 9, 1), kind="early")
    assert dues(sweep(world, placement_id, date(2030, 3, 1))) == [("m30", date(2029, 3, 1)), ("m54", date(2030, 3, 1))]
    second, status = (one.review_id for one in world.one(Flexjob, placement_id).reviews if one.held_on is None)
    hold(world, second, placement_id, date(2029, 3, 1))

    hold(world, status, placement_id, date(2030, 3, 1), kind="m54")

    assert world.one(Flexjob, placement_id).next_review_on == date(2031, 9, 1)


def test_what_fell_due_before_a_flexjob_was_registered_is_not_called_for() -> None:
    world, placement_id = running(date(2018, 1, 31), registered=date(2026, 3, 2))

    assert dues(sweep(world, placement_id, date(2028, 12, 1))) == [("m30", date(2028, 1, 31))]


def test_a_review_that_falls_due_on_the_day_of_registration_is_called_for() -> None:
    world, placement_id = running(date(2023, 9, 2), registered=date(2026, 3, 2))

    assert dues(sweep(world, placement_id, date(2026, 3, 2))) == [("m30", date(2026, 3, 2))]


def test_a_flexjob_that_has_ended_is_not_reviewed() -> None:
    world, placement_id = running()
    world.ask(placement_id, EndFlexjob, date(2027, 1, 1), reason_code="pension")

    assert world.one(Flexjob, placement_id).next_review_on is None
    assert sweep(world, placement_id, date(2030, 3, 1)) == []


def test_a_call_for_a_flexjob_that_is_not_there_comes_to_nothing() -> None:
    world, placement_id = running()
    [(review_id, ask)] = calls(world.one(Flexjob, placement_id), date(2028, 1, 1))

    assert World(date(2028, 1, 1)).do(review_id, ask) == []


def test_a_call_told_again_is_due_when_the_case_says_so_by_then() -> None:
    world, placement_id = running()
    [(review_id, ask)] = calls(world.one(Flexjob, placement_id), date(2028, 1, 1))
    corrected = World(START)
    job = {"attendance_hours_per_week": "12", "effective_hours_per_week": "8", "grant_term": "temporary_5y"}
    person = {"person_ref": uuid4(), "retention": False, "scheme": "post2013"}
    corrected.ask(
        placement_id, StartFlexjob, date(2025, 12, 1), department="Senior", workplace_unit="Aahaven", **job, **person
    )
    corrected.case.today = date(2028, 1, 1)

    [due] = corrected.do(review_id, ask)

    assert due.model_dump()["due_on"] == date(2028, 6, 1)
    assert due.model_dump()["review_id"] == review_id


def test_a_review_is_held_once_as_what_it_was_called_for() -> None:
    world, placement_id = running()
    other = world.start(START)
    [due] = sweep(world, placement_id, date(2028, 3, 1))
    ask = {"placement_id": placement_id, "review_kind": "m30", "outcome_code": "continues"}
    day = date(2028, 3, 5)

    def refused(review_id: UUID, day: date, **values: Any) -> set[type[Exception]]:
        return {*world.refused(review_id, HoldReview, day, **{**ask, **values})}

    assert refused(uuid4(), day) == {ReviewNotCalled}
    assert refused(due.review_id, day, review_kind="early", outcome_code="fine") == {
        ReviewOfAnotherKind,
        CodeNotInForce,
    }
    assert refused(due.review_id, day, placement_id=other) == {ReviewOfAnotherFlexjob}
    assert refused(due.review_id, day, placement_id=uuid4()) == {NotRegistered}
    assert refused(due.review_id, START - DAY) == {BeforeStart}
    hold(world, due.review_id, placement_id, day)

    review = world.one(Review, due.review_id)
    assert (review.status, review.held_on, review.outcome_code) == ("held", day, "continues")
    assert refused(due.review_id, day) == {AlreadyHeld}


def test_no_review_is_held_once_a_flexjob_is_over() -> None:
    world, placement_id = running()
    world.ask(placement_id, EndFlexjob, date(2026, 9, 1), reason_code="pension")
    ask = {"placement_id": placement_id, "review_kind": "early", "outcome_code": "continues"}

    assert world.refused(uuid4(), HoldReview, date(2026, 9, 1), **ask) == {AfterEnd}
    assert world.ask(uuid4(), HoldReview, date(2026, 8, 31), **ask)


@given(
    start=st.dates(date(2013, 1, 1), date(2026, 1, 1)),
    late=st.integers(0, 3000),
    steps=st.lists(st.tuples(st.integers(1, 700), st.sampled_from(["sweep", "hold", "early"])), max_size=25),
    term=st.sampled_from(["temporary_5y", "permanent"]),
)
def test_a_review_is_raised_once_per_due_date_whenever_the_calendar_is_looked_at(
    start: date, late: int, steps: list[tuple[int, str]], term: str
) -> None:
    world, placement_id = running(start, registered=start + late * DAY, grant_term=term)
    raised: list[ReviewDue] = []
    today = world.case.today
    for days, what in steps:
        today += days * DAY
        world.case.today = today
        open_ = [one for one in world.one(Flexjob, placement_id).reviews if one.held_on is None]
        if what == "early":
            hold(world, uuid4(), placement_id, today, kind="early")
        elif what == "hold" and open_:
            hold(world, open_[0].review_id, placement_id, today, kind=open_[0].review_kind)
        else:
            raised += sweep(world, placement_id, today)
            assert all(one.due_on > today + 90 * DAY for one in wanted_reviews(world.one(Flexjob, placement_id)))

    assert len({event.review_id for event in raised}) == len(raised)
    assert len(set(dues(raised))) == len(raised)
    assert all(event.due_on >= start + late * DAY for event in raised)
    assert sum(event.review_kind == "m54" for event in raised) <= (term == "temporary_5y")


@pytest.mark.parametrize(("days", "status"), [(0, "lapsed"), (1, "due")])
def test_nobody_waits_for_a_review_that_falls_due_when_the_flexjob_is_over(days: int, status: str) -> None:
    world, placement_id = running(grant_term="permanent")
    [called] = sweep(world, placement_id, date(2028, 1, 1))

    world.ask(placement_id, EndFlexjob, called.due_on + days * DAY, reason_code="pension")

    assert world.one(Review, called.review_id).status == status
    hold(world, called.review_id, placement_id, called.due_on - DAY)
    assert world.one(Review, called.review_id).status == "held"
