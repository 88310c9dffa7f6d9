"""Follow-ups of a flexjob that fell due while it ran, and those of them held in time (F7), dated on the due day."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from contracts.development import ReviewDue, ReviewHeld
from contracts.flexjob_pool import FlexjobEnded, FlexjobStarted
from impact.effects.cells import cell, known_code, month_of
from impact.fold import Effect, Fact

LIFE = (FlexjobStarted, FlexjobEnded, ReviewDue, ReviewHeld)


def due(facts: Sequence[Fact]) -> Iterator[Effect]:
    """One review, as it was last called for."""
    return map(_effect, _called_for(facts))


def on_time(facts: Sequence[Fact]) -> Iterator[Effect]:
    """One review that was held on its due day or before."""
    held = [event for fact in facts if isinstance(event := fact.event, ReviewHeld)]
    for review in _called_for(facts):
        if any(event.review_id == review.review_id and event.occurred_on <= review.due_on for event in held):
            yield _effect(review)


def _called_for(facts: Sequence[Fact]) -> list[ReviewDue]:
    """The latest call for each review; those whose day is not one of the flexjob's do not count."""
    latest: dict[UUID, ReviewDue] = {
        event.review_id: event for fact in facts if isinstance(event := fact.event, ReviewDue)
    }
    return [review for review in latest.values() if _runs_on(review.due_on, facts)]


def _runs_on(day: date, facts: Sequence[Fact]) -> bool:
    begun = any(isinstance(fact.event, FlexjobStarted) and fact.event.occurred_on <= day for fact in facts)
    return begun and not any(isinstance(fact.event, FlexjobEnded) and fact.event.occurred_on <= day for fact in facts)


def _effect(review: ReviewDue) -> Effect:
    kind = cell(review_kind=known_code("review_kind", review.review_kind))
    cohort, person = month_of(review.due_on), str(review.person_ref)
    return Effect(str(review.review_id), person, cohort, review.due_on, Decimal(1), kind)
