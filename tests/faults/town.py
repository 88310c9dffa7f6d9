"""A town on a stack of its own, real servers and real processes, where a simulated year goes on all the while."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

import httpx
import psutil
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig

from contracts.streams import Stream, streams_of
from local.hall import Hall
from local.nats import NatsServer
from local.plan.chance import DAYS
from local.plan.towns import KOLDING
from local.postgres import OwnPostgres
from local.processes import Server
from local.simulator import live_day, set_clock
from local.stack import Stack
from local.supervisor import Service
from local.waiting import until
from tests.faults.patience import ANSWER_SECONDS, PATIENCE_SECONDS, Patient
from tests.faults.proxy import Proxy

MUNICIPALITY = KOLDING.municipality
PRODUCERS = ("flexjob_pool", "gateway")
HEARTBEAT = ".service.heartbeat."
PAGE = 1000


@dataclass(frozen=True, slots=True)
class Ground:
    """What a town is built on.

    `proxied`: services reach PostgreSQL and NATS through a network that can be bad; `disk_megabytes`: each of these
    servers lies on a disk of its own, of that size, which takes root.
    """

    proxied: bool = False
    disk_megabytes: int | None = None


PLAIN = Ground()


@dataclass(slots=True)
class Town:
    """A municipality that lives, and what its books must answer for.

    `network` are the proxies before `nats` and `postgres`, on such a ground; `strangers` are bodies that somebody else
    than a relay put on a stream; `kills` counts processes that were killed, `answers` what callers were answered, by
    status. `doors` are the ports at which callers ask each service, by turns.
    """

    stack: Stack
    hall: Hall
    clock: Path
    bus: Client
    network: Mapping[str, Proxy]
    answers: Counter[int]
    doors: Mapping[str, list[int]]
    strangers: list[bytes] = field(default_factory=list)
    kills: int = 0
    lived: int = 0

    @property
    def today(self) -> date:
        """The last day that was begun."""
        return DAYS[max(0, self.lived - 1)]

    @property
    def streams(self) -> Sequence[Stream]:
        """The streams that are written here."""
        return [stream for stream in streams_of(MUNICIPALITY) if stream.producer in PRODUCERS]

    @property
    def processes(self) -> dict[str, Server]:
        """Everything that can be killed, by name."""
        servers = {"postgres": self.stack.postgres, "nats": self.stack.nats, **self.stack.services}
        return {name: server for name, server in servers.items() if isinstance(server, Server)}

    async def live(self, days: int) -> None:
        """Live so many days, or what is left of the year."""
        for day in DAYS[self.lived : self.lived + days]:
            self.lived += 1
            await live_day([self.hall.office], day, clock=self.clock)

    async def live_until(self, day: date) -> None:
        """Live all days before one."""
        await self.live(DAYS.index(day) - self.lived)

    async def wake(self) -> None:
        """Begin the next day, and return once it was heard of; nothing is registered on it yet."""
        day = DAYS[self.lived]
        self.lived += 1
        set_clock(self.clock, day)
        await self.hall.office.settle(day, counted=True)

    async def work(self) -> None:
        """Register what is to be registered on the day that was begun."""
        await self.hall.office.work(self.today)

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """Day after day is lived while the block runs; the day under way at its end is lived to its end."""
        over = False

        async def live_on() -> None:
            while not over and self.lived < len(DAYS):
                await self.live(1)

        async with asyncio.TaskGroup() as load:
            load.create_task(live_on())
            try:
                yield
            finally:
                over = True

    async def registered(self, more: int) -> None:
        """Return once so many more registrations were sent; TimeoutError when nothing moves, or the year is over."""
        office = self.hall.office
        enough = office.requests + more
        await until(lambda: office.requests >= enough, seconds=PATIENCE_SECONDS, message="the load stands still")

    async def published(self) -> None:
        """Return once nothing waits in an outbox, be it for a moment."""
        for producer in PRODUCERS:
            await until(
                partial(self._waits_for_nothing, producer), seconds=PATIENCE_SECONDS, message=f"{producer} waits"
            )

    async def _waits_for_nothing(self, producer: str) -> bool:
        return await self.metric(producer, "outbox_pending") == 0

    async def slip_in(self, producer: str, body: bytes, *, headers: dict[str, str] | None = None) -> None:
        """Put a body on a producer's stream as a stranger does, of whom no outbox knows. Raises nats.errors.Error."""
        subject = f"events.{MUNICIPALITY}.{producer}.stranger.told.v1"
        await self.bus.jetstream().publish(subject, body, headers=headers)
        self.strangers.append(body)

    async def held(self, stream: Stream) -> list[Msg]:
        """What a stream holds, and can still give, but for heartbeats, in its order."""
        jetstream, found = self.bus.jetstream(), list[Msg]()
        count = (await jetstream.stream_info(stream.name)).state.messages
        reader = await jetstream.pull_subscribe(
            "", stream=stream.name, config=ConsumerConfig(ack_policy=AckPolicy.NONE)
        )
        with suppress(TimeoutError):
            while count:
                messages = await reader.fetch(min(count, PAGE))
                count -= len(messages)
                found += [message for message in messages if HEARTBEAT not in message.subject]
        await reader.unsubscribe()
        return found

    async def kill(self, name: str) -> None:
        """Kill a process, and all that it started, as a crash would."""
        self.kills += 1
        await asyncio.to_thread(self.processes[name].kill)

    async def start(self, name: str) -> None:
        """Start it again; a service is there before it answers."""
        process = self.processes[name]
        if isinstance(process, Service):
            await process.start()
        elif isinstance(process, NatsServer | OwnPostgres):
            await asyncio.to_thread(process.start)

    async def restart(self, name: str) -> None:
        """Kill it and start it again."""
        await self.kill(name)
        await self.start(name)

    @asynccontextmanager
    async def with_variables(self, name: str, variables: Mapping[str, str]) -> AsyncIterator[None]:
        """A process has more in its environment while the block runs; it is killed and started before and after."""
        process = self.processes[name]
        usual = process.env
        process.env = {**usual, **variables}
        await self.restart(name)
        try:
            yield
        finally:
            process.env = usual
            await self.restart(name)

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """Everything in a process and in those that it started stands still while the block runs."""
        pid = self.processes[name].pid
        assert pid, f"{name} does not run"
        first = psutil.Process(pid)
        # A backend of PostgreSQL leads a session of its own: no signal to a group reaches them all.
        family = [first, *first.children(recursive=True)]
        for member in family:
            member.suspend()
        try:
            yield
        finally:
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.resume()

    async def metric(self, service: str, name: str) -> float:
        """The sum of a service's samples of one name."""
        async with httpx.AsyncClient(
            transport=Patient(self.answers, self.doors[service]), timeout=ANSWER_SECONDS
        ) as client:
            scrape = await client.get(f"{self.stack.url_of(service)}/metrics")
        lines = [
            line for line in scrape.raise_for_status().text.splitlines() if line.startswith((f"{name} ", f"{name}{{"))
        ]
        return sum(float(line.rpartition(" ")[2]) for line in lines)
