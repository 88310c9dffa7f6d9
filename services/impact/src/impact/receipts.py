"""The receipt of a figure: what each contributor brings, from which facts, and which were left out and why. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from contracts.event import Event
from impact.chronicle import Chronicle, Outcome
from impact.figures import Question
from impact.fold import Fact, History, Measure

Role = Literal["numerator", "denominator"]
# Why a rule does not see a fact; a fact that takes effect and moves nothing is read all the same.
TAKEN_AWAY = (Outcome.RETRACTED, Outcome.SUPERSEDED)
LEFT_OUT = (*TAKEN_AWAY, Outcome.WAITING)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one contributor brings to one side of a figure; of an average, the sum of its days' ends."""

    role: Role
    measure: Measure
    key: str
    contributor: str
    person: str | None
    dimensions: dict[str, str]
    amount: Decimal

    @property
    def history(self) -> History:
        """The history that it comes from."""
        return self.measure.history, self.key


@dataclass(frozen=True, slots=True)
class Cause:
    """A fact that moved the figure between two positions, and by how much, per contributor."""

    position: int
    contribution: Contribution


@dataclass(frozen=True, slots=True)
class Entered:
    """A fact as the ledger has it, and when it was admitted."""

    fact: Fact
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A fact of a history behind a figure.

    `left_out` says why the rule did not see it, and `instead` is the id of the event that is the reason.
    """

    history: History
    entered: Entered
    left_out: Outcome | None
    instead: str | None


def within(question: Question, contributions: Iterable[Contribution]) -> list[Contribution]:
    """The contributions that the question asks about, history by history, above the line before below."""
    return sorted((each for each in contributions if _is_within(question, each)), key=_in_order_of_showing)


def moved_within(question: Question, causes: Iterable[Cause]) -> list[Cause]:
    """What moved the contributions that the question asks about, in order of admission."""
    return sorted(
        (cause for cause in causes if _is_within(question, cause.contribution)),
        key=lambda cause: (cause.position, _in_order_of_showing(cause.contribution)),
    )


def _is_within(question: Question, contribution: Contribution) -> bool:
    held = question.indicator.held_on(question.as_of, question.by)
    return held.items() <= contribution.dimensions.items()


def _in_order_of_showing(contribution: Contribution) -> tuple[Any, ...]:
    """Without ties, so that pages neither repeat nor skip; by history, so that its facts stand on one page."""
    cell = sorted(contribution.dimensions.items())
    role = contribution.role == "denominator"
    return contribution.history, contribution.contributor, role, cell, contribution.person or ""


def members_of(histories: Iterable[History], told: Sequence[Entered], reads: Collection[type[Event]]) -> list[Member]:
    """The facts of histories, each with what has become of it when all that is in `told` was told, and nothing else.

    `told` must hold the chains and the openings of every fact of the histories.
    """
    chronicle, in_order = Chronicle([]), sorted(told, key=lambda each: each.fact.position)
    for entered in in_order:
        chronicle.tell(entered.fact)
    return [
        _member(history, entered, chronicle)
        for history in sorted(histories)
        for entered in in_order
        if history in entered.fact.keys and type(entered.fact.event) in reads
    ]


def _member(history: History, entered: Entered, chronicle: Chronicle) -> Member:
    outcome = chronicle.outcome_of(entered.fact)
    is_read = outcome not in LEFT_OUT
    instead = chronicle.instead_of(entered.fact) if outcome in TAKEN_AWAY else None
    return Member(history, entered, None if is_read else outcome, instead.id if instead else None)
