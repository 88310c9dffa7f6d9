"""When a source is due to be heard again, by what it did before."""

from datetime import date, timedelta

import pytest

from impact.rhythm import Rhythm

LAST = date(2026, 6, 30)


def due_after(*, known_for: int, pauses: int, longest: int) -> int | None:
    """How many days after the last one a source is due."""
    due_on = Rhythm(LAST - timedelta(days=known_for), LAST, pauses, longest).due_on
    return (due_on - LAST).days if due_on else None


@pytest.mark.parametrize(
    ("longest", "days"),
    [(1, 7), (3, 7), (6, 8), (7, 9), (31, 39)],
    ids=["daily", "but for weekends", "after Easter", "weekly", "monthly"],
)
def test_a_source_may_be_silent_a_week_or_a_quarter_longer_than_ever_before(longest: int, days: int) -> None:
    assert due_after(known_for=90, pauses=3, longest=longest) == days


def test_a_source_that_is_new_or_came_twice_has_no_rhythm_yet() -> None:
    assert due_after(known_for=27, pauses=20, longest=3) is None
    assert due_after(known_for=28, pauses=20, longest=3) == 7
    assert due_after(known_for=90, pauses=1, longest=90) is None
