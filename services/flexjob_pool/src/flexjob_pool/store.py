"""All SQL of the flexjob pool. Rows are written from events alone, so that what is stored and told cannot disagree."""

from collections.abc import Collection, Sequence
from datetime import date
from functools import singledispatch
from typing import Any
from uuid import UUID

from asyncpg import Record

from chassis.database import Connection
from contracts.event import Event
from contracts.flexjob_pool import (
    Allocation,
    ApplicationApproved,
    ApplicationRejected,
    ApplicationSubmitted,
    BudgetAllocated,
    FlexjobEnded,
    FlexjobHoursChanged,
    FlexjobStarted,
    GrantCommitted,
    GrantReleased,
    RulesAdopted,
)
from flexjob_pool.domain.applications import Application, Rules
from flexjob_pool.domain.flexjobs import Flexjob, Hours
from flexjob_pool.domain.grants import Budget, Grant

CLAIM = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"


async def claim(db: Connection, name: str) -> None:
    """Let transactions that would register the same thing take turns: before the first one there is no row to lock."""
    await db.execute(CLAIM, name)


@singledispatch
async def save(event: Event, db: Connection) -> None:  # noqa: ARG001 - the shape of every case below
    """Write what an event says into the rows that it concerns, which the caller has locked or claimed."""
    raise TypeError(type(event).__name__)


RULES = """
SELECT rules_version, occurred_on, refund_share, max_weekly_effective_hours, max_months, eligible_units
FROM rules WHERE rules_version > $1 ORDER BY rules_version LIMIT $2
"""
INSERT_RULES = """
INSERT INTO rules (rules_version, occurred_on, refund_share, max_weekly_effective_hours, max_months, eligible_units)
SELECT rules_version, occurred_on, refund_share, max_weekly_effective_hours, max_months, eligible_units
FROM jsonb_populate_record(NULL::rules, $1)
"""


async def list_rules(db: Connection, *, after: int | None = None, limit: int | None = None) -> list[Rules]:
    """Versions of the rules by number; every one unless limited."""
    rows = await db.fetch(RULES, after or 0, limit)
    return [Rules(**{**row, "eligible_units": tuple(row["eligible_units"])}) for row in rows]


@save.register
async def _(event: RulesAdopted, db: Connection) -> None:
    await db.execute(INSERT_RULES, _fields(event))


BUDGET = "SELECT budget_id, fiscal_year, amount_ore, occurred_on FROM budget WHERE budget_id = $1"
BUDGETS = """
SELECT budget_id, fiscal_year, amount_ore, occurred_on FROM budget
WHERE $1::uuid IS NULL OR budget_id > $1 ORDER BY budget_id LIMIT $2
"""
UPSERT_BUDGET = """
INSERT INTO budget (budget_id, fiscal_year, amount_ore, occurred_on) VALUES ($1, $2, $3, $4)
ON CONFLICT (budget_id) DO UPDATE SET amount_ore = excluded.amount_ore, occurred_on = excluded.occurred_on
"""
OPEN_YEARS = """
INSERT INTO fiscal_year (fiscal_year, budget_ore, drawn_ore)
SELECT year, 0, 0 FROM unnest($1::integer[]) AS year ORDER BY year
ON CONFLICT DO NOTHING
"""
LOCK_YEARS = "SELECT FROM fiscal_year WHERE fiscal_year = ANY ($1) ORDER BY fiscal_year FOR UPDATE"
FREE = """
SELECT fiscal_year, min(free_ore)::bigint AS free_ore FROM (
    SELECT fiscal_year, sum(amount_ore) OVER (PARTITION BY fiscal_year ORDER BY day) AS free_ore FROM (
        SELECT fiscal_year, greatest(occurred_on, $2) AS day, amount_ore FROM movement WHERE fiscal_year = ANY ($1)
        UNION ALL SELECT unnest($1::integer[]), $2, 0
    ) AS moved
) AS days GROUP BY fiscal_year
"""
MOVE = """
WITH year AS (
    UPDATE fiscal_year y SET
        budget_ore = (SELECT coalesce(sum(amount_ore), 0) FROM budget b WHERE b.fiscal_year = y.fiscal_year),
        drawn_ore = (SELECT coalesce(sum(amount_ore), 0) FROM allocation a WHERE a.fiscal_year = y.fiscal_year)
    WHERE fiscal_year = ANY ($1) RETURNING fiscal_year, budget_ore - drawn_ore AS free_ore
)
INSERT INTO movement (fiscal_year, occurred_on, amount_ore)
SELECT fiscal_year, $2,
    free_ore - (SELECT coalesce(sum(amount_ore), 0) FROM movement m WHERE m.fiscal_year = year.fiscal_year)
FROM year
"""


async def find_budget(db: Connection, budget_id: UUID) -> Budget | None:
    """One budget as it stands."""
    row = await db.fetchrow(BUDGET, budget_id)
    return Budget(**_plain(row)) if row else None


