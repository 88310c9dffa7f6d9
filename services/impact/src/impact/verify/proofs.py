"""Each figure once more, from the ledger alone.

The one module beside the store that runs SQL: the proofs are SQL, and share nothing with what they prove.
"""

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
"""What each indicator's own file builds on, beside the facts."""

PROVEN = frozenset(PRELUDES)
"""The indicators that can be proven."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose figure, as known at which position, as of which day; `first` is the first day of a flow, else None."""

    municipality: str
    position: int
    first: date | None
    as_of: date


async def prove(db: Connection, indicator: str, asked: Asked) -> dict[Cell, tuple[Decimal, Decimal]]:
    """Numerator and denominator of an indicator: the whole, and every cell of every one-way cut.

    Hours are per week, money is in øre; a count or a sum has denominator 1, a median is its own numerator. A cell of
    nothing may be missing, and so is the whole of a median of nothing. Raises KeyError for an indicator without proof.
    """
    async with db.transaction():
        # The planner takes what a WITH gives for a few rows, and would compare all with all.
        await db.execute("SET LOCAL enable_nestloop = off")
        rows = await db.fetch(query_of(indicator), asked.municipality, asked.position, asked.first, asked.as_of)
        await db.execute("SET LOCAL enable_nestloop TO DEFAULT")
    return {tuple(row["dimensions"].items()): (row["numerator"], row["denominator"]) for row in rows}


@cache
def query_of(indicator: str) -> str:
    """The SQL of one indicator. Raises KeyError when it has none."""
    parts = ("facts", *PRELUDES[indicator], indicator)
    folder = files("impact.verify")
    return "\n".join((folder / f"{part}.sql").read_text(encoding="utf-8") for part in parts)
