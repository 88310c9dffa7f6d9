"""One day after another, in the order in which things became true and not in which they were registered."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from local.actions import Action

DAY = timedelta(days=1)


def each_day(actions: Iterable[Action], as_of: date) -> Iterator[tuple[date, Sequence[Action]]]:
    """Every day from the first on which something became true up to and including `as_of`, with what did."""
    agenda: dict[date, list[Action]] = defaultdict(list)
    for action in actions:
        agenda[action.occurred_on].append(action)
    for day in days_between(min(agenda, default=as_of), as_of + DAY):
        yield day, agenda.get(day, ())


def days_between(first: date, end: date) -> Iterator[date]:
    """The days from the first, without the end."""
    return (first + n * DAY for n in range((end - first).days))
