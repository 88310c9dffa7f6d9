"""Decisions and the events that came of them, in every version; a version is never edited, at most retracted."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from asyncpg import Record
from pydantic_core import to_jsonable_python

from chassis.database import Connection
from contracts.catalogue import BY_TYPE
from contracts.event import DatedEvent
from flexjob_pool.domain.hours import HoursPaid
from flexjob_pool.domain.rulebook import ASKS
from flexjob_pool.domain.rules import Rules
from flexjob_pool.domain.spells import EndPaid
from flexjob_pool.domain.story import Decision
from flexjob_pool.requests.ask import Ask
from flexjob_pool.store.documents import Document, resource_of

VERSIONS = """
INSERT INTO event (event_id, decision, type, root_id, corrects, ask, data, registered_at, why)
SELECT event_id, {decision}, type, root_id, corrects, ask, data, registered_at, why
FROM ROWS FROM (jsonb_to_recordset({rows}) AS (event_id uuid, decision bigint, type text, root_id uuid, corrects uuid,
    ask jsonb, data jsonb, registered_at timestamptz, why text)) WITH ORDINALITY AS version{beside}
ORDER BY ordinality
"""
RECORD = f"""
WITH decided AS (
    INSERT INTO decision (noun, about, kind, registered_on, keys) VALUES ($1, $2, $3, $4, $5) RETURNING position
)
{VERSIONS.format(decision="position", rows="$6", beside=", decided")}
"""  # noqa: S608 - no input
AMEND = VERSIONS.format(decision="decision", rows="$1", beside="")
RETRACT = """
UPDATE event SET retracted_by = by_id, retracted_why = $3
FROM unnest($1::uuid[], $2::uuid[]) AS retraction (id, by_id) WHERE event_id = id
"""
REKEY = """
UPDATE decision SET keys = rekeyed.keys
FROM jsonb_to_recordset($1) AS rekeyed (position bigint, keys text[]) WHERE decision.position = rekeyed.position
"""
FIND = """
SELECT number, event_id, root_id, decision, type, ask, data, registered_at, why, corrects, retracted_by, retracted_why,
    noun, about, kind, keys,
    coalesce(number = (SELECT max(number) FROM standing WHERE standing.root_id = event.root_id), false) AS in_force
FROM event JOIN decision ON decision = position
"""
CONNECTED = """
WITH RECURSIVE chapter (position, keys) AS (
    SELECT position, keys FROM decision WHERE keys && $1
    UNION SELECT other.position, other.keys FROM chapter JOIN decision other ON other.keys && chapter.keys
)
SELECT position, keys FROM chapter
"""
DECISIONS = """
SELECT position, about, kind, registered_on, root_id, ask
FROM decision JOIN LATERAL (
    SELECT root_id, ask FROM standing WHERE decision = position AND ask IS NOT NULL ORDER BY number DESC LIMIT 1
) AS asked ON true
WHERE position = ANY ($1) ORDER BY position
"""
IN_FORCE = """
SELECT DISTINCT ON (root_id) event_id, root_id, decision, type, data, registered_at
FROM standing WHERE decision = ANY ($1) ORDER BY root_id, number DESC
"""
RULES = """
SELECT position, state FROM decision JOIN resource ON resource.noun = 'rules' AND key = about
WHERE decision.noun = 'rules' ORDER BY position
"""
CHAIN = f"{FIND} WHERE root_id = (SELECT root_id FROM event WHERE event_id = $1) ORDER BY number"  # noqa: S608 - no input
TOLD_OF = f"{FIND} WHERE keys && ARRAY[$1] AND number > $2 ORDER BY number LIMIT $3"

# Events that are kept with the employment that payroll told of.
PAID: Mapping[str, type[DatedEvent]] = {kind.contract.type: kind for kind in (HoursPaid, EndPaid)}


@dataclass(frozen=True, slots=True)
class Row:
    """A version of an event as it is kept; `ask` when somebody asked for it, rather than that it only followed."""

    event_id: UUID
    event: DatedEvent
    registered_at: datetime
    ask: Ask | None = None
    decision: int | None = None
    root_id: UUID | None = None
    corrects: UUID | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an event that is in force."""

    event_id: UUID
    root_id: UUID
    decision: int
    event: DatedEvent
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class Chapter:
    """Decisions that look at each other's resources, however long the way, and what of them is in force."""

    names: frozenset[str]
    decisions: tuple[Decision, ...]
    versions: tuple[Version, ...]
    rules: tuple[tuple[int, Rules], ...]


