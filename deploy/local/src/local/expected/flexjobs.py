"""People in flexjobs: how many, at how many hours, what moved their hours, and who left for an ordinary job."""

import calendar
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from local.expected.days import DAY
from local.expected.lives import Diary, Job, Lives, first_day_of_run
from local.expected.value import Figure, Value, amount, cells, ratio

CAUSES = ("capacity_up", "capacity_down", "task_match", "organisational")
UNKNOWN_CAUSE = "unknown"
OTHER_JOB = "other_job"
ORDINARY_JOB = "ordinary_job"

Departments = dict[str, list[Decimal]]


def persons(lives: Lives) -> Figure:
    """F1: people in flexjob, each in one department."""
    departments = _by_department(lives)
    counts = {name: amount(len(hours)) for name, hours in departments.items()}
    return Figure(amount(sum(map(len, departments.values()))), {"department": cells(counts)})


def mean_hours(lives: Lives) -> Figure:
    """F4: their mean hours a week."""
    departments = _by_department(lives)
    everyone = [hours for there in departments.values() for hours in there]
    return Figure(_mean(everyone), {"department": cells({name: _mean(there) for name, there in departments.items()})})


def _mean(hours: Sequence[Decimal]) -> Value:
    return ratio(sum(hours, Decimal()), len(hours))


def _by_department(lives: Lives) -> Departments:
    """Each person's hours over all jobs, in the one department where the person counts."""
    people: dict[UUID, list[Job]] = defaultdict(list)
    for job in lives.jobs.values():
        if job.ended_on is None:
            people[job.person_ref].append(job)
    departments: Departments = defaultdict(list)
    for held in people.values():
        departments[_department_of(held)].append(_hours(held))
    return departments


def _department_of(held: Sequence[Job]) -> str:
    """The department of most hours, then of the earliest start, then of the lowest placement id."""
    there = {name: [job for job in held if job.department == name] for name in {job.department for job in held}}
    ranks = {
        name: (-_hours(jobs), *min((job.started_on, str(job.placement_id)) for job in jobs))
        for name, jobs in there.items()
    }
    return min(ranks, key=lambda name: ranks[name])


def _hours(jobs: Iterable[Job]) -> Decimal:
    return sum((job.hours for job in jobs), Decimal())


def net_change(lives: Lives, as_of: date) -> Figure:
    """F3: hours a week more or fewer than on the first day of each run, by what moved them."""
    causes: dict[str, Decimal] = defaultdict(Decimal)
    for person, diary in lives.at_work(as_of).items():
        for cause, hours in _moved(lives, person, diary, as_of).items():
            causes[cause] += hours
    by_cause = {cause: amount(hours) for cause, hours in causes.items()}
    return Figure(amount(sum(causes.values(), Decimal())), {"cause": cells(by_cause)})


def _moved(lives: Lives, person: UUID, diary: Diary, as_of: date) -> dict[str, Decimal]:
    """What changes of hours since the run began explain, and what only jobs that came and went can."""
    began = first_day_of_run(diary)
    moved: dict[str, Decimal] = defaultdict(Decimal)
    for change in lives.changes:
        if change.person_ref == person and began < change.occurred_on:
            moved[change.cause if change.cause in CAUSES else UNKNOWN_CAUSE] += change.hours
    moved[OTHER_JOB] = diary[as_of] - diary[began] - sum(moved.values(), Decimal())
    return moved


def exits(lives: Lives, as_of: date) -> Figure:
    """F8: of the flexjobs that ended in the twelve months up to `as_of`, those that ended in an ordinary job."""
    first = _a_year_before(as_of) + DAY
    ended = [job for job in lives.jobs.values() if job.ended_on and job.ended_on >= first]
    return Figure(ratio(sum(job.reason_code == ORDINARY_JOB for job in ended), len(ended)), {})


def _a_year_before(day: date) -> date:
    last = calendar.monthrange(day.year - 1, day.month)[1]
    return date(day.year - 1, day.month, min(day.day, last))
