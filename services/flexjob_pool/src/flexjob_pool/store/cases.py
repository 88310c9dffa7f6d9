"""Cases: resources as they stand, and what they move in the budgets."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from chassis.database import Connection
from flexjob_pool.domain.case import Resource
from flexjob_pool.domain.money import steps
from flexjob_pool.domain.rules import Rules
from flexjob_pool.store.documents import document_of, name_of, names_of, resource_of
from flexjob_pool.store.locks import REACH

FETCH = f"""{REACH}
SELECT name, noun, state FROM reach LEFT JOIN resource
    ON noun = split_part(name, ':', 1) AND key = split_part(name, ':', 2)
UNION ALL SELECT NULL, noun, state FROM resource WHERE noun = 'rules'
"""  # noqa: S608 - no input
PUT = """
INSERT INTO resource (noun, key, state, links)
SELECT noun, key, state, links FROM jsonb_to_recordset($1) AS put (noun text, key text, state jsonb, links text[])
ON CONFLICT (noun, key) DO UPDATE SET state = excluded.state, links = excluded.links
"""
NAMED = "(noun, key) IN (SELECT split_part(name, ':', 1), split_part(name, ':', 2) FROM unnest($1::text[]) AS name)"
REMOVE = f"DELETE FROM resource WHERE {NAMED}"  # noqa: S608 - no input
# The running sum of a year takes a whole day at once: money that comes on a day pays for what goes on it.
MOVE = f"""
WITH step AS (
    SELECT * FROM jsonb_to_recordset($2)
        AS step (noun text, key text, fiscal_year integer, occurred_on date, amount_ore bigint)
), gone AS (
    DELETE FROM movement WHERE {NAMED} RETURNING fiscal_year
), come AS (
    INSERT INTO movement (noun, key, fiscal_year, occurred_on, amount_ore) SELECT * FROM step
), moved AS (
    SELECT fiscal_year, occurred_on, amount_ore FROM step
    UNION ALL SELECT fiscal_year, occurred_on, amount_ore FROM movement
    WHERE fiscal_year IN (SELECT fiscal_year FROM gone UNION SELECT fiscal_year FROM step) AND NOT ({NAMED})
)
SELECT fiscal_year FROM (
    SELECT fiscal_year, sum(amount_ore) OVER (PARTITION BY fiscal_year ORDER BY occurred_on) AS free_ore FROM moved
) AS day WHERE free_ore < 0 GROUP BY fiscal_year ORDER BY fiscal_year
"""  # noqa: S608 - no input


@dataclass(frozen=True, slots=True)
class Found:
    """What stands under some names and all that they link to, and every version of the rules."""

    names: frozenset[str]
    resources: tuple[Resource, ...]
    rules: tuple[Rules, ...]


async def fetch(db: Connection, names: Collection[str]) -> Found:
    """Read what stands under names and all that they link to."""
    rows = await db.fetch(FETCH, [*names])
    found = [resource_of(row["noun"], row["state"]) for row in rows if row["noun"]]
    rules = sorted((one for one in found if isinstance(one, Rules)), key=lambda one: one.rules_version)
    return Found(frozenset(row["name"] for row in rows if row["name"]), tuple(found), tuple(rules))


async def is_told(db: Connection) -> bool:
    """Whether any resource is there."""
    return bool(await db.fetchval("SELECT EXISTS (SELECT FROM resource)"))


async def put(db: Connection, resources: Iterable[Resource]) -> None:
    """Let resources stand so."""
    await db.execute(PUT, [_row(resource) for resource in resources])


async def remove(db: Connection, names: Collection[str]) -> None:
    """Let nothing stand under names any more."""
    await db.execute(REMOVE, [*names])


async def move(db: Connection, resources: Iterable[Resource], *, gone: Collection[str] = ()) -> list[int]:
    """Let resources move the budgets as they stand, and those gone no more; the fiscal years overdrawn on any day."""
    moving = [resource for resource in resources if resource.noun in ("budget", "grant")]
    names = {name_of(resource.noun, resource.key) for resource in moving} | set(gone)
    if not names:
        return []
    rows = [
        {"noun": resource.noun, "key": resource.key, "fiscal_year": year, "occurred_on": day, "amount_ore": amount}
        for resource in moving
        for year, day, amount in steps(resource)
    ]
    return [row["fiscal_year"] for row in await db.fetch(MOVE, [*names], rows)]


def _row(resource: Resource) -> dict[str, Any]:
    links = sorted(names_of(resource.links))
    return {"noun": resource.noun, "key": resource.key, "state": document_of(resource), "links": links}
