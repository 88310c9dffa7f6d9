"""The whole local stack in one folder: PostgreSQL, NATS, and every service as a process of its own."""

import asyncio
import fcntl
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx

from chassis import tokens
from chassis.bus import BusUnreachable, short_job
from chassis.calendar import calendar_of
from chassis.provision import ACK_WAIT_SECONDS, ConsumerUnfit, provision
from chassis.settings import SettingsRefused
from local.instances import MUNICIPALITY, SERVICES, Instance, free_ports_for, instances_of
from local.nats import GivenNats, NatsServer, NoNatsServer, nats_for
from local.postgres import NoPostgres, OwnPostgres, Postgres, RootRefused, postgres_for
from local.processes import LOOPBACK, PortTaken, StartFailed, end_of, kraftcenter, require_free
from local.supervisor import Service, supervised
from local.waiting import until

TOKEN_OF = "local"  # noqa: S105 - the name of whoever holds it
GATEWAY, PAYROLL = "gateway", "sd_loen"
PAYROLL_TYPES = ("payroll.working_time_changed.v1", "payroll.employment_ended.v1")
SCOPES = ("figures:exact", "ledger", "admin")
# With a server of our own nothing is on its way for longer: what is not acknowledged by then has crashed.
OWN_ACK_WAIT_SECONDS = 2
READY_SECONDS = 60
# A local calendar may be moved by hand: what falls due on the new day is called for at once.
SWEEP_SECONDS = "0.02"


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
    """A running stack: its parts, by instance, and for each municipality a token that may do everything there."""

    folder: Path
    postgres: Postgres
    nats: NatsServer | GivenNats
    instances: Sequence[Instance]
    services: Mapping[str, Service]
    database_urls: Mapping[str, str]
    ports: Mapping[str, int]
    tokens: Mapping[str, str]

    @property
    def token(self) -> str:
        """The token of the first municipality."""
        return next(iter(self.tokens.values()))

    @property
    def nats_url(self) -> str:
        """Where NATS answers."""
        return self.nats.url

    def url_of(self, service: str, municipality: str | None = None) -> str:
        """Where the HTTP door of a service answers: the first instance, or the one of a municipality."""
        for instance in self.instances:
            if instance.service == service and (municipality is None or municipality in instance.municipalities):
                return f"http://{LOOPBACK}:{self.ports[instance.name]}"
        raise KeyError(service)

    async def until_ready(self) -> None:
        """Return when every service, crashed or not, is ready again; StartFailed with the end of its log after 60 s."""
        for name, service in self.services.items():
            await _until_ready(service, f"http://{LOOPBACK}:{self.ports[name]}", may_crash=True)


@asynccontextmanager
async def running_stack(  # noqa: PLR0913 - what a stack may be told
    folder: Path,
    *,
    services: Sequence[str] = SERVICES,
    municipalities: Sequence[str] = (MUNICIPALITY,),
    ports: Mapping[str, int] | None = None,
    lasting: bool = False,
    settings: Mapping[str, str] | None = None,
    kept_tokens: Mapping[str, str] | None = None,
    by_way_of: Mapping[str, int] | None = None,
) -> AsyncIterator[Stack]:
    """Start a stack in the folder, or go on with what the folder holds; it is ready inside the block and ends with it.

    The `lasting` one of this machine uses a given DATABASE_URL and NATS_URL. Any other is one of many, with a NATS of
    its own; what it puts into a given PostgreSQL is removed again. `ports` are as in known_ports, free ones if none are
    given. `settings` are variables for every service, as CLOCK; `kept_tokens`, by municipality, are those of the last
    time; `by_way_of` are other loopback ports at which services reach `postgres` and `nats`. Raises one of REFUSALS.
    """
    settings = dict(settings or {})
    given = {code: (kept_tokens or {}).get(code) or f"kc_{secrets.token_urlsafe(32)}" for code in municipalities}
    instances = instances_of(services, municipalities)
    at = ports or free_ports_for(services, municipalities)
    async with AsyncExitStack() as running:
        running.enter_context(_alone_in(folder))
        postgres = postgres_for(folder / "postgres", port=at["postgres"], lasting=lasting)
        bus = (nats_for if lasting else NatsServer)(folder / "nats", port=at["nats"], monitor_port=at["nats_monitor"])
        own = [server for server in (postgres, bus) if isinstance(server, OwnPostgres | NatsServer)]
        needed = {instance.name: at[instance.name] for instance in instances}
        for mine in own:
            mine.wait_for_predecessor()
            needed |= mine.ports
        require_free(needed)
        for server in (postgres, bus):
            running.callback(server.stop)
            server.start()
        names = [instance.name for instance in instances]
        databases = running.enter_context(_databases(postgres, names, shared=not (lasting or postgres in own)))
        ways = by_way_of or {}
        nats_url = _by_way_of(bus.url, ways.get("nats"))
        reached = {name: _by_way_of(dsn, ways.get("postgres")) for name, dsn in databases.items()}
        told = {one.name: _environment(one, reached[one.name], nats_url, at[one.name]) | settings for one in instances}
        processes = {one.name: _service(one, folder, bus, told[one.name]) for one in instances}
        for process in processes.values():
            # What a service still has to say on its way out may pass through whoever called for the stack.
            running.push_async_callback(asyncio.to_thread, process.stop)
        await _all(process.start() for process in processes.values())
        clock = settings.get("CLOCK", "system")
        await _all(issue_tokens(one, databases[one.name], given, services, clock) for one in instances)
        await _all(register_payroll(one, databases[one.name]) for one in instances if one.service == GATEWAY)
        stack = Stack(folder, postgres, bus, instances, processes, databases, at, given)
        # What does not survive its first start is wrong, not unlucky: it is told, and not tried again.
        for name, process in processes.items():
            await _until_ready(process, f"http://{LOOPBACK}:{at[name]}", may_crash=False)
        await running.enter_async_context(supervised([*own, *processes.values()]))
        yield stack


