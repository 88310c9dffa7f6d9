"""Transactions that are stepped: each begins when the one before waits for a lock."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from flexjob_pool.store.locks import Locks
from flexjob_pool.use_cases import Desk
from local.waiting import until

WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()
"""
Act = Callable[[Desk], Awaitable[Any]]


class Stage:
    """Acts that begin one after the other, each when the one before waits for a lock."""

    def __init__(self, office: Any) -> None:
        self._office = office
        self.acts: list[asyncio.Task[Any]] = []

    async def enter(self, act: Act) -> None:
        self.acts.append(asyncio.create_task(self._office.race(act)))

        async def all_wait() -> bool:
            return bool(await self._office.pool.fetchval(WAITING) == len(self.acts))

        await until(all_wait, message="nobody waits")


@asynccontextmanager
async def staged(office: Any, holding: Act) -> AsyncIterator[Stage]:
    """A stage whose acts wait for what somebody holds, until the end; deadlocks and the like are raised then."""
    stage = Stage(office)
    async with office.pool.acquire() as db:
        async with db.transaction():
            await holding(Desk(db, "621", office.calendar, Locks()))
            yield stage
        await asyncio.gather(*stage.acts)
