"""How long a workplace's need waits for its first flexjob (F6); a need that is not filled yet counts nowhere."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from contracts.flexjob_pool import FlexjobStarted
from contracts.workplaces import NeedReported
from impact.effects.cells import cell, month_of
from impact.fold import Effect, Fact


def filled(facts: Sequence[Fact]) -> Iterator[Effect]:
    """One need, on the first day of the flexjob that filled it."""
    for need, flexjob in _first_filling(facts):
        yield _effect(need, flexjob, 1)


def days_to_fill(facts: Sequence[Fact]) -> Iterator[Effect]:
    """The days from the report to that day."""
    for need, flexjob in _first_filling(facts):
        yield _effect(need, flexjob, (flexjob.occurred_on - need.occurred_on).days)


def _first_filling(facts: Sequence[Fact]) -> list[tuple[NeedReported, FlexjobStarted]]:
    """The need as first reported, with the first flexjob that began on that day or later."""
    needs = [event for fact in facts if isinstance(event := fact.event, NeedReported)][:1]
    starts = [event for fact in facts if isinstance(event := fact.event, FlexjobStarted)]
    return [(need, start) for need in needs for start in starts if start.occurred_on >= need.occurred_on][:1]


def _effect(need: NeedReported, flexjob: FlexjobStarted, amount: int) -> Effect:
    dimensions = cell(department=need.department, workplace_unit=need.workplace_unit)
    cohort = month_of(need.occurred_on)
    return Effect(str(need.need_id), str(flexjob.person_ref), cohort, flexjob.occurred_on, Decimal(amount), dimensions)
