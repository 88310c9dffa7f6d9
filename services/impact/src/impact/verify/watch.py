"""Verification on a timer: now, at the horizon and at a random pair of the past, each round in one snapshot."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import structlog

from chassis.calendar import Calendar
from chassis.database import ACQUIRE_SECONDS, UNAVAILABLE, Connection, Pool
from impact.catalogue import INDICATORS
from impact.indicator import Indicator
from impact.rebuild import Gate
from impact.store import verification
from impact.store.figures import definitions_of, known, snapshot
from impact.store.verification import Verified
from impact.verify.drift import Drift, Pair, Verification, verify
from impact.versions import entries_at

KEPT_DAYS = 30
# Beyond every date that a delta can have, so that what is due some day is proven as well.
HORIZON = date(2199, 12, 31)

log = structlog.get_logger()


async def keep_verifying(
    pool: Pool,
    municipalities: Sequence[str],
    calendar: Calendar,
    indicators: Sequence[Indicator],
    *,
    every: float,
) -> None:
    """Verify each municipality again and again, and keep what came of it."""
    while True:
        for municipality in municipalities:
            try:
                await verify_once(pool, municipality, calendar, indicators)
            except UNAVAILABLE as error:
                log.warning("verification_postponed", municipality=municipality, error=type(error).__name__)
        await asyncio.sleep(every)


async def verify_once(pool: Pool, municipality: str, calendar: Calendar, indicators: Sequence[Indicator]) -> Verified:
    """One round, and its result as kept."""
    async with snapshot(pool) as db:
        pairs = await pairs_of(db, municipality, calendar.today())
        found = await verify(db, municipality, await kept(db, municipality, indicators), pairs)
    verified = _verified(found)
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        await verification.append(db, municipality, verified)
        await verification.forget_before(db, municipality, verified.at - timedelta(days=KEPT_DAYS))
    if found.drift:
        log.error("figures_drift", municipality=municipality, cells=verified.drift, compared=verified.cells)
    return verified


async def kept(db: Connection, municipality: str, indicators: Sequence[Indicator]) -> list[Indicator]:
    """The newest entries that the lane keeps, also one that answers from the next fact on: the proofs are of these."""
    lane = await known(db, municipality)
    return entries_at(indicators, await definitions_of(db, municipality), lane.position + 1)


async def pairs_of(db: Connection, municipality: str, today: date) -> list[Pair]:
    """Today as known now; all that is dated ahead; and some day as known some time."""
    position = (await known(db, municipality)).position
    past = Pair(today - timedelta(days=random.randrange(1000)), random.randint(0, position))  # noqa: S311 - any will do
    return [Pair(today), Pair(HORIZON), past]


def _verified(found: Verification) -> Verified:
    return Verified(datetime.now(UTC), found.cells, len(found.drift), [named(drift) for drift in found.drift])


def named(drift: Drift) -> dict[str, Any]:
    """Which cell differs, without what it says: that is for those who may see figures."""
    return {
        "indicator": drift.indicator,
        "as_of": drift.as_of.isoformat(),
        "position": drift.position,
        "read_from": drift.read_from,
        "cell": dict(drift.cell),
    }


def proven(municipality: str, indicators: Sequence[Indicator] = INDICATORS) -> Gate:
    """How many cells of the rebuilt lane are not what the second implementation says."""

    async def gate(db: Connection) -> int:
        position = (await known(db, municipality)).position
        pairs = [Pair(HORIZON), *(Pair(HORIZON, position * tenth // 10) for tenth in range(10))]
        return len((await verify(db, municipality, await kept(db, municipality, indicators), pairs)).drift)

    return gate
