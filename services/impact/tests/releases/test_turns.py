"""The turn to release: one worker has it, and it ends with the release, its failure, or whoever had it."""

import asyncio
import time
from datetime import date

import pytest

from chassis.database import UNAVAILABLE, Connection
from impact.store.releases import turn
from local.waiting import until
from services.impact.tests.releases.handwritten import (
    DayCalendar,
    Lane,
    names,
)


async def test_many_workers_make_one_release(lane: Lane) -> None:
    await lane.employ(*names(5))

    numbers = await asyncio.gather(*(lane.release() for _ in range(6)))

    assert sorted(number for number in numbers if number) == [1]
    assert await lane.release() is None


class Unreadable(DayCalendar):
    """A calendar that nobody can read just now."""

    def today(self) -> date:
        raise ZeroDivisionError


async def test_a_turn_keeps_others_out_and_ends_with_the_release_or_its_failure(lane: Lane) -> None:
    await lane.employ(*names(5))
    broken = Lane(lane.pool, Unreadable())

    async with lane.pool.acquire() as one, lane.pool.acquire() as other:
        async with turn(one, "621") as first, turn(other, "621") as second, turn(other, "607") as elsewhere:
            assert (first, second, elsewhere) == (True, False, True)
            assert await lane.release() is None
        with pytest.raises(ZeroDivisionError):
            await broken.release()
        async with turn(other, "621") as again:
            assert again
        assert await lane.release() == 1
        async with turn(one, "621") as at_last:
            assert at_last


async def test_a_turn_ends_with_its_connection(lane: Lane) -> None:
    with pytest.raises(UNAVAILABLE):
        async with lane.pool.acquire() as dying, turn(dying, "621"):
            await lane.pool.execute("SELECT pg_terminate_backend($1)", await dying.fetchval("SELECT pg_backend_pid()"))

    async with lane.pool.acquire() as db:

        async def free() -> bool:
            async with turn(db, "621") as ours:
                return ours

        await until(free, message="the dead keep their turn")


@pytest.mark.parametrize("steps", range(1, 9))
async def test_a_turn_is_free_when_whoever_asked_for_it_is_gone_before_the_answer(lane: Lane, steps: int) -> None:
    async def ask_for_it() -> None:
        async with lane.pool.acquire() as db, turn(db, "621"):
            await asyncio.Event().wait()

    asking = asyncio.create_task(ask_for_it())
    for _ in range(steps):
        await asyncio.sleep(0)
    time.sleep(0.01)  # noqa: ASYNC251 - the server answers while nobody here listens
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    async with lane.pool.acquire() as db, lane.pool.acquire() as other:
        for session in (db, other):

            async def free(session: Connection = session) -> bool:
                async with turn(session, "621") as ours:
                    return ours

            await until(free, message="nobody has the turn, and it is not free")
