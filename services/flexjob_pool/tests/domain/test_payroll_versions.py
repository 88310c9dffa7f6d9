"""Which versions of what payroll told hold, and what they say day by day."""

from datetime import date
from itertools import permutations

from flexjob_pool.domain.payroll.timeline import steps_of
from flexjob_pool.domain.payroll.versions import Identity, Message, Standing, standings_of, versions_of
from services.flexjob_pool.tests.domain.payroll_messages import (
    SOURCE,
    differing,
    employments,
    ended,
    minute,
    on,
    paid,
    retracted,
)


def in_force(*messages: Message) -> list[str]:
    return [version.told.id for version in versions_of(messages)]


def rates(*messages: Message) -> list[tuple[date, str | None]]:
    (employment,) = employments(*messages)
    return [(step.day, step.interval and str(step.interval.rate)) for step in steps_of(employment)]


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
