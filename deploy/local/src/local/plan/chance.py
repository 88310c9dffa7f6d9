"""Chance, and the days of the year that it is played on."""

from datetime import date, timedelta
from random import Random
from uuid import UUID

FIRST_DAY = date(2025, 1, 1)
LAST_DAY = date(2025, 12, 31)
DAYS = tuple(FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1))
MONTH_ENDS = tuple(day for day in DAYS if (day + timedelta(days=1)).day == 1)
OPENING_DAY = date(2025, 1, 2)


class Chance(Random):
    """Dice that fall the same way for the same seed: a story that can be told again, no secret."""

    def one_in(self, many: int) -> bool:
        """True once in so many throws."""
        return self.randrange(many) == 0

    def ref(self) -> UUID:
        """A fresh reference."""
        return UUID(int=self.getrandbits(128), version=4)

    def workday_after(self, day: date, at_least: int, at_most: int) -> date:
        """A workday so many days later, or a weekend's more."""
        return workday(day + timedelta(days=self.randint(at_least, at_most)))

    def registration(self, day: date) -> date:
        """The day on which something is registered: the same, or now and then some days late."""
        return self.workday_after(day, 2, 12) if self.one_in(7) else workday(day)


def workday(day: date) -> date:
    """The day, or the Monday after it."""
    return day + timedelta(days=(0, 0, 0, 0, 0, 2, 1)[day.weekday()])
