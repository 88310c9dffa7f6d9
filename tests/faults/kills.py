"""Processes that are killed, and processes that stand still."""

import asyncio
from random import Random

from tests.faults.fault import Fault
from tests.faults.town import Town

GROUP = "kills"
# The stack's streams give a delivery up for lost after two seconds.
LONGER_THAN_ACK_WAIT = 3.0


def killed(name: str, *, times: int) -> Fault:
    """A process that is killed over and over under load."""

    async def act(town: Town, dice: Random) -> None:
        for _ in range(times):
            await town.registered(dice.randint(1, 25))
            await town.restart(name)

    return Fault(
        f"{name} is killed",
        f"kill -9 of {name}, {times} times under load, each at a random moment; started again",
        "nothing is lost and nothing is counted twice",
        act,
        GROUP,
    )


async def _one_after_the_other(town: Town, dice: Random) -> None:
    names = [*town.processes]
    dice.shuffle(names)
    for name in names:
        await town.registered(dice.randint(1, 25))
        await town.restart(name)


async def _two_at_once(town: Town, dice: Random) -> None:
    for _ in range(4):
        await town.registered(dice.randint(1, 25))
        names = dice.sample([*town.processes], 2)
        await asyncio.gather(*(town.kill(name) for name in names))
        # A service prepares its streams and tables before it starts: it needs both servers.
        for name in sorted(names, key=lambda name: name not in ("postgres", "nats")):
            await town.start(name)


def stands_still(name: str, *, short: bool = False) -> Fault:
    """A process that stands still for longer than a delivery may take, as in a long pause of its machine."""

    async def act(town: Town, dice: Random) -> None:
        await town.registered(dice.randint(1, 25))
        with town.paused(name):
            await asyncio.sleep(LONGER_THAN_ACK_WAIT)

    return Fault(
        f"{name} stands still",
        f"SIGSTOP of {name} and all that it started, under load, for longer than ack_wait; then SIGCONT",
        "what was delivered meanwhile is delivered again and counted once",
        act,
        GROUP,
        short=short,
    )


FAULTS = (
    Fault(
        "each process is killed",
        "kill -9 of each process in turn under load, in a random order and at random moments; started again",
        "nothing is lost and nothing is counted twice",
        _one_after_the_other,
        GROUP,
        short=True,
    ),
    *(killed(name, times=10) for name in ("impact", "flexjob_pool", "gateway", "nats", "postgres")),
    Fault(
        "two processes are killed at once",
        "kill -9 of two random processes at the same moment under load, 4 times; the servers start first",
        "nothing is lost and nothing is counted twice",
        _two_at_once,
        GROUP,
    ),
    stands_still("impact", short=True),
    *(stands_still(name) for name in ("flexjob_pool", "gateway", "nats", "postgres")),
)
