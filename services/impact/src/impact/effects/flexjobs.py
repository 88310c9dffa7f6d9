"""Persons in flexjobs (F1) and their effective hours (F4), each person in exactly one department at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from contracts.flexjob_pool import FlexjobEnded, FlexjobHoursChanged, FlexjobStarted
from impact.effects.levels import Cell, steps
from impact.fold import NOTHING, Effect, Fact

LIFE = (FlexjobStarted, FlexjobHoursChanged, FlexjobEnded)


@dataclass(frozen=True, slots=True)
class Job:
    """A running flexjob."""

    placement: UUID
    person: UUID
    department: str
    started: date
    hours: Decimal


def persons(facts: Sequence[Fact]) -> Iterator[Effect]:
    """One person, while at least one flexjob runs."""
    return steps(_levels(facts, lambda _: Decimal(1)), of_persons=True)


def effective_hours(facts: Sequence[Fact]) -> Iterator[Effect]:
    """The person's effective hours per week over all running flexjobs, in the same department as the person."""
    return steps(_levels(facts, _hours_of), of_persons=True)


def _levels(
    facts: Sequence[Fact], amount: Callable[[Sequence[Job]], Decimal]
) -> Iterator[tuple[date, dict[Cell, Decimal]]]:
    for day, jobs in _running_jobs(facts):
        yield day, {(str(jobs[0].person), _department_of(jobs)): amount(jobs)} if jobs else {}


def _running_jobs(facts: Sequence[Fact]) -> Iterator[tuple[date, list[Job]]]:
    """Yield the jobs that run after each fact; one that ended never runs again, even if its start is dated later."""
    jobs: dict[UUID, Job | None] = {}
    for fact in facts:
        match fact.event:
            case FlexjobStarted(placement_id=placement) as start if placement not in jobs:
                jobs[placement] = _job_of(start)
            case FlexjobHoursChanged(placement_id=placement) as change if job := jobs.get(placement):
                jobs[placement] = replace(job, hours=change.effective_hours_per_week)
            case FlexjobEnded(placement_id=placement):
                jobs[placement] = None
            case _:
                continue
        yield fact.event.occurred_on, [job for job in jobs.values() if job]


def _job_of(start: FlexjobStarted) -> Job:
    return Job(
        placement=start.placement_id,
        person=start.person_ref,
        department=start.department,
        started=start.occurred_on,
        hours=start.effective_hours_per_week,
    )


def _department_of(jobs: Sequence[Job]) -> tuple[tuple[str, str]]:
    """The department with most hours, then with the earliest start, then with the lowest placement id."""

    def rank(department: str) -> tuple[Decimal, date, bytes]:
        here = [job for job in jobs if job.department == department]
        started, placement = min((job.started, job.placement.bytes) for job in here)
        return -_hours_of(here), started, placement

    return (("department", min({job.department for job in jobs}, key=rank)),)


def _hours_of(jobs: Sequence[Job]) -> Decimal:
    return sum((job.hours for job in jobs), NOTHING)
