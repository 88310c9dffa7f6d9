"""One day after another, in the order in which things became true and not in which they were registered."""

import calendar
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from local.actions.action import Dated

DAY = timedelta(days=1)


def each_day(actions: Iterable[Dated], as_of: date) -> Iterator[tuple[date, Sequence[Dated]]]:
    """Every day from the first on which something became true up to and including `as_of`, with what did."""
    agenda: dict[date, list[Dated]] = defaultdict(list)
    for action in actions:
        agenda[action.occurred_on].append(action)
    for day in days_between(min(agenda, default=as_of), as_of + DAY):
        yield day, agenda.get(day, ())


def days_between(first: date, end: date) -> Iterator[date]:
    """The days from the first, without the end."""
    return map(date.fromordinal, range(first.toordinal(), end.toordinal()))


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day when it is shorter."""
    year, month = divmod(12 * day.year + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
