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


LIST_WAITING = """
SELECT
    first.position, first.source, first.event_id, first.type, first.time, first.recorded_at,
    effective.occurred_on, first.body ->> 'data' AS data,
    link.target, target.position AS target_position, found.outcome AS target_outcome,
    EXISTS (
        SELECT FROM history
        WHERE history.municipality = $1 AND history.position = effective.position AND history.root IS NOT NULL
    ) AS holds
FROM outcome
JOIN ledger AS first ON first.municipality = $1 AND first.position = outcome.position
JOIN LATERAL (
    SELECT position, occurred_on FROM ledger
    WHERE municipality = $1 AND parked IS NULL
    AND (position = first.position OR concerns = first.position AND kind = 'replay')
) AS effective ON true
LEFT JOIN link ON link.municipality = $1 AND link.position = effective.position
LEFT JOIN ledger AS target
    ON target.municipality = $1 AND target.kind = 'fact'
    AND target.source = first.source AND target.event_id = link.target
LEFT JOIN outcome AS found ON found.municipality = $1 AND found.position = target.position
WHERE outcome.municipality = $1 AND outcome.outcome = 'waiting' AND outcome.position > $2
ORDER BY first.position LIMIT $3
"""
