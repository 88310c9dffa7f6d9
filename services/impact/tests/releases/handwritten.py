"""Lanes whose contributions are written by hand, so that a test shows who brings what, and their releases."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from chassis.database import Pool
from impact.catalogue import INDICATORS
from impact.disclosure import Release
from impact.figures import Status, Value
from impact.releases import release_if_due
from impact.store.releases import latest

BY_ID = {indicator.id: indicator for indicator in INDICATORS}
SPRING = date(2026, 3, 1)
SUPPRESSED = Value(Status.SUPPRESSED)


@dataclass
class DayCalendar:
    """A calendar that stands at noon of a day until it is moved."""

    day: date = date(2026, 6, 30)

    def now(self) -> datetime:
        return datetime(self.day.year, self.day.month, self.day.day, 12, tzinfo=UTC)

    def today(self) -> date:
        return self.day


@dataclass
class Lane:
    """A lane whose contributions are written by hand, each at a position of its own, and its releases."""

    pool: Pool
    calendar: DayCalendar
    municipality: str = "621"
    position: int = 0

    async def contribute(
        self,
        measure: str,
        person: str | None,
        amount: str = "1",
        *,
        day: date = SPRING,
        contributor: str | None = None,
        **dimensions: str,
    ) -> None:
        self.position += 1
        place, instant = (self.municipality, self.position), self.calendar.now()
        key = contributor or person
        async with self.pool.acquire() as db, db.transaction():
            await db.execute(FACT, *place, instant)
            await db.execute(DELTA, *place, measure, key, person, day, Decimal(amount), dimensions)
            await db.execute(SUM, self.municipality, measure, day, dimensions, Decimal(amount))
            await db.execute(LANE, *place, instant)

    async def employ(self, *persons: str, department: str = "Senior", day: date = SPRING) -> None:
        for person in persons:
            await self.contribute("persons_in_flexjob", person, department=department, day=day)

    async def release(self, *, trusted: bool = True, k: int = 5) -> int | None:
        return await release_if_due(self.pool, self.municipality, self.calendar, INDICATORS, trusted=trusted, k=k)

    async def last(self) -> Release:
        async with self.pool.acquire() as db:
            release = await latest(db, self.municipality)
        assert release
        return release

    async def whole(self, id_: str) -> Value:
        return (await self.last()).wholes[id_, BY_ID[id_].definition_version]


FACT = """
INSERT INTO ledger (
    municipality, position, kind, source, event_id, type, time, body, body_hash, recorded_at, stream, stream_sequence
)
VALUES ($1, $2, 'fact', 's', $2::bigint::text, 't', $3, '{}', '', $3, 's', $2)
"""
DELTA = """
INSERT INTO delta (
    municipality, position, ordinal, measure, definition_version, key, contributor, person, date, amount, dimensions
)
VALUES ($1, $2, 1, $3, 1, $4, $4, $5, $6, $7, $8)
"""
SUM = """
INSERT INTO running_sum (municipality, measure, definition_version, date, dimensions, amount)
VALUES ($1, $2, 1, $3, $4, $5)
ON CONFLICT (municipality, measure, definition_version, cohort, date, dimensions)
DO UPDATE SET amount = running_sum.amount + excluded.amount
"""
LANE = """
INSERT INTO lane (municipality, position, recorded_at) VALUES ($1, $2, $3)
ON CONFLICT (municipality) DO UPDATE SET (position, recorded_at) = (excluded.position, excluded.recorded_at)
"""

LaneOf = Callable[[str], Lane]


def names(count: int, prefix: str = "P") -> list[str]:
    return [f"{prefix}{number}" for number in range(1, count + 1)]
