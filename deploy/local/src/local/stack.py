"""The whole local stack in one folder: PostgreSQL, NATS, and every service as a process of its own."""

import fcntl
import os
import secrets
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg
import httpx

from chassis import tokens
from chassis.bus import BusUnreachable, short_job
from chassis.calendar import calendar_of
from chassis.provision import ACK_WAIT_SECONDS, ConsumerUnfit, provision
from chassis.settings import SettingsRefused
from local.nats import GivenNats, NatsServer, NoNatsServer, nats_for
from local.postgres import NoPostgres, OwnPostgres, Postgres, RootRefused, postgres_for
from local.processes import LOOPBACK, PortTaken, StartFailed, end_of, free_ports, require_free
from local.supervisor import Service, supervised
from local.waiting import until

MUNICIPALITY = "621"
SERVICES = ("flexjob_pool", "impact")
KNOWN_PORTS = {"postgres": 8654, "nats": 8642, "nats_monitor": 8643, "flexjob_pool": 8602, "impact": 8604}
SCOPES = ("figures:exact", "ledger", "admin")
# With a server of our own nothing is on its way for longer: what is not acknowledged by then has crashed.
OWN_ACK_WAIT_SECONDS = 2
READY_SECONDS = 60


class FolderInUse(Exception):
    """Another stack runs in the folder."""


REFUSALS = (
    BusUnreachable,
    ConsumerUnfit,
    FolderInUse,
    NoNatsServer,
    NoPostgres,
    PortTaken,
    RootRefused,
    SettingsRefused,
    StartFailed,
)
"""What keeps a stack from starting, in words for whoever started it."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack: its parts, and a token that may do everything."""

    folder: Path
    postgres: Postgres
    nats: NatsServer | GivenNats
    services: Mapping[str, Service]
    database_urls: Mapping[str, str]
    ports: Mapping[str, int]
    token: str

    @property
    def nats_url(self) -> str:
        """Where NATS answers."""
        return self.nats.url

    def url_of(self, service: str) -> str:
        """Where the HTTP door of a service answers."""
        return f"http://{LOOPBACK}:{self.ports[service]}"

    async def until_ready(self) -> None:
        """Return when every service, crashed or not, is ready again; StartFailed with the end of its log after 60 s."""
        for service in self.services.values():
            await _until_ready(service, self.url_of(service.name), may_crash=True)


@asynccontextmanager
async def running_stack(
    folder: Path,
    *,
    services: Sequence[str] = SERVICES,
    ports: Mapping[str, int] | None = None,
    settings: Mapping[str, str] | None = None,
    token: str | None = None,
) -> AsyncIterator[Stack]:
    """Start a stack in the folder, or go on with what the folder holds; it is ready inside the block and ends with it.

    With `ports` (as KNOWN_PORTS) it is the one that lasts on this machine, and uses a given DATABASE_URL and NATS_URL.
    Without, it is one of many, on free ports and with a NATS of its own; what it puts into a given PostgreSQL is
    removed again. `settings` are variables for every service, as CLOCK. Raises one of REFUSALS.
    """
    settings = dict(settings or {})
    token = token or f"kc_{secrets.token_urlsafe(32)}"
    at = ports or free_ports_for(services)
    async with AsyncExitStack() as running:
        running.enter_context(_alone_in(folder))
        postgres = postgres_for(folder / "postgres", port=at["postgres"])
        bus = (nats_for if ports else NatsServer)(folder / "nats", port=at["nats"], monitor_port=at["nats_monitor"])
        own = [server for server in (postgres, bus) if isinstance(server, OwnPostgres | NatsServer)]
        needed = {name: at[name] for name in services}
        for mine in own:
            mine.wait_for_predecessor()
            needed |= mine.ports
        require_free(needed)
        for server in (postgres, bus):
            running.callback(server.stop)
            server.start()
        databases = running.enter_context(_databases(postgres, services, shared=not (ports or postgres in own)))
        told = {name: _environment(name, databases[name], bus.url, at[name]) | settings for name in services}
        processes = {name: _service(name, folder, bus, told[name]) for name in services}
        for process in processes.values():
            running.callback(process.stop)
            await process.start()
        await _issue_token(token, databases, settings.get("CLOCK", "system"))
        stack = Stack(folder, postgres, bus, processes, databases, at, token)
        # What does not survive its first start is wrong, not unlucky: it is told, and not tried again.
        for name, process in processes.items():
            await _until_ready(process, stack.url_of(name), may_crash=False)
        await running.enter_async_context(supervised([*own, *processes.values()]))
        yield stack


def free_ports_for(services: Sequence[str]) -> dict[str, int]:
    """Free ports by name, as in KNOWN_PORTS."""
    names = ("postgres", "nats", "nats_monitor", *services)
    return dict(zip(names, free_ports(len(names)), strict=True))


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse(f"another stack runs in {folder}") from None
        yield


@contextmanager
def _databases(postgres: Postgres, services: Sequence[str], *, shared: bool) -> Iterator[dict[str, str]]:
    """A database for each service; on a server shared with other stacks under a name of its own, and only for now."""
    suffix = f"_{secrets.token_hex(4)}" if shared else ""
    try:
        databases = {name: postgres.provide(f"{name}{suffix}") for name in services}
    except asyncpg.PostgresError as error:
        raise StartFailed(
            f"PostgreSQL makes no database for the services, is DATABASE_URL a superuser's? {error}"
        ) from None
    try:
        yield databases
    finally:
        for dsn in databases.values() if shared else ():
            postgres.remove(dsn)


def _environment(service: str, database_url: str, nats_url: str, port: int) -> dict[str, str]:
    told = {"DATABASE_URL": database_url, "NATS_URL": nats_url, "PORT": str(port), "MUNICIPALITY": MUNICIPALITY}
    return {f"{service.upper()}_{name}": value for name, value in told.items()}


def _service(name: str, folder: Path, bus: NatsServer | GivenNats, told: Mapping[str, str]) -> Service:
    return Service(
        name,
        command=(sys.executable, "-m", name),
        prepare=partial(_provision, bus),
        env={**os.environ, **told},
        folder=folder,
    )


async def _issue_token(token: str, databases: Mapping[str, str], clock: str) -> None:
    """Make every service know the token, with every scope."""
    scopes = [*(f"{verb}:{service}" for verb in ("read", "write") for service in databases), *SCOPES]
    now = calendar_of(clock).now()
    for dsn in databases.values():
        db = await asyncpg.connect(dsn)
        try:
            await tokens.issue(db, name="local", municipality=MUNICIPALITY, scopes=scopes, now=now, token=token)
        finally:
            await db.close()


async def _until_ready(service: Service, url: str, *, may_crash: bool) -> None:
    async def ready() -> bool:
        if service.crashed() and not may_crash:
            raise StartFailed(f"{service.name} ended; {end_of(service.log_file)}")
        try:
            return (await client.get("/readyz")).is_success
        except httpx.TransportError:
            return False

    async with httpx.AsyncClient(base_url=url) as client:
        try:
            await until(ready, seconds=READY_SECONDS, message=f"{service.name} is not ready")
        except TimeoutError as silence:
            raise StartFailed(f"{silence}; {end_of(service.log_file)}") from silence


async def _provision(bus: NatsServer | GivenNats) -> None:
    ack_wait = OWN_ACK_WAIT_SECONDS if isinstance(bus, NatsServer) else ACK_WAIT_SECONDS
    async with short_job(bus.url) as jetstream:
        await provision(jetstream, MUNICIPALITY, ack_wait_seconds=ack_wait)
