"""Clocks that jump: the real one of a process, and the calendar that all of them read."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from random import Random

import asyncpg

from local.simulator import set_clock
from local.waiting import until
from tests.faults.books import Check, same
from tests.faults.fault import Fault
from tests.faults.patience import PATIENCE_SECONDS
from tests.faults.town import Town

GROUP = "clocks"
DAY = 86_400
SECONDS = {"+1h": 3600, "-1h": -3600, "+10y": 10 * 365 * DAY, "-1d": -DAY}
JUMPS = tuple(SECONDS)
CLOSE_ENOUGH = 600
# What a service last wrote by its own clock, and what PostgreSQL says that it is.
WRITTEN = {
    "impact": "SELECT max(stored_at) FROM consumer_floor WHERE stored_at > $1 AND stored_at < $2",
    "postgres": "SELECT true WHERE clock_timestamp() > $1 AND clock_timestamp() < $2",
}
APPENDED = "SELECT max(appended_at) FROM outbox WHERE appended_at > $1 AND appended_at < $2"
RIGHT = "+0"
NINE_IN_THE_MORNING = time(9, tzinfo=UTC)
TIMES = 8
WENT_BACK = """
SELECT count(*) FROM (SELECT recorded_at < lag(recorded_at) OVER (ORDER BY position) AS back FROM ledger) AS entry
WHERE back
"""


def _library() -> Path | None:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return found[0] if found else None


def _no_library() -> str | None:
    return None if _library() else "libfaketime is missing: install the Debian package `faketime`"


def _no_way() -> str:
    return "nats-server asks the kernel for the time with no library between, and a machine has but one such clock"


def jumps(name: str, lacking: Callable[[], str | None] = _no_library) -> Fault:
    """A process whose clock jumps while it runs, and that is killed and started again at that time too."""

    async def act(town: Town, dice: Random) -> None:
        clock = town.stack.folder / f"{name}.faketime"
        clock.write_text(RIGHT)
        async with town.with_variables(name, dict(_variables(clock))):
            for jump in dice.sample(JUMPS, len(JUMPS)):
                clock.write_text(jump)
                await town.registered(dice.randint(5, 25))
                await town.restart(name)
                there = partial(_lives_at, town, name, SECONDS[jump])
                await until(there, seconds=PATIENCE_SECONDS, message=f"the clock of {name} did not jump by {jump}")
                await town.registered(dice.randint(5, 25))
                await town.hall.office.pipeline.counted()
        await until(lambda: _heard_lately(town), seconds=PATIENCE_SECONDS, message="no heartbeat of today is heard")

    return Fault(
        f"the clock of {name} jumps",
        f"the real clock of {name} alone jumps by {', '.join(JUMPS)} while it runs, in a random order; at each time it "
        "is also killed and started again; in the end the clock is right",
        "nothing hangs on the clock that counts, and of what was heard in the future nothing stands in the way later",
        act,
        GROUP,
        lacking=lacking,
    )


def _variables(clock: Path) -> Iterator[tuple[str, str]]:
    """What makes a process take its time from the file; what it measures durations with is left alone."""
    yield "LD_PRELOAD", str(_library())
    yield "FAKETIME_TIMESTAMP_FILE", str(clock)
    yield "FAKETIME_CACHE_DURATION", "1"
    yield "FAKETIME_DONT_FAKE_MONOTONIC", "1"


async def _lives_at(town: Town, name: str, seconds: int) -> bool:
    """Whether a process writes by a clock that is so many seconds ahead."""
    there, about = datetime.now(UTC) + timedelta(seconds=seconds), timedelta(seconds=CLOSE_ENOUGH)
    db = await asyncpg.connect(town.stack.database_urls.get(name, town.stack.database_urls["impact"]))
    try:
        return await db.fetchval(WRITTEN.get(name, APPENDED), there - about, there + about) is not None
    finally:
        await db.close()


async def _heard_lately(town: Town) -> bool:
    """Whether the last heartbeats in impact are no older than the act, and not of the future either."""
    db = await asyncpg.connect(town.stack.database_urls["impact"])
    try:
        rows = await db.fetch("SELECT sent_at, received_at FROM heartbeat")
    finally:
        await db.close()
    now = datetime.now(UTC)
    return all(abs((now - instant).total_seconds()) < PATIENCE_SECONDS for row in rows for instant in row.values())


async def _the_calendar_jumps(town: Town, dice: Random) -> None:
    for _ in range(TIMES):
        set_clock(town.clock, town.today, NINE_IN_THE_MORNING)
        await town.registered(dice.randint(1, 10))
        set_clock(town.clock, town.today)
        await town.registered(dice.randint(1, 10))
    await nothing_is_recorded_earlier(town)


async def nothing_is_recorded_earlier(town: Town) -> None:
    """What comes later in the lane is never recorded earlier. Raises Wrong."""
    db = await asyncpg.connect(town.stack.database_urls["impact"])
    try:
        same(Check.BACK, 0, await db.fetchval(WENT_BACK))
    finally:
        await db.close()


FAULTS = (
    *(jumps(name) for name in ("flexjob_pool", "gateway", "impact", "postgres")),
    jumps("nats", lacking=_no_way),
    Fault(
        "the calendar jumps",
        f"the calendar that all services read jumps an hour forth and back within the day, {TIMES} times under load",
        "what is recorded never has an earlier instant than what was before it, and figures are those of the day",
        _the_calendar_jumps,
        GROUP,
    ),
)
