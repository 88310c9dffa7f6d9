"""By which rhythm a source is heard, and by when it is due to be heard again. Pure."""

from datetime import date, timedelta
from typing import NamedTuple

# So far back a rhythm is looked for: it has three months of a payroll in it.
REMEMBERED = timedelta(weeks=15)
KNOWN_FOR = timedelta(weeks=4)
PAUSES = 2
# A week bridges Easter; by a quarter more than ever before, months and their weekends differ.
SHORTEST = timedelta(weeks=1)
MORE = 1.25


class Rhythm(NamedTuple):
    """The days on which something of a source was received, within REMEMBERED before the last one.

    `pauses` is how many there were between two such days, `longest` the longest of them in days; 0 without any.
    """

    first_on: date
    last_on: date
    pauses: int
    longest: int

    @property
    def due_on(self) -> date | None:
        """The day until which the source is heard again, if it keeps to its rhythm; None when it has shown none."""
        if self.pauses < PAUSES or self.last_on - self.first_on < KNOWN_FOR:
            return None
        return self.last_on + max(SHORTEST, timedelta(days=round(MORE * self.longest)))