async def list_budgets(db: Connection, *, after: UUID | None, limit: int) -> list[Budget]:
    """A page of budgets by id."""
    return [Budget(**_plain(row)) for row in await db.fetch(BUDGETS, after, limit)]


async def lock_years(db: Connection, years: Collection[int]) -> None:
    """Lock fiscal years, in one order for all so that nobody deadlocks; a year without budget or draw begins at nil."""
    await db.execute(OPEN_YEARS, years)
    await db.execute(LOCK_YEARS, years)


async def free_from(db: Connection, years: Collection[int], day: date) -> dict[int, int]:
    """What can be drawn on each of the locked years from a day on: the least øre that is free on any day since then."""
    return {row["fiscal_year"]: row["free_ore"] for row in await db.fetch(FREE, years, day)}


@save.register
async def _(event: BudgetAllocated, db: Connection) -> None:
    await db.execute(UPSERT_BUDGET, event.budget_id, event.fiscal_year, event.amount_ore, event.occurred_on)
    await db.execute(MOVE, [event.fiscal_year], event.occurred_on)


APPLICATIONS = """
SELECT a.application_id, a.need_id, a.department, a.workplace_unit, a.effective_hours_per_week, a.months, a.amount_ore,
    a.submitted_on, a.status, a.decided_on, a.rules_version, a.reject_code, g.grant_id
FROM application a LEFT JOIN pool_grant g USING (application_id)
WHERE ($1::uuid IS NULL OR application_id = $1) AND ($2::uuid IS NULL OR application_id > $2)
ORDER BY application_id LIMIT $3
"""
LOCK_APPLICATION = "SELECT FROM application WHERE application_id = $1 FOR UPDATE"
INSERT_APPLICATION = """
INSERT INTO application
    (application_id, need_id, department, workplace_unit, effective_hours_per_week, months, amount_ore, submitted_on)
SELECT application_id, need_id, department, workplace_unit, effective_hours_per_week, months, amount_ore,
    ($1 ->> 'occurred_on')::date
FROM jsonb_populate_record(NULL::application, $1)
"""
DECIDE_APPLICATION = """
UPDATE application SET status = $2, decided_on = $3, rules_version = $4, reject_code = $5 WHERE application_id = $1
"""


async def find_application(db: Connection, application_id: UUID) -> Application | None:
    """One application as it stands."""
    rows = await db.fetch(APPLICATIONS, application_id, None, 1)
    return Application(**_plain(rows[0])) if rows else None


async def lock_application(db: Connection, application_id: UUID) -> Application | None:
    """One application, which nobody else decides or grants meanwhile."""
    # A statement of its own: one that waited for the lock would join the grants as they were before it waited.
    await db.execute(LOCK_APPLICATION, application_id)
    return await find_application(db, application_id)


async def list_applications(db: Connection, *, after: UUID | None, limit: int) -> list[Application]:
    """A page of applications by id."""
    return [Application(**_plain(row)) for row in await db.fetch(APPLICATIONS, None, after, limit)]


@save.register
async def _(event: ApplicationSubmitted, db: Connection) -> None:
    await db.execute(INSERT_APPLICATION, _fields(event))


@save.register
async def _(event: ApplicationApproved, db: Connection) -> None:
    decision = ("approved", event.occurred_on, event.rules_version, None)
    await db.execute(DECIDE_APPLICATION, event.application_id, *decision)


@save.register
async def _(event: ApplicationRejected, db: Connection) -> None:
    decision = ("rejected", event.occurred_on, event.rules_version, event.reject_code)
    await db.execute(DECIDE_APPLICATION, event.application_id, *decision)


GRANT = """
SELECT g.grant_id, g.application_id, a.department, a.workplace_unit, a.effective_hours_per_week, g.committed_on,
    g.period_from, g.period_to, g.released_on, f.placement_id
FROM pool_grant g JOIN application a USING (application_id) LEFT JOIN flexjob f USING (grant_id) WHERE grant_id = $1
"""
ALLOCATIONS = "SELECT fiscal_year, amount_ore FROM allocation WHERE grant_id = $1 ORDER BY fiscal_year"
LOCK_GRANT = "SELECT FROM pool_grant WHERE grant_id = $1 FOR UPDATE"
INSERT_GRANT = """
INSERT INTO pool_grant (grant_id, application_id, committed_on, period_from, period_to)
SELECT grant_id, application_id, ($1 ->> 'occurred_on')::date, period_from, period_to
FROM jsonb_populate_record(NULL::pool_grant, $1)
"""
INSERT_ALLOCATION = "INSERT INTO allocation (grant_id, fiscal_year, amount_ore) VALUES ($1, $2, $3)"
RELEASE_GRANT = "UPDATE pool_grant SET released_on = $2 WHERE grant_id = $1"
UPDATE_ALLOCATION = "UPDATE allocation SET amount_ore = $3 WHERE grant_id = $1 AND fiscal_year = $2"


