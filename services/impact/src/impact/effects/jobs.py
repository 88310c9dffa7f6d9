"""The jobs that a person's facts tell of. A job lasts from its first start until its earliest end, half-open.

One that has no day is none, and one that another source has told before is left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from uuid import UUID

from contracts.codelists import employment_kind_on
from contracts.event import DatedEvent
from contracts.flexjob_pool import FlexjobEnded, FlexjobHoursChanged, FlexjobStarted, FlexjobTransferred
from contracts.placements import PlacementEnded, PlacementHoursChanged, PlacementKindChanged, PlacementStarted
from impact.effects.cells import UNKNOWN, known_code
from impact.effects.levels import FOREVER
from impact.fold import Fact

REMEMBERED = 64

Start: TypeAlias = FlexjobStarted | PlacementStarted
HoursChanged: TypeAlias = FlexjobHoursChanged | PlacementHoursChanged
End: TypeAlias = FlexjobEnded | PlacementEnded

LIFE = (
    FlexjobStarted,
    FlexjobHoursChanged,
    FlexjobTransferred,
    FlexjobEnded,
    PlacementStarted,
    PlacementHoursChanged,
    PlacementKindChanged,
    PlacementEnded,
)


class Terms(NamedTuple):
    """What holds in a job by the end of a day; eligible is a kind that may count as a job. Hours are per week."""

    kind: str
    is_eligible: bool
    hours: Decimal
    department: str


class Change(NamedTuple):
    """What a change of hours after the first day added to a job's effective hours per week."""

    day: date
    cause: str
    hours: Decimal


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One placement of one person, with the days from which its terms hold; without `employer`, the municipality's."""

    placement: str
    person: str
    is_flexjob: bool
    start: date
    end: date
    end_reason: str | None
    terms: tuple[tuple[date, Terms], ...]
    changes: tuple[Change, ...]
    employer: UUID | None
    origin: str
    has_partner: bool
    source: str
    rank: tuple[datetime, bytes]

    @property
    def turns(self) -> set[date]:
        """The days on which anything about it is new."""
        return {self.end, *(day for day, _ in self.terms)}

    def on(self, day: date) -> Terms:
        """What holds by the end of a day within the job."""
        return next(terms for since, terms in reversed(self.terms) if since <= day)

    def is_told_again_in(self, later: "Job") -> bool:
        """Whether another source tells of the same job, from the same or a later day, under another id."""
        return (
            self.source != later.source
            and self.employer == later.employer
            and self.terms[0][1].kind == later.terms[0][1].kind
            and later.start < self.end
        )


class Begun(NamedTuple):
    """A job with the first day that counts as a day in one, and what holds by the end of that."""

    job: Job
    day: date
    terms: Terms


def jobs_of(facts: Iterable[Fact]) -> tuple[Job, ...]:
    """The jobs of one person's facts, in order of life, that count; the first begun comes first."""
    return _jobs_of(tuple(facts))


# A dozen rules ask for the jobs of the same facts, one after the other.
@lru_cache(maxsize=REMEMBERED)
def _jobs_of(facts: tuple[Fact, ...]) -> tuple[Job, ...]:
    lives: dict[UUID, list[Fact]] = {}
    for fact in facts:
        if isinstance(fact.event, LIFE):
            lives.setdefault(fact.event.placement_id, []).append(fact)
    jobs = sorted(filter(None, map(_job_of, lives.values())), key=lambda job: (job.start, *job.rank, job.source))
    return tuple(
        job for place, job in enumerate(jobs) if not any(other.is_told_again_in(job) for other in jobs[:place])
    )


def flexjobs_of(facts: Iterable[Fact]) -> tuple[Job, ...]:
    """Those of a person's jobs that began as flexjobs at the municipality."""
    return tuple(job for job in jobs_of(facts) if job.is_flexjob)


def begun(jobs: Iterable[Job]) -> Iterator[Begun]:
    """Those of some jobs that ever were of an eligible kind."""
    for job in jobs:
        if first := next((since for since in job.terms if since[1].is_eligible), None):
            yield Begun(job, *first)


def _job_of(life: Sequence[Fact]) -> Job | None:
    """The job that the facts of one placement make, if any."""
    starts = [(fact, event) for fact in life if isinstance(event := fact.event, Start)]
    ends = [event for fact in life if isinstance(event := fact.event, End)]
    if not starts or (ends and ends[0].occurred_on <= starts[0][1].occurred_on):
        return None
    fact, start = starts[0]
    end = ends[0].occurred_on if ends else FOREVER
    events = [event for fact in life if isinstance(event := fact.event, DatedEvent)]
    later = [event for event in events if start.occurred_on <= event.occurred_on < end]
    external = start if isinstance(start, PlacementStarted) else None
    return Job(
        placement=str(start.placement_id),
        person=str(start.person_ref),
        is_flexjob=external is None,
        start=start.occurred_on,
        end=end,
        end_reason=ends[0].reason_code if ends else None,
        terms=tuple(_terms(start, later).items()),
        changes=tuple(_changes(start, later)),
        employer=external.org_id if external else None,
        origin=known_code("placement_origin", external.origin_code) if external else UNKNOWN,
        has_partner=external is not None and external.partnership_id is not None,
        source=fact.source,
        rank=fact.rank,
    )


def _terms(start: Start, later: Iterable[DatedEvent]) -> dict[date, Terms]:
    """The terms by the end of each day that brings new ones."""
    terms = _terms_at(start)
    by_day = {start.occurred_on: terms}
    for event in later:
        match event:
            case FlexjobHoursChanged() | PlacementHoursChanged():
                terms = terms._replace(hours=event.effective_hours_per_week)
            case FlexjobTransferred():
                terms = terms._replace(department=event.department)
            case PlacementKindChanged(employment_kind=kind):
                terms = terms._replace(kind=kind, is_eligible=_is_eligible(kind, event.occurred_on))
            case _:
                continue
        by_day[event.occurred_on] = terms
    return by_day


def _terms_at(start: Start) -> Terms:
    hours = start.effective_hours_per_week
    if isinstance(start, FlexjobStarted):
        return Terms("flexjob", _is_eligible("flexjob", start.occurred_on), hours, start.department)
    return Terms(start.employment_kind, _is_eligible(start.employment_kind, start.occurred_on), hours, UNKNOWN)


def _is_eligible(kind: str, since: date) -> bool:
    """Whether a kind may count as a job by the law of the day from which the job is of that kind."""
    known = employment_kind_on(kind, since)
    return known is not None and known.eligible


def _changes(start: Start, later: Iterable[DatedEvent]) -> Iterator[Change]:
    hours = start.effective_hours_per_week
    for event in later:
        if isinstance(event, HoursChanged):
            if event.occurred_on > start.occurred_on:
                gained = event.effective_hours_per_week - hours
                yield Change(event.occurred_on, known_code("hours_change_cause", event.cause), gained)
            hours = event.effective_hours_per_week
