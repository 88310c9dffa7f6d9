"""Verification on a timer: figures now, at the horizon and at a random pair of the past, and the account of the lane.

Each pair has a snapshot of its own, and so has the account: a round of a large lane takes many minutes, and
while a snapshot is held the database cleans nothing up. Once a day a round also tells the ledger again, beside.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from time import monotonic
from typing import Any

import structlog

from chassis.calendar import Calendar
from chassis.database import ACQUIRE_SECONDS, UNAVAILABLE, Connection, Pool
from contracts.catalogue import BY_TYPE
from impact.catalogue import INDICATORS, measures_of
from impact.indicator import Indicator
from impact.rebuild import Gate
from impact.store import definitions, verification
from impact.store.definitions import DefinitionMissing
from impact.store.figures import BeyondLane, definitions_of, known, snapshot
from impact.store.verification import Verified
from impact.verify.drift import Drift, Pair, Verification, verify
from impact.verify.lane import by_retelling, open_accounts, retold
from impact.versions import in_force_from

KEPT_DAYS = 30
# Seconds of real time. Telling a lane again takes as long as its life is, and what it alone finds moves no figure.
RETELL_EVERY = 24 * 60 * 60.0
# A worker that is started anew more often than that must not put it off for ever.
FIRST_RETELL = 15 * 60.0
# Telling again shares the process with taking in, which waits for half of its time at most.
REST = 1.0
# The last day that has a day after it: a review may be due as late as somebody writes.
HORIZON = date(9999, 12, 30)

log = structlog.get_logger()


async def keep_verifying(  # noqa: PLR0913 - what is verified, against what, and how often
    pool: Pool,
    municipalities: Sequence[str],
    calendar: Calendar,
    indicators: Sequence[Indicator],
    *,
    every: float,
    retell_every: float = RETELL_EVERY,
) -> None:
    """Verify each municipality again and again, and keep what came of it."""
    due = dict.fromkeys(municipalities, monotonic() + min(retell_every, FIRST_RETELL))
    while True:
        for municipality in municipalities:
            retell = monotonic() >= due[municipality]
            try:
                verified = await verify_once(pool, municipality, calendar, indicators, retell=retell)
            except UNAVAILABLE as error:
                log.warning("verification_postponed", municipality=municipality, error=type(error).__name__)
            else:
                due[municipality] = monotonic() + retell_every if retell and verified else due[municipality]
        await asyncio.sleep(every)


async def verify_once(
    pool: Pool, municipality: str, calendar: Calendar, indicators: Sequence[Indicator], *, retell: bool = False
) -> Verified | None:
    """One round, and its result as kept; None, and no verdict, of a lane that this program cannot judge now.

    What was found by telling again stands until telling again finds it mended, also when a round fails.
    """
    began = monotonic()
    try:
        async with _judging(pool, municipality, indicators) as db:
            last = await verification.latest(db, municipality)
            pairs = await pairs_of(db, municipality, calendar.today())
            odd = [each.named for each in await open_accounts(db, municipality, indicators)]
        before = [row for row in last.differing if by_retelling(row)] if last else []
        found: list[Verification] = []
        for pair in pairs:
            found.append(await _compared(pool, municipality, indicators, pair))
            if found[-1].drift:
                # Releases stop at once, also when what is left of the round takes long, or fails.
                await _keep(pool, municipality, _verified(found, [*odd, *before], began))
        if retell or before:
            try:
                odd += await _retold(pool, municipality, indicators)
            except UNAVAILABLE:
                await _keep(pool, municipality, _verified(found, [*odd, *before], began))
                raise
    except NotForUs as reason:
        log.warning("verification_postponed", municipality=municipality, error=str(reason))
        return None
    verified = _verified(found, odd, began)
    await _keep(pool, municipality, verified)
    return verified


class NotForUs(Exception):
    """This program cannot judge the lane; the text says why."""


@asynccontextmanager
async def _judging(pool: Pool, municipality: str, indicators: Sequence[Indicator]) -> AsyncIterator[Connection]:
    """A snapshot of a lane that this program can judge. Raises NotForUs."""
    async with snapshot(pool, readonly=False) as db:
        if reason := await _not_for_us(db, municipality, indicators):
            raise NotForUs(reason)
        yield db


async def _compared(pool: Pool, municipality: str, indicators: Sequence[Indicator], pair: Pair) -> Verification:
    async with _judging(pool, municipality, indicators) as db:
        try:
            return await verify(db, municipality, await kept(db, municipality, indicators), [pair])
        except BeyondLane as beyond:
            # A backup was restored since the pairs were drawn; ingest notices it, too, and ends the process.
            raise NotForUs("LaneWentBack") from beyond


async def _retold(pool: Pool, municipality: str, indicators: Sequence[Indicator]) -> list[dict[str, Any]]:
    try:
        return [each.named for each in await retold(pool, municipality, indicators, rest=REST)]
    except DefinitionMissing as missing:
        # A newer program has brought its own into force since the round began.
        raise NotForUs("DefinitionMissing") from missing


async def _not_for_us(db: Connection, municipality: str, indicators: Sequence[Indicator]) -> str | None:
    """Why this program cannot judge the lane: it is not told yet, or a newer program has written to it."""
    try:
        await definitions.in_force(db, municipality, measures_of(indicators))
    except DefinitionMissing:
        return "DefinitionMissing"
    if not await verification.knows_every_type(db, municipality, BY_TYPE):
        return "UnknownType"
    told = await kept(db, municipality, indicators) or not (await known(db, municipality)).position
    return None if told else "NotToldYet"


async def _keep(pool: Pool, municipality: str, verified: Verified) -> None:
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        await verification.append(db, municipality, verified)
        await verification.forget_before(db, municipality, verified.at - timedelta(days=KEPT_DAYS))
    if verified.drift:
        log.error("figures_drift", municipality=municipality, cells=verified.drift, compared=verified.cells)


async def kept(db: Connection, municipality: str, indicators: Sequence[Indicator]) -> list[Indicator]:
    """Every entry that the lane keeps, also one that answers from the next fact on: each version has its own proof."""
    keeps = await definitions_of(db, municipality)
    return [entry for entry in indicators if in_force_from(entry, keeps) is not None]


async def pairs_of(db: Connection, municipality: str, today: date) -> list[Pair]:
    """Today as known now; all that is dated ahead; and some day as known some time."""
    position = (await known(db, municipality)).position
    past = Pair(today - timedelta(days=random.randrange(1000)), random.randint(0, position))  # noqa: S311 - any will do
    return [Pair(today), Pair(HORIZON), past]


def _verified(found: Sequence[Verification], odd: Iterable[dict[str, Any]], began: float) -> Verified:
    differing = [*(named(drift) for each in found for drift in each.drift), *odd]
    cells = sum(each.cells for each in found)
    return Verified(datetime.now(UTC), cells, len(differing), differing, monotonic() - began)


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
        # The lane is held meanwhile: so only now, and twice in the past.
        pairs = [Pair(HORIZON), Pair(HORIZON, position // 3), Pair(HORIZON, 2 * position // 3)]
        return len((await verify(db, municipality, await kept(db, municipality, indicators), pairs)).drift)

    return gate
