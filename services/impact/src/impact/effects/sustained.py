"""What has become of each job 13, 26 and 52 weeks after its first eligible day (J4, J4e), dated on that later day."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from impact.effects.activity import LONGEST_PAUSE, Stretch, active_stretches, idle_days, pauses_of, stretch_on
from impact.effects.cells import cell, month_of
from impact.effects.jobs import Job, jobs_of
from impact.fold import NOTHING, Effect, Fact

WEEKS = (13, 26, 52)


class Milestone(NamedTuple):
    """A job, the days between which it is judged, and the person's stretches of activity and the pauses in between."""

    job: Job
    begun: date
    weeks: int
    stretches: Sequence[Stretch]
    pauses: Sequence[tuple[date, date]]

    @property
    def due(self) -> date:
        """The day on which the weeks have passed."""
        return self.begun + timedelta(weeks=self.weeks)


def due(facts: Sequence[Fact]) -> Iterator[Effect]:
    """Every job begun, whatever became of it."""
    return map(_effect, _milestones(facts))


def still_employed(facts: Sequence[Fact]) -> Iterator[Effect]:
    """The jobs whose person has a job, the same or another, and had pauses of at most 28 days in all."""
    return map(_effect, filter(_is_employed, _milestones(facts)))


def sustained(facts: Sequence[Fact]) -> Iterator[Effect]:
    """Those of them whose person then has at least as many hours as on the first day."""
    return (_effect(m) for m in _milestones(facts) if _is_employed(m) and _hours(m, m.due) >= _hours(m, m.begun))


def _milestones(facts: Sequence[Fact]) -> Iterator[Milestone]:
    jobs = jobs_of(facts)
    stretches = active_stretches(jobs)
    pauses = pauses_of(stretches)
    for job in jobs:
        if begun := job.first_eligible_day:
            yield from (Milestone(job, begun, weeks, stretches, pauses) for weeks in WEEKS)


def _is_employed(milestone: Milestone) -> bool:
    """Active on the day itself, as on the first; in between, the pauses count."""
    begun, end = milestone.begun, milestone.due
    return stretch_on(milestone.stretches, end) is not None and idle_days(milestone.pauses, begun, end) <= LONGEST_PAUSE


def _hours(milestone: Milestone, day: date) -> Decimal:
    stretch = stretch_on(milestone.stretches, day)
    return stretch.hours if stretch else NOTHING


def _effect(milestone: Milestone) -> Effect:
    job, begun, weeks, *_ = milestone
    dimensions = cell(kind=job.on(begun).kind, origin=job.origin, weeks=str(weeks))
    return Effect(f"{job.placement}/{weeks}", job.person, month_of(begun), milestone.due, Decimal(1), dimensions)
