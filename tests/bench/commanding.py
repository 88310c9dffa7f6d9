"""Commands of caseworkers at the doors of flexjob_pool: how many, and how soon their events are on the stream."""

import asyncio
import json
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from os import environ
from random import Random
from time import monotonic, time
from typing import Any
from uuid import UUID

import httpx
from nats.js.api import AckPolicy, ConsumerConfig

from contracts.streams import Stream
from local.processes import Child, end_of, free_ports
from local.waiting import until
from tests.bench.calling import Caller
from tests.bench.freshness import percentile
from tests.bench.progress import Told
from tests.bench.results import Results
from tests.bench.servers import POOL, Servers, issued, process
from tests.bench.sizes import Sizes

COMMANDED_OF = "681"
KEYS_OF_COMMANDING = ("commands_per_s", "command_to_stream_p99_ms")
CLIENTS, LINES = 8, 32
STEADY = 100
# Of what a service takes at the most, what it can be asked for at a steady rate.
SUSTAINED = 0.7
START: dict[str, Any] = {
    "occurred_on": "2026-05-01",
    "department": "Senior",
    "workplace_unit": "Plejecenter_Olivenhaven",
    "attendance_hours_per_week": "12.00",
    "effective_hours_per_week": "8.00",
    "grant_term": "permanent",
    "retention": False,
    "scheme": "post2013",
}
CHANGE = {
    "occurred_on": "2026-08-01",
    "attendance_hours_per_week": "14.00",
    "effective_hours_per_week": "10.00",
    "cause": "capacity_up",
}


@dataclass(frozen=True, slots=True)
class Command:
    """What is posted where."""

    path: str
    body: dict[str, Any]


def careers(number: int, chance: Random) -> Iterator[list[Command]]:
    """So many commands: each person starts in a flexjob and gets other hours later."""
    for _ in range(0, number, 2):
        placement = str(UUID(int=chance.getrandbits(128), version=4))
        start = START | {"placement_id": placement, "person_ref": placement}
        yield [Command("/v1/flexjobs", start), Command(f"/v1/flexjobs/{placement}/hours-changes", CHANGE)]


@dataclass(slots=True)
class Desk:
    """The pool's process, and callers at its doors."""

    servers: Servers
    stream: Stream
    callers: Sequence[Caller]
    keys: Iterator[int]

    async def as_fast_as_it_goes(self, lives: Iterator[list[Command]]) -> int:
        """Eight clients, each with one person after the other; how many events there are of it."""
        events = 0

        async def work(caller: Caller) -> None:
            nonlocal events
            for life in lives:
                for command in life:
                    taken = await caller.post(command.path, f"bench-{next(self.keys)}", command.body)
                    events += len(taken["event_ids"])

        await asyncio.gather(*(work(caller) for caller in self.callers[:CLIENTS]))
        return events

    async def steadily(self, commands: Sequence[Command], rate: float) -> dict[str, float]:
        """One command after the other at its time, whether or not others were answered; when each event's was due."""
        free, due = deque(self.callers), dict[str, float]()
        ready = asyncio.Semaphore(len(free))
        began = time()

        async def send(number: int, command: Command) -> None:
            at = began + number / rate
            await asyncio.sleep(max(0.0, at - time()))
            async with ready:
                caller = free.popleft()
                taken = await caller.post(command.path, f"bench-{next(self.keys)}", command.body)
                free.append(caller)
            due[taken["event_ids"][-1]] = at

        await asyncio.gather(*(send(number, command) for number, command in enumerate(commands)))
        return due

    async def last_sequence(self) -> int:
        """Where the stream ends."""
        return (await self.servers.jetstream.stream_info(self.stream.name)).state.last_seq


