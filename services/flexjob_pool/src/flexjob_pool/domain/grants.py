"""The pool's money: budgets and grants by fiscal year. On no date do grants draw more than the budgets hold.

What is `free` of a year is the least that no grant draws on any day from the decision's own date on: a budget of next
month, or money that a grant gives back then, pays for nothing before.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from contracts.event import DatedEvent
from contracts.flexjob_pool import Allocation, BudgetAllocated, GrantCommitted, GrantReleased
from contracts.types import HoursPerWeek, Ore, OrganisationUnit, Ref
from flexjob_pool.domain import refusals
from flexjob_pool.domain.applications import Application
from flexjob_pool.domain.refusals import Refusal, refuse
from flexjob_pool.domain.validity import months_after


@dataclass(frozen=True, slots=True)
class Budget:
    """Money set aside for one fiscal year; a year may have several."""

    budget_id: Ref
    fiscal_year: int
    amount_ore: Ore
    occurred_on: date


@dataclass(frozen=True, slots=True)
class Grant:
    """Money reserved for what an application asked; `allocations` is what it draws on each fiscal year as it stands."""

    grant_id: Ref
    application_id: Ref
    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    effective_hours_per_week: HoursPerWeek
    committed_on: date
    period_from: date
    period_to: date
    allocations: tuple[Allocation, ...]
    released_on: date | None
    placement_id: Ref | None


def allocate_budget(budget: Budget | None, free_ore: int, asked: BudgetAllocated) -> list[DatedEvent]:
    """Set a budget's total; the year's budgets may not fall below what grants draw on them."""
    refuse(_budget_reasons(budget, asked))
    before = budget.amount_ore if budget else 0
    if free_ore - before + asked.amount_ore < 0:
        raise refusals.BudgetBelowCommitments
    return [asked]


def _budget_reasons(budget: Budget | None, asked: BudgetAllocated) -> Iterator[Refusal]:
    if budget is None:
        return
    if budget.fiscal_year != asked.fiscal_year:
        yield refusals.BudgetOfAnotherYear()
    elif budget.amount_ore == asked.amount_ore:
        yield refusals.NothingChanges()
    if asked.occurred_on < budget.occurred_on:
        yield refusals.BudgetDatedBack()


def days_by_year(first: date, end: date) -> dict[int, int]:
    """How many days of a half-open period fall in each fiscal year, which is the calendar year."""
    last = end - timedelta(days=1)
    return {
        year: (min(last, date(year, 12, 31)) - max(first, date(year, 1, 1))).days + 1
        for year in range(first.year, last.year + 1)
        if first <= last
    }


def allocations_of(application: Application, period_from: date, period_to: date) -> tuple[Allocation, ...]:
    """Spread the approved amount over fiscal years by days, exact to the øre: largest remainder, then earliest year."""
    if period_to <= period_from:
        raise refusals.PeriodIsEmpty
    if period_to > months_after(period_from, application.months):
        raise refusals.PeriodLongerThanApproved(months=application.months)
    days = days_by_year(period_from, period_to)
    total, amount = sum(days.values()), application.amount_ore
    shares = {year: amount * count // total for year, count in days.items()}
    by_remainder = sorted(days, key=lambda year: (-(amount * days[year] % total), year))
    for year in by_remainder[: amount - sum(shares.values())]:
        shares[year] += 1
    return tuple(Allocation(fiscal_year=year, amount_ore=share) for year, share in shares.items())


def commit_grant(application: Application, free: Mapping[int, int], asked: GrantCommitted) -> list[DatedEvent]:
    """Reserve money for an approved application, once; `free` tells the øre that are free of each fiscal year."""
    if application.status != "approved":
        raise refusals.NotApproved
    if application.grant_id:
        raise refusals.AlreadyGranted
    refuse([*_too_early(application, asked.occurred_on), *_overdrawn(free, asked.allocations)])
    return [asked]


def _too_early(application: Application, occurred_on: date) -> Iterator[Refusal]:
    if application.decided_on and occurred_on < application.decided_on:
        yield refusals.CommittedBeforeApproval()


def _overdrawn(free: Mapping[int, int], allocations: Iterable[Allocation]) -> Iterator[Refusal]:
    for part in allocations:
        if part.amount_ore > free[part.fiscal_year]:
            yield refusals.BudgetExceeded(fiscal_year=part.fiscal_year)


def release(grant: Grant, started_on: date, ended_on: date, *, today: date) -> list[DatedEvent]:
    """Give back what a grant does not need when its flexjob lasted only those days; nothing when it needs it all."""
    remaining = _used(grant, started_on, ended_on)
    if remaining == grant.allocations:
        return []
    return [
        GrantReleased(
            # An end ahead frees money today; one registered late may lie before the grant, which must be held first.
            occurred_on=max(min(ended_on, today), grant.committed_on),
            grant_id=grant.grant_id,
            application_id=grant.application_id,
            amount_ore=sum(part.amount_ore for part in remaining),
            allocations=remaining,
        )
    ]


def _used(grant: Grant, started_on: date, ended_on: date) -> tuple[Allocation, ...]:
    """What each allocation still draws: its share of days with the flexjob in force, rounded half up."""
    whole = days_by_year(grant.period_from, grant.period_to)
    used = days_by_year(max(grant.period_from, started_on), min(grant.period_to, ended_on))
    return tuple(
        Allocation(
            fiscal_year=year, amount_ore=(2 * part.amount_ore * used.get(year, 0) + whole[year]) // (2 * whole[year])
        )
        for part in grant.allocations
        for year in [part.fiscal_year]
    )
