"""What grants draw on the pool and what the budgets allow, per fiscal year (F5). Amounts are øre."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from contracts.flexjob_pool import BudgetEvent, GrantCommitted, GrantEvent, GrantReleased
from impact.effects.cells import cell
from impact.effects.levels import standing, until_the_next
from impact.fold import Effect, Fact


def drawn(facts: Sequence[Fact]) -> Iterator[Effect]:
    """What a grant draws on each fiscal year, as last said between its commitment and its release."""
    for event, until in until_the_next(list(_from_commitment_to_release(facts))):
        for part in event.allocations:
            contributor, year = f"{event.grant_id}/{part.fiscal_year}", cell(fiscal_year=str(part.fiscal_year))
            yield from standing(contributor, None, event.occurred_on, until, Decimal(part.amount_ore), year)


def allocated(facts: Sequence[Fact]) -> Iterator[Effect]:
    """The total that a budget sets aside for its fiscal year, as last decided."""
    decided = [event for fact in facts if isinstance(event := fact.event, BudgetEvent)]
    for event, until in until_the_next(decided):
        year = cell(fiscal_year=str(event.fiscal_year))
        yield from standing(str(event.budget_id), None, event.occurred_on, until, Decimal(event.amount_ore), year)


def _from_commitment_to_release(facts: Sequence[Fact]) -> Iterator[GrantEvent]:
    """A release is final: nothing that is dated later changes what the grant still draws."""
    committed = False
    for fact in facts:
        committed = committed or isinstance(fact.event, GrantCommitted)
        if committed and isinstance(fact.event, GrantEvent):
            yield fact.event
            if isinstance(fact.event, GrantReleased):
                return
