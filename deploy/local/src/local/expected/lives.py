"""People at work, day by day; whatever the plan registers is a flexjob of one source, so no job is told twice."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from local.actions import Action, ChangeHours, EndFlexjob, StartFlexjob
from local.expected.days import DAY, each_day

LONGEST_PAUSE = 28

Diary = dict[date, Decimal]


@dataclass(slots=True)
class Job:
    """A flexjob with the hours of its first day and of its latest; `ended_on` is the day after the last day."""

    placement_id: UUID
    person_ref: UUID
    department: str
    started_on: date
    hours_at_start: Decimal
    hours: Decimal
    ended_on: date | None = None
    reason_code: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """More or fewer hours a week in a job that had already begun on another day."""

    person_ref: UUID
    occurred_on: date
    cause: str
    hours: Decimal


@dataclass(slots=True)
class Lives:
    """All jobs that had a day, and each person's hours on every day with a job."""

    jobs: dict[UUID, Job] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    diaries: dict[UUID, Diary] = field(default_factory=lambda: defaultdict(dict))

    def at_work(self, day: date) -> dict[UUID, Diary]:
        """The diaries of those who have a job on a day."""
        return {person: diary for person, diary in self.diaries.items() if day in diary}


def lives_until(known: Iterable[Action], as_of: date) -> Lives:
    """What is known of everybody's jobs, lived up to the end of a day."""
    lives = Lives()
    for day, actions in each_day(known, as_of):
        _happen(lives, actions)
        for job in lives.jobs.values():
            if job.ended_on is None:
                diary = lives.diaries[job.person_ref]
                diary[day] = diary.get(day, Decimal()) + job.hours
    return lives


def first_day_of_run(diary: Diary) -> date:
    """The first day of the latest run of activity, which a pause of four weeks does not break."""
    days = sorted(diary)
    fresh = [after for before, after in pairwise(days) if (after - before - DAY).days > LONGEST_PAUSE]
    return fresh[-1] if fresh else days[0]


def _happen(lives: Lives, actions: Sequence[Action]) -> None:
    """Let a day happen; ends come before changes, since a job has no hours left to change on the day after its last."""
    for action in actions:
        if isinstance(action, StartFlexjob):
            lives.jobs[action.placement_id] = _job(action)
    for action in actions:
        if isinstance(action, EndFlexjob):
            _end(lives, action)
    for action in actions:
        if isinstance(action, ChangeHours):
            _change(lives, action)


def _job(start: StartFlexjob) -> Job:
    return Job(
        placement_id=start.placement_id,
        person_ref=start.person_ref,
        department=start.department,
        started_on=start.occurred_on,
        hours_at_start=start.effective_hours_per_week,
        hours=start.effective_hours_per_week,
    )


def _end(lives: Lives, end: EndFlexjob) -> None:
    job = lives.jobs[end.placement_id]
    job.ended_on, job.reason_code = end.occurred_on, end.reason_code
    # A job that is over on its first day never had one: the doors take it, and it is no job.
    if job.ended_on == job.started_on:
        del lives.jobs[end.placement_id]


def _change(lives: Lives, change: ChangeHours) -> None:
    job = lives.jobs.get(change.placement_id)
    # An end that is registered late may lie before a change that was registered in good faith.
    if job is None or job.ended_on:
        return
    more = change.effective_hours_per_week - job.hours
    job.hours = change.effective_hours_per_week
    if job.started_on == change.occurred_on:
        job.hours_at_start = job.hours
    else:
        lives.changes.append(Change(job.person_ref, change.occurred_on, change.cause, more))
