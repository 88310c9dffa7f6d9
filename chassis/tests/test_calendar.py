from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from chassis.calendar import calendar_of, danish_date


def test_the_system_calendar_tells_the_machines_time_in_utc() -> None:
    before = datetime.now(UTC)
    now = calendar_of("system").now()

    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


def test_the_day_is_the_danish_one(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("2026-06-30T22:30:00Z\n")

    assert calendar_of(f"file:{clock}").today() == date(2026, 7, 1)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2025-12-31T22:59:59+00:00", date(2025, 12, 31)),
        ("2025-12-31T23:00:00+00:00", date(2026, 1, 1)),
        ("2026-03-29T00:30:00+00:00", date(2026, 3, 29)),
        ("2026-10-24T22:00:00+00:00", date(2026, 10, 25)),
    ],
)
def test_days_turn_at_danish_midnight_in_winter_and_summer(instant: str, day: date) -> None:
    assert danish_date(datetime.fromisoformat(instant)) == day


def test_a_moved_clock_file_is_seen_at_the_next_call(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("2026-01-01T08:00:00Z")
    calendar = calendar_of(f"file:{clock}")
    first = calendar.now()

    clock.write_text("2026-01-02T08:00:00Z")

    assert calendar.now() - first == timedelta(days=1)


@pytest.mark.parametrize("content", ["", "yesterday", "2026-01-01T08:00:00", "2026-13-01T08:00:00Z"])
def test_a_clock_file_without_an_instant_is_refused(tmp_path: Path, content: str) -> None:
    clock = tmp_path / "clock"
    clock.write_text(content)

    with pytest.raises(ValueError, match="must hold"):
        calendar_of(f"file:{clock}")


@pytest.mark.parametrize("setting", ["", "systme", "file:", "/var/clock", "2026-01-01"])
def test_a_clock_that_nobody_knows_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="must be `system` or `file:PATH`"):
        calendar_of(setting)


def test_a_missing_clock_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        calendar_of(f"file:{tmp_path / 'none'}")


def test_a_clock_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_bytes(b"\xff\xfe")

    with pytest.raises(ValueError, match="must hold"):
        calendar_of(f"file:{clock}")