async def _all(starting: Iterable[Coroutine[None, None, None]]) -> None:
    """Do it all side by side; the first failure is raised once all are over."""
    for outcome in await asyncio.gather(*starting, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


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
def _databases(postgres: Postgres, names: Sequence[str], *, shared: bool) -> Iterator[dict[str, str]]:
    """A database for each instance; on a server shared with other stacks under a name of its own, and only for now."""
    suffix = f"_{secrets.token_hex(4)}" if shared else ""
    try:
        databases = {name: postgres.provide(f"{name}{suffix}") for name in names}
    except asyncpg.PostgresError as error:
        raise StartFailed(
            f"PostgreSQL makes no database for the services, is DATABASE_URL a superuser's? {error}"
        ) from None
    try:
        yield databases
    finally:
        for dsn in databases.values() if shared else ():
            postgres.remove(dsn)


def _by_way_of(url: str, port: int | None) -> str:
    """The URL, at another port of this machine if one is given."""
    parts = urlsplit(url)
    who, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{who}{at}{LOOPBACK}:{port}").geturl() if port else url


def _environment(instance: Instance, database_url: str, nats_url: str, port: int) -> dict[str, str]:
    told = {
        "DATABASE_URL": database_url,
        "NATS_URL": nats_url,
        "PORT": str(port),
        "MUNICIPALITY": instance.municipalities[0],
        "MUNICIPALITIES": ",".join(instance.municipalities),
        "SWEEP_SECONDS": SWEEP_SECONDS,
    }
    return {f"{instance.service.upper()}_{name}": value for name, value in told.items()}


def _service(instance: Instance, folder: Path, bus: NatsServer | GivenNats, told: Mapping[str, str]) -> Service:
    return Service(
        instance.name,
        command=(sys.executable, "-m", instance.service),
        prepare=partial(_provision, bus, instance.municipalities),
        env={**os.environ, **told},
        folder=folder,
    )


async def issue_tokens(
    instance: Instance, database_url: str, given: Mapping[str, str], services: Sequence[str], clock: str
) -> None:
    """Make an instance know the token of each municipality that it serves, with every scope."""
    scopes = [*(f"{verb}:{service}" for verb in ("read", "write") for service in services), *SCOPES]
    now = calendar_of(clock).now()
    db = await asyncpg.connect(database_url)
    try:
        for code in instance.municipalities:
            await tokens.issue(db, name=TOKEN_OF, municipality=code, scopes=scopes, now=now, token=given[code])
    finally:
        await db.close()


async def register_payroll(instance: Instance, database_url: str) -> None:
    """Let the payroll system send to the gateway what the contracts have of payroll, with the municipality's token."""
    types = [f"--type={name}" for name in PAYROLL_TYPES]
    (code,) = instance.municipalities
    command = ("sources", "add", PAYROLL, *types, f"--token-name={TOKEN_OF}", f"--municipality={code}")
    env = {**os.environ, "GATEWAY_DATABASE_URL": database_url}
    process = await asyncio.create_subprocess_exec(
        kraftcenter(), *command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    _, told = await process.communicate()
    if process.returncode:
        raise StartFailed(f"the gateway does not take {PAYROLL} for a source: {told.decode().strip()}")


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


async def _provision(bus: NatsServer | GivenNats, municipalities: Sequence[str]) -> None:
    ack_wait = OWN_ACK_WAIT_SECONDS if isinstance(bus, NatsServer) else ACK_WAIT_SECONDS
    async with short_job(bus.url) as jetstream:
        for municipality in municipalities:
            await provision(jetstream, municipality, ack_wait_seconds=ack_wait)
