"""Two versions of a service at once, on one database: the newer one joins, goes on alone, and makes way again."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from random import Random

import asyncpg
import httpx

from local.processes import LOOPBACK, free_ports
from local.supervisor import Service
from local.waiting import until
from tests.faults.fault import Fault
from tests.faults.patience import PATIENCE_SECONDS
from tests.faults.town import PRODUCERS, Town

GROUP = "versions"
NEWER = "99.0.0"
FIRST_MIGRATION = 9000
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'migration'
ORDER BY relname
"""


def beside(name: str) -> Fault:
    """A newer version of a service beside the one that runs, then alone, and then the older one alone again."""

    async def act(town: Town, dice: Random) -> None:
        await town.registered(dice.randint(5, 25))
        await make_way(town, dice, name, _newer(town, name))

    return Fault(
        f"two versions of {name} at once",
        f"a copy of {name} of a newer version, whose migrations give every table one column more, joins the running "
        "one under load, and requests go to both by turns; the older one is stopped; then it is started again on the "
        "newer tables, and the newer one is stopped",
        "both serve both tables, one relay publishes at a time, nothing is parked or lost, and the way back is open",
        act,
        GROUP,
    )


async def make_way(town: Town, dice: Random, name: str, newer: AbstractAsyncContextManager[int]) -> None:
    """Under load a newer version at a port of its own takes over from a service, which then takes over again."""
    older = town.stack.ports[name]
    async with newer as port:
        town.doors[name][:] = [older, port]
        await town.registered(dice.randint(40, 80))
        if name in PRODUCERS:
            assert await _relays_at(older, port) == 1, "not exactly one of them publishes"
        town.doors[name][:] = [port]
        await asyncio.to_thread(town.stack.services[name].stop)
        await town.registered(dice.randint(40, 80))
        await town.hall.office.pipeline.counted()
        await town.start(name)
        town.doors[name][:] = [port, older]
        await town.registered(dice.randint(5, 25))
        town.doors[name][:] = [older]
    await town.registered(dice.randint(40, 80))


@asynccontextmanager
async def _newer(town: Town, name: str) -> AsyncIterator[int]:
    """The port of a copy of a service that is a newer version."""
    folder = town.stack.folder / f"{name}_newer"
    _copy(name, folder, await _tables_of(town, name))
    command = town.stack.services[name].command
    async with joined(town, name, command=command, version=NEWER, env={"PYTHONPATH": str(folder)}) as port:
        yield port


@asynccontextmanager
async def joined(
    town: Town, name: str, *, command: Sequence[str], version: str, env: Mapping[str, str] | None = None
) -> AsyncIterator[int]:
    """The port of another version of a service, which has migrated the database and is ready."""
    running, (port,) = town.stack.services[name], free_ports(1)
    other = {f"{name.upper()}_PORT": str(port), **(env or {})}
    service = Service(
        f"{name}_{version}",
        command=command,
        prepare=_nothing,
        env={**running.env, **other},
        owner_env=running.owner_env and {**running.owner_env, **other},
        folder=town.stack.folder,
    )
    await service.start()
    try:
        await until(lambda: version_at(port), seconds=PATIENCE_SECONDS, message="the other version is not ready")
        assert await version_at(port) == version
        yield port
    finally:
        await asyncio.to_thread(service.stop)


def _copy(name: str, folder: Path, tables: list[str]) -> None:
    """A copy of the service that is another version, with a migration more for each table."""
    found = find_spec(name)
    assert found, f"{name} is not installed"
    assert found.origin, f"{name} is no package of files"
    shutil.copytree(Path(found.origin).parent, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for number, table in enumerate(tables, FIRST_MIGRATION):
        migration = folder / name / "migrations" / f"{number}_newer_{table}.sql"
        migration.write_text(f"ALTER TABLE {table} ADD COLUMN newer text DEFAULT 'newer';\n")
    metadata = folder / f"kraftcenter_{name}-{NEWER}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.4\nName: kraftcenter-{name.replace('_', '-')}\nVersion: {NEWER}\n")


async def _tables_of(town: Town, name: str) -> list[str]:
    db = await asyncpg.connect(town.stack.database_urls[name])
    try:
        return [row["relname"] for row in await db.fetch(TABLES)]
    finally:
        await db.close()


async def version_at(port: int) -> str | None:
    """The version that answers at a port once it is ready."""
    async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}") as client:
        try:
            ready = await client.get("/readyz")
            told = await client.get("/openapi.json")
        except httpx.TransportError:
            return None
    return str(told.json()["info"]["version"]) if ready.is_success else None


async def _relays_at(*ports: int) -> float:
    """How many of these processes say that they publish."""
    active = 0.0
    for port in ports:
        async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}") as client:
            told = (await client.get("/metrics")).raise_for_status().text.splitlines()
        active += sum(float(line.split()[1]) for line in told if line.startswith("relay_active "))
    return active


async def _nothing() -> None:
    """Streams are there already."""


FAULTS = tuple(beside(name) for name in ("flexjob_pool", "gateway", "impact"))
