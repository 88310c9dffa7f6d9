"""The sweep: what a new day brings, whatever process runs it and however often.

Reviews are called for when they fall due soon, and what payroll told of days too far ahead is taken up.
"""

import asyncio
import math
import time
from datetime import date
from functools import partial

import structlog

from chassis.calendar import Calendar
from chassis.database import ACQUIRE_SECONDS, UNAVAILABLE, Pool
from contracts.reach import latest_day
from flexjob_pool import payroll
from flexjob_pool.domain.flexjobs import Flexjob
from flexjob_pool.domain.reviews import AHEAD
from flexjob_pool.store import lists
from flexjob_pool.store import payroll as store
from flexjob_pool.store.documents import name_of
from flexjob_pool.use_cases import Desk, at_a_desk, follow_up, open_case

log = structlog.get_logger()

# What was registered just as the day changed is found by then.
AGAIN_SECONDS = 60


class Sweep:
    """Looks at the calendar every so many seconds of real time; `until` is the day up to which all is called for.

    What is registered later on that day calls for its own reviews, so a day is swept when it begins, and now and then.
    """

    def __init__(self, municipality: str, calendar: Calendar, *, every: float) -> None:
        self._municipality = municipality
        self._calendar = calendar
        self._every = every
        self._swept_at = -math.inf
        self.until: date | None = None

    async def run(self, pool: Pool) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                if self._calendar.today() != self.until or time.monotonic() > self._swept_at + AGAIN_SECONDS:
                    await self.sweep(pool)
            except UNAVAILABLE as error:
                log.warning("sweep_missed", error=type(error).__name__)
            await asyncio.sleep(self._every)

    async def sweep(self, pool: Pool) -> None:
        """Call for all reviews that are near by the calendar's day, and take up what payroll told ahead of it."""
        today = self._calendar.today()
        async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            keys = await lists.flexjobs_to_review(db, today + AHEAD)
        for key in keys:
            await self._look_at(pool, key)
        if today != self.until:
            await self._take_up(pool, today)
        self.until, self._swept_at = today, time.monotonic()

    async def _look_at(self, pool: Pool, key: str) -> None:
        async def call(desk: Desk) -> None:
            case = await open_case(desk, {name_of(Flexjob.noun, key)})
            if flexjob := case.find(Flexjob, key):
                await follow_up(desk, case, [flexjob])

        async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            await at_a_desk(db, self._municipality, self._calendar, call)

    async def _take_up(self, pool: Pool, today: date) -> None:
        """Take up what payroll told of days that were too far ahead."""
        async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            placements = await store.too_far_ahead(db, today, latest_day(today))
        for placement_id in placements:
            settled = partial(payroll.settle, placements=[placement_id])
            async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
                await at_a_desk(db, self._municipality, self._calendar, settled)
