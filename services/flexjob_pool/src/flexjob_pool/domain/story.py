"""The story: decisions told again in the order of their registration, and what came out otherwise than it was.

Nothing is edited. A correction tells the story with one answer changed, a retraction tells it without one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from contracts.event import DatedEvent
from contracts.types import OfList
from flexjob_pool.domain.case import Case, Place, Resource
from flexjob_pool.domain.refusals import Refusal
from flexjob_pool.domain.refusals.story import StandsInTheWay
from flexjob_pool.domain.rulebook import decide, evolve
from flexjob_pool.domain.rules import Rules
from flexjob_pool.requests.ask import Ask

Of = tuple[int, str]
"""An event by its decision and type: a decision has at most one of each."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was asked, about which resource, and when; `root_id` is the event that tells of it first."""

    position: int
    root_id: UUID
    about: str
    ask: Ask
    registered_on: date


@dataclass(frozen=True, slots=True)
class Story:
    """What came of decisions: events, the places each looked at, and the resources as they stand in the end."""

    events: Mapping[Of, DatedEvent] = field(default_factory=dict)
    looked_at: Mapping[int, frozenset[Place]] = field(default_factory=dict)
    resources: Mapping[Place, Resource] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """An event that now comes out otherwise: corrected, retracted (nothing after) or added (nothing before)."""

    of: Of
    before: DatedEvent | None
    after: DatedEvent | None


def tell(
    decisions: Iterable[Decision],
    *,
    municipality: str,
    rules: Sequence[tuple[int, Rules]],
    changed: int | None = None,
) -> Story:
    """Take the decisions again, each on its day and under the rules that were known before its position.

    Raises the refusal of the decision at the position `changed`, StandsInTheWay for that of any other; a decision that
    the service took by itself is left out instead.
    """
    case = Case(municipality=municipality, today=date.min)
    events: dict[Of, DatedEvent] = {}
    looked_at: dict[int, frozenset[Place]] = {}
    resources: dict[Place, Resource] = {}
    for decision in decisions:
        case.settle()
        case.today = decision.registered_on
        case.rules = [version for position, version in rules if position < decision.position]
        for event in _told(decision, case, must=decision.position == changed):
            evolve(event, case)
            events[decision.position, event.contract.type] = event
        looked_at[decision.position] = case.looked_at
        resources |= case.changed
    return Story(events, looked_at, resources)


def _told(decision: Decision, case: Case, *, must: bool) -> list[DatedEvent]:
    try:
        return decide(decision.about, decision.ask, case)
    except Refusal as refusal:
        if must:
            raise
        if decision.ask.by_itself:
            return []
        raise StandsInTheWay(decision.root_id, refusal) from None


def differences(before: Mapping[Of, DatedEvent], after: Mapping[Of, DatedEvent]) -> list[Difference]:
    """What is told otherwise, in the order of decisions; what only tells why it was corrected is no difference."""
    return [
        Difference(of, before.get(of), after.get(of))
        for of in sorted({**before, **after}, key=lambda of: of[0])
        if _said(before.get(of)) != _said(after.get(of))
    ]


def says_the_same(some: Iterable[DatedEvent], others: Iterable[DatedEvent]) -> bool:
    """Whether events tell the same, one by one."""
    return [_said(event) for event in some] == [_said(event) for event in others]


def has_reason_of_its_own(kind: type[DatedEvent]) -> bool:
    """Whether `reason_code` says why it happened, from a list of its own, rather than why it was corrected."""
    return any(isinstance(mark, OfList) for mark in kind.model_fields["reason_code"].metadata)


def _said(event: DatedEvent | None) -> dict[str, Any] | None:
    if event is None:
        return None
    return event.model_dump(exclude=None if has_reason_of_its_own(type(event)) else {"reason_code"})
