"""What came of each verification; the latest says whether figures may be published."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.database import ACQUIRE_SECONDS, Connection, Pool

LONGEST_TRUST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Verified:
    """When figures had been compared with their proofs, in how many cells, which differ, and how long that took."""

    at: datetime
    cells: int
    drift: int
    differing: list[dict[str, Any]]
    seconds: float


async def append(db: Connection, municipality: str, verified: Verified) -> None:
    """Keep the result of one round."""
    found = (verified.cells, verified.drift, verified.differing)
    await db.execute(APPEND, municipality, verified.at, *found, verified.seconds)


APPEND = "INSERT INTO verification (municipality, at, cells, drift, differing, seconds) VALUES ($1, $2, $3, $4, $5, $6)"


async def latest(db: Connection, municipality: str) -> Verified | None:
    """The last round; None before the first. One of a clock that was fast says nothing until its time has come."""
    row = await db.fetchrow(LATEST, municipality, datetime.now(UTC))
    return Verified(**row) if row else None


LATEST = """
SELECT at, cells, drift, differing, seconds FROM verification WHERE municipality = $1 AND at <= $2
ORDER BY at DESC LIMIT 1
"""


async def is_trusted(pool: Pool, municipality: str, *, served: Collection[str], every: timedelta, missed: int) -> bool:
    """Whether every figure was found proven lately; nothing is trusted before the first round, or after the last.

    Lately is so many turns ago, or a day: a turn is a pause, and then a round of each municipality that is served, one
    after the other, as long as its last one took.
    """
    now = datetime.now(UTC)
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        last = await latest(db, municipality)
        turn = every + timedelta(seconds=await db.fetchval(SECONDS_OF_ALL, list(served), now))
    return last is not None and last.drift == 0 and last.at > now - min(missed * turn, LONGEST_TRUST)


SECONDS_OF_ALL = """
SELECT coalesce(sum(last.seconds), 0)
FROM unnest($1::text[]) AS served (municipality)
CROSS JOIN LATERAL (
    SELECT seconds FROM verification WHERE municipality = served.municipality AND at <= $2 ORDER BY at DESC LIMIT 1
) AS last
"""


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
