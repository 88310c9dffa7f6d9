"""All SQL of the gateway on its own tables: who may tell, what was let in, and what was turned away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from chassis.database import Connection
from gateway.domain import Reason, Refused, Source, Told

Relation = Literal["correction", "retraction"]

CLAIM = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
# A source that is being revoked waits for those whom it lets in now, and lets nobody in afterwards.
LOCK_SOURCE = "SELECT source, types, token_name, revoked_at FROM source WHERE source = $1 FOR SHARE"
SAVE_ADMITTED = """
INSERT INTO admitted (source, event_id, token_name, received_at, relation, target) VALUES ($1, $2, $3, $4, $5, $6)
"""
ADMITTED = "SELECT token_name, received_at, relation, target FROM admitted WHERE source = $1 AND event_id = $2"
FOLLOWERS = """
SELECT event_id AS id, relation, received_at FROM admitted WHERE source = $1 AND target = $2
ORDER BY received_at, event_id
"""


@dataclass(frozen=True, slots=True)
class Admitted:
    """When an event was let in and with which token; what it corrects or retracts, if anything."""

    token_name: str
    received_at: datetime
    relation: Relation | None
    target: str | None


@dataclass(frozen=True, slots=True)
class Follower:
    """A correction or retraction of an event that came through this door."""

    id: str
    relation: Relation
    received_at: datetime


async def claim(db: Connection, source: str, event_id: str) -> None:
    """Let transactions that tell the same event take turns: before the first one there is no row to lock."""
    await db.execute(CLAIM, f"{source}#{event_id}")


async def lock_source(db: Connection, source: str) -> Source | None:
    """A registered source, which nobody changes or revokes meanwhile."""
    row = await db.fetchrow(LOCK_SOURCE, source)
    if row is None:
        return None
    return Source(row["source"], frozenset(row["types"]), row["token_name"], row["revoked_at"] is not None)


async def save_admitted(db: Connection, source: str, event_id: str, admitted: Admitted) -> None:
    """Record that an event was let in; its body goes into the outbox beside it."""
    row = (admitted.token_name, admitted.received_at, admitted.relation, admitted.target)
    await db.execute(SAVE_ADMITTED, source, event_id, *row)


async def find_admitted(db: Connection, source: str, event_id: str) -> Admitted | None:
    """How an event was let in; None when it was not."""
    row = await db.fetchrow(ADMITTED, source, event_id)
    return Admitted(**row) if row else None


async def followers(db: Connection, source: str, event_id: str) -> list[Follower]:
    """What came of the same source to correct or retract an event, the first one first."""
    return [Follower(**row) for row in await db.fetch(FOLLOWERS, source, event_id)]


SAVE_REJECTION = """
INSERT INTO rejection (rejected_at, token_name, source, event_id, type, status, problem, reasons, body_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
REJECTIONS = """
SELECT rejection_id, rejected_at, token_name, source, event_id AS id, type, status, problem, reasons,
    encode(body_hash, 'hex') AS body_hash
FROM rejection
WHERE rejection_id > $1 AND ($2::bigint IS NULL OR rejection_id = $2)
    AND ($3::text IS NULL OR source = $3) AND ($4::timestamptz IS NULL OR rejected_at >= $4)
ORDER BY rejection_id LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class Texts:
    """One text in both languages."""

    da: str
    en: str


@dataclass(frozen=True, slots=True)
class Detail:
    """One reason of a rejection, with a JSON pointer from the root of the event."""

    pointer: str
    detail: Texts


@dataclass(frozen=True, slots=True)
class Rejection:
    """What was turned away: who sent it, when, and why. What it said is not kept, only its hash."""

    rejection_id: int
    rejected_at: datetime
    token_name: str
    source: str | None
    id: str | None
    type: str | None
    status: int
    problem: str
    reasons: list[Detail]
    body_hash: str | None


async def save_rejection(db: Connection, told: Told, refused: Refused, *, problem: str, now: datetime) -> None:
    """Keep that something was turned away, and why."""
    reasons = [_shown(reason) for reason in refused.reasons]
    what = (told.token_name, told.source, told.id, told.type, refused.status, problem, reasons, told.body_hash)
    await db.execute(SAVE_REJECTION, now, *what)


def _shown(reason: Reason) -> dict[str, Any]:
    return {"pointer": reason.pointer, "detail": {"da": reason.danish, "en": reason.english}}


async def list_rejections(
    db: Connection, *, after: int, source: str | None, since: datetime | None, limit: int
) -> list[Rejection]:
    """A page of rejections, in the order in which they happened."""
    return [_rejection(row) for row in await db.fetch(REJECTIONS, after, None, source, since, limit)]


async def find_rejection(db: Connection, rejection_id: int) -> Rejection | None:
    """One rejection."""
    row = await db.fetchrow(REJECTIONS, 0, rejection_id, None, None, 1)
    return _rejection(row) if row else None


def _rejection(row: Any) -> Rejection:
    reasons = [Detail(reason["pointer"], Texts(**reason["detail"])) for reason in row["reasons"]]
    return Rejection(**{**row, "reasons": reasons})


REGISTER = """
INSERT INTO source (source, types, token_name, registered_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (source) DO UPDATE SET
    types = CASE WHEN source.revoked_at IS NULL
        THEN (SELECT array_agg(DISTINCT type ORDER BY type) FROM unnest(source.types || excluded.types) AS type)
        ELSE excluded.types END,
    token_name = excluded.token_name,
    registered_at = CASE WHEN source.revoked_at IS NULL THEN source.registered_at ELSE excluded.registered_at END,
    revoked_at = NULL
RETURNING types
"""
REVOKE = "UPDATE source SET revoked_at = $2 WHERE source = $1 AND revoked_at IS NULL RETURNING true"
REGISTERED = """
SELECT source, types, token_name, registered_at, revoked_at,
    (SELECT max(received_at) FROM admitted a WHERE a.source = s.source) AS last_event_at
FROM source s ORDER BY source
"""
MAY_WRITE = """
SELECT EXISTS (SELECT FROM token WHERE name = $1 AND municipality = $2 AND $3 = ANY (scopes)
    AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $4))
"""


@dataclass(frozen=True, slots=True)
class Registered:
    """A source as it is listed."""

    source: str
    types: list[str]
    token_name: str
    registered_at: datetime
    revoked_at: datetime | None
    last_event_at: datetime | None


async def register(db: Connection, source: str, types: Sequence[str], *, token_name: str, now: datetime) -> list[str]:
    """Let a source tell these types too, with this token; the types that it may tell now.

    One that was revoked begins anew, with these types alone.
    """
    registered: list[str] = await db.fetchval(REGISTER, source, sorted(set(types)), token_name, now)
    return registered


async def revoke(db: Connection, source: str, *, now: datetime) -> bool:
    """Let a source tell nothing from now on; False when it was not registered, or revoked already."""
    return bool(await db.fetchval(REVOKE, source, now))


async def registered(db: Connection) -> list[Registered]:
    """Every source that was ever registered."""
    return [Registered(**row) for row in await db.fetch(REGISTERED)]


async def may_write(db: Connection, *, token_name: str, municipality: str, scope: str, now: datetime) -> bool:
    """Whether a token of this name opens the door. `now` is real time."""
    return bool(await db.fetchval(MAY_WRITE, token_name, municipality, scope, now))
