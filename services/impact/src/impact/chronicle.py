"""A lane as it is told, fact by fact: which versions hold, what opens them, and what the fold makes of them. Pure.

What a fact changes depends on the facts before it alone; so a Chronicle that starts empty tells any ledger again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from contracts.event import Event
from impact.fold import Delta, Fact, Fold, History, Measure
from impact.openings import Openings, histories_that_open
from impact.supersession import Standing, Versions, is_retraction


class Outcome(StrEnum):
    """What has become of a fact: exactly one of these, the first that applies."""

    PARKED = "parked"
    RETRACTED = "retracted"
    SUPERSEDED = "superseded"
    WAITING = "waiting"
    COUNTED = "counted"
    OUT_OF_SCOPE = "out_of_scope"


class Known(NamedTuple):
    """A fact that was told before, and what had become of it."""

    fact: Fact
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Told:
    """What a fact changed: deltas; outcomes, by the position of the fact's first copy; and which versions hold.

    `roots` gives, by position, the position of the event whose version in force the fact is; None when it no longer is.
    """

    deltas: tuple[Delta, ...] = ()
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    roots: dict[int, int | None] = field(default_factory=dict)


class Chronicle:
    """The state of a lane, as far as it was told; what a fact touches must be remembered before it is told."""

    def __init__(self, measures: Iterable[Measure]) -> None:
        self._versions = Versions()
        self._openings = Openings()
        self._fold = Fold(measures)
        self._outcomes: dict[int, Outcome] = {}
        self._in_force: set[int] = set()

    def histories_of(self, event: Event) -> list[History]:
        """The histories that must be remembered whole before the event is told."""
        return list(dict.fromkeys([*self._fold.histories_of(event), *histories_that_open(event)]))

    def behind(self, events: Iterable[Event]) -> list[Fact]:
        """The remembered facts that these events open; their histories must be remembered, too."""
        return self._openings.behind(events)

    def remember_chains(self, known: Iterable[Known]) -> None:
        """Take in every fact of the chains that are about to change."""
        for fact, outcome in known:
            self._versions.take_in(fact)
            self._outcomes[fact.received] = outcome

    def remember(self, known: Iterable[Known]) -> None:
        """Take in facts in force, each once, however often it is told."""
        for fact, outcome in known:
            if fact.position not in self._in_force:
                self._in_force.add(fact.position)
                self._outcomes[fact.received] = outcome
                self._openings.take_in(fact)
                if outcome is not Outcome.WAITING:
                    self._fold.remember([fact])

    def tell(self, fact: Fact) -> Told:
        """Admit a fact, and say what that changes. Raises RuleError, and then nothing has changed."""
        before, after = self._versions.add(fact)
        if before and after and before.position == after.position:
            return Told(outcomes=self._settle(fact))
        move = self._openings.exchange(before, after)
        try:
            deltas = self._fold.exchange(*move)
        except Exception:
            self._openings.exchange(after, before)
            self._versions.forget(fact)
            raise
        roots: dict[int, int | None] = {before.position: None} if before else {}
        if after:
            roots[after.position] = after.origin.position if after.origin else after.position
        return Told(tuple(deltas), self._settle(fact, *move.leaving, *move.entering), roots)

    def outcome_of(self, fact: Fact) -> Outcome:
        """What has become of a fact that was told."""
        return self._outcomes[fact.received]

    def instead_of(self, fact: Fact) -> Fact | None:
        """What holds in the place of a fact that was retracted or superseded."""
        return self._versions.instead_of(fact)

    def _settle(self, fact: Fact, *moved: Fact) -> dict[int, Outcome]:
        """Say the outcomes that are new: in the fact's chain, and of what came or went with its openings."""
        standings = {each.received: (each, Standing.IN_FORCE) for each in moved}
        standings |= {member.received: (member, standing) for member, standing in self._versions.chain_of(fact)}
        outcomes = {place: self._outcome(*each) for place, each in standings.items()}
        changed = {place: outcome for place, outcome in outcomes.items() if self._outcomes.get(place) is not outcome}
        self._outcomes |= changed
        return changed

    def _outcome(self, fact: Fact, standing: Standing) -> Outcome:
        if standing is not Standing.IN_FORCE:
            return Outcome(standing.value)
        if is_retraction(fact):
            return Outcome.COUNTED
        if not self._openings.is_open(fact):
            return Outcome.WAITING
        read = fact.corrects is not None or self._fold.reads(fact)
        return Outcome.COUNTED if read else Outcome.OUT_OF_SCOPE
