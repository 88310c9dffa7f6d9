"""Budgets and what they let become free."""

from datetime import date
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from flexjob_pool.domain.budgets import Budget, Total
from flexjob_pool.domain.money import steps
from flexjob_pool.domain.refusals import NothingChanges, NotRegistered
from flexjob_pool.domain.refusals.money import BudgetDatedBack, BudgetExists
from flexjob_pool.requests.budgets import AdjustBudget, AllocateBudget
from services.flexjob_pool.tests.domain.conftest import DAY, World, names

DECIDED = date(2026, 1, 2)


def test_a_budget_is_allocated_once_and_adjusted_to_new_totals() -> None:
    world, budget_id = World(), uuid4()

    assert names(world.ask(budget_id, AllocateBudget, DECIDED, fiscal_year=2026, amount_ore=100)) == [
        "pool.budget_allocated"
    ]
    [adjusted] = world.ask(budget_id, AdjustBudget, DECIDED + DAY, amount_ore=40)

    assert adjusted.model_dump()["fiscal_year"] == 2026
    budget = world.one(Budget, budget_id)
    assert (budget.amount_ore, budget.occurred_on) == (40, DECIDED + DAY)
    assert budget.totals == (Total(DECIDED, 100), Total(DECIDED + DAY, 40))
    assert world.refused(budget_id, AllocateBudget, DECIDED, fiscal_year=2026, amount_ore=1) == {BudgetExists}


def test_a_new_total_is_new_and_not_dated_back() -> None:
    world, budget_id = World(), uuid4()
    world.ask(budget_id, AllocateBudget, DECIDED, fiscal_year=2026, amount_ore=100)

    assert world.refused(budget_id, AdjustBudget, DECIDED, amount_ore=100) == {NothingChanges}
    assert world.refused(budget_id, AdjustBudget, DECIDED - DAY, amount_ore=50) == {BudgetDatedBack}
    assert world.refused(uuid4(), AdjustBudget, DECIDED, amount_ore=50) == {NotRegistered}


def test_a_year_may_have_several_budgets() -> None:
    world, first, second = World(), uuid4(), uuid4()
    for budget_id in (first, second):
        world.ask(budget_id, AllocateBudget, DECIDED, fiscal_year=2026, amount_ore=100)

    assert {step for key in (first, second) for step in steps(world.one(Budget, key))} == {(2026, DECIDED, 100)}


@given(totals=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 10**13)), min_size=1, max_size=6))
def test_the_steps_of_a_budget_add_up_to_its_total_on_every_day(totals: list[tuple[int, int]]) -> None:
    world, budget_id = World(), uuid4()
    expected: dict[date, int] = {}
    kind, values = AllocateBudget, {"fiscal_year": 2026}
    for days, amount_ore in sorted(totals, key=lambda total: total[0]):
        if expected and list(expected.values())[-1] == amount_ore:
            continue
        world.ask(budget_id, kind, DECIDED + days * DAY, **values, amount_ore=amount_ore)
        expected[DECIDED + days * DAY] = amount_ore
        kind, values = AdjustBudget, {}  # type: ignore[assignment]  # an allocation comes first, adjustments after it

    for day, total in expected.items():
        assert sum(ore for _, since, ore in steps(world.one(Budget, budget_id)) if since <= day) == total
