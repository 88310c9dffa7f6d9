"""Candidates that the municipality asked other Job7 municipalities for (F9), judged when 90 days have passed.

What others ask it for counts in theirs.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from contracts.workplaces import CandidatePlaced, CandidateRequested
from impact.effects.cells import cell, known_code, month_of
from impact.fold import Effect, Fact

PATIENCE = timedelta(days=90)


def requests(facts: Sequence[Fact]) -> Iterator[Effect]:
    """One request."""
    for request in _own(facts):
        yield _effect(request, None)


def placed(facts: Sequence[Fact]) -> Iterator[Effect]:
    """One request whose candidate got the job within the 90 days."""
    first = next((event for fact in facts if isinstance(event := fact.event, CandidatePlaced)), None)
    for request in _own(facts):
        if first and first.occurred_on <= _due(request):
            yield _effect(request, str(first.person_ref))


def _own(facts: Sequence[Fact]) -> list[CandidateRequested]:
    """The first request that is from the municipality whose system tells of it, if any."""
    requested = ((fact, event) for fact in facts if isinstance(event := fact.event, CandidateRequested))
    return [event for fact, event in requested if event.from_municipality == fact.source.split(":")[2]][:1]


def _due(request: CandidateRequested) -> date:
    return request.occurred_on + PATIENCE


def _effect(request: CandidateRequested, person: str | None) -> Effect:
    other = cell(to_municipality=known_code("job7_municipality", request.to_municipality))
    cohort = month_of(request.occurred_on)
    return Effect(str(request.request_id), person, cohort, _due(request), Decimal(1), other)
