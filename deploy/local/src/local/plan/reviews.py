"""Follow-ups of jobs that began long ago: held in time, too late, or never; or before anybody called for them."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count

from local.actions.flexjobs import HoldReview, StartFlexjob
from local.expected.days import months_after
from local.plan.chance import Chance

OUTCOMES = ("continues", "continues", "continues", "reassessed", "grant_renewed")
CALLED_AHEAD = 90


def follow_up_day(start: StartFlexjob) -> date:
    """The first of the days 2½, 5, 7½ … years after the start on or after the day on which it was registered."""
    days = (months_after(start.occurred_on, 30 * number) for number in count(1))
    return next(day for day in days if day >= start.registered_on)


def status_day(start: StartFlexjob) -> date:
    """4½ years after the start; asked for in temporary flexjobs alone."""
    return months_after(start.occurred_on, 54)


def falls_due_at_once(start: StartFlexjob) -> bool:
    """Whether a review is due while the flexjob is still being registered."""
    days = (follow_up_day(start), status_day(start))
    return any(timedelta(0) <= day - start.registered_on <= timedelta(days=9) for day in days)


def talks(chance: Chance, start: StartFlexjob, end: date) -> Iterator[HoldReview]:
    """How the year's reviews of a flexjob go."""
    due = follow_up_day(start)
    if chance.one_in(6) and (due - start.registered_on).days > CALLED_AHEAD + 60:
        yield from _held(chance, start, "early", chance.workday_after(start.registered_on, 10, 40), end)
    else:
        yield from _answered(chance, start, "m30", due, end)
    if start.grant_term == "temporary_5y" and status_day(start) >= start.registered_on:
        yield from _answered(chance, start, "m54", status_day(start), end)


def _answered(chance: Chance, start: StartFlexjob, kind: str, due: date, end: date) -> Iterator[HoldReview]:
    """In time by and large; every fifth some weeks late, every tenth not at all."""
    called = max(due - timedelta(days=CALLED_AHEAD), start.registered_on) + timedelta(days=3)
    match chance.randrange(10):
        case 0:
            return
        case 1 | 2:
            yield from _held(chance, start, kind, chance.workday_after(due, 3, 45), end)
        case _:
            day = chance.workday_after(called, 0, max(0, (due - called).days - 4))
            yield from _held(chance, start, kind, day, end)


def _held(chance: Chance, start: StartFlexjob, kind: str, day: date, end: date) -> Iterator[HoldReview]:
    registered = chance.registration(day)
    if registered < end:
        yield HoldReview(
            registered_on=registered,
            occurred_on=day,
            placement_id=start.placement_id,
            review_kind=kind,
            outcome_code=chance.choice(OUTCOMES),
        )
