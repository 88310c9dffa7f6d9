from datetime import UTC, datetime

import pytest

from chassis.floor import Floor, first_to_repeat

MADE, MADE_AGAIN = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stored", "reached", "end", "created", "expected"),
    [
        (Floor(0, None), 0, 0, MADE, None),
        (Floor(0, None), 7, 9, MADE, 1),
        (Floor(5, None), 5, 9, MADE, None),
        (Floor(5, MADE), 5, 9, MADE, None),
        (Floor(5, MADE), 7, 9, MADE, 6),
        (Floor(5, MADE), 3, 9, MADE, 1),
        (Floor(9, MADE), 3, 5, MADE, 1),
        (Floor(9, MADE), 9, 5, MADE, 1),
        (Floor(5, MADE), 5, 9, MADE_AGAIN, 1),
        (Floor(5, MADE), 7, 9, MADE_AGAIN, 1),
    ],
)
def test_what_is_repeated_depends_on_the_stored_floor_and_the_stream(
    stored: Floor, reached: int, end: int, created: datetime, expected: int | None
) -> None:
    assert first_to_repeat(stored, reached=reached, end=end, created=created) == expected
