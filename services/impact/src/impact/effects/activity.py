"""The stretches of days in which a person's jobs stay what they are, and the runs that these make up.

A run of activity goes on over a pause of at most 28 days; its first stretch is what later hours are compared with.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from impact.effects.jobs import REMEMBERED, Job, Terms
from impact.effects.levels import FOREVER
from impact.fold import NOTHING

LONGEST_PAUSE = 28

# The first day of one and the day after its last.
Pause: TypeAlias = tuple[date, date]


class Work(NamedTuple):
    """A job and what holds in it."""

    job: Job
    terms: Terms


class Stretch(NamedTuple):
    """Days from `first` until `until`, half-open, in which the same eligible jobs run on the same terms.

    `hours` are the person's effective hours per week.
    """

    first: date
    until: date
    work: tuple[Work, ...]
    hours: Decimal

    def most(self, of: Callable[[Terms], str]) -> str:
        """The kind, or department, of most hours; of as many, that of the earliest start; then of the lowest id."""

        def weight(name: str) -> tuple[Decimal, date, str]:
            here = [work for work in self.work if of(work.terms) == name]
            start, placement = min((work.job.start, work.job.placement) for work in here)
            return -_hours(here), start, placement

        names = {of(work.terms) for work in self.work}
        return min(names, key=weight) if len(names) > 1 else names.pop()


def active_stretches(jobs: Iterable[Job]) -> list[Stretch]:
    """The stretches with at least one eligible job, in order of time."""
    return list(_active_stretches(tuple(jobs)))


@lru_cache(maxsize=REMEMBERED)
def _active_stretches(jobs: tuple[Job, ...]) -> tuple[Stretch, ...]:
    turns = sorted({FOREVER, *(day for job in jobs for day in job.turns)})
    ahead, running, stretches = deque(sorted(jobs, key=lambda job: job.start)), list[Job](), list[Stretch]()
    for first, until in pairwise(turns):
        while ahead and ahead[0].start <= first:
            running.append(ahead.popleft())
        running = [job for job in running if first < job.end]
        if work := _eligible_work(running, first):
            stretches.append(Stretch(first, until, work, _hours(work)))
    return tuple(stretches)


def with_baselines(stretches: Sequence[Stretch]) -> Iterator[tuple[Stretch, Stretch]]:
    """Each stretch with the first one of its run."""
    baseline = before = None
    for stretch in stretches:
        if baseline is None or before is None or (stretch.first - before.until).days > LONGEST_PAUSE:
            baseline = stretch
        before = stretch
        yield stretch, baseline


def stretch_on(stretches: Sequence[Stretch], day: date) -> Stretch | None:
    """The stretch that holds a day; None when no job is active then."""
    place = bisect_right(stretches, day, key=_first) - 1
    return stretches[place] if place >= 0 and day < stretches[place].until else None


def pauses_of(stretches: Sequence[Stretch]) -> list[Pause]:
    """The days between stretches in which no job is active."""
    return [(before.until, after.first) for before, after in pairwise(stretches) if before.until < after.first]


def idle_days(pauses: Iterable[Pause], first: date, until: date) -> int:
    """How many days of pauses lie from `first` until `until`, half-open."""
    return sum(max((min(end, until) - max(begin, first)).days, 0) for begin, end in pauses)


def _eligible_work(running: Iterable[Job], day: date) -> tuple[Work, ...]:
    return tuple(work for work in (Work(job, job.on(day)) for job in running) if work.terms.is_eligible)


def _hours(works: Iterable[Work]) -> Decimal:
    return sum((terms.hours for _, terms in works), NOTHING)


def _first(stretch: Stretch) -> date:
    return stretch.first
