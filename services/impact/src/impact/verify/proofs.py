"""Each figure once more, from the ledger alone.

The one module beside the store that runs SQL: the proofs are SQL, and share nothing with what they prove.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TypeAlias

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
"""How long one proof may take; of 460,000 facts each took 13 to 34 seconds, on a busy machine."""


class Unproven(KeyError):
    """There is no proof of this name."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose figure, as known at which position, as of which day; `first` is the first day of a flow, else None."""

    municipality: str
    position: int
    first: date | None
    as_of: date


@asynccontextmanager
async def planned_for_proofs(db: Connection) -> AsyncIterator[None]:
    """While proofs of a large lane are asked for, each of which reads all of it; the connection is in a transaction."""
    # The planner takes what a WITH gives for a few rows, and would compare all with all.
    [usual] = await db.fetch("SELECT current_setting('enable_nestloop'), current_setting('statement_timeout')")
    await db.execute(PLAN, "off", f"{SECONDS}s")
    yield
    await db.execute(PLAN, *usual)


PLAN = "SELECT set_config('enable_nestloop', $1, true), set_config('statement_timeout', $2, true)"


async def prove(db: Connection, proof: str, asked: Asked) -> dict[Cell, tuple[Decimal, Decimal]]:
    """Numerator and denominator of a figure by its proof's name: the whole, and every cell of every one-way cut.

    Hours are per week, money is in øre; a count or a sum has denominator 1, a median is its own numerator. A cell of
    nothing may be missing, and so is the whole of a median of nothing. Raises Unproven.
    """
    query = query_of(proof)
    async with db.transaction():
        rows = await db.fetch(query, asked.municipality, asked.position, asked.first, asked.as_of, timeout=SECONDS)
    return {tuple(row["dimensions"].items()): (row["numerator"], row["denominator"]) for row in rows}


@cache
def query_of(proof: str) -> str:
    """The SQL of one proof. Raises Unproven when there is none."""
    if proof not in PROVEN:
        raise Unproven(proof)
    parts = ("facts", *PRELUDES[proof], proof)
    folder = files("impact.verify")
    return "\n".join((folder / f"{part}.sql").read_text(encoding="utf-8") for part in parts)
