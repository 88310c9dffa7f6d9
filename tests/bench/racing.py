"""One contender on one workload: how long it took from the moment it was let go, and what that cost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from os import environ
from time import monotonic

from local.processes import Child, end_of, free_ports
from local.waiting import until
from tests.bench.contenders.contender import Contender, Place, Promise
from tests.bench.gate import Checked, check
from tests.bench.servers import Servers, cpu_seconds, peak_mb, process, until_it_waits
from tests.bench.workload import Workload

# Longer than any batch takes, and than a batch that was given back stays away.
STUCK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Lap:
    """So many events in so many seconds; CPU seconds by process, and the peak memory of the contender."""

    contender: str
    events: int
    seconds: float
    cpu: dict[str, float]
    rss_mb: float

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.seconds

    @property
    def cpu_per_100k(self) -> float:
        """CPU seconds of all three for 100,000 events."""
        return sum(self.cpu.values()) * 100_000 / self.events


@dataclass(frozen=True, slots=True)
class Runner:
    """A contender's process, ready and held back."""

    servers: Servers
    contender: Contender
    place: Place
    child: Child
    first: int = 1

    @property
    def url(self) -> str:
        """Where its HTTP doors are, if it has any."""
        return f"http://127.0.0.1:{self.place.port}"

    async def go(self, work: Workload, last_sequence: int) -> Lap:
        """Let it go, and return once it has acknowledged everything up to a sequence.

        The clock stops at the last event: what fills its batches waits for more of them after that, whose heartbeat is
        the last message.
        """
        processes = {"client": self.child.pid, **self.servers.processes}
        before = {name: cpu_seconds(pid) for name, pid in processes.items()}
        began = monotonic()
        await self.servers.let_go(work.stream.name, self.contender.durable, self.first)
        await self._until_acknowledged(work.stream.name, last_sequence - 1)
        seconds = monotonic() - began
        cpu = {name: cpu_seconds(pid) - before[name] for name, pid in processes.items()}
        await self._until_acknowledged(work.stream.name, last_sequence)
        return Lap(self.contender.name, len(work.arriving), seconds, cpu, peak_mb(self.child.pid))

    async def _until_acknowledged(self, stream: str, sequence: int) -> None:
        reached = 0
        while reached < sequence:
            moved = partial(self._beyond, stream, reached)
            stuck = f"{self.contender.name} is stuck at {reached} of {sequence}"
            reached = await until(moved, seconds=STUCK_SECONDS, message=stuck)

    async def _beyond(self, stream: str, reached: int) -> int:
        """How far it has acknowledged, 0 if that is no further."""
        if self.child.exit_code() is not None:
            raise RuntimeError(f"{self.contender.name} ended; {end_of(self.child.log)}")
        floor = (await self.servers.jetstream.consumer_info(stream, self.contender.durable)).ack_floor
        return floor.stream_seq if floor and floor.stream_seq > reached else 0


@asynccontextmanager
async def ready(
    servers: Servers, contender: Contender, work: Workload, dsn: str, *, first: int = 1
) -> AsyncIterator[Runner]:
    """Start a contender on a database; nothing is delivered to it before it is let go, to begin at `first`."""
    await servers.held(work.stream.name, contender.consumer, pause=contender.held_by_pause)
    place = Place(dsn, servers.bus.url, work.stream, servers.clock, free_ports(1)[0])
    env = {**environ, **contender.settings(place)}
    log = servers.folder / f"{contender.name}.log"
    async with process(contender.argv, env, log) as child:
        await until_it_waits(servers, work.stream.name, contender.durable, child)
        yield Runner(servers, contender, place, child, first)


async def race(
    servers: Servers, contender: Contender, work: Workload, last_sequence: int, promise: Promise | None = None
) -> tuple[Lap, Checked]:
    """One lap on a fresh database, and what the gate saw of it: all that it promises, unless told. Raises GateRed."""
    with servers.database() as dsn:
        async with ready(servers, contender, work, dsn) as runner:
            lap = await runner.go(work, last_sequence)
        held_to = contender.promise if promise is None else contender.promise & promise
        return lap, await check(dsn, contender.name, held_to, [work])
