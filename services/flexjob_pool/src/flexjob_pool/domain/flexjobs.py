"""What a flexjob is: one spell of one person with the municipality, whatever happens within it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal, Protocol, TypeVar

from contracts.types import Code, HoursPerWeek, OrganisationUnit, Ref
from contracts.types import Hours as HoursTaken
from flexjob_pool.domain.case import Place
from flexjob_pool.domain.refusals import Refusal
from flexjob_pool.domain.refusals.flexjobs import AfterEnd, BeforeStart


@dataclass(frozen=True, slots=True)
class Hours:
    """Weekly hours from a date on; the first have no cause, those that payroll told of have its employment."""

    occurred_on: date
    attendance_hours_per_week: HoursPerWeek
    effective_hours_per_week: HoursPerWeek
    cause: Code | None = None
    employment_ref: Ref | None = None


@dataclass(frozen=True, slots=True)
class Stay:
    """The workplace from a date on."""

    occurred_on: date
    department: OrganisationUnit
    workplace_unit: OrganisationUnit


@dataclass(frozen=True, slots=True)
class DevelopmentStep:
    """Something new that the person learned or took on."""

    occurred_on: date
    step_code: Code
    hours: HoursTaken | None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A review of the flexjob: called for, to be held by `due_on`, or held, or both."""

    review_id: Ref
    review_kind: Code
    due_on: date | None
    held_on: date | None = None


@dataclass(frozen=True, slots=True)
class Flexjob:
    """A flexjob; `ended_on` is the day after the last day, and `ended_by` payroll's employment when that told of it.

    Of `hours` and `stays` on one date the last registered hold; `department` and `workplace_unit` are those of the last
    stay. `next_review_on` is the due day of the next review that has not been called for.
    """

    noun: ClassVar = "flexjob"

    placement_id: Ref
    person_ref: Ref
    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    grant_id: Ref | None
    need_id: Ref | None
    grant_term: Code
    retention: bool
    scheme: Code
    started_on: date
    registered_on: date
    hours: tuple[Hours, ...]
    stays: tuple[Stay, ...]
    status: Literal["running", "ended"] = "running"
    steps: tuple[DevelopmentStep, ...] = ()
    reviews: tuple[FollowUp, ...] = ()
    next_review_on: date | None = None
    ordinary_on: date | None = None
    ordinary_hours_per_week: HoursPerWeek | None = None
    ended_on: date | None = None
    ended_by: Ref | None = None
    reason_code: Code | None = None

    @property
    def key(self) -> str:
        """Its placement id."""
        return str(self.placement_id)

    @property
    def links(self) -> tuple[Place, ...]:
        """The grant that pays for it, the need that it fills, and its reviews."""
        reviews = (("review", review.review_id) for review in self.reviews)
        named = (("grant", self.grant_id), ("need", self.need_id), *reviews)
        return tuple((noun, str(key)) for noun, key in named if key)

    def hours_on(self, day: date) -> Hours:
        """The hours in force on a day of the flexjob."""
        return _in_force(self.hours, day)

    def stay_on(self, day: date) -> Stay:
        """The workplace on a day of the flexjob."""
        return _in_force(self.stays, day)


class Dated(Protocol):
    """What holds from a date on."""

    @property
    def occurred_on(self) -> date:
        """The date."""
        ...


D = TypeVar("D", bound=Dated)


def inserted(steps: tuple[D, ...], step: D) -> tuple[D, ...]:
    """Steps in the order of their dates, with one more; after those of its own date, since it was registered last."""
    return tuple(sorted((*steps, step), key=lambda one: one.occurred_on))


def outside(flexjob: Flexjob, day: date) -> Iterator[Refusal]:
    """Why a day is none of the flexjob's."""
    if day < flexjob.started_on:
        yield BeforeStart()
    elif flexjob.ended_on and day >= flexjob.ended_on:
        yield AfterEnd()


def _in_force(steps: tuple[D, ...], day: date) -> D:
    return [step for step in steps if step.occurred_on <= day][-1]
