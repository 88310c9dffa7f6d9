"""The servers that everything is measured on: own, fresh, and lasting, so that each write reaches the disk first."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import nats
import psutil
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig

from chassis import tokens
from chassis.calendar import SystemCalendar
from chassis.migrate import HTTP, INBOX, OUTBOX, Component, component_of, migrate
from chassis.provision import provision
from local.nats import NatsServer
from local.postgres import OwnPostgres, run_apart
from local.processes import Child, end_of, free_ports, tethered
from local.waiting import until

# After all that a year tells, so that no date is absurd.
NOW = "2027-12-01T08:00:00Z"
IMPACT = (HTTP, component_of("impact"))
POOL = (HTTP, OUTBOX, INBOX, component_of("flexjob_pool"))
READY_SECONDS = 60
FAR_AHEAD = timedelta(days=1)


@dataclass(slots=True)
class Servers:
    """PostgreSQL and NATS of a run, in a folder that goes with it."""

    folder: Path
    postgres: OwnPostgres
    bus: NatsServer
    nc: Client
    templates: dict[tuple[Component, ...], str] = field(default_factory=dict)

    @property
    def jetstream(self) -> JetStreamContext:
        """JetStream, on the connection of whoever measures."""
        return self.nc.jetstream(timeout=30)

    @property
    def clock(self) -> str:
        """What CLOCK says to every process."""
        return f"file:{self.folder / 'clock'}"

    @contextmanager
    def database(self, components: tuple[Component, ...] = IMPACT) -> Iterator[str]:
        """The DSN of a fresh database with the tables of a service, dropped at the end."""
        if components not in self.templates:
            made = self.postgres.create_database()
            run_apart(migrate(made, components, clock=SystemCalendar()))
            self.templates[components] = made
        dsn = self.postgres.copy_of(self.templates[components])
        # What the copy left to be written belongs to nobody's measurement.
        self.postgres.execute("CHECKPOINT")
        try:
            yield dsn
        finally:
            self.postgres.drop_database(dsn)

    async def provide(self, municipality: str) -> None:
        """Make the streams of a municipality, and their consumers."""
        await provision(self.jetstream, municipality)

    async def held(self, stream: str, config: ConsumerConfig, *, pause: bool) -> None:
        """Make a consumer anew that delivers nothing until it is let go: it pauses, or begins at the stream's end."""
        name = config.durable_name
        assert name
        if name in {each.name for each in await self.jetstream.consumers_info(stream)}:
            await self.jetstream.delete_consumer(stream, name)
        until = (datetime.now(UTC) + FAR_AHEAD).isoformat() if pause else None
        await self.jetstream.add_consumer(stream, config.evolve(pause_until=until))
        if not pause:
            end = (await self.jetstream.stream_info(stream)).state.last_seq
            await self.jetstream.reset_consumer(stream, name, end + 1)

    async def let_go(self, stream: str, durable: str, first: int) -> None:
        """Have a held consumer deliver, from the message `first` on."""
        await self.jetstream.resume_consumer(stream, durable)
        # Who waits already is not told that the pause is over; a reset tells.
        await self.jetstream.reset_consumer(stream, durable, first)

    @property
    def processes(self) -> dict[str, int]:
        """The process ids of the servers, by name."""
        return {"postgres": self.postgres.pid or 0, "nats": self.bus.pid or 0}


@asynccontextmanager
async def running_servers(*, lasting: bool = True) -> AsyncIterator[Servers]:
    """Start both; they and all that they hold are gone at the end. Nothing is measured on those that do not last."""
    folder = Path(tempfile.mkdtemp(prefix="kraftcenter-bench-"))
    (folder / "clock").write_text(f"{NOW}\n", encoding="utf-8")
    ports = free_ports(3)
    postgres = OwnPostgres(folder / "postgres", port=ports[0], lasting=lasting)
    bus = NatsServer(folder / "nats", port=ports[1], monitor_port=ports[2], lasting=lasting)
    try:
        postgres.start()
        bus.start()
        nc = await nats.connect(bus.url)
        try:
            yield Servers(folder, postgres, bus, nc)
        finally:
            await nc.close()
    finally:
        bus.stop()
        postgres.stop()
    # What went wrong can be looked into: the folder goes only after a good end.
    shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def process(argv: Sequence[str], env: Mapping[str, str], log: Path) -> AsyncIterator[Child]:
    """A process of ours while the block runs."""
    child = Child(tethered(argv, last_signal="KILL"), log, env=env)
    try:
        yield child
    finally:
        child.stop()


async def until_it_waits(servers: Servers, stream: str, durable: str, child: Child) -> None:
    """Return once somebody waits for what the consumer delivers. Raises RuntimeError with the log when it ends."""

    async def waits() -> bool:
        if child.exit_code() is not None:
            raise RuntimeError(f"{durable} ended; {end_of(child.log)}")
        info = await servers.jetstream.consumer_info(stream, durable)
        return bool(info.num_waiting or info.push_bound)

    await until(waits, seconds=READY_SECONDS, message=f"nobody waits for {durable} of {stream}")


async def issued(dsn: str, municipality: str, scopes: Sequence[str]) -> str:
    """A token of a service's database that may do so much."""
    db = await asyncpg.connect(dsn)
    try:
        now = datetime.now(UTC)
        return await tokens.issue(db, name="bench", municipality=municipality, scopes=scopes, now=now)
    finally:
        await db.close()


def cpu_seconds(pid: int) -> float:
    """What a process and all its descendants have spent, those that ended among them."""
    family = psutil.Process(pid)
    spent = 0.0
    for member in (family, *family.children(recursive=True)):
        try:
            spent += sum(member.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return spent


def peak_mb(pid: int) -> float:
    """The most memory that a process ever had resident (VmHWM), in MB of 1,000,000 bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(kilobytes) * 1024 / 1e6
