"""Facts that are parked, and what was tried with each.

A parked fact is known by the position of its first copy; what is tried with it has positions of its own.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from asyncpg import Record

from chassis.database import Connection
from chassis.wire import Reading
from contracts.envelope import Envelope
from impact.ledger import Arrival, Delivery, Entry, Lane, event_of
from impact.store.ledger import write


class State(StrEnum):
    """What a parked fact has come to."""

    PARKED = "parked"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class ParkedFact:
    """A fact that was parked at `position`; `reason` is what its last replay said, or else its first copy."""

    position: int
    source: str
    event_id: str
    type: str
    time: datetime
    occurred_on: date | None
    recorded_at: datetime
    reason: str
    state: State


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was tried with a parked fact, at a position of its own; `reason` is why it stayed parked, if it did."""

    position: int
    kind: Literal["replay", "discard"]
    reason: str | None
    recorded_at: datetime


async def list_parked(
    db: Connection, municipality: str, *, reason: str | None, after: int, limit: int
) -> list[ParkedFact]:
    """Facts that are parked now, oldest first, from the position after `after` on."""
    return [_parked(row) for row in await db.fetch(LIST_PARKED, municipality, after, reason, limit)]


async def find_parked(db: Connection, municipality: str, positions: Collection[int]) -> list[ParkedFact]:
    """The facts that were ever parked at these positions, oldest first."""
    return [_parked(row) for row in await db.fetch(FIND_PARKED, municipality, positions)]


def _parked(row: Record) -> ParkedFact:
    return ParkedFact(**{**row, "state": State(row["state"])})


# What was tried last decides: nothing follows a replay that worked, or a discard.
PARKED = """
SELECT
    fact.position, fact.source, fact.event_id, fact.type, fact.time, fact.occurred_on, fact.recorded_at,
    coalesce(last.parked, fact.parked) AS reason,
    CASE
        WHEN last.kind = 'discard' THEN 'discarded'
        WHEN last.kind = 'replay' AND last.parked IS NULL THEN 'replayed'
        ELSE 'parked'
    END AS state
FROM ledger AS fact
LEFT JOIN LATERAL (
    SELECT kind, parked FROM ledger
    WHERE municipality = $1 AND concerns = fact.position
    ORDER BY position DESC LIMIT 1
) AS last ON true
WHERE fact.municipality = $1 AND fact.kind = 'fact' AND fact.parked IS NOT NULL
"""
LIST_PARKED = f"""
{PARKED}
AND fact.position > $2
AND (last.kind IS NULL OR last.kind = 'replay' AND last.parked IS NOT NULL)
AND ($3::text IS NULL OR coalesce(last.parked, fact.parked) = $3)
ORDER BY fact.position LIMIT $4
"""
FIND_PARKED = f"{PARKED} AND fact.position = ANY ($2::bigint[]) ORDER BY fact.position"


async def attempts(db: Connection, municipality: str, position: int) -> list[Attempt]:
    """What was tried with the fact that was parked at a position, in order."""
    return [Attempt(**row) for row in await db.fetch(ATTEMPTS, municipality, position)]


ATTEMPTS = """
SELECT position, kind, CASE WHEN kind = 'replay' THEN parked END AS reason, recorded_at FROM ledger
WHERE municipality = $1 AND concerns = $2 ORDER BY position
"""


async def read_again(db: Connection, municipality: str, positions: Collection[int]) -> list[tuple[int, Arrival]]:
    """The facts at these positions as if they arrived now: with the events that today's contracts make of them."""
    rows = await db.fetch(STORED, municipality, positions)
    return [(row["position"], _arrival(row, municipality)) for row in rows]


def _arrival(row: Record, municipality: str) -> Arrival:
    envelope = Envelope.model_validate(row["body"])
    delivery = Delivery(row["stream"], row["stream_sequence"], {}, b"")
    return Arrival(delivery, Reading(envelope, row["body_hash"], row["body"]), event_of(envelope, municipality))


STORED = """
SELECT position, body, body_hash, stream, stream_sequence FROM ledger
WHERE municipality = $1 AND position = ANY ($2::bigint[]) ORDER BY position
"""


async def append(
    db: Connection, lane: Lane, kind: Literal["replay", "discard"], entries: Sequence[tuple[int, Entry, date | None]]
) -> None:
    """Write entries that concern the facts at these positions; a date that was not known before is given beside."""
    rows = [(entry.position, concerns, entry.parked, occurred_on) for concerns, entry, occurred_on in entries]
    await write(db, APPEND, lane.municipality, [(kind, lane.recorded_at, *row) for row in rows])


APPEND = """
INSERT INTO ledger (
    municipality, position, kind, concerns, source, event_id, type, time, occurred_on,
    body, body_hash, parked, recorded_at, stream, stream_sequence
)
SELECT
    $1, again.position, again.kind, fact.position, fact.source, fact.event_id, fact.type, fact.time,
    coalesce(again.occurred_on, fact.occurred_on),
    fact.body, fact.body_hash, again.parked, again.recorded_at, fact.stream, fact.stream_sequence
FROM unnest($2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::text[], $7::date[])
    AS again (kind, recorded_at, position, concerns, parked, occurred_on)
JOIN ledger AS fact ON fact.municipality = $1 AND fact.position = again.concerns
"""
