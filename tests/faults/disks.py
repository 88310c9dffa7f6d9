"""Disks that run full under a server, and have space again."""

import asyncio
from datetime import date
from functools import partial
from random import Random

import httpx

from local.actions.payroll import Message
from local.plan.chance import DAYS
from local.waiting import until
from tests.faults.disk import filled, no_disk
from tests.faults.fault import Fault
from tests.faults.kills import LONGER_THAN_ACK_WAIT
from tests.faults.patience import PATIENCE_SECONDS
from tests.faults.town import PRODUCERS, Ground, Town

GROUP = "disks"
# PostgreSQL alone may keep a gigabyte of its log.
GROUND = Ground(disk_megabytes=1500)
TIMES = 2


async def _postgres_runs_full(town: Town, dice: Random) -> None:
    for _ in range(TIMES):
        await town.registered(dice.randint(1, 25))
        before = town.answers[httpx.codes.SERVICE_UNAVAILABLE]
        with filled(town.stack.folder / "postgres"):
            told = partial(_is_told_more_often, town, before)
            await until(told, seconds=PATIENCE_SECONDS, message="nobody is told to come back later")
            await asyncio.sleep(LONGER_THAN_ACK_WAIT)


def _is_told_more_often(town: Town, before: int) -> bool:
    return town.answers[httpx.codes.SERVICE_UNAVAILABLE] > before


async def _nats_runs_full(town: Town, dice: Random) -> None:
    for _ in range(TIMES):
        await town.live(dice.randint(1, 5))
        await town.live_until(_next_day_at_both_doors(town))
        await town.wake()
        with filled(town.stack.folder / "nats"):
            await _works_and_is_never_told_to_come_back(town)
            await until(lambda: _waits(town), seconds=PATIENCE_SECONDS, message="everything is still published")
            await asyncio.sleep(LONGER_THAN_ACK_WAIT)
            assert await _waits(town), "something was published all the same"
        await town.restart("nats")
        await town.hall.office.settle(town.today, counted=True)


def _next_day_at_both_doors(town: Town) -> date:
    """The next day on which something is registered at the pool's door, and something told at the gateway's."""
    for day in DAYS[town.lived :]:
        cases = town.hall.year.agenda.get(day, ())
        if len({isinstance(action, Message) for case in cases for action in case}) > 1:
            return day
    raise AssertionError("no such day of the year is left")


async def _works_and_is_never_told_to_come_back(town: Town) -> None:
    """All that is to be registered on the day is taken, and nothing at the second time of asking."""
    told = town.answers[httpx.codes.SERVICE_UNAVAILABLE]
    await town.work()
    assert town.answers[httpx.codes.SERVICE_UNAVAILABLE] == told, "somebody was told to come back later"


async def _waits(town: Town) -> bool:
    return sum([await town.metric(producer, "outbox_pending") for producer in PRODUCERS]) > 0


FAULTS = (
    Fault(
        "the disk of postgres is full",
        "PostgreSQL lies on a small disk, which is filled to the last byte under load until callers are told to come "
        f"back later, and for some seconds more; then there is space again; {TIMES} times",
        "callers get 503 and try again; nothing is parked, set aside or lost, and all goes on by itself",
        _postgres_runs_full,
        GROUP,
        ground=GROUND,
        lacking=no_disk,
    ),
    Fault(
        "the disk of nats is full",
        "NATS lies on a small disk, which is filled to the last byte before a day on which both doors are asked, until "
        "all of the day is registered and events wait in the outboxes, and for some seconds more; then there is space "
        f"again, and the server is started again, {TIMES} times: since 2.14 it goes on refusing what it once could not "
        "write",
        "the doors take all of the day, and no caller gets 503; events wait in the outboxes, none is parked, and all "
        "of them reach the streams",
        _nats_runs_full,
        GROUP,
        quiet=True,
        ground=GROUND,
        lacking=no_disk,
    ),
)
