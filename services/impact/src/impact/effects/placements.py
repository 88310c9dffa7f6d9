"""Placements begun (J1) and the hours they began with (J2). A second start of the same placement changes nothing."""

from collections.abc import Sequence
from decimal import Decimal

from contracts.flexjob_pool import FlexjobStarted
from impact.fold import Effect, Fact

FLEXJOB = (("kind", "flexjob"),)


def started(facts: Sequence[Fact]) -> list[Effect]:
    """One placement, on its first day."""
    return [_on_the_first_day(start, Decimal(1)) for start in _first_start(facts)]


def hours_started(facts: Sequence[Fact]) -> list[Effect]:
    """The effective hours per week that the placement began with."""
    return [_on_the_first_day(start, start.effective_hours_per_week) for start in _first_start(facts)]


def _first_start(facts: Sequence[Fact]) -> list[FlexjobStarted]:
    return [fact.event for fact in facts if isinstance(fact.event, FlexjobStarted)][:1]


def _on_the_first_day(start: FlexjobStarted, amount: Decimal) -> Effect:
    return Effect(str(start.placement_id), str(start.person_ref), None, start.occurred_on, amount, FLEXJOB)
