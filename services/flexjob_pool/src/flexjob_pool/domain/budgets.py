"""Money set aside for the pool, by fiscal year; a year may have several budgets."""

from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar

from contracts.event import DatedEvent
from contracts.flexjob_pool import BudgetAdjusted, BudgetAllocated
from contracts.types import FiscalYear, Ore, Ref
from flexjob_pool.domain.case import Case, Key, Place
from flexjob_pool.domain.refusals.money import BudgetDatedBack, BudgetExists
from flexjob_pool.requests.budgets import AdjustBudget, AllocateBudget


@dataclass(frozen=True, slots=True)
class Total:
    """What a budget holds from a day on."""

    occurred_on: date
    amount_ore: Ore


@dataclass(frozen=True, slots=True)
class Budget:
    """Money set aside for one fiscal year, as it stands since `occurred_on`, and its totals since when."""

    noun: ClassVar = "budget"

    budget_id: Ref
    fiscal_year: FiscalYear
    amount_ore: Ore
    occurred_on: date
    totals: tuple[Total, ...]

    @property
    def key(self) -> str:
        """Its id."""
        return str(self.budget_id)

    @property
    def links(self) -> tuple[Place, ...]:
        """A budget stands alone."""
        return ()


def allocate_budget(about: Key, ask: AllocateBudget, case: Case) -> list[DatedEvent]:
    """Set money aside, under an id that is new."""
    if case.find(Budget, about):
        raise BudgetExists
    return [BudgetAllocated(budget_id=about, **dict(ask))]


def allocated(event: BudgetAllocated, case: Case) -> None:
    """The year has that much more."""
    total = Total(event.occurred_on, event.amount_ore)
    case.put(Budget(event.budget_id, event.fiscal_year, event.amount_ore, event.occurred_on, (total,)))


def adjust_budget(about: Key, ask: AdjustBudget, case: Case) -> list[DatedEvent]:
    """Raise or lower a budget to a new total; that its year's grants stay covered is seen by who knows them all."""
    budget = case.known(Budget, about)
    if ask.occurred_on < budget.occurred_on:
        raise BudgetDatedBack
    return [BudgetAdjusted(budget_id=budget.budget_id, fiscal_year=budget.fiscal_year, **dict(ask))]


def adjusts_nothing(about: Key, ask: AdjustBudget, case: Case) -> bool:
    """Whether the budget has that total already."""
    return case.known(Budget, about).amount_ore == ask.amount_ore


def adjusted(event: BudgetAdjusted, case: Case) -> None:
    """The budget has its new total."""
    budget = case.known(Budget, event.budget_id)
    total = Total(event.occurred_on, event.amount_ore)
    case.put(
        replace(budget, amount_ore=event.amount_ore, occurred_on=event.occurred_on, totals=(*budget.totals, total))
    )
