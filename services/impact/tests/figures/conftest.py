"""A lane told by hand: rows as a batch leaves them, without the rules that they come from."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis.database import Connection, Pool

START = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture
def tell(pool: Pool) -> Callable[..., Awaitable[None]]:
    """Make a lane with these deltas and their sums; the fact at position n was recorded n // 2 hours after the start.

    A delta is its position, measure, amount, date, dimensions, contributor and cohort.
    """

    async def tell(moves: Sequence[tuple[Any, ...]], *, position: int) -> None:
        async with pool.acquire() as db, db.transaction():
            await db.execute(OPEN_LANE, position, START)
            for number in range(1, position + 1):
                await _put_fact(db, number)
            for ordinal, (at, measure, *rest) in enumerate(moves):
                await db.execute(INSERT_DELTA, ordinal, at, measure.id, measure.version, *rest)
            await db.execute(SUM_UP)

    return tell


@pytest.fixture
def put_fact(pool: Pool) -> Callable[..., Awaitable[None]]:
    """Put a fact into the ledger at a position."""

    async def put_fact(position: int, **what: Any) -> None:
        async with pool.acquire() as db:
            await _put_fact(db, position, **what)

    return put_fact


async def _put_fact(
    db: Connection,
    position: int,
    name: str = "flexjob.started",
    day: date = date(2026, 3, 1),
    parked: str | None = None,
) -> None:
    recorded = START + timedelta(hours=position // 2)
    await db.execute(INSERT_FACT, position, f"e{position}", f"dk.kraftcenter.{name}.v1", day, parked, recorded)


OPEN_LANE = "INSERT INTO lane (municipality, position, recorded_at) VALUES ('621', $1, $2)"
INSERT_FACT = """
INSERT INTO ledger (municipality, position, kind, source, event_id, type, time, occurred_on, body, body_hash, parked,
    recorded_at, stream, stream_sequence)
VALUES ('621', $1, 'fact', 's', $2, $3, $6, $4, '{}', '', $5, $6, 's', $1)
"""
INSERT_DELTA = """
INSERT INTO delta (municipality, ordinal, position, measure, definition_version, amount, date, dimensions,
    contributor, cohort, key)
VALUES ('621', $1, $2, $3, $4, $5, $6, $7, $8, $9, 'k')
"""
SUM_UP = """
INSERT INTO running_sum (municipality, measure, definition_version, cohort, date, dimensions, amount)
SELECT municipality, measure, definition_version, cohort, date, dimensions, sum(amount)
FROM delta GROUP BY 1, 2, 3, 4, 5, 6
"""
