"""What a grant is: money reserved for an approved application, spread over the fiscal years of its period."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal

from contracts.flexjob_pool import Allocation
from contracts.types import HoursPerWeek, Month, Ore, OrganisationUnit, Ref
from flexjob_pool.domain.case import Place
from flexjob_pool.domain.validity import DAY


@dataclass(frozen=True, slots=True)
class Draw:
    """What a grant draws on each fiscal year from a day on."""

    occurred_on: date
    allocations: tuple[Allocation, ...]


@dataclass(frozen=True, slots=True)
class Refunded:
    """A refund in force that was paid from a grant."""

    refund_id: Ref
    payroll_month: Month
    refund_ore: Ore

    @property
    def fiscal_year(self) -> int:
        """The year whose budget paid."""
        return fiscal_year_of(self.payroll_month)


@dataclass(frozen=True, slots=True)
class Grant:
    """Money reserved for what an application asked; `allocations` is what it draws as it stands, `draws` since when.

    `refunds` are those in force; `placement_id` is the flexjob that it pays for.
    """

    noun: ClassVar = "grant"

    grant_id: Ref
    application_id: Ref
    department: OrganisationUnit
    workplace_unit: OrganisationUnit
    effective_hours_per_week: HoursPerWeek
    committed_on: date
    period_from: date
    period_to: date
    amount_ore: Ore
    allocations: tuple[Allocation, ...]
    draws: tuple[Draw, ...]
    refunds: tuple[Refunded, ...] = ()
    status: Literal["committed", "released"] = "committed"
    released_on: date | None = None
    placement_id: Ref | None = None

    @property
    def key(self) -> str:
        """Its id."""
        return str(self.grant_id)

    @property
    def links(self) -> tuple[Place, ...]:
        """The application that it rests on, and the flexjob that it pays for."""
        application = ("application", str(self.application_id))
        return (application, ("flexjob", str(self.placement_id))) if self.placement_id else (application,)

    def refunded_in(self, fiscal_year: int) -> int:
        """What has been refunded of a fiscal year and not reversed, in øre."""
        return sum(refund.refund_ore for refund in self.refunds if refund.fiscal_year == fiscal_year)

    def allocated_in(self, fiscal_year: int) -> int:
        """What the grant draws on a fiscal year as it stands, in øre."""
        return amounts(self.allocations).get(fiscal_year, 0)

    def draws_from(self, day: date) -> bool:
        """Whether anything is drawn on that day or later."""
        in_force = [draw for draw in self.draws if draw.occurred_on <= day][-1:]
        later = [draw for draw in self.draws if draw.occurred_on > day]
        return any(part.amount_ore for draw in (*in_force, *later) for part in draw.allocations)


def amounts(allocations: Iterable[Allocation]) -> dict[int, int]:
    """Øre by fiscal year."""
    return {part.fiscal_year: part.amount_ore for part in allocations}


def changes(draws: Iterable[Draw]) -> Iterator[tuple[int, date, int]]:
    """What each draw takes more than the one before it, as (fiscal year, day, øre)."""
    before: dict[int, int] = {}
    for draw in draws:
        after = amounts(draw.allocations)
        for year in sorted(before | after):
            yield year, draw.occurred_on, after.get(year, 0) - before.get(year, 0)
        before = after


def fiscal_year_of(month: str) -> int:
    """The year whose budget pays for a month: the one in which it was worked."""
    return int(month[:4])


def touches(month: str, first: date, end: date) -> bool:
    """Whether any day of a month, as `2026-07`, lies in a half-open period."""
    return first.isoformat()[:7] <= month <= (end - DAY).isoformat()[:7]


def days_by_year(first: date, end: date) -> dict[int, int]:
    """How many days of a half-open period fall in each fiscal year, which is the calendar year."""
    last = end - DAY
    return {
        year: (min(last, date(year, 12, 31)) - max(first, date(year, 1, 1))).days + 1
        for year in range(first.year, last.year + 1)
        if first <= last
    }


def spread(amount_ore: int, period_from: date, period_to: date) -> tuple[Allocation, ...]:
    """Spread an amount over fiscal years by days, exact to the øre: largest remainder, then earliest year."""
    days = days_by_year(period_from, period_to)
    total = sum(days.values())
    shares = {year: amount_ore * count // total for year, count in days.items()}
    by_remainder = sorted(days, key=lambda year: (-(amount_ore * days[year] % total), year))
    for year in by_remainder[: amount_ore - sum(shares.values())]:
        shares[year] += 1
    return tuple(Allocation(fiscal_year=year, amount_ore=share) for year, share in shares.items())


def used(grant: Grant, started_on: date, ended_on: date) -> tuple[Allocation, ...]:
    """What a grant needs when its flexjob lasted only those days, never less than what has been refunded.

    Of each allocation it is the share of days with the flexjob in force, rounded half up.
    """
    whole = days_by_year(grant.period_from, grant.period_to)
    days = days_by_year(max(grant.period_from, started_on), min(grant.period_to, ended_on))
    return tuple(
        Allocation(
            fiscal_year=year,
            amount_ore=max(
                (2 * part.amount_ore * days.get(year, 0) + whole[year]) // (2 * whole[year]), grant.refunded_in(year)
            ),
        )
        for part in grant.allocations
        for year in [part.fiscal_year]
    )