async def record(  # noqa: PLR0913 - what a decision is
    db: Connection, ask: Ask, about: str, *, registered_on: date, names: Collection[str], rows: Sequence[Row]
) -> None:
    """Keep a decision and what came of it."""
    kind = type(ask).__name__
    await db.execute(RECORD, ask.noun, about, kind, registered_on, sorted(names), [_document(row) for row in rows])


async def amend(db: Connection, rows: Sequence[Row]) -> None:
    """Keep further versions, and events, of decisions that are known."""
    await db.execute(AMEND, [_document(row) for row in rows])


async def retract(db: Connection, retractions: Mapping[UUID, UUID], why: str) -> None:
    """Note which versions were retracted, by the ids of the events that say so."""
    await db.execute(RETRACT, [*retractions], [*retractions.values()], why)


async def rekey(db: Connection, names: Mapping[int, Collection[str]]) -> None:
    """Note anew what decisions looked at."""
    await db.execute(REKEY, [{"position": position, "keys": sorted(keys)} for position, keys in names.items()])


async def chain(db: Connection, event_id: UUID) -> list[Record]:
    """Every version of the event that has this one, oldest first; none for an id that is not known."""
    return await db.fetch(CHAIN, event_id)


async def told_of(db: Connection, name: str, *, after: int, limit: int) -> list[Record]:
    """A page of versions of the events that concern a resource, in the order of their registration."""
    return await db.fetch(TOLD_OF, name, after, limit)


async def chapter(db: Connection, names: Collection[str]) -> Chapter:
    """The decisions that concern resources by name, with all that hangs together with them."""
    rows = await db.fetch(CONNECTED, [*names])
    return await _chapter(db, frozenset(names).union(*(row["keys"] for row in rows)), [row["position"] for row in rows])


async def whole_story(db: Connection) -> Chapter:
    """Every decision there is."""
    rows = await db.fetch("SELECT position, keys FROM decision")
    return await _chapter(db, frozenset().union(*(row["keys"] for row in rows)), [row["position"] for row in rows])


async def _chapter(db: Connection, names: frozenset[str], positions: list[int]) -> Chapter:
    return Chapter(
        names=names,
        decisions=tuple(_decision(row) for row in await db.fetch(DECISIONS, positions)),
        versions=tuple(_version(row) for row in await db.fetch(IN_FORCE, positions)),
        rules=tuple([(row["position"], _rules(row)) for row in await db.fetch(RULES)]),
    )


def ask_of(kind: str, document: Document) -> Ask:
    """The ask of a kind that a document holds."""
    return ASKS[kind].model_validate(document)


def _document(row: Row) -> Document:
    root_id = row.root_id or row.event_id
    return {
        "event_id": row.event_id,
        "decision": row.decision,
        "type": row.event.contract.type,
        "root_id": root_id,
        "corrects": row.corrects,
        "ask": row.ask and row.ask.model_dump(mode="json", exclude_none=True),
        "data": row.event.model_dump(mode="json", exclude_none=True) | _not_on_the_bus(row.event),
        "registered_at": row.registered_at,
        "why": row.why,
    }


def _not_on_the_bus(event: DatedEvent) -> Document:
    hidden = [name for name, field in type(event).model_fields.items() if field.exclude]
    return {name: to_jsonable_python(getattr(event, name)) for name in hidden}


def _decision(row: Record) -> Decision:
    ask = ask_of(row["kind"], row["ask"])
    return Decision(row["position"], _plain(row["root_id"]), row["about"], ask, row["registered_on"])


def _version(row: Record) -> Version:
    return Version(_plain(row["event_id"]), _plain(row["root_id"]), row["decision"], _event(row), row["registered_at"])


def _event(row: Record) -> DatedEvent:
    of_payroll = PAID.get(row["type"]) if "employment_ref" in row["data"] else None
    event = (of_payroll or BY_TYPE[row["type"]]).model_validate(row["data"])
    assert isinstance(event, DatedEvent)  # noqa: S101 - no other is kept
    return event


def _rules(row: Record) -> Rules:
    rules = resource_of(Rules.noun, row["state"])
    assert isinstance(rules, Rules)  # noqa: S101 - what its noun says
    return rules


def _plain(value: UUID) -> UUID:
    """The driver's own kind of UUID as the standard library's, which is the one that contracts take."""
    return UUID(int=value.int)
