"""Committing, adjusting and releasing grants; a grant is released once, for good."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from contracts.event import DatedEvent
from contracts.flexjob_pool import Allocation, GrantAdjusted, GrantCommitted, GrantReleased
from flexjob_pool.domain.applications import Application
from flexjob_pool.domain.case import Case, Key
from flexjob_pool.domain.flexjobs import Flexjob
from flexjob_pool.domain.grants import Draw, Grant, amounts, spread, touches, used
from flexjob_pool.domain.refusals import Refusal, refuse
from flexjob_pool.domain.refusals.applications import ApplicationUnknown, NotApproved
from flexjob_pool.domain.refusals.money import (
    AlreadyGranted,
    AmountAboveApproved,
    BelowRefunds,
    CommittedBeforeApproval,
    FlexjobOutsidePeriod,
    GrantDatedBack,
    GrantExists,
    GrantIsReleased,
    PeriodIsEmpty,
    PeriodLongerThanApproved,
    RefundedOutsidePeriod,
)
from flexjob_pool.domain.validity import check_reach, months_after
from flexjob_pool.requests.grants import AdjustGrant, CommitGrant, ReleaseGrant


def commit_grant(about: Key, ask: CommitGrant, case: Case) -> list[DatedEvent]:
    """Reserve the approved amount in the budgets of the fiscal years that the period touches, once."""
    if case.find(Grant, about):
        raise GrantExists
    application = case.known(Application, ask.application_id, ApplicationUnknown)
    if application.status != "approved":
        raise NotApproved().at("application_id")
    if application.grant_id:
        raise AlreadyGranted
    check_reach(case.today, period_from=ask.period_from)
    refuse([*_too_early(application, ask.occurred_on), *_period_reasons(application, ask)])
    allocations = spread(application.amount_ore, ask.period_from, ask.period_to)
    return [GrantCommitted(grant_id=about, amount_ore=application.amount_ore, allocations=allocations, **dict(ask))]


def committed(event: GrantCommitted, case: Case) -> None:
    """The application has its grant, which draws from now on."""
    application = case.known(Application, event.application_id)
    case.put(replace(application, grant_id=event.grant_id))
    case.put(
        Grant(
            grant_id=event.grant_id,
            application_id=event.application_id,
            department=application.department,
            workplace_unit=application.workplace_unit,
            effective_hours_per_week=application.effective_hours_per_week,
            committed_on=event.occurred_on,
            period_from=event.period_from,
            period_to=event.period_to,
            amount_ore=event.amount_ore,
            allocations=event.allocations,
            draws=(Draw(event.occurred_on, event.allocations),),
        )
    )


def adjust_grant(about: Key, ask: AdjustGrant, case: Case) -> list[DatedEvent]:
    """Give a grant another amount and period, within what was approved and never below what has been refunded."""
    grant = _unreleased(about, ask.occurred_on, case)
    application = case.known(Application, grant.application_id)
    check_reach(case.today, period_from=ask.period_from)
    refuse(_period_reasons(application, ask))
    allocations = spread(ask.amount_ore, ask.period_from, ask.period_to)
    too_much = [AmountAboveApproved()] if ask.amount_ore > application.amount_ore else []
    refuse([*too_much, *_below_refunds(grant, allocations), *_left_outside(grant, ask, case)])
    return [
        GrantAdjusted(
            grant_id=grant.grant_id, application_id=grant.application_id, allocations=allocations, **dict(ask)
        )
    ]


def adjusts_nothing(about: Key, ask: AdjustGrant, case: Case) -> bool:
    """Whether the grant has that amount and period already."""
    grant = case.known(Grant, about)
    return (grant.amount_ore, grant.period_from, grant.period_to) == (ask.amount_ore, ask.period_from, ask.period_to)


def adjusted(event: GrantAdjusted, case: Case) -> None:
    """The grant draws another amount, over another period."""
    grant = case.known(Grant, event.grant_id)
    case.put(replace(_drawing(grant, event), period_from=event.period_from, period_to=event.period_to))


def release_grant(about: Key, ask: ReleaseGrant, case: Case) -> list[DatedEvent]:
    """Give back what a grant does not need from that day on; without a flexjob it needs nothing."""
    grant = _unreleased(about, ask.occurred_on, case)
    return [_released(grant, ask.occurred_on, _needed_until(grant, ask.occurred_on, case))]


def releases_nothing(about: Key, ask: ReleaseGrant, case: Case) -> bool:
    """Whether the grant needs all that it draws."""
    grant = case.known(Grant, about)
    return _needed_until(grant, ask.occurred_on, case) == grant.allocations


def release_at_end(flexjob: Flexjob, ended_on: date, case: Case) -> list[DatedEvent]:
    """Give back what the grant of a flexjob does not need once that ends; nothing when it needs it all."""
    grant = case.find(Grant, flexjob.grant_id)
    if grant is None or grant.released_on:
        return []
    remaining = used(grant, flexjob.started_on, ended_on)
    if remaining == grant.allocations:
        return []
    # An end ahead frees money today; one registered late may lie before the grant, which must be held first.
    return [_released(grant, max(min(ended_on, case.today), grant.draws[-1].occurred_on), remaining)]


def released(event: GrantReleased, case: Case) -> None:
    """The grant draws for ever what it needed."""
    grant = _drawing(case.known(Grant, event.grant_id), event)
    case.put(replace(grant, status="released", released_on=event.occurred_on))


def _released(grant: Grant, day: date, remaining: tuple[Allocation, ...]) -> GrantReleased:
    return GrantReleased(
        occurred_on=day,
        grant_id=grant.grant_id,
        application_id=grant.application_id,
        amount_ore=sum(part.amount_ore for part in remaining),
        allocations=remaining,
    )


def _drawing(grant: Grant, event: GrantAdjusted | GrantReleased) -> Grant:
    draw = Draw(event.occurred_on, event.allocations)
    return replace(grant, amount_ore=event.amount_ore, allocations=event.allocations, draws=(*grant.draws, draw))


def _needed_until(grant: Grant, day: date, case: Case) -> tuple[Allocation, ...]:
    flexjob = case.find(Flexjob, grant.placement_id)
    if flexjob is None:
        return used(grant, day, day)
    return used(grant, flexjob.started_on, min(day, flexjob.ended_on or day))


def _unreleased(about: Key, day: date, case: Case) -> Grant:
    grant = case.known(Grant, about)
    if grant.released_on:
        raise GrantIsReleased
    if day < grant.draws[-1].occurred_on:
        raise GrantDatedBack
    return grant


def _too_early(application: Application, day: date) -> Iterator[Refusal]:
    if application.decided_on and day < application.decided_on:
        yield CommittedBeforeApproval()


def _period_reasons(application: Application, ask: CommitGrant | AdjustGrant) -> Iterator[Refusal]:
    if ask.period_to <= ask.period_from:
        yield PeriodIsEmpty()
    elif ask.period_to > months_after(ask.period_from, application.months):
        yield PeriodLongerThanApproved(months=application.months)


def _below_refunds(grant: Grant, allocations: tuple[Allocation, ...]) -> Iterator[Refusal]:
    for year in sorted({refund.fiscal_year for refund in grant.refunds}):
        if amounts(allocations).get(year, 0) < grant.refunded_in(year):
            yield BelowRefunds(fiscal_year=year)


def _left_outside(grant: Grant, ask: AdjustGrant, case: Case) -> Iterator[Refusal]:
    if not all(touches(refund.payroll_month, ask.period_from, ask.period_to) for refund in grant.refunds):
        yield RefundedOutsidePeriod()
    flexjob = case.find(Flexjob, grant.placement_id)
    if flexjob and not ask.period_from <= flexjob.started_on < ask.period_to:
        yield FlexjobOutsidePeriod()
