"""Facts that wait for others, and for which; each is known by the position of its first copy."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from asyncpg import Record

from chassis.database import Connection
from contracts.catalogue import BY_TYPE


@dataclass(frozen=True, slots=True)
class WaitedFor:
    """What must come first: an event of this source (`target`), or one of a type with this key (`opening`).

    Of a target that has come, its position and outcome; it is parked, waits itself, or may not be pointed at.
    """

    what: Literal["target", "opening"]
    event_id: str | None = None
    position: int | None = None
    outcome: str | None = None
    event: str | None = None
    kind: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class WaitingFact:
    """A fact that has no effect yet, by the position of its first copy."""

    position: int
    source: str
    event_id: str
    type: str
    time: datetime
    occurred_on: date | None
    recorded_at: datetime
    waits_for: WaitedFor


async def list_waiting(db: Connection, municipality: str, *, after: int, limit: int) -> list[WaitingFact]:
    """Facts that wait, oldest first, from the position after `after` on."""
    return [_waiting(row) for row in await db.fetch(LIST_WAITING, municipality, after, limit)]


def _waiting(row: Record) -> WaitingFact:
    names = ("position", "source", "event_id", "type", "time", "occurred_on", "recorded_at")
    return WaitingFact(**{name: row[name] for name in names}, waits_for=_waited_for(row))


def _waited_for(row: Record) -> WaitedFor:
    """A version that does not hold waits for its target, any other one for its opening."""
    if row["target"] and not row["holds"]:
        return WaitedFor("target", row["target"], row["target_position"], row["target_outcome"])
    event = BY_TYPE[row["type"]].model_validate_json(row["data"])
    opening = event.contract.opened_by
    assert opening is not None  # noqa: S101 - nothing else waits
    return WaitedFor("opening", event=opening.name, kind=opening.key, key=dict(event.keys).get(opening.key))


# Each LATERAL with LIMIT is one look into an index; plain joins may read the whole ledger for every row.
LIST_WAITING = """
WITH page AS MATERIALIZED (
    SELECT position FROM outcome
    WHERE municipality = $1 AND outcome = 'waiting' AND position > $2
    ORDER BY position LIMIT $3
)
SELECT
    first.position, first.source, first.event_id, first.type, first.time, first.recorded_at,
    coalesce(replayed.occurred_on, first.occurred_on) AS occurred_on, first.body ->> 'data' AS data,
    pointer.target, target.position AS target_position, found.outcome AS target_outcome,
    EXISTS (
        SELECT FROM history
        WHERE municipality = $1 AND position = coalesce(replayed.position, first.position) AND root IS NOT NULL
    ) AS holds
FROM page
CROSS JOIN LATERAL (
    SELECT * FROM ledger WHERE municipality = $1 AND position = page.position LIMIT 1
) AS first
LEFT JOIN LATERAL (
    SELECT position, occurred_on FROM ledger
    WHERE municipality = $1 AND concerns = first.position AND kind = 'replay' AND parked IS NULL LIMIT 1
) AS replayed ON true
LEFT JOIN LATERAL (
    SELECT target FROM link
    WHERE municipality = $1 AND position = coalesce(replayed.position, first.position) LIMIT 1
) AS pointer ON true
LEFT JOIN LATERAL (
    SELECT position FROM ledger
    WHERE municipality = $1 AND kind = 'fact' AND source = first.source AND event_id = pointer.target LIMIT 1
) AS target ON true
LEFT JOIN LATERAL (
    SELECT outcome FROM outcome WHERE municipality = $1 AND position = target.position LIMIT 1
) AS found ON true
ORDER BY first.position
"""
