"""Follow-ups: which a flexjob is called to; nobody in the plan holds one yet."""

import calendar
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import count

from local.actions import Action, StartFlexjob
from local.expected.lives import Lives
from local.expected.value import Figure, cells, ratio

CALLED_AHEAD = timedelta(days=90)
EVERY_MONTHS, STATUS_MONTHS = 30, 54


def on_time(known: Iterable[Action], lives: Lives, *, as_of: date, known_on: date) -> Figure:
    """F7: of the reviews that fell due while their flexjob ran, those held on the day or before, which are none."""
    starts = {action.placement_id: action for action in known if isinstance(action, StartFlexjob)}
    due = {"m30": 0, "m54": 0}
    for job in lives.jobs.values():
        for kind, day in _called_for(starts[job.placement_id], known_on):
            due[kind] += day <= as_of and (job.ended_on is None or day < job.ended_on)
    kinds = {kind: ratio(0, number) for kind, number in due.items()}
    return Figure(ratio(0, sum(due.values())), {"review_kind": cells(kinds)})


def _called_for(start: StartFlexjob, known_on: date) -> list[tuple[str, date]]:
    """Every review that the service has called for by the end of a day: 90 days before it falls due, never after."""
    steps = (_months_after(start.occurred_on, EVERY_MONTHS * number) for number in count(1))
    reviews = [("m30", next(day for day in steps if day >= start.registered_on))]
    if start.grant_term == "temporary_5y":
        reviews.append(("m54", _months_after(start.occurred_on, STATUS_MONTHS)))
    return [(kind, day) for kind, day in reviews if start.registered_on <= day <= known_on + CALLED_AHEAD]


def _months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day when it is shorter."""
    year, month = divmod(12 * day.year + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
