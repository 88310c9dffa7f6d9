"""Where towns come from: each on a fresh stack, one after the other, until its year is over or its books are wrong."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random

import httpx
import nats
from nats.aio.client import Client

from local.hall import Hall
from local.instances import SERVICES, free_ports_for
from local.plan.chance import DAYS
from local.plan.story import Year
from local.plan.towns import KOLDING
from local.plan.year import plan_year
from local.simulator import Office, set_clock
from local.stack import Stack, running_stack
from tests.faults.disk import disk_under
from tests.faults.fault import Fault, befall
from tests.faults.patience import ANSWER_SECONDS, Patient, PatientPipeline
from tests.faults.proxy import Proxy, proxy_to
from tests.faults.town import MUNICIPALITY, PLAIN, PRODUCERS, Ground, Town

HEARTBEAT_SECONDS = "0.5"
# A town with less of its year before it could run out of things to register under the next fault.
DAYS_NEEDED = 120


class Towns:
    """Opens a town when one is needed, in a folder of its own, and ends it when another is; `kills` counts in all."""

    def __init__(self, seed: str, *, people: int) -> None:
        self.kills = 0
        self._dice = Random(seed)  # noqa: S311 - repeatable towns, no secret
        self._people = people
        self._town: Town | None = None
        self._ground: Ground | None = None
        self._folder: Path | None = None
        self._running = AsyncExitStack()

    async def suffer(self, fault: Fault, *, seed: int) -> str | None:
        """Let a fault befall a town, as befall does; the folder of one that it left wrong is kept and named."""
        town = await self._one_on(fault.ground)
        before = town.kills
        try:
            return await befall(town, fault, seed=seed)
        except Exception as error:
            error.add_note(f"data and logs are kept in {self._folder}")
            await self.end(keep=True)
            raise
        finally:
            self.kills += town.kills - before

    async def end(self, *, keep: bool = False) -> None:
        """End the present town, if any, and remove its folder unless that is to be kept."""
        await self._running.aclose()
        if self._folder and not keep:
            await asyncio.to_thread(shutil.rmtree, self._folder)
        self._town = self._folder = None

    async def _one_on(self, ground: Ground) -> Town:
        """A town on such a ground with enough of its year before it."""
        if self._town is None or self._ground != ground or len(DAYS) - self._town.lived < DAYS_NEEDED:
            await self.end()
            self._folder = Path(tempfile.mkdtemp(prefix="kraftcenter-faults-"))
            opening = town(self._folder, seed=self._dice.randrange(10**6), people=self._people, ground=ground)
            self._town, self._ground = await self._running.enter_async_context(opening), ground
        return self._town


@asynccontextmanager
async def town(folder: Path, *, seed: int, people: int, ground: Ground = PLAIN) -> AsyncIterator[Town]:
    """A town on a fresh stack, on the morning of its first day."""
    clock, ports = folder / "clock", free_ports_for(SERVICES)
    async with AsyncExitStack() as opened:
        if ground.disk_megabytes:
            for name in ("nats", "postgres"):
                opened.enter_context(disk_under(folder / "stack" / name, megabytes=ground.disk_megabytes))
        far = ("nats", "postgres") if ground.proxied else ()
        network = {name: await opened.enter_async_context(proxy_to(ports[name])) for name in far}
        by_way_of = {name: proxy.port for name, proxy in network.items()}
        stack = await opened.enter_async_context(
            running_stack(folder / "stack", ports=ports, settings=first_day(clock), by_way_of=by_way_of)
        )
        year = plan_year(seed, KOLDING, people)
        yield await opened.enter_async_context(town_on(stack, year, clock=clock, network=network))


def first_day(clock: Path) -> dict[str, str]:
    """The variables of services with short heartbeats, whose calendar is a file: it says that it is the first day."""
    set_clock(clock, DAYS[0])
    beats = {f"{name.upper()}_HEARTBEAT_SECONDS": HEARTBEAT_SECONDS for name in PRODUCERS}
    return {"CLOCK": f"file:{clock}"} | beats


@asynccontextmanager
async def town_on(
    stack: Stack, year: Year, *, clock: Path, network: Mapping[str, Proxy] | None = None
) -> AsyncIterator[Town]:
    """A town on a stack that runs."""
    async with AsyncExitStack() as opened:
        bus = await _connected(stack.nats_url)
        opened.push_async_callback(bus.close)
        answers, doors = Counter[int](), {name: [stack.ports[name]] for name in SERVICES}
        callers = {name: Patient(answers, doors[name]) for name in SERVICES}
        hall = await _hall(stack, year, bus, callers, opened)
        yield Town(stack, hall, clock, bus, network or {}, answers, doors)


async def _hall(stack: Stack, year: Year, bus: Client, callers: Mapping[str, Patient], opened: AsyncExitStack) -> Hall:
    pool, gateway, impact = [
        await opened.enter_async_context(
            httpx.AsyncClient(
                base_url=stack.url_of(name),
                headers={"Authorization": f"Bearer {stack.token}"},
                timeout=ANSWER_SECONDS,
                transport=callers[name],
            )
        )
        for name in ("flexjob_pool", "gateway", "impact")
    ]
    pipeline = PatientPipeline(MUNICIPALITY, pool=pool, gateway=gateway, jetstream=bus.jetstream(timeout=2))
    return Hall(Office(year, pool, gateway, pipeline), impact)


async def _connected(url: str) -> Client:
    async def expected(_: Exception) -> None:
        """To lose the bus is what happens here."""

    return await nats.connect(url, max_reconnect_attempts=-1, reconnect_time_wait=0.2, error_cb=expected)
