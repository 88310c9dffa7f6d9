"""A network that is bad: it delays, loses either direction, breaks, and swallows the one answer that mattered."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from random import Random

import httpx

from local.instances import SERVICES
from local.waiting import until
from tests.faults.fault import Act, Fault
from tests.faults.patience import PATIENCE_SECONDS
from tests.faults.proxy import Direction, Proxy
from tests.faults.town import Ground, Town

GROUP = "network"
BEHIND_PROXIES = Ground(proxied=True)
SERVERS = ("nats", "postgres")
LATENCY_SECONDS = 0.1
LONGER_THAN_ACK_WAIT = 3.0
SWALLOWED = 3
BATCH_ENDS, STORED = b"Nats-Batch-Commit", b'"seq":'
# PostgreSQL says what it has done as text that ends with a zero.
COMMIT, COMMITTED = b"COMMIT;", b"COMMIT\x00"


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


def one_way(name: str, lost: Direction) -> Fault:
    """What goes in one direction arrives, what goes in the other is lost."""
    done, holds = {
        Direction.QUESTIONS: (
            f"nothing that services send to {name} arrives, and what it sends does",
            "what had no effect without anybody's knowing is asked again, and counted once",
        ),
        Direction.ANSWERS: (
            f"what services send to {name} arrives, and nothing comes back",
            "what had its effect without anybody's knowing is found out, and counted once",
        ),
    }[lost]

    async def act(town: Town, dice: Random) -> None:
        await town.registered(dice.randint(1, 25))
        proxy = town.network[name]
        proxy.lost = lost
        await asyncio.sleep(LONGER_THAN_ACK_WAIT)
        proxy.lost = None
        # What was lost on a line is lost: it is of no use to either end any more.
        proxy.reset()

    return _fault(
        f"{lost} {name} are lost",
        f"{done}, under load, for longer than ack_wait; then lines break",
        holds,
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


async def _batches_unanswered(town: Town, dice: Random) -> None:
    await town.registered(dice.randint(1, 25))
    await _swallowed(town.network["nats"], BATCH_ENDS, STORED, {"flexjob_pool": SWALLOWED})


async def _commits_unanswered(town: Town, dice: Random) -> None:
    """Of whoever commits, and such that callers are told to come back."""
    await town.registered(dice.randint(1, 25))
    told = town.answers[httpx.codes.SERVICE_UNAVAILABLE]
    while town.answers[httpx.codes.SERVICE_UNAVAILABLE] < told + SWALLOWED:
        await _swallowed(town.network["postgres"], COMMIT, COMMITTED, dict.fromkeys(SERVICES, 1))


async def _swallowed(proxy: Proxy, question: bytes, answer: bytes, times: Mapping[str, int]) -> None:
    """Return once so many answers were kept from each of these clients."""
    enough = proxy.swallowed + Counter(times)
    proxy.swallow(question, answer, times=times)
    await until(lambda: proxy.swallowed >= enough, seconds=PATIENCE_SECONDS, message="no such answer came by")


def _fault(name: str, done: str, holds: str, act: Act, *, short: bool = False) -> Fault:
    return Fault(name, done, holds, act, GROUP, BEHIND_PROXIES, short=short)


FAULTS = (
    _fault(
        "an answer of nats is swallowed",
        f"the last message of a batch of flexjob_pool's relay is stored, and the answer lost with the connection, "
        f"{SWALLOWED} times under load",
        "the relay finds out what became of it; nothing is lost and nothing is counted twice",
        _batches_unanswered,
    ),
    _fault(
        "an answer of postgres is swallowed",
        "a COMMIT of each service is carried out, and its answer lost with the connection, over and over under load, "
        f"until {SWALLOWED} callers were told to come back",
        "whoever asked finds out what became of it; nothing is lost and nothing is counted twice",
        _commits_unanswered,
        short=True,
    ),
    *(slow(name) for name in SERVERS),
    *(one_way(name, lost) for lost in Direction for name in SERVERS),
    *(broken(name) for name in SERVERS),
)
