"""People at work, day by day; whatever the plan registers is a flexjob of one source, so no job is told twice."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from uuid import UUID

from local.actions.action import Dated
from local.actions.flexjobs import ChangeHours, EndFlexjob, StartFlexjob, Transfer
from local.expected.days import DAY, days_between

LONGEST_PAUSE = timedelta(days=28)

Diary = dict[date, Decimal]
Step = StartFlexjob | ChangeHours | Transfer | EndFlexjob


@dataclass(frozen=True, slots=True)
class Change:
    """More or fewer hours a week in a job that had already begun on another day."""

    occurred_on: date
    cause: str
    hours: Decimal


@dataclass(frozen=True, slots=True)
class Job:
    """A flexjob as it was up to a day: hours and departments by the day from which they hold.

    `ended_on` is the day after the last day; none while it runs.
    """

    placement_id: UUID
    person_ref: UUID
    started_on: date
    hours: Diary
    departments: dict[date, str]
    changes: tuple[Change, ...]
    ended_on: date | None
    reason_code: str | None

    def runs_on(self, day: date) -> bool:
        """Whether a day is one of the job's."""
        return self.started_on <= day and (self.ended_on is None or day < self.ended_on)

    def hours_on(self, day: date) -> Decimal:
        """Effective hours a week by the end of a day of the job."""
        return self.hours[max(since for since in self.hours if since <= day)]

    def department_on(self, day: date) -> str:
        """Where it is by the end of a day of the job."""
        return self.departments[max(since for since in self.departments if since <= day)]


@dataclass(frozen=True)
class Life:
    """A person's jobs up to and including a day."""

    jobs: Sequence[Job]
    until: date

    @cached_property
    def diary(self) -> Diary:
        """The hours of all jobs together, on every day with a job."""
        diary: Diary = {}
        for job in self.jobs:
            hours = Decimal()
            for day in days_between(job.started_on, job.ended_on or self.until + DAY):
                hours = job.hours.get(day, hours)
                diary[day] = diary[day] + hours if day in diary else hours
        return diary

    @cached_property
    def first_day_of_run(self) -> date:
        """The first day of the latest run of activity, which a pause of four weeks does not break."""
        days = sorted(self.diary)
        fresh = [after for before, after in pairwise(days) if after - before - DAY > LONGEST_PAUSE]
        return fresh[-1] if fresh else days[0]


@dataclass(frozen=True, slots=True)
class Lives:
    """Everybody's life up to and including a day."""

    people: dict[UUID, Life]

    @property
    def jobs(self) -> list[Job]:
        """Every job that had a day."""
        return [job for life in self.people.values() for job in life.jobs]

    def at_work(self, day: date) -> list[Life]:
        """The lives of those who have a job on a day."""
        return [life for life in self.people.values() if any(job.runs_on(day) for job in life.jobs)]


def lives_until(known: Iterable[Dated], as_of: date) -> Lives:
    """What is known of everybody's jobs, lived up to the end of a day."""
    steps: dict[UUID, list[Step]] = defaultdict(list)
    for action in known:
        if isinstance(action, Step) and action.occurred_on <= as_of:
            steps[action.placement_id].append(action)
    people: dict[UUID, list[Job]] = defaultdict(list)
    for life in steps.values():
        if job := _job(life):
            people[job.person_ref].append(job)
    return Lives({person: Life(jobs, as_of) for person, jobs in people.items()})


def _job(steps: Sequence[Step]) -> Job | None:
    """What the registrations of one placement make; nothing when it never had a day."""
    starts = [step for step in steps if isinstance(step, StartFlexjob)]
    ends = sorted((step for step in steps if isinstance(step, EndFlexjob)), key=_day)
    if not starts or (ends and ends[0].occurred_on <= starts[0].occurred_on):
        return None
    start, end = starts[0], ends[0] if ends else None
    # An end that is registered late may lie before a change that was registered in good faith.
    within = [
        s for s in steps if start.occurred_on <= s.occurred_on and (end is None or s.occurred_on < end.occurred_on)
    ]
    moves = sorted((step for step in within if isinstance(step, Transfer)), key=_day)
    hours, changes = _hours(start, sorted((step for step in within if isinstance(step, ChangeHours)), key=_day))
    return Job(
        placement_id=start.placement_id,
        person_ref=start.person_ref,
        started_on=start.occurred_on,
        hours=hours,
        departments={start.occurred_on: start.department} | {move.occurred_on: move.department for move in moves},
        changes=tuple(changes),
        ended_on=end.occurred_on if end else None,
        reason_code=end.reason_code if end else None,
    )


def _hours(start: StartFlexjob, steps: Sequence[ChangeHours]) -> tuple[Diary, list[Change]]:
    """The hours by day, and what each step after the first day added; one of the first day belongs to the start."""
    hours, changes, current = {start.occurred_on: start.effective_hours_per_week}, [], start.effective_hours_per_week
    for step in steps:
        if step.occurred_on > start.occurred_on:
            changes.append(Change(step.occurred_on, step.cause, step.effective_hours_per_week - current))
        current = hours[step.occurred_on] = step.effective_hours_per_week
    return hours, changes


def _day(step: Dated) -> date:
    return step.occurred_on