async def find_grant(db: Connection, grant_id: UUID) -> Grant | None:
    """One grant as it stands."""
    row = await db.fetchrow(GRANT, grant_id)
    if row is None:
        return None
    allocations = [Allocation.model_validate(dict(part)) for part in await db.fetch(ALLOCATIONS, grant_id)]
    return Grant(**_plain(row), allocations=tuple(allocations))


async def lock_grant(db: Connection, grant_id: UUID) -> Grant | None:
    """One grant, which nobody else uses or releases meanwhile."""
    await db.execute(LOCK_GRANT, grant_id)
    return await find_grant(db, grant_id)


@save.register
async def _(event: GrantCommitted, db: Connection) -> None:
    await db.execute(INSERT_GRANT, _fields(event))
    await _draw(db, INSERT_ALLOCATION, event)


@save.register
async def _(event: GrantReleased, db: Connection) -> None:
    await db.execute(RELEASE_GRANT, event.grant_id, event.occurred_on)
    await _draw(db, UPDATE_ALLOCATION, event)


async def _draw(db: Connection, statement: str, event: GrantCommitted | GrantReleased) -> None:
    await db.executemany(statement, [(event.grant_id, part.fiscal_year, part.amount_ore) for part in event.allocations])
    await db.execute(MOVE, [part.fiscal_year for part in event.allocations], event.occurred_on)


FLEXJOBS = """
SELECT placement_id, person_ref, department, workplace_unit, grant_id, need_id, grant_term, retention, scheme,
    started_on, ended_on, reason_code
FROM flexjob
WHERE ($1::uuid IS NULL OR placement_id = $1) AND ($2::uuid IS NULL OR placement_id > $2)
ORDER BY placement_id LIMIT $3
"""
HOURS = """
SELECT placement_id, occurred_on, attendance_hours_per_week, effective_hours_per_week, cause
FROM hours WHERE placement_id = ANY ($1) ORDER BY placement_id, occurred_on, position
"""
LOCK_FLEXJOB = "SELECT FROM flexjob WHERE placement_id = $1 FOR UPDATE"
INSERT_FLEXJOB = """
INSERT INTO flexjob
    (placement_id, person_ref, department, workplace_unit, grant_id, need_id, grant_term, retention, scheme, started_on)
SELECT placement_id, person_ref, department, workplace_unit, grant_id, need_id, grant_term, retention, scheme,
    ($1 ->> 'occurred_on')::date
FROM jsonb_populate_record(NULL::flexjob, $1)
"""
INSERT_HOURS = """
INSERT INTO hours (placement_id, occurred_on, attendance_hours_per_week, effective_hours_per_week, cause)
SELECT placement_id, occurred_on, attendance_hours_per_week, effective_hours_per_week, cause
FROM jsonb_populate_record(NULL::hours, $1)
"""
END_FLEXJOB = "UPDATE flexjob SET ended_on = $2, reason_code = $3 WHERE placement_id = $1"


async def find_flexjob(db: Connection, placement_id: UUID) -> Flexjob | None:
    """One flexjob as it stands."""
    found = await _with_hours(db, await db.fetch(FLEXJOBS, placement_id, None, 1))
    return found[0] if found else None


async def lock_flexjob(db: Connection, placement_id: UUID) -> Flexjob | None:
    """One flexjob, which nobody else changes or ends meanwhile."""
    await db.execute(LOCK_FLEXJOB, placement_id)
    return await find_flexjob(db, placement_id)


async def list_flexjobs(db: Connection, *, after: UUID | None, limit: int) -> list[Flexjob]:
    """A page of flexjobs by placement id."""
    return await _with_hours(db, await db.fetch(FLEXJOBS, None, after, limit))


async def _with_hours(db: Connection, rows: Sequence[Record]) -> list[Flexjob]:
    hours: dict[UUID, tuple[Hours, ...]] = {}
    for step in await db.fetch(HOURS, [row["placement_id"] for row in rows]):
        placement_id, *values = step.values()
        hours[placement_id] = (*hours.get(placement_id, ()), Hours(*values))
    return [Flexjob(**_plain(row), hours=hours[row["placement_id"]]) for row in rows]


@save.register
async def _(event: FlexjobStarted, db: Connection) -> None:
    await db.execute(INSERT_FLEXJOB, _fields(event))
    await db.execute(INSERT_HOURS, _fields(event))


@save.register
async def _(event: FlexjobHoursChanged, db: Connection) -> None:
    await db.execute(INSERT_HOURS, _fields(event))


@save.register
async def _(event: FlexjobEnded, db: Connection) -> None:
    await db.execute(END_FLEXJOB, event.placement_id, event.occurred_on, event.reason_code)


def _fields(event: Event) -> dict[str, Any]:
    return event.model_dump(mode="json")


def _plain(row: Record) -> dict[str, Any]:
    """A row with the standard library's UUIDs; the driver's own kind of UUID is not one to the contracts."""
    return {name: UUID(int=value.int) if isinstance(value, UUID) else value for name, value in row.items()}
