"""What payroll told, as it came, and what became of each employment that it told of."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from asyncpg import Record

from chassis.database import Connection
from contracts.catalogue import BY_TYPE
from contracts.payroll import EmploymentEvent
from flexjob_pool.domain.payroll.operations import Made
from flexjob_pool.domain.payroll.reconcile import Status
from flexjob_pool.domain.payroll.versions import Message, target_of
from flexjob_pool.requests.flexjobs import PayEnd, PayHours
from flexjob_pool.store.decisions import ask_of

KEEP = """
INSERT INTO payroll_message (source, id, time, type, corrects, target, employment_ref, data)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
# What points at each other in either direction, however long the way: corrections may change the employment.
TOGETHER = """
WITH RECURSIVE together (source, id, target) AS (
    SELECT source, id, target FROM payroll_message WHERE {beginning}
    UNION SELECT other.source, other.id, other.target FROM together
        JOIN payroll_message other ON other.source = together.source
            AND (other.id = together.target OR other.target = together.id OR other.target = together.target)
)
"""
EMPLOYMENTS = """
SELECT DISTINCT employment_ref FROM together JOIN payroll_message USING (source, id) WHERE employment_ref IS NOT NULL
"""
MESSAGES = """
SELECT source, id, time, type, corrects, data FROM together JOIN payroll_message USING (source, id)
"""
BESIDE = TOGETHER.format(beginning="source = $1 AND id = $2") + EMPLOYMENTS
TOLD_OF = TOGETHER.format(beginning="employment_ref = ANY ($1)") + MESSAGES
STAND = """
INSERT INTO payroll_employment (employment_ref, placement_id, matched, status, why, left_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (employment_ref) DO UPDATE SET
    placement_id = excluded.placement_id, matched = excluded.matched, status = excluded.status, why = excluded.why,
    left_at = excluded.left_at
"""
EMPLOYMENT = "SELECT employment_ref, placement_id, matched, status, why, left_at FROM payroll_employment"
LEFT_BESIDE = """
SELECT DISTINCT unnest(left_at || placement_id) AS placement_id FROM payroll_employment
WHERE left_at <> '{}' AND (placement_id = ANY ($1) OR left_at && $1)
"""
# Shown by the numbers and filters that are given.
PAGE = f"""
{EMPLOYMENT} WHERE employment_ref > $1
    AND ($2::text IS NULL OR status = $2) AND ($3::uuid IS NULL OR employment_ref = $3)
    AND ($4::uuid IS NULL OR placement_id = $4)
ORDER BY employment_ref LIMIT $5
"""
MADE = """
SELECT DISTINCT ON (root_id) root_id, kind, ask FROM standing JOIN decision ON decision = position
WHERE keys @> ARRAY['flexjob:' || $1] AND about = $1 AND kind IN ('PayHours', 'PayEnd') AND ask IS NOT NULL
ORDER BY root_id, number DESC
"""
# What changed may have moved any flexjob that its decisions had looked at; money that moved may have been what was
# refused.
CONCERNED = r"""
WITH changed AS (
    SELECT decision, type FROM event WHERE event_id = ANY ($1) OR retracted_by = ANY ($1)
), flexjob AS (
    SELECT DISTINCT name, split_part(name, ':', 2)::uuid AS placement_id
    FROM changed JOIN decision ON decision = position, unnest(keys) AS name WHERE name LIKE 'flexjob:%'
)
SELECT placement_id FROM payroll_employment WHERE placement_id IN (SELECT placement_id FROM flexjob)
UNION SELECT placement_id FROM flexjob JOIN decision ON keys @> ARRAY[name] AND kind IN ('PayHours', 'PayEnd')
UNION SELECT placement_id FROM payroll_employment
    WHERE status = 'refused' AND EXISTS (SELECT FROM changed WHERE type ~ '^dk\.kraftcenter\.(pool\.budget|grant)')
"""
# That an interval ends too far ahead is no reason to show: an open end may be written so.
TOO_FAR_AHEAD = """
SELECT placement_id FROM payroll_employment WHERE status <> 'applied' AND why @> '[{"code": "too-far-ahead"}]'
UNION SELECT placement_id FROM payroll_employment JOIN payroll_message USING (employment_ref)
    WHERE placement_id IS NOT NULL AND data ->> 'ends_on' BETWEEN $1 AND $2
        AND data ->> 'ends_on' > to_char(time + interval '2 years', 'YYYY-MM-DD')
ORDER BY placement_id
"""
UNSETTLED = "SELECT count(*) FROM payroll_employment WHERE status IN ('unknown', 'differs', 'refused')"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something of an employment is not registered; without source and event id, all of it."""

    code: str
    danish: str
    english: str
    source: str | None = None
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """An employment as payroll told of it, and what became of it; no placement when nothing of it is in force.

    `left_at` are other placements at which something of it is registered that could not be taken back.
    """

    employment_ref: UUID
    placement_id: UUID | None
    matched: bool
    status: Status
    why: tuple[Reason, ...] = ()
    left_at: tuple[UUID, ...] = ()


async def keep(db: Connection, message: Message) -> None:
    """Keep a message as it came."""
    event = message.event
    target = target_of(message)
    await db.execute(
        KEEP,
        message.source,
        message.id,
        message.time,
        event.contract.type,
        message.corrects,
        target and target.id,
        event.employment_ref if isinstance(event, EmploymentEvent) else None,
        event.model_dump(mode="json", exclude_none=True),
    )


async def employments_beside(db: Connection, message: Message) -> set[UUID]:
    """The employments that a message is about, or that one is which it corrects or retracts, or which does so to it."""
    return {_plain(row["employment_ref"]) for row in await db.fetch(BESIDE, message.source, message.id)}


async def messages_of(db: Connection, employments: Collection[UUID]) -> list[Message]:
    """Every message that bears on some employments."""
    return [_message(row) for row in await db.fetch(TOLD_OF, [*employments])]


async def outcomes(db: Connection, employments: Collection[UUID]) -> dict[UUID, Outcome]:
    """What became of employments, as far as they are known."""
    rows = await db.fetch(f"{EMPLOYMENT} WHERE employment_ref = ANY ($1)", [*employments])
    return {one.employment_ref: one for one in map(_outcome, rows)}


async def paying_for(db: Connection, placement_id: UUID) -> dict[UUID, Outcome]:
    """What became of the employments that pay for a placement."""
    rows = await db.fetch(f"{EMPLOYMENT} WHERE placement_id = $1", placement_id)
    return {one.employment_ref: one for one in map(_outcome, rows)}


async def left_beside(db: Connection, placements: Collection[UUID]) -> set[UUID]:
    """The other placements of employments that left something at one of these, or pay for one and left something."""
    return {_plain(row["placement_id"]) for row in await db.fetch(LEFT_BESIDE, [*placements]) if row["placement_id"]}


async def page(  # noqa: PLR0913 - what narrows a page
    db: Connection,
    *,
    status: str | None,
    employment_ref: UUID | None,
    placement_id: UUID | None,
    after: UUID,
    limit: int,
) -> list[Outcome]:
    """Employments by their reference, after one."""
    rows = await db.fetch(PAGE, after, status, employment_ref, placement_id, limit)
    return [_outcome(row) for row in rows]


async def stand(db: Connection, outcomes: Iterable[Outcome]) -> None:
    """Let employments stand so."""
    await db.executemany(
        STAND,
        [(one.employment_ref, one.placement_id, one.matched, one.status, one.why, one.left_at) for one in outcomes],
    )


async def made(db: Connection, placement_id: UUID) -> list[Made]:
    """What is registered of a flexjob because of payroll."""
    return [_made(row) for row in await db.fetch(MADE, str(placement_id))]


async def concerned(db: Connection, event_ids: Sequence[str]) -> list[UUID]:
    """The placements known to payroll that events of the pool may concern."""
    return sorted(_plain(row["placement_id"]) for row in await db.fetch(CONCERNED, [UUID(each) for each in event_ids]))


async def too_far_ahead(db: Connection, today: date, until: date) -> list[UUID]:
    """The placements of which payroll told something that was too far ahead, or that ends by `until` and was."""
    rows = await db.fetch(TOO_FAR_AHEAD, today.isoformat(), until.isoformat())
    return [_plain(row["placement_id"]) for row in rows]


async def unsettled(db: Connection) -> int:
    """Of how many employments something is not registered, that is for somebody to look at."""
    counted: int = await db.fetchval(UNSETTLED)
    return counted


def _message(row: Record) -> Message:
    model: Any = BY_TYPE[row["type"]]
    return Message(row["source"], row["id"], row["time"], row["corrects"], model.model_validate(row["data"]))


def _outcome(row: Record) -> Outcome:
    return Outcome(
        _plain(row["employment_ref"]),
        row["placement_id"] and _plain(row["placement_id"]),
        row["matched"],
        row["status"],
        tuple(Reason(**reason) for reason in row["why"]),
        tuple(map(_plain, row["left_at"])),
    )


def _made(row: Record) -> Made:
    ask = ask_of(row["kind"], row["ask"])
    assert isinstance(ask, PayHours | PayEnd)  # noqa: S101 - what its kind says
    return Made(_plain(row["root_id"]), ask)


def _plain(value: UUID) -> UUID:
    """The driver's own kind of UUID as the standard library's, which is the one that contracts take."""
    return UUID(int=value.int)
