"""People in flexjobs: how many, at how many hours, what moved their hours, and who left for an ordinary job."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from local.expected.days import DAY, months_after
from local.expected.lives import Job, Life, Lives
from local.expected.value import Figure, Value, amount, cells, ratio

CAUSES = ("capacity_up", "capacity_down", "task_match", "organisational", "not_stated")
UNKNOWN_CAUSE = "unknown"
OTHER_JOB = "other_job"
ORDINARY_JOB = "ordinary_job"

Departments = dict[str, list[Decimal]]


def persons(lives: Lives, as_of: date) -> Figure:
    """F1: people in flexjob, each in one department."""
    departments = hours_by_department(lives, as_of)
    counts = {name: amount(len(hours)) for name, hours in departments.items()}
    return Figure(amount(sum(map(len, departments.values()))), {"department": cells(counts)})


def mean_hours(lives: Lives, as_of: date) -> Figure:
    """F4: their mean hours a week."""
    departments = hours_by_department(lives, as_of)
    everyone = [hours for there in departments.values() for hours in there]
    return Figure(_mean(everyone), {"department": cells({name: _mean(there) for name, there in departments.items()})})


def _mean(hours: Sequence[Decimal]) -> Value:
    return ratio(sum(hours, Decimal()), len(hours))


def hours_by_department(lives: Lives, day: date) -> Departments:
    """Each person's hours over all jobs of a day, in the one department where the person counts."""
    departments: Departments = defaultdict(list)
    for life in lives.people.values():
        if held := [job for job in life.jobs if job.runs_on(day)]:
            departments[_department_of(held, day)].append(_hours(held, day))
    return departments


def _department_of(held: Sequence[Job], day: date) -> str:
    """The department of most hours, then of the earliest start, then of the lowest placement id."""
    there: dict[str, list[Job]] = defaultdict(list)
    for job in held:
        there[job.department_on(day)].append(job)
    ranks = {
        name: (-_hours(jobs, day), *min((job.started_on, str(job.placement_id)) for job in jobs))
        for name, jobs in there.items()
    }
    return min(ranks, key=lambda name: ranks[name])


def _hours(jobs: Iterable[Job], day: date) -> Decimal:
    return sum((job.hours_on(day) for job in jobs), Decimal())


def net_change(lives: Lives, as_of: date) -> Figure:
    """F3: hours a week more or fewer than on the first day of each run, by what moved them."""
    causes: dict[str, Decimal] = defaultdict(Decimal)
    for life in lives.at_work(as_of):
        for cause, hours in _moved(life, as_of).items():
            causes[cause] += hours
    by_cause = {cause: amount(hours) for cause, hours in causes.items()}
    return Figure(amount(sum(causes.values(), Decimal())), {"cause": cells(by_cause)})


def _moved(life: Life, as_of: date) -> dict[str, Decimal]:
    """What changes of hours since the run began explain, and what only jobs that came and went can."""
    began = life.first_day_of_run
    moved: dict[str, Decimal] = defaultdict(Decimal)
    for change in (change for job in life.jobs for change in job.changes):
        if began < change.occurred_on:
            moved[change.cause if change.cause in CAUSES else UNKNOWN_CAUSE] += change.hours
    moved[OTHER_JOB] = life.diary[as_of] - life.diary[began] - sum(moved.values(), Decimal())
    return moved


def exits(lives: Lives, as_of: date) -> Figure:
    """F8: of the flexjobs that ended in the twelve months up to `as_of`, those that ended in an ordinary job."""
    first = months_after(as_of, -12) + DAY
    ended = [job for job in lives.jobs if job.ended_on and job.ended_on >= first]
    return Figure(ratio(sum(job.reason_code == ORDINARY_JOB for job in ended), len(ended)), {})
