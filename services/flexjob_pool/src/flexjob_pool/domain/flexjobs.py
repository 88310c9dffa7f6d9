"""The flexjobs: each starts once, changes hours within its days, and ends once, when its grant is released."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from contracts.event import DatedEvent
from contracts.flexjob_pool import FlexjobEnded, FlexjobHoursChanged, FlexjobStarted
from contracts.types import Code, HoursPerWeek, OrganisationUnit, Ref
from flexjob_pool.domain import refusals
from flexjob_pool.domain.grants import Grant, release
from flexjob_pool.domain.refusals import Refusal, refuse
from flexjob_pool.domain.validity import codes_out_of_force

NEW_SCHEME = "post2013"


@dataclass(frozen=True, slots=True)
class Hours:
    """Weekly hours from a date on; the first have no cause."""

    occurred_on: date
    attendance_hours_per_week: HoursPerWeek
    effective_hours_per_week: HoursPerWeek
    cause: Code | None


@dataclass(frozen=True, slots=True)
class Flexjob:
    """A flexjob; of `hours` on one date the last registered hold; `ended_on` is the day after the last day."""

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
    hours: tuple[Hours, ...]
    ended_on: date | None
    reason_code: Code | None

    def hours_on(self, day: date) -> Hours:
        """The hours in force on a day of the flexjob."""
        return [step for step in self.hours if step.occurred_on <= day][-1]


def start_flexjob(existing: Flexjob | None, grant: Grant | None, asked: FlexjobStarted) -> list[DatedEvent]:
    """Start a flexjob, with the grant that pays for it when there is one."""
    if existing:
        raise refusals.PlacementAlreadyStarted
    refuse(
        [
            *codes_out_of_force(asked, new_case=True),
            *_hours_reasons(asked.scheme, asked),
            *_grant_reasons(grant, asked),
        ]
    )
    return [asked]


def _grant_reasons(grant: Grant | None, asked: FlexjobStarted) -> Iterator[Refusal]:
    if asked.grant_id is None:
        return
    if grant is None:
        yield refusals.GrantUnknown()
    elif grant.released_on:
        yield refusals.GrantIsReleased()
    elif grant.placement_id:
        yield refusals.GrantInUse()
    else:
        yield from _beyond(grant, asked)


def _beyond(grant: Grant, asked: FlexjobStarted) -> Iterator[Refusal]:
    if (grant.department, grant.workplace_unit) != (asked.department, asked.workplace_unit):
        yield refusals.GrantOfAnotherWorkplace()
    if not grant.period_from <= asked.occurred_on < grant.period_to:
        yield refusals.OutsideGrantPeriod()
    if asked.effective_hours_per_week > grant.effective_hours_per_week:
        yield refusals.HoursAboveGrant(granted=grant.effective_hours_per_week)


def _hours_reasons(scheme: str, asked: FlexjobStarted | FlexjobHoursChanged) -> Iterator[Refusal]:
    # Before 2013 a person could be paid for more hours than worked, so only the new scheme binds the two together.
    if scheme == NEW_SCHEME and asked.effective_hours_per_week > asked.attendance_hours_per_week:
        yield refusals.EffectiveAboveAttendance()


def change_hours(flexjob: Flexjob, asked: FlexjobHoursChanged) -> list[DatedEvent]:
    """Set new hours from a date; a date before other changes is a late registration, and those changes stay.

    They may rise above the grant's, which bound the hours at the start alone: its amount stays, and the workplace pays
    for what is more.
    """
    refuse([*_outside(flexjob, asked.occurred_on), *codes_out_of_force(asked), *_hours_reasons(flexjob.scheme, asked)])
    held = flexjob.hours_on(asked.occurred_on)
    if (held.attendance_hours_per_week, held.effective_hours_per_week) == (
        asked.attendance_hours_per_week,
        asked.effective_hours_per_week,
    ):
        raise refusals.NothingChanges
    return [asked]


def _outside(flexjob: Flexjob, day: date) -> Iterator[Refusal]:
    if day < flexjob.started_on:
        yield refusals.ChangedBeforeStart()
    elif flexjob.ended_on and day >= flexjob.ended_on:
        yield refusals.ChangedAfterEnd()


def end_flexjob(flexjob: Flexjob, grant: Grant | None, asked: FlexjobEnded, *, today: date) -> list[DatedEvent]:
    """End a flexjob, and give what its grant no longer needs back to the pool."""
    if flexjob.ended_on:
        raise refusals.AlreadyEnded
    too_early = [refusals.EndedBeforeStart()] if asked.occurred_on < flexjob.started_on else []
    refuse([*too_early, *codes_out_of_force(asked)])
    return [asked, *(release(grant, flexjob.started_on, asked.occurred_on, today=today) if grant else [])]
