"""What is decided for all: the pool's rules in three versions, and budgets for two fiscal years with adjustments."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from uuid import UUID

from local.actions.action import Action
from local.actions.pool import AdjustBudget, AdjustGrant, AdoptRules, AllocateBudget, Apply, CommitGrant
from local.actions.undo import Correct
from local.plan.chance import OPENING_DAY, Chance
from local.plan.towns import Town

MAX_HOURS = 20
MAX_MONTHS = 12
FISCAL_YEARS = (2025, 2026)
ORE_IN_100_000_KR = 10_000_000
RULES = ((OPENING_DAY, "0.5", MAX_HOURS), (date(2025, 5, 1), "0.6", MAX_HOURS + 2), (date(2025, 10, 1), "0.5", 25))


def office(chance: Chance, town: Town, cases: Iterable[Action]) -> Iterator[Action]:
    """Rules and budgets; the budgets hold every grant of the cases."""
    for day, share, hours in RULES:
        yield AdoptRules(
            registered_on=day,
            occurred_on=day,
            refund_share=Decimal(share),
            max_weekly_effective_hours=Decimal(hours),
            max_months=MAX_MONTHS,
            eligible_units=tuple(town.workplaces),
        )
    yield from _budgets(chance, _needed(cases))


def _needed(cases: Iterable[Action]) -> dict[int, int]:
    """At least what the grants will draw: the whole of each in every year that it touches."""
    asked: dict[UUID, int] = {}
    granted: dict[UUID, tuple[int, range]] = {}
    for action in cases:
        match action:
            case Apply():
                asked[action.application_id] = action.amount_ore
            case CommitGrant():
                granted[action.grant_id] = asked[action.application_id], _years(action)
            case AdjustGrant():
                granted[action.grant_id] = max(action.amount_ore, granted[action.grant_id][0]), _years(action)
            case _:
                pass
    totals = {year: sum(amount for amount, years in granted.values() if year in years) for year in FISCAL_YEARS}
    return {year: (total // ORE_IN_100_000_KR + 1) * ORE_IN_100_000_KR for year, total in totals.items()}


def _years(grant: CommitGrant | AdjustGrant) -> range:
    return range(grant.period_from.year, grant.period_to.year + 1)


def _budgets(chance: Chance, needed: dict[int, int]) -> Iterator[Action]:
    """One budget a year, raised and lowered again; an extra one, and an adjustment with a figure mistyped."""
    this_year, next_year, extra = chance.ref(), chance.ref(), chance.ref()
    yield _allocate(OPENING_DAY, this_year, 2025, needed[2025])
    yield _allocate(OPENING_DAY, next_year, 2026, needed[2026])
    yield _allocate(date(2025, 3, 17), extra, 2025, 3 * ORE_IN_100_000_KR)
    yield _adjust(date(2025, 6, 2), this_year, needed[2025] + 5 * ORE_IN_100_000_KR)
    mistyped = _adjust(date(2025, 8, 18), extra, 40 * ORE_IN_100_000_KR)
    yield mistyped
    yield _adjust(date(2025, 10, 8), next_year, needed[2026] + 2 * ORE_IN_100_000_KR)
    yield _adjust(date(2025, 11, 3), this_year, needed[2025] + ORE_IN_100_000_KR)
    yield Correct(
        registered_on=date(2025, 11, 20),
        action=mistyped,
        reason_code="registration_error",
        values=(("amount_ore", 4 * ORE_IN_100_000_KR),),
    )


def _allocate(day: date, budget_id: UUID, year: int, amount_ore: int) -> Action:
    return AllocateBudget(
        registered_on=day, occurred_on=day, budget_id=budget_id, fiscal_year=year, amount_ore=amount_ore
    )


def _adjust(day: date, budget_id: UUID, amount_ore: int) -> Action:
    return AdjustBudget(registered_on=day, occurred_on=day, budget_id=budget_id, amount_ore=amount_ore)
