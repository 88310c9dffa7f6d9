"""Whether anything was lost or left out: every delivery and every fact is in exactly one of these counts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from chassis.database import Connection
from contracts.catalogue import EVENTS
from contracts.platform import EventRetracted


@dataclass(frozen=True, slots=True)
class Heard:
    """What a producer last said that it had published of a source; `received_at` is real time, as `sent_at` is."""

    producer: str
    source: str
    published: int
    sent_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Books:
    """The counts of a municipality: deliveries by (stream, result), facts by (source, outcome), parked by reason."""

    deliveries: dict[tuple[str, str], int]
    facts: dict[tuple[str, str], int]
    parked: dict[str, int]
    received: dict[str, int]
    heard: list[Heard]


async def books(db: Connection, municipality: str, read: Collection[str]) -> Books:
    """Every count; `read` names the event types that some rule reads. Reads the whole ledger of the municipality."""
    return Books(
        deliveries=await deliveries(db, municipality),
        facts=await outcomes(db, municipality, read),
        parked={row["reason"]: row["facts"] for row in await db.fetch(PARKED, municipality)},
        received={row["source"]: row["facts"] for row in await db.fetch(RECEIVED, municipality)},
        heard=[Heard(**row) for row in await db.fetch(HEARD, municipality)],
    )


PARKED = """
SELECT parked AS reason, count(*) AS facts FROM ledger
WHERE municipality = $1 AND kind = 'fact' AND parked IS NOT NULL GROUP BY parked
"""

RECEIVED = "SELECT source, sum(facts)::bigint AS facts FROM fact_count WHERE municipality = $1 GROUP BY source"

HEARD = """
SELECT producer, source, published, sent_at, received_at FROM heartbeat
WHERE municipality = $1 ORDER BY producer, source
"""


async def deliveries(db: Connection, municipality: str) -> dict[tuple[str, str], int]:
    """Deliveries ever, by stream and what became of them."""
    rows = await db.fetch(DELIVERIES, municipality)
    return {(row["stream"], result): row[result] for row in rows for result in RESULTS}


RESULTS = ("first_copies", "duplicates", "conflicts", "unreadable")
DELIVERIES = """
SELECT
    stream,
    sum(first_copies)::bigint AS first_copies,
    sum(duplicates)::bigint AS duplicates,
    sum(conflicts)::bigint AS conflicts,
    sum(unreadable)::bigint AS unreadable
FROM delivery WHERE municipality = $1 GROUP BY stream
"""


async def outcomes(db: Connection, municipality: str, read: Collection[str]) -> dict[tuple[str, str], int]:
    """Facts by source and outcome; `read` names the event types that some rule reads."""
    rows = await db.fetch(OUTCOMES, municipality, list(read), EventRetracted.contract.type, *openings())
    return {(row["source"], row["outcome"]): row["facts"] for row in rows}


def openings() -> tuple[list[str], list[str], list[str]]:
    """Event types that need another in force: the type, the type that opens it, and the kind of key they share."""
    by_name = {event.contract.name: event.contract.type for event in EVENTS}
    opened = [(event.contract.type, event.contract.opened_by) for event in EVENTS if event.contract.opened_by]
    return (
        [type_ for type_, _ in opened],
        [by_name[opening.name] for _, opening in opened],
        [opening.key for _, opening in opened],
    )


OUTCOMES = """
WITH opening AS (
    SELECT * FROM unnest($4::text[], $5::text[], $6::text[]) AS opening (opened, opener, kind)
), open AS (
    SELECT DISTINCT opening.opened, history.key
    FROM opening
    JOIN ledger ON ledger.municipality = $1 AND ledger.kind = 'fact' AND ledger.type = opening.opener
    JOIN history ON history.municipality = $1 AND history.kind = opening.kind AND history.position = ledger.position
), unopened AS (
    SELECT history.position
    FROM opening
    JOIN ledger ON ledger.municipality = $1 AND ledger.kind = 'fact' AND ledger.type = opening.opened
    JOIN history ON history.municipality = $1 AND history.kind = opening.kind AND history.position = ledger.position
    LEFT JOIN open ON open.opened = opening.opened AND open.key = history.key
    WHERE open.key IS NULL
)
SELECT
    source,
    CASE
        WHEN parked IS NOT NULL THEN 'parked'
        WHEN type = $3 OR body ? 'corrects' OR position IN (SELECT position FROM unopened) THEN 'waiting'
        WHEN type = ANY ($2) THEN 'counted'
        ELSE 'out_of_scope'
    END AS outcome,
    count(*) AS facts
FROM ledger
WHERE municipality = $1 AND kind = 'fact'
GROUP BY 1, 2
"""
