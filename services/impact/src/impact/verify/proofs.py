"""Each figure once more, from the ledger alone.

The one module beside the store that runs SQL: the proofs are SQL, and share nothing with what they prove.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TypeAlias

import asyncpg

from chassis.database import Connection

Cell: TypeAlias = tuple[tuple[str, str], ...]
"""The dimensions that a figure is cut by, as (name, value); none for the whole."""

PRELUDES: dict[str, tuple[str, ...]] = {
    "J1": ("jobs",),
    "J2": ("jobs",),
    "J3": ("jobs", "progress"),
    "J3r": ("jobs", "progress"),
    "J4": ("jobs", "milestones"),
    "J4e": ("jobs", "milestones"),
    "F1": ("jobs", "seats"),
    "F2": ("jobs", "snapshots"),
    "F3": ("jobs", "progress"),
    "F4": ("jobs", "seats"),
    "F5": (),
    "F6": (),
    "F7": (),
    "F8": ("jobs",),
    "F9": (),
    "E1": ("snapshots",),
    "E1f": ("snapshots",),
    "E2": ("snapshots",),
}
"""What each proof's own file builds on, beside the facts; F1 is of the first definition, F1.v2 of the second."""

PROVEN = frozenset(PRELUDES)
"""The proofs that there are."""


SECONDS = 300
"""How long one proof may take, and how long to tell the facts; of 370,000 facts it was 10 seconds, and 7 at most."""


class Unproven(KeyError):
    """There is no proof of this name."""


@dataclass(frozen=True, slots=True)
class Asked:
    """As of which day a figure is asked for; `first` is the first day of a flow, else None."""

    first: date | None
    as_of: date


@asynccontextmanager
async def facts_in_force(db: Connection, municipality: str, position: int) -> AsyncIterator[None]:
    """While proofs of a lane at a position are asked for: the facts that each begins with are told once, for all.

    The connection is in a transaction that may make a temporary table. A body that cannot be read leaves no facts, and
    so proves nothing.
    """
    # The planner takes what a WITH gives for a few rows, and would compare all with all.
    [usual] = await db.fetch("SELECT current_setting('enable_nestloop'), current_setting('statement_timeout')")
    await db.execute(PLAN, "off", f"{SECONDS}s")
    await db.execute(FACT)
    with suppress(asyncpg.DataError):
        async with db.transaction():
            await db.execute(_written("facts"), municipality, position, timeout=SECONDS)
    yield
    await db.execute("DROP TABLE pg_temp.fact")
    await db.execute(PLAN, *usual)


PLAN = "SELECT set_config('enable_nestloop', $1, true), set_config('statement_timeout', $2, true)"
FACT = """
CREATE TEMP TABLE fact (source text, name text, occurred_on date, data jsonb, turn bigint) ON COMMIT DROP
"""
ASKED = "WITH RECURSIVE asked AS (SELECT $1::date AS first, $2::date AS as_of)"


async def prove(db: Connection, proof: str, asked: Asked) -> dict[Cell, tuple[Decimal, Decimal]]:
    """Numerator and denominator of a figure by its proof's name: the whole, and every cell of every one-way cut.

    The facts must be in force. Hours are per week, money is in øre; a count or a sum has denominator 1, a median is its
    own numerator. A cell of nothing may be missing, and so is the whole of a median of nothing. Raises Unproven.
    """
    query = query_of(proof)
    async with db.transaction():
        rows = await db.fetch(query, asked.first, asked.as_of, timeout=SECONDS)
    return {tuple(row["dimensions"].items()): (row["numerator"], row["denominator"]) for row in rows}


@cache
def query_of(proof: str) -> str:
    """The SQL of one proof. Raises Unproven when there is none."""
    if proof not in PROVEN:
        raise Unproven(proof)
    return "\n".join((ASKED, *map(_written, PRELUDES[proof]), _written(proof)))


@cache
def _written(name: str) -> str:
    return (files("impact.verify") / f"{name}.sql").read_text(encoding="utf-8")
