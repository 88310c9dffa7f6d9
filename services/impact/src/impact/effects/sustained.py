"""What has become of each job 13, 26 and 52 weeks after its first eligible day (J4, J4e), dated on that later day."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from impact.effects.activity import LONGEST_PAUSE, Pause, Stretch, active_stretches, idle_days, pauses_of, stretch_on
from impact.effects.cells import cell, month_of
from impact.effects.jobs import REMEMBERED, Begun, Job, begun, jobs_of
from impact.fold import NOTHING, Effect, Fact

WEEKS = (13, 26, 52)


class Milestone(NamedTuple):
    """What counts on the day on which a job's weeks have passed, and how its person fares by then."""

    effect: Effect
    is_employed: bool
    keeps_hours: bool


def due(facts: Sequence[Fact]) -> Iterator[Effect]:
    """Every job begun, whatever became of it."""
    return (each.effect for each in _milestones(jobs_of(facts)))


def still_employed(facts: Sequence[Fact]) -> Iterator[Effect]:
    """The jobs whose person has a job, the same or another, and had pauses of at most 28 days in all."""
    return (each.effect for each in _milestones(jobs_of(facts)) if each.is_employed)


def sustained(facts: Sequence[Fact]) -> Iterator[Effect]:
    """Those of them whose person then has at least as many hours as on the first day."""
    return (each.effect for each in _milestones(jobs_of(facts)) if each.is_employed and each.keeps_hours)


# Three rules ask for the milestones of the same jobs, one after the other.
@lru_cache(maxsize=REMEMBERED)
def _milestones(jobs: tuple[Job, ...]) -> tuple[Milestone, ...]:
    stretches = active_stretches(jobs)
    pauses = pauses_of(stretches)
    return tuple(_milestone(each, weeks, stretches, pauses) for each in begun(jobs) for weeks in WEEKS)


def _milestone(of: Begun, weeks: int, stretches: Sequence[Stretch], pauses: Sequence[Pause]) -> Milestone:
    """Active on the day itself, as on the first; in between, the pauses count."""
    job, first, terms = of
    day = first + timedelta(weeks=weeks)
    then, now = stretch_on(stretches, first), stretch_on(stretches, day)
    dimensions = cell(kind=terms.kind, origin=job.origin, weeks=str(weeks))
    return Milestone(
        Effect(f"{job.placement}/{weeks}", job.person, month_of(first), day, Decimal(1), dimensions),
        is_employed=now is not None and idle_days(pauses, first, day) <= LONGEST_PAUSE,
        keeps_hours=_hours(now) >= _hours(then),
    )


def _hours(stretch: Stretch | None) -> Decimal:
    return stretch.hours if stretch else NOTHING
