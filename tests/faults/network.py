"""A network that is bad: it delays, loses one direction, breaks, and swallows the one answer that mattered."""

import asyncio
from random import Random

from local.waiting import until
from tests.faults.fault import Act, Fault
from tests.faults.town import Ground, Town

GROUP = "network"
BEHIND_PROXIES = Ground(proxied=True)
LATENCY_SECONDS = 0.1
LONGER_THAN_ACK_WAIT = 3.0
SWALLOWED = 3
BATCH_ENDS = b"Nats-Batch-Commit"
COMMIT = b"COMMIT;"


def slow(name: str) -> Fault:
    """Everything takes longer on its way."""

    async def act(town: Town, dice: Random) -> None:
        town.network[name].delay = LATENCY_SECONDS
        try:
            await town.registered(dice.randint(20, 40))
        finally:
            town.network[name].delay = 0

    return _fault(
        f"the network to {name} is slow",
        f"every packet to and from {name} takes {LATENCY_SECONDS * 1000:.0f} ms more, under load",
        "everything goes on, only slower",
        act,
    )


def one_way(name: str) -> Fault:
    """What is asked arrives, what is answered is lost."""

    async def act(town: Town, dice: Random) -> None:
        await town.registered(dice.randint(1, 25))
        proxy = town.network[name]
        proxy.cut = True
        await asyncio.sleep(LONGER_THAN_ACK_WAIT)
        proxy.cut = False
        # What was lost on a line is lost: it is of no use to either end any more.
        proxy.reset()

    return _fault(
        f"answers of {name} are lost",
        f"what services send to {name} arrives, and nothing comes back, for longer than ack_wait; then lines break",
        "what had its effect without anybody's knowing is found out, and counted once",
        act,
    )


def broken(name: str) -> Fault:
    """Every connection is broken, again and again."""

    async def act(town: Town, dice: Random) -> None:
        for _ in range(8):
            await town.registered(dice.randint(1, 15))
            town.network[name].reset()

    return _fault(
        f"connections to {name} break",
        f"all connections to {name} are reset (RST), 8 times at random moments under load",
        "services connect again; nothing is lost and nothing is counted twice",
        act,
    )


def unanswered(name: str, question: bytes, *, told: str) -> Fault:
    """The server did what it was asked for, and nobody is told."""

    async def act(town: Town, dice: Random) -> None:
        proxy = town.network[name]
        await town.registered(dice.randint(1, 25))
        before = proxy.swallowed
        proxy.swallow(question, times=SWALLOWED)
        await until(
            lambda: proxy.swallowed >= before + SWALLOWED, seconds=90, message=f"no answer of {name} was swallowed"
        )

    return _fault(
        f"an answer of {name} is swallowed",
        f"{told} is carried out and its answer lost with the connection, {SWALLOWED} times under load",
        "whoever asked finds out what became of it; nothing is lost and nothing is counted twice",
        act,
        short=True,
    )


def _fault(name: str, done: str, holds: str, act: Act, *, short: bool = False) -> Fault:
    return Fault(name, done, holds, act, GROUP, BEHIND_PROXIES, short=short)


FAULTS = (
    unanswered("nats", BATCH_ENDS, told="the last message of a relay's batch"),
    unanswered("postgres", COMMIT, told="a COMMIT of any service"),
    *(make(name) for make in (slow, one_way, broken) for name in ("nats", "postgres")),
)