async def commanding(servers: Servers, sizes: Sizes, results: Results, told: Told, seed: int) -> None:
    """Rounds of both, on one service."""
    chance, stream = Random(seed), Stream(COMMANDED_OF, "flexjob_pool")  # noqa: S311 - a load, no secret
    async with desk(servers, stream) as at:
        for _ in range(sizes.rounds):
            with told.doing(f"{sizes.commands:,} commands, {CLIENTS} clients"):
                rate = await _fast(at, list(careers(sizes.commands, chance)))
            results.add("commands_per_s", rate)
            told.say(f"commands: {rate:,.0f}/s")
            if results.wants("command_to_stream_p99_ms"):
                steady = min(STEADY, round(SUSTAINED * rate, -1) or 1)
                with told.doing(f"commands at {steady:g}/s"):
                    waits = await _timed(at, list(careers(sizes.timed_commands, chance)), steady)
                results.add("command_to_stream_p99_ms", percentile(waits, 99))
                told.say(
                    f"commands at {steady:g}/s: p50 {percentile(waits, 50):.1f} ms, p99 {percentile(waits, 99):.1f} ms"
                )
                if steady < STEADY:
                    results.note(f"command_to_stream_p99_ms: at {steady:g} commands/s, the most it sustains here")


async def _fast(at: Desk, lives: list[list[Command]]) -> float:
    before, began = await at.last_sequence(), monotonic()
    events = await at.as_fast_as_it_goes(iter(lives))

    async def published() -> bool:
        return await at.last_sequence() - before >= events

    await until(published, seconds=60, message="the events do not reach the stream")
    return sum(map(len, lives)) / (monotonic() - began)


async def _timed(at: Desk, lives: list[list[Command]], rate: float) -> list[float]:
    """Milliseconds from when a command was due until its last event's timestamp at the broker."""
    before = await at.last_sequence()
    # All starts before all changes: at no moment does one wait for the other of the same person.
    commands = [life[turn] for turn in (0, 1) for life in lives]
    due = await at.steadily(commands, rate)
    stored: dict[str, float] = {}

    async def all_stored() -> bool:
        stored.update(await _stored(at, before))
        return due.keys() <= stored.keys()

    await until(all_stored, seconds=60, message="the events do not reach the stream")
    return [1000 * (stored[event] - at_time) for event, at_time in due.items()]


async def _stored(at: Desk, after: int) -> dict[str, float]:
    """When the broker stored each event after a sequence, by its id."""
    reader = await at.servers.jetstream.pull_subscribe(
        "", stream=at.stream.name, config=ConsumerConfig(ack_policy=AckPolicy.NONE)
    )
    end, reached, found = await at.last_sequence(), 0, dict[str, float]()
    while reached < end:
        for message in await reader.fetch(500, timeout=10):
            reached = message.metadata.sequence.stream
            if reached > after:
                found[json.loads(message.data)["id"]] = message.metadata.timestamp.timestamp()
    await reader.unsubscribe()
    return found


@asynccontextmanager
async def desk(servers: Servers, stream: Stream) -> AsyncIterator[Desk]:
    """Run the pool on a database of its own, with a token for its doors."""
    await servers.provide(stream.municipality)
    with servers.database(POOL) as dsn:
        token = await issued(dsn, stream.municipality, ("write:flexjob_pool", "read:flexjob_pool"))
        [port] = free_ports(1)
        named = {
            "DATABASE_URL": dsn,
            "NATS_URL": servers.bus.url,
            "PORT": str(port),
            "MUNICIPALITY": stream.municipality,
        }
        told = {f"FLEXJOB_POOL_{name}": value for name, value in named.items()} | {"CLOCK": servers.clock}
        log = servers.folder / "flexjob_pool.log"
        async with process([sys.executable, "-m", "flexjob_pool", "serve"], {**environ, **told}, log) as child:
            url = f"http://127.0.0.1:{port}"
            await until(partial(_ready, url, child), seconds=60, message="flexjob_pool is not ready")
            callers = [Caller(port, token) for _ in range(LINES)]
            try:
                yield Desk(servers, stream, callers, count())
            finally:
                for caller in callers:
                    caller.close()


async def _ready(url: str, child: Child) -> bool:
    if child.exit_code() is not None:
        raise RuntimeError(f"flexjob_pool ended; {end_of(child.log)}")
    with suppress(httpx.TransportError):
        async with httpx.AsyncClient() as client:
            return (await client.get(f"{url}/readyz")).is_success
    return False
