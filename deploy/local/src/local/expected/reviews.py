"""Follow-ups: which a flexjob is called to, and which of them are held in time."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import count
from typing import NamedTuple
from uuid import UUID

from local.actions.action import Dated
from local.actions.flexjobs import HoldReview, StartFlexjob
from local.expected.days import months_after
from local.expected.lives import Lives
from local.expected.value import Figure, cells, ratio

CALLED_AHEAD = timedelta(days=90)
EVERY_MONTHS, STATUS_MONTHS = 30, 54


class Review(NamedTuple):
    """A review of a flexjob, and the day on which it must be held at the latest."""

    kind: str
    due_on: date


def on_time(known: Iterable[Dated], lives: Lives, *, as_of: date, known_on: date) -> Figure:
    """F7: of the reviews that fell due while their flexjob ran, those held on the day or before."""
    known = list(known)
    starts = {action.placement_id: action for action in known if isinstance(action, StartFlexjob)}
    held: dict[UUID, list[HoldReview]] = defaultdict(list)
    for action in known:
        if isinstance(action, HoldReview) and action.occurred_on <= as_of:
            held[action.placement_id].append(action)
    kept: dict[str, list[bool]] = {"m30": [], "m54": []}
    for job in lives.jobs:
        talks = held[job.placement_id]
        for review in _called_for(starts[job.placement_id], talks, known_on):
            if review.due_on <= as_of and job.runs_on(review.due_on):
                on_the_day = (t.review_kind == review.kind and t.occurred_on <= review.due_on for t in talks)
                kept[review.kind].append(any(on_the_day))
    kinds = {kind: ratio(sum(there), len(there)) for kind, there in kept.items()}
    every = [*kept["m30"], *kept["m54"]]
    return Figure(ratio(sum(every), len(every)), {"review_kind": cells(kinds)})


def _called_for(start: StartFlexjob, held: Sequence[HoldReview], known_on: date) -> list[Review]:
    """Every review that the service has called for by the end of a day: 90 days before it falls due, never after."""
    reviews = [Review("m30", day) for day in _days_of_follow_up(start, held)]
    if start.grant_term == "temporary_5y":
        reviews.append(Review("m54", months_after(start.occurred_on, STATUS_MONTHS)))
    return [r for r in reviews if start.registered_on <= r.due_on <= known_on + CALLED_AHEAD]


def _days_of_follow_up(start: StartFlexjob, held: Iterable[HoldReview]) -> list[date]:
    """Every 2½ years from the start, or from the last talk, if that came before the next was called for."""
    steps = (months_after(start.occurred_on, EVERY_MONTHS * number) for number in count(1))
    days = [next(day for day in steps if day >= start.registered_on)]
    for talk in sorted((talk for talk in held if talk.review_kind in {"m30", "early"}), key=lambda t: t.registered_on):
        if talk.registered_on < days[-1] - CALLED_AHEAD:
            days.pop()
        days.append(months_after(talk.occurred_on, EVERY_MONTHS))
    return days
