"""What came of each verification; the latest says whether figures may be published."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.database import ACQUIRE_SECONDS, Connection, Pool


@dataclass(frozen=True, slots=True)
class Verified:
    """When figures were compared with their proofs, in how many cells, and which of them differ."""

    at: datetime
    cells: int
    drift: int
    differing: list[dict[str, Any]]


async def append(db: Connection, municipality: str, verified: Verified) -> None:
    """Keep the result of one round."""
    await db.execute(APPEND, municipality, verified.at, verified.cells, verified.drift, verified.differing)


APPEND = "INSERT INTO verification (municipality, at, cells, drift, differing) VALUES ($1, $2, $3, $4, $5)"


async def latest(db: Connection, municipality: str) -> Verified | None:
    """The last round; None before the first. One of a clock that was fast says nothing until its time has come."""
    row = await db.fetchrow(LATEST, municipality, datetime.now(UTC))
    return Verified(**row) if row else None


LATEST = """
SELECT at, cells, drift, differing FROM verification WHERE municipality = $1 AND at <= $2
ORDER BY at DESC LIMIT 1
"""


async def is_trusted(pool: Pool, municipality: str, *, max_age: timedelta) -> bool:
    """Whether every figure was found proven lately; nothing is trusted before the first round, or after the last."""
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        last = await latest(db, municipality)
    return last is not None and last.drift == 0 and last.at > datetime.now(UTC) - max_age


async def knows_every_type(db: Connection, municipality: str, types: Collection[str]) -> bool:
    """Whether everything that took effect on a lane is of these types."""
    return not await db.fetchval(OTHER_TYPES, municipality, list(types))


OTHER_TYPES = """
SELECT EXISTS (
    SELECT FROM ledger WHERE municipality = $1 AND kind <> 'discard' AND parked IS NULL AND type <> ALL ($2::text[])
)
"""


async def forget_before(db: Connection, municipality: str, instant: datetime) -> None:
    """Drop rounds that nobody asks for any more; those that found something stay."""
    await db.execute(FORGET, municipality, instant)


FORGET = "DELETE FROM verification WHERE municipality = $1 AND at < $2 AND drift = 0"
