"""What grants draw on the pool and what the budgets allow, per fiscal year (F5). Amounts are øre."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from contracts.flexjob_pool import BudgetAllocated, GrantCommitted, GrantEvent, GrantReleased
from impact.effects.levels import Cell, steps
from impact.fold import Dimensions, Effect, Fact


def drawn(facts: Sequence[Fact]) -> Iterator[Effect]:
    """What a grant draws on each fiscal year from its commitment on; a release says what it still draws."""
    return steps(_draws(facts), of_persons=False)


def allocated(facts: Sequence[Fact]) -> Iterator[Effect]:
    """The total that a budget sets aside for its fiscal year, as last decided."""
    return steps(_budgets(facts), of_persons=False)


def _draws(facts: Sequence[Fact]) -> Iterator[tuple[date, dict[Cell, Decimal]]]:
    commitment = release = None
    for fact in facts:
        match fact.event:
            case GrantCommitted() as event if commitment is None:
                commitment = event
            case GrantReleased() as event:
                release = event
            case _:
                continue
        if commitment:
            yield event.occurred_on, _grant_cells(release or commitment)


def _budgets(facts: Sequence[Fact]) -> Iterator[tuple[date, dict[Cell, Decimal]]]:
    for fact in facts:
        if isinstance(fact.event, BudgetAllocated):
            budget = fact.event
            yield budget.occurred_on, {(str(budget.budget_id), _year(budget.fiscal_year)): Decimal(budget.amount_ore)}


def _grant_cells(grant: GrantEvent) -> dict[Cell, Decimal]:
    return {
        (f"{grant.grant_id}/{part.fiscal_year}", _year(part.fiscal_year)): Decimal(part.amount_ore)
        for part in grant.allocations
    }


def _year(fiscal_year: int) -> Dimensions:
    return (("fiscal_year", str(fiscal_year)),)
