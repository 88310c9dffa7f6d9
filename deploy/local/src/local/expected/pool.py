"""The money of the pool: what grants draw on the budgets of each fiscal year, to the last øre."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from math import floor
from uuid import UUID

from local.actions import Action, AdjustBudget, AllocateBudget, Apply, CommitGrant, EndFlexjob, StartFlexjob
from local.expected.days import days_between, each_day
from local.expected.value import Figure, Value, cells, half_up, ratio


@dataclass(slots=True)
class Grant:
    """A grant's days, and what it draws on each fiscal year."""

    days: list[date]
    draws: dict[int, int]


@dataclass(slots=True)
class Pool:
    """What is applied for, set aside and reserved on a day, and the flexjobs that it pays for."""

    applied: dict[UUID, int] = field(default_factory=dict)
    budgets: dict[UUID, AllocateBudget] = field(default_factory=dict)
    grants: dict[UUID, Grant] = field(default_factory=dict)
    started: dict[UUID, StartFlexjob] = field(default_factory=dict)


def utilisation(known: Iterable[Action], as_of: date) -> Figure:
    """F5: what grants draw on the budget of a fiscal year; the whole is the year of `as_of`."""
    pool = Pool()
    for _, actions in each_day(known, as_of):
        for action in actions:
            _happen(pool, action)
    years = {budget.fiscal_year for budget in pool.budgets.values()} | {as_of.year}
    shares = {year: _share(pool, year) for year in years}
    return Figure(shares[as_of.year], {"fiscal_year": cells({str(year): share for year, share in shares.items()})})


def _share(pool: Pool, year: int) -> Value:
    allocated = sum(budget.amount_ore for budget in pool.budgets.values() if budget.fiscal_year == year)
    drawn = sum(grant.draws.get(year, 0) for grant in pool.grants.values())
    return ratio(drawn, allocated)


def _happen(pool: Pool, action: Action) -> None:
    match action:
        case AllocateBudget():
            pool.budgets[action.budget_id] = action
        case AdjustBudget():
            pool.budgets[action.budget_id] = replace(pool.budgets[action.budget_id], amount_ore=action.amount_ore)
        case Apply():
            pool.applied[action.application_id] = action.amount_ore
        case CommitGrant():
            pool.grants[action.grant_id] = _grant(action, pool.applied[action.application_id])
        case StartFlexjob():
            pool.started[action.placement_id] = action
        case EndFlexjob():
            start = pool.started[action.placement_id]
            if start.grant_id:
                _release(pool.grants[start.grant_id], start.occurred_on, action.occurred_on)
        case _:
            pass


def _grant(action: CommitGrant, amount_ore: int) -> Grant:
    """Share the amount by days: whole øre first, then one more to the years with the largest remainders."""
    days = list(days_between(action.period_from, action.period_to))
    exact = {year: Fraction(amount_ore * count, len(days)) for year, count in _days_per_year(days).items()}
    draws = {year: floor(share) for year, share in exact.items()}
    by_remainder = sorted(exact, key=lambda year: (draws[year] - exact[year], year))
    for year in by_remainder[: amount_ore - sum(draws.values())]:
        draws[year] += 1
    return Grant(days, draws)


def _release(grant: Grant, started_on: date, ended_on: date) -> None:
    """Keep of each year's draw what its days with the flexjob cost."""
    used = _days_per_year(day for day in grant.days if started_on <= day < ended_on)
    for year, count in _days_per_year(grant.days).items():
        grant.draws[year] = half_up(Fraction(grant.draws[year] * used.get(year, 0), count))


def _days_per_year(days: Iterable[date]) -> dict[int, int]:
    counts: dict[int, int] = defaultdict(int)
    for day in days:
        counts[day.year] += 1
    return dict(counts)
