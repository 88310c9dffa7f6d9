"""Parked facts, replayed with today's contracts and rules, or given up: each decision is an entry of the ledger.

A replay takes effect at its own position, never where the fact was parked; a discarded fact is never replayed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import structlog

from chassis.calendar import Calendar
from chassis.database import Connection
from impact.chronicle import Chronicle, Outcome, Told
from impact.fold import Measure
from impact.ledger import Arrival, Entry, Lane, Parked, admit_at, chain_ends_of, events_of
from impact.store import audit, definitions, ledger
from impact.store import parked as store
from impact.store.parked import ParkedFact, State
from impact.store.recall import recall

log = structlog.get_logger()


class NotParked(Exception):
    """Some of these positions hold nothing that is parked: what each has come to, or None if nothing was parked."""

    def __init__(self, states: Mapping[int, State | None]) -> None:
        super().__init__(states)
        self.states = states


class Decision(NamedTuple):
    """Who decides about parked facts of a municipality, and why."""

    municipality: str
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of the fact that was parked at `position`, by an entry at `decided_at`; `reason` if it stays parked."""

    position: int
    decided_at: int
    state: State
    reason: str | None
    outcome: Outcome


async def replay(
    db: Connection,
    decision: Decision,
    positions: Collection[int],
    *,
    measures: Sequence[Measure],
    calendar: Calendar,
) -> list[Decided]:
    """Read parked facts again and admit them, in order of position; what cannot be counted stays parked.

    The connection must be in a transaction. Raises NotParked, DefinitionMissing or LaneNotTold.
    """
    lane = await ledger.lock_lane(db, decision.municipality, calendar.now())
    await _still_parked(db, lane, positions)
    arrivals = await store.read_again(db, lane.municipality, positions)
    entries = await _admitted(db, lane, arrivals, measures)
    dated = [
        (concerns, entry, arrival.occurred_on) for (concerns, arrival), entry in zip(arrivals, entries, strict=True)
    ]
    await store.append(db, lane, "replay", dated)
    await ledger.append_consequences(db, lane.municipality, entries)
    await ledger.move_lane(db, lane, entries[-1].position)
    decided = _decided([concerns for concerns, _ in arrivals], entries)
    for each in decided:
        await _note(db, decision, "replay_parked", each)
    log.info("parked_replayed", facts=len(decided), still_parked=sum(each.state is State.PARKED for each in decided))
    return decided


async def discard(db: Connection, decision: Decision, position: int, *, calendar: Calendar) -> Decided:
    """Give a parked fact up for good: it stays in the ledger, and in the books as parked.

    The connection must be in a transaction. Raises NotParked.
    """
    lane = await ledger.lock_lane(db, decision.municipality, calendar.now())
    (fact,) = await _still_parked(db, lane, [position])
    entry = Entry(lane.position + 1, None, Parked(fact.reason), Told())
    await store.append(db, lane, "discard", [(position, entry, None)])
    await ledger.move_lane(db, lane, entry.position)
    decided = Decided(position, entry.position, State.DISCARDED, fact.reason, Outcome.PARKED)
    await _note(db, decision, "discard_parked", decided)
    log.info("parked_discarded", position=position)
    return decided


async def _still_parked(db: Connection, lane: Lane, positions: Collection[int]) -> list[ParkedFact]:
    found = await store.find_parked(db, lane.municipality, positions)
    states: dict[int, State | None] = dict.fromkeys(positions)
    states |= {fact.position: fact.state for fact in found}
    if wrong := {position: state for position, state in states.items() if state is not State.PARKED}:
        raise NotParked(wrong)
    return found


async def _admitted(
    db: Connection, lane: Lane, arrivals: Sequence[tuple[int, Arrival]], measures: Sequence[Measure]
) -> list[Entry]:
    fresh = [arrival for _, arrival in arrivals]
    chronicle = Chronicle(await definitions.kept(db, lane.municipality, measures, lane.position))
    await recall(db, lane.municipality, chain_ends_of(fresh), events_of(fresh), chronicle)
    return [
        admit_at(position, arrival.reading.envelope, arrival.event, lane=lane, chronicle=chronicle, parked_at=concerns)
        for position, (concerns, arrival) in enumerate(arrivals, lane.position + 1)
    ]


def _decided(positions: Iterable[int], entries: Sequence[Entry]) -> list[Decided]:
    """What each fact has become once all of them are told: a later one may concern an earlier one."""
    outcomes: dict[int, Outcome] = {}
    for entry in entries:
        outcomes |= entry.told.outcomes
    return [
        Decided(
            position,
            entry.position,
            State.PARKED if entry.parked else State.REPLAYED,
            entry.parked,
            Outcome.PARKED if entry.parked else outcomes[position],
        )
        for position, entry in zip(positions, entries, strict=True)
    ]


async def _note(db: Connection, decision: Decision, action: str, decided: Decided) -> None:
    await audit.note(
        db,
        at=datetime.now(UTC),
        municipality=decision.municipality,
        actor=decision.actor,
        action=action,
        subject=str(decided.position),
        detail={"why": decision.why, "position": decided.decided_at},
    )
