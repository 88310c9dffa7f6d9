"""What became of one fact, and why, in words: from its copies in the ledger and the chain that it is in. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from impact.chronicle import Known, Outcome
from impact.fold import Fact
from impact.indicator import Bilingual
from impact.ledger import Parked
from impact.supersession import Standing, Versions, is_retraction, target_of


class Step(NamedTuple):
    """An entry of the ledger about the fact: its first copy, a replay, or its discard."""

    position: int
    kind: str
    recorded_at: datetime
    parked: str | None


class Membership(NamedTuple):
    """A history that the fact belongs to, and whether it is the version that holds in it."""

    kind: str
    key: str
    in_force: bool


class Moved(NamedTuple):
    """A delta that was appended at a position of the fact."""

    position: int
    measure: str
    definition_version: int
    key: str
    contributor: str
    person: str | None
    cohort: date | None
    date: date
    amount: Decimal
    dimensions: Mapping[str, str]


class Role(StrEnum):
    """What a fact is in its chain."""

    ROOT = "root"
    CORRECTION = "correction"
    RETRACTION = "retraction"


class Member(NamedTuple):
    """A fact of the chain; `target` is the id that it points at."""

    id: str
    position: int
    role: Role
    target: str | None
    outcome: Outcome
    in_force: bool


@dataclass(frozen=True, slots=True)
class Trail:
    """One fact: as it came, what became of it, and what it moved. Without an outcome its account does not close."""

    source: str
    id: str
    type: str
    time: datetime
    occurred_on: date | None
    outcome: Outcome | None
    steps: Sequence[Step]
    chain: Sequence[Known]
    histories: Sequence[Membership]
    deltas: Sequence[Moved]

    @property
    def parked(self) -> str | None:
        """Why it is parked, or was until it was discarded; None when it took effect."""
        if any(step.kind != "discard" and step.parked is None for step in self.steps):
            return None
        return next((step.parked for step in reversed(self.steps) if step.parked), None)

    @property
    def is_discarded(self) -> bool:
        """Whether it was given up."""
        return any(step.kind == "discard" for step in self.steps)

    @property
    def members(self) -> list[Member]:
        """Its chain, the fact itself included, in order of position."""
        versions, own = self._versions()
        if own is None:
            return []
        became = {known.fact.position: known.outcome for known in self.chain}
        return [
            Member(
                fact.id,
                fact.position,
                _role(fact),
                target_of(fact),
                became[fact.position],
                standing is Standing.IN_FORCE and not is_retraction(fact),
            )
            for fact, standing in sorted(versions.chain_of(own), key=lambda member: member[0].position)
        ]

    @property
    def why(self) -> Bilingual:
        """Why it has its outcome."""
        versions, own = self._versions()
        if self.outcome is None:
            return Bilingual(
                "Intet udfald er noteret; se /v1/ledger/balance?thorough=true.",
                "No outcome is noted; see /v1/ledger/balance?thorough=true.",
            )
        if self.outcome is Outcome.PARKED or own is None:
            return _why_parked(self.parked, discarded=self.is_discarded)
        if self.outcome is Outcome.WAITING and versions.chain_of(own)[0][1] is Standing.WAITING:
            return _waits_for_target(own, {known.fact.id: known.fact for known in self.chain})
        return _why(own, self.outcome, versions, len(self.deltas))

    def _versions(self) -> tuple[Versions, Fact | None]:
        versions = Versions()
        for known in self.chain:
            versions.take_in(known.fact)
        return versions, next((known.fact for known in self.chain if known.fact.id == self.id), None)


PARKED_BECAUSE = {
    Parked.UNKNOWN_TYPE: Bilingual(
        "typen eller dens hovedversion er ukendt", "its type, or the major version of it, is unknown"
    ),
    Parked.INVALID_DATA: Bilingual("dataene er ikke af dens type", "its data are not of its type"),
    Parked.WRONG_MUNICIPALITY: Bilingual(
        "kilden hører til en anden kommune", "its source belongs to another municipality"
    ),
    Parked.ABSURD_DATE: Bilingual(
        "datoen ligger for langt fra den dag, den blev modtaget",
        "its date lies too far from the day on which it was received",
    ),
    Parked.RULE_ERROR: Bilingual("en regel kunne ikke tage imod den", "a rule could not take it"),
}


def _why_parked(reason: str | None, *, discarded: bool) -> Bilingual:
    known = PARKED_BECAUSE.get(Parked(reason)) if reason in set(Parked) else None
    because = known or Bilingual("årsagen er ikke noteret", "no reason is noted")
    if discarded:
        return Bilingual(
            f"Parkeret, fordi {because.danish}; siden opgivet for altid.",
            f"Parked because {because.english}; given up for good since.",
        )
    return Bilingual(
        f"Parkeret, fordi {because.danish}. Se `kraftcenter parked`.",
        f"Parked because {because.english}. See `kraftcenter parked`.",
    )


def _why(fact: Fact, outcome: Outcome, versions: Versions, deltas: int) -> Bilingual:
    chain = [member for member, _ in versions.chain_of(fact)]
    if outcome is Outcome.RETRACTED:
        return _retracted(fact, chain)
    if outcome is Outcome.SUPERSEDED:
        holds = instead.id if (instead := versions.instead_of(fact)) else ""
        return Bilingual(f"Erstattet af {holds}.", f"Superseded by {holds}.")
    if outcome is Outcome.WAITING:
        return _waits_for_opening(fact)
    if outcome is Outcome.OUT_OF_SCOPE:
        return Bilingual("Ingen regel læser dens type.", "No rule reads its type.")
    return _counted(fact, deltas)


def _retracted(fact: Fact, chain: Iterable[Fact]) -> Bilingual:
    """A retraction of the fact itself says more than one of its root."""
    retractions = [member for member in chain if is_retraction(member)]
    own = [member.id for member in retractions if target_of(member) == fact.id]
    if own:
        return Bilingual(f"Trukket tilbage af {', '.join(own)}.", f"Retracted by {', '.join(own)}.")
    roots = {member.id for member in chain if target_of(member) is None}
    by = ", ".join(member.id for member in retractions if target_of(member) in roots)
    root = ", ".join(roots)
    return Bilingual(
        f"{root}, som den retter, er trukket tilbage af {by}.", f"{root}, which it corrects, was retracted by {by}."
    )


def _waits_for_target(fact: Fact, known: Mapping[str, Fact]) -> Bilingual:
    """Follow the pointers to where they break."""
    passed = {fact.id}
    target = target_of(fact) or ""
    while target in known and target not in passed:
        found = known[target]
        if is_retraction(found):
            return Bilingual(
                f"{target} er selv en tilbagetrækning; den kan hverken rettes eller trækkes tilbage.",
                f"{target} is itself a retraction, which can be neither corrected nor retracted.",
            )
        if not is_retraction(fact) and found.type != fact.type:
            return Bilingual(
                f"{target}, som {fact.id} retter, er af en anden type.",
                f"{target}, which {fact.id} corrects, is of another type.",
            )
        passed.add(target)
        fact, target = found, target_of(found) or ""
    if target in passed:
        return Bilingual("Rettelserne peger på hinanden i ring.", "The corrections point at each other in a circle.")
    return Bilingual(
        f"Venter på {target} fra samme kilde, som ikke er kommet eller er parkeret.",
        f"Waits for {target} of the same source, which has not come, or is parked.",
    )


def _waits_for_opening(fact: Fact) -> Bilingual:
    opening = fact.event.contract.opened_by
    name, kind = (opening.name, opening.key) if opening else ("", "")
    key = dict(fact.keys).get(kind, "")
    return Bilingual(f"Venter på en {name} i kraft for {kind} {key}.", f"Waits for a {name} in force for {kind} {key}.")


def _counted(fact: Fact, deltas: int) -> Bilingual:
    target = target_of(fact)
    if is_retraction(fact):
        return Bilingual(f"Trak {target} tilbage; {deltas} deltaer.", f"Retracted {target}; {deltas} deltas.")
    if target:
        return Bilingual(
            f"Gælder i stedet for {target}; {deltas} deltaer.", f"Holds in the place of {target}; {deltas} deltas."
        )
    return Bilingual(f"En regel læser den; {deltas} deltaer.", f"A rule reads it; {deltas} deltas.")


def _role(fact: Fact) -> Role:
    if is_retraction(fact):
        return Role.RETRACTION
    return Role.CORRECTION if fact.corrects else Role.ROOT
