"""The money of the pool: what grants draw on the budgets of each fiscal year, to the last øre."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from math import floor
from uuid import UUID

from local.actions.action import Dated
from local.actions.flexjobs import EndFlexjob, StartFlexjob
from local.actions.pool import AdjustBudget, AdjustGrant, AllocateBudget, Apply, CommitGrant, ReleaseGrant
from local.expected.days import days_between, each_day
from local.expected.value import Figure, Value, cells, half_up, ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Dated):
    """A grant keeps what the days from `used_from` until `used_to` cost, from `occurred_on` on."""

    grant_id: UUID
    used_from: date
    used_to: date


@dataclass(slots=True)
class Grant:
    """A grant's days, and what it draws on each fiscal year."""

    days: list[date]
    draws: dict[int, int]


@dataclass(slots=True)
class Pool:
    """What is applied for, set aside and reserved on a day."""

    applied: dict[UUID, int]
    years: dict[UUID, int] = field(default_factory=dict)
    budgets: dict[UUID, int] = field(default_factory=dict)
    grants: dict[UUID, Grant] = field(default_factory=dict)


def utilisation(known: Iterable[Dated], as_of: date) -> Figure:
    """F5: what grants draw on the budget of a fiscal year; the whole is the year of `as_of`."""
    known = list(known)
    pool = Pool({action.application_id: action.amount_ore for action in known if isinstance(action, Apply)})
    for _, actions in each_day([*known, *_releases(known)], as_of):
        for action in actions:
            _happen(pool, action)
    years = {*pool.years.values(), as_of.year}
    shares = {year: _share(pool, year) for year in years}
    return Figure(shares[as_of.year], {"fiscal_year": cells({str(year): share for year, share in shares.items()})})


def _releases(known: Iterable[Dated]) -> Iterator[Release]:
    """What goes back: by decision, all of it without a flexjob, or since the flexjob that it paid for has ended."""
    known = list(known)
    committed = {action.grant_id: action for action in known if isinstance(action, CommitGrant)}
    starts = {action.placement_id: action for action in known if isinstance(action, StartFlexjob) and action.grant_id}
    for action in known:
        if isinstance(action, ReleaseGrant):
            day = action.occurred_on
            first = min((s.occurred_on for s in starts.values() if s.grant_id == action.grant_id), default=day)
            yield _release(action, action.grant_id, day, first, day)
        elif isinstance(action, EndFlexjob) and (start := starts.get(action.placement_id)):
            grant = committed[start.grant_id]  # type: ignore[index]
            # An end ahead frees money today; one that lies before the grant frees it once that was given.
            day = max(min(action.occurred_on, action.registered_on), grant.occurred_on)
            yield _release(action, grant.grant_id, day, start.occurred_on, action.occurred_on)


def _release(cause: Dated, grant_id: UUID, day: date, used_from: date, used_to: date) -> Release:
    return Release(
        registered_on=cause.registered_on, occurred_on=day, grant_id=grant_id, used_from=used_from, used_to=used_to
    )


def _share(pool: Pool, year: int) -> Value:
    allocated = sum(amount for budget, amount in pool.budgets.items() if pool.years[budget] == year)
    drawn = sum(grant.draws.get(year, 0) for grant in pool.grants.values())
    return ratio(drawn, allocated)


def _happen(pool: Pool, action: Dated) -> None:
    match action:
        case AllocateBudget():
            pool.years[action.budget_id] = action.fiscal_year
            pool.budgets[action.budget_id] = action.amount_ore
        case AdjustBudget():
            pool.budgets[action.budget_id] = action.amount_ore
        case CommitGrant():
            pool.grants[action.grant_id] = _grant(action, pool.applied[action.application_id])
        case AdjustGrant():
            pool.grants[action.grant_id] = _grant(action, action.amount_ore)
        case Release():
            _give_back(pool.grants[action.grant_id], action)
        case _:
            pass


def _grant(action: CommitGrant | AdjustGrant, amount_ore: int) -> Grant:
    """Share the amount by days: whole øre first, then one more to the years with the largest remainders."""
    days = list(days_between(action.period_from, action.period_to))
    exact = {year: Fraction(amount_ore * count, len(days)) for year, count in _days_per_year(days).items()}
    draws = {year: floor(share) for year, share in exact.items()}
    by_remainder = sorted(exact, key=lambda year: (draws[year] - exact[year], year))
    for year in by_remainder[: amount_ore - sum(draws.values())]:
        draws[year] += 1
    return Grant(days, draws)


def _give_back(grant: Grant, release: Release) -> None:
    """Keep of each year's draw what its used days cost."""
    used = _days_per_year(day for day in grant.days if release.used_from <= day < release.used_to)
    for year, count in _days_per_year(grant.days).items():
        grant.draws[year] = half_up(Fraction(grant.draws[year] * used.get(year, 0), count))


def _days_per_year(days: Iterable[date]) -> dict[int, int]:
    counts: dict[int, int] = defaultdict(int)
    for day in days:
        counts[day.year] += 1
    return dict(counts)
