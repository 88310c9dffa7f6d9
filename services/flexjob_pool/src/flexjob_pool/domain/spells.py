"""Flexjobs start and end, each once; what happens in between splits no spell."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from contracts.event import DatedEvent
from contracts.flexjob_pool import FlexjobEnded, FlexjobStarted
from contracts.types import Ref
from flexjob_pool.domain.case import Case, Key
from flexjob_pool.domain.commitments import release_at_end
from flexjob_pool.domain.flexjobs import Flexjob, Hours, Stay
from flexjob_pool.domain.grants import Grant
from flexjob_pool.domain.hours import above_attendance
from flexjob_pool.domain.needs import Need, unfit
from flexjob_pool.domain.refusals import Refusal, refuse
from flexjob_pool.domain.refusals.flexjobs import (
    AlreadyEnded,
    EndedBeforeStart,
    GrantInUse,
    GrantOfAnotherWorkplace,
    HoursAboveGrant,
    OutsideGrantPeriod,
    PlacementAlreadyStarted,
)
from flexjob_pool.domain.refusals.money import GrantIsReleased, GrantUnknown
from flexjob_pool.domain.reviews import awaiting, lapse
from flexjob_pool.domain.validity import codes_out_of_force
from flexjob_pool.requests.flexjobs import EndFlexjob, PayEnd, StartFlexjob


def start_flexjob(about: Key, ask: StartFlexjob, case: Case) -> list[DatedEvent]:
    """Start a flexjob, with the grant that pays for it when there is one, and for the need that it fills."""
    if case.find(Flexjob, about):
        raise PlacementAlreadyStarted
    refuse(
        [
            *codes_out_of_force(ask, new_case=True),
            *above_attendance(ask.scheme, ask),
            *_grant_reasons(ask, case),
            *unfit(ask.need_id, ask.occurred_on, case),
        ]
    )
    return [FlexjobStarted(placement_id=about, **dict(ask))]


def started(event: FlexjobStarted, case: Case) -> None:
    """The flexjob runs, its grant pays for it alone, its need is filled."""
    grant, need = case.find(Grant, event.grant_id), case.find(Need, event.need_id)
    if grant:
        case.put(replace(grant, placement_id=event.placement_id))
    if need:
        case.put(replace(need, status="filled", filled_by=event.placement_id, filled_on=event.occurred_on))
    flexjob = Flexjob(
        placement_id=event.placement_id,
        person_ref=event.person_ref,
        department=event.department,
        workplace_unit=event.workplace_unit,
        grant_id=event.grant_id,
        need_id=event.need_id,
        grant_term=event.grant_term,
        retention=event.retention,
        scheme=event.scheme,
        started_on=event.occurred_on,
        registered_on=case.today,
        hours=(Hours(event.occurred_on, event.attendance_hours_per_week, event.effective_hours_per_week),),
        stays=(Stay(event.occurred_on, event.department, event.workplace_unit),),
    )
    case.put(awaiting(flexjob))


def end_flexjob(about: Key, ask: EndFlexjob, case: Case) -> list[DatedEvent]:
    """End a flexjob, and give what its grant no longer needs back to the pool; payroll's end gives way."""
    flexjob = _endable(about, ask, case)
    ended = FlexjobEnded(
        placement_id=flexjob.placement_id, person_ref=flexjob.person_ref, grant_id=flexjob.grant_id, **dict(ask)
    )
    return [ended, *release_at_end(flexjob, ask.occurred_on, case)]


class EndPaid(FlexjobEnded):
    """An end that payroll told of; which employment it was is known here alone."""

    employment_ref: Annotated[Ref, Field(exclude=True)]


def pay_end(about: Key, ask: PayEnd, case: Case) -> list[DatedEvent]:
    """End a flexjob that payroll says is over; the end that it told of before gives way."""
    flexjob = _endable(about, ask, case)
    ended = EndPaid(
        placement_id=flexjob.placement_id,
        person_ref=flexjob.person_ref,
        grant_id=flexjob.grant_id,
        **dict(ask),
    )
    return [ended, *release_at_end(flexjob, ask.occurred_on, case)]


def ended(event: FlexjobEnded, case: Case) -> None:
    """The flexjob is over, and reviewed no more."""
    flexjob = case.known(Flexjob, event.placement_id)
    over = replace(
        flexjob,
        status="ended",
        ended_on=event.occurred_on,
        ended_by=event.employment_ref if isinstance(event, EndPaid) else None,
        reason_code=event.reason_code,
    )
    case.put(awaiting(over))
    lapse(over, case)


def _endable(about: Key, ask: EndFlexjob | PayEnd, case: Case) -> Flexjob:
    flexjob = case.known(Flexjob, about)
    if flexjob.ended_on and not flexjob.ended_by:
        raise AlreadyEnded
    too_early = [EndedBeforeStart()] if ask.occurred_on < flexjob.started_on else []
    refuse([*too_early, *codes_out_of_force(ask)])
    return flexjob


def _grant_reasons(ask: StartFlexjob, case: Case) -> Iterator[Refusal]:
    if ask.grant_id is None:
        return
    grant = case.find(Grant, ask.grant_id)
    if grant is None:
        yield GrantUnknown()
    elif grant.released_on:
        yield GrantIsReleased().at("grant_id")
    elif grant.placement_id:
        yield GrantInUse()
    else:
        yield from _beyond(grant, ask)


def _beyond(grant: Grant, ask: StartFlexjob) -> Iterator[Refusal]:
    if (grant.department, grant.workplace_unit) != (ask.department, ask.workplace_unit):
        yield GrantOfAnotherWorkplace()
    if not grant.period_from <= ask.occurred_on < grant.period_to:
        yield OutsideGrantPeriod()
    if ask.effective_hours_per_week > grant.effective_hours_per_week:
        yield HoursAboveGrant(granted=grant.effective_hours_per_week)
