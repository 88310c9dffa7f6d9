"""A lane read back whole: its facts in order of position, and the rows that follow from them."""

from collections.abc import AsyncIterator
from decimal import Decimal

from asyncpg import Record

from chassis.database import Connection
from impact.fold import Delta, Dimensions, Fact, SumKey
from impact.ledger import awaits_supersession
from impact.store.ledger import fact_of

PAGE = 5000


async def facts(db: Connection, municipality: str) -> AsyncIterator[Fact]:
    """Every fact that histories hold; the connection must be in a transaction."""
    async for row in db.cursor(FACTS, municipality, prefetch=PAGE):
        if not awaits_supersession(row["type"], row["corrects"]):
            yield fact_of(row)


FACTS = """
SELECT position, source, event_id, type, time, body ->> 'data' AS data, body ->> 'corrects' AS corrects
FROM ledger
WHERE municipality = $1 AND kind = 'fact' AND parked IS NULL
ORDER BY position
"""


async def histories(db: Connection, municipality: str) -> set[tuple[str, str, int]]:
    """The stored memberships: kind and key of a history, and a position in it."""
    return {(row["kind"], row["key"], row["position"]) for row in await db.fetch(HISTORIES, municipality)}


HISTORIES = "SELECT kind, key, position FROM history WHERE municipality = $1"


async def deltas(db: Connection, municipality: str) -> dict[tuple[int, int], Delta]:
    """The stored deltas by position and ordinal."""
    return {(row["position"], row["ordinal"]): _delta(row) for row in await db.fetch(DELTAS, municipality)}


DELTAS = """
SELECT position, ordinal, measure, definition_version, contributor, person, cohort, date, amount, dimensions
FROM delta
WHERE municipality = $1
"""


async def sums(db: Connection, municipality: str) -> dict[SumKey, Decimal]:
    """The stored running sums."""
    return {
        (row["measure"], row["definition_version"], row["cohort"], row["date"], _dimensions(row)): row["amount"]
        for row in await db.fetch(SUMS, municipality)
    }


SUMS = """
SELECT measure, definition_version, cohort, date, dimensions, amount FROM running_sum WHERE municipality = $1
"""


def _delta(row: Record) -> Delta:
    return Delta(
        row["measure"],
        row["definition_version"],
        row["contributor"],
        row["person"],
        row["cohort"],
        row["date"],
        row["amount"],
        _dimensions(row),
    )


def _dimensions(row: Record) -> Dimensions:
    return tuple(sorted(row["dimensions"].items()))
