"""Resources as callers look for them: one, a page of them, and what a fiscal year amounts to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from chassis.database import Connection
from flexjob_pool.domain.applications import Application
from flexjob_pool.domain.case import Resource
from flexjob_pool.store.documents import resource_of

FIND = "SELECT state FROM resource WHERE noun = $1 AND key = $2"
# Shorter keys come first, so that numbers do.
PAGE = """
SELECT state FROM resource WHERE noun = $1 AND (length(key), key) > (length($2), $2) {conditions}
ORDER BY length(key), key LIMIT $3
"""
TO_REVIEW = """
SELECT key FROM resource WHERE noun = 'flexjob' AND state ->> 'next_review_on' <= $1 ORDER BY key
"""
YEAR = """
SELECT coalesce(sum(amount_ore) FILTER (WHERE noun = 'budget'), 0)::bigint AS budget_ore,
    coalesce(-sum(amount_ore) FILTER (WHERE noun = 'grant'), 0)::bigint AS drawn_ore
FROM movement WHERE fiscal_year = $1
"""
APPLICATIONS = """
SELECT state FROM resource WHERE noun = 'application' AND state ->> 'submitted_on' BETWEEN $1 AND $2 ORDER BY key
"""


@dataclass(frozen=True, slots=True)
class FiscalYear:
    """What budgets set aside for a year, what grants draw on it, and what is left, all told."""

    fiscal_year: int
    budget_ore: int
    drawn_ore: int
    free_ore: int


async def find(db: Connection, noun: str, key: str) -> Resource | None:
    """One resource as it stands."""
    state = await db.fetchval(FIND, noun, key)
    return resource_of(noun, state) if state else None


async def page(  # noqa: PLR0913 - what narrows a page
    db: Connection, noun: str, *, having: Mapping[str, Any], before: Mapping[str, str], after: str, limit: int
) -> list[Resource]:
    """Resources in the order of their keys, after one, that have these values, and these fields before these days."""
    arguments: list[Any] = [noun, after, limit]
    conditions = ""
    if having:
        arguments.append(having)
        conditions += f" AND state @> ${len(arguments)}"
    for field, day in before.items():
        arguments += [field, day]
        conditions += f" AND state ->> ${len(arguments) - 1} < ${len(arguments)}"
    rows = await db.fetch(PAGE.format(conditions=conditions), *arguments)
    return [resource_of(noun, row["state"]) for row in rows]


async def flexjobs_to_review(db: Connection, until: date) -> list[str]:
    """The keys of flexjobs whose next review is due by a day and was not called for."""
    return [row["key"] for row in await db.fetch(TO_REVIEW, until.isoformat())]


async def fiscal_year(db: Connection, year: int) -> FiscalYear:
    """A fiscal year as it stands."""
    row = await db.fetchrow(YEAR, year)
    assert row is not None  # noqa: S101 - an aggregate always gives a row
    budget, drawn = row["budget_ore"], row["drawn_ore"]
    return FiscalYear(year, budget, drawn, budget - drawn)


async def applications_of(db: Connection, year: int) -> list[Application]:
    """The applications that were submitted within a calendar year."""
    rows = await db.fetch(APPLICATIONS, f"{year}-01-01", f"{year}-12-31")
    found = [resource_of(Application.noun, row["state"]) for row in rows]
    return [one for one in found if isinstance(one, Application)]
