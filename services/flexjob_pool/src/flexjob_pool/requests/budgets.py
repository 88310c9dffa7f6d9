"""Money for the pool."""

from typing import ClassVar

from contracts.types import FiscalYear, Ore
from flexjob_pool.requests.ask import MONEY, Ask


class AllocateBudget(Ask):
    """Money set aside for a fiscal year, which may have several budgets."""

    noun: ClassVar = "budget"
    named: ClassVar = "budget_id"
    beside: ClassVar = MONEY

    fiscal_year: FiscalYear
    amount_ore: Ore


class AdjustBudget(Ask):
    """A budget's new total."""

    noun: ClassVar = "budget"
    beside: ClassVar = MONEY

    amount_ore: Ore
