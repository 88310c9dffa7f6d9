"""How far the date of an event may lie from today: a door refuses what lies beyond, and impact parks it."""

from datetime import date

BEGINNING = date(1990, 1, 1)
YEARS_AHEAD = 2


def latest_day(today: date) -> date:
    """The same day two years ahead; 28 February for a leap day."""
    leap_day = (today.month, today.day) == (2, 29)
    return today.replace(year=today.year + YEARS_AHEAD, day=28 if leap_day else today.day)


def is_within_reach(day: date, today: date) -> bool:
    """Whether an event may be dated so."""
    return BEGINNING <= day <= latest_day(today)
