"""Two versions of a service at once, on one database: the newer one joins, goes on alone, and makes way again."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from random import Random
from runpy import run_path

import asyncpg
import httpx

from local.processes import LOOPBACK, free_ports
from local.supervisor import Service
from local.waiting import until
from tests.faults.books import Check, same
from tests.faults.fault import Fault
from tests.faults.patience import PATIENCE_SECONDS
from tests.faults.town import MUNICIPALITY, PRODUCERS, Town

GROUP = "versions"
NEWER = "99.0.0"
FIRST_MIGRATION = 9000
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'migration'
ORDER BY relname
"""


@dataclass(frozen=True, slots=True)
class Older:
    """How the program of an older version differs: constants of a module, as a file of its tests has them.

    `lags` asks its database whether it was an older one that wrote last.
    """

    said: str
    module: str
    file: Path
    constants: Sequence[str]
    lags: str


OLDER = {
    "impact": Older(
        "the older one counts no days, as before migration 0007: it moves the lane and leaves `counted_day` as it was; "
        "in the end the program of today runs again, and counts them",
        "store/ledger.py",
        Path(__file__).parents[2] / "services/impact/tests/conservation/older.py",
        ("LOCK_LANE", "SET_OUTCOMES", "MOVE_LANE"),
        "SELECT days_upto <> position FROM lane",
    )
}


def beside(name: str) -> Fault:
    """A newer version of a service beside the one that runs, then alone, and then the older one alone again."""

    async def act(town: Town, dice: Random) -> None:
        async with _older(town, name):
            await town.registered(dice.randint(5, 25))
            await _wrote_last(town, name, newer=False)
            async with _newer(town, name) as port:
                await _wrote_last(town, name, newer=True)
                await _wrote_last(town, name, newer=False)
                await makes_way(town, dice, name, port)
                await _wrote_last(town, name, newer=True)
                await comes_back(town, dice, name, port)
            await town.registered(dice.randint(40, 80))
            await _wrote_last(town, name, newer=False)
        await town.registered(dice.randint(5, 25))
        await _wrote_last(town, name, newer=True)

    return Fault(
        f"two versions of {name} at once",
        f"a copy of {name} of a newer version, whose migrations give every table one column more, joins the running "
        "one under load, and requests go to both by turns; the older one is stopped; then it is started again on the "
        f"newer tables, and the newer one is stopped; {_difference(name)}",
        f"both serve both tables, {_shared(name)}, nothing is parked or lost, and the way back is open",
        act,
        GROUP,
    )


async def makes_way(town: Town, dice: Random, name: str, port: int) -> None:
    """Under load another version, at a port of its own, works beside a service and then in its place."""
    older = town.stack.ports[name]
    town.doors[name][:] = [older, port]
    await town.registered(dice.randint(40, 80))
    await _both_answer(town, name)
    if name in PRODUCERS:
        await one_relay_publishes(name, town)
    town.doors[name][:] = [port]
    await asyncio.to_thread(town.stack.services[name].stop)
    await town.registered(dice.randint(40, 80))
    await town.hall.office.pipeline.counted()


async def comes_back(town: Town, dice: Random, name: str, port: int) -> None:
    """Under load the service works again, beside the other version, which then gets no more requests."""
    older = town.stack.ports[name]
    await town.start(name)
    town.doors[name][:] = [port, older]
    await town.registered(dice.randint(5, 25))
    await _both_answer(town, name)
    town.doors[name][:] = [older]


async def _both_answer(town: Town, name: str) -> None:
    """Of impact, which nobody asks while the town registers, figures and account are asked at each of its doors."""
    if name != "impact":
        return
    for path in ("/v1/figures", "/v1/ledger/balance"):
        ask = partial(_is_answered_at_each_door, town, path, set())
        await until(ask, seconds=PATIENCE_SECONDS, message=f"not each of them answers {path}")


async def _is_answered_at_each_door(town: Town, path: str, answered: set[int | None]) -> bool:
    answer = await town.hall.impact.get(path, params={"municipality": MUNICIPALITY})
    answered.add(answer.raise_for_status().request.url.port)
    return answered == {*town.doors["impact"]}


def _shared(name: str) -> str:
    return "one relay publishes at a time" if name in PRODUCERS else "both take batches and answer for figures"


def _difference(name: str) -> str:
    return OLDER[name].said if name in OLDER else "their programs are the same"


@asynccontextmanager
async def _older(town: Town, name: str) -> AsyncIterator[None]:
    """Meanwhile the service of the town runs as its older version, if one is known."""
    if name not in OLDER:
        yield
        return
    older, folder = OLDER[name], town.stack.folder / f"{name}_older"
    was = run_path(str(older.file))
    with (_copy(name, folder) / older.module).open("a", encoding="utf-8") as module:
        module.writelines(f"{constant} = {was[constant]!r}\n" for constant in older.constants)
    async with town.with_variables(name, {"PYTHONPATH": str(folder)}):
        yield


async def _wrote_last(town: Town, name: str, *, newer: bool) -> None:
    """Return once the database shows which of them it was, where they differ: they were there, and took turns."""
    if older := OLDER.get(name):
        who = "newer" if newer else "older"
        db = await asyncpg.connect(town.stack.database_urls[name])
        try:

            async def shown() -> bool:
                return bool(await db.fetchval(older.lags)) is not newer

            await until(shown, seconds=PATIENCE_SECONDS, message=f"it was not the {who} one that wrote")
        finally:
            await db.close()


@asynccontextmanager
async def _newer(town: Town, name: str) -> AsyncIterator[int]:
    """The port of a copy of a service that is a newer version."""
    folder = town.stack.folder / f"{name}_newer"
    _renew(name, folder, await _tables_of(town, name))
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
        assert (found := await version_at(port)) == version, f"{found} answers, not {version}"
        yield port
    finally:
        await asyncio.to_thread(service.stop)


def _renew(name: str, folder: Path, tables: list[str]) -> None:
    """A copy of the service that is another version, with a migration more for each table."""
    package = _copy(name, folder)
    for number, table in enumerate(tables, FIRST_MIGRATION):
        migration = package / "migrations" / f"{number}_newer_{table}.sql"
        migration.write_text(f"ALTER TABLE {table} ADD COLUMN newer text DEFAULT 'newer';\n")
    metadata = folder / f"kraftcenter_{name}-{NEWER}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.4\nName: kraftcenter-{name.replace('_', '-')}\nVersion: {NEWER}\n")


def _copy(name: str, folder: Path) -> Path:
    """Copy the program of a service into a folder, and say where it is there."""
    found = find_spec(name)
    assert found, f"{name} is not installed"
    assert found.origin, f"{name} is no package of files"
    copied: Path = shutil.copytree(
        Path(found.origin).parent, folder / name, ignore=shutil.ignore_patterns("__pycache__")
    )
    return copied


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


async def one_relay_publishes(name: str, town: Town) -> None:
    """Of all processes of a service, exactly one says that it publishes. Raises Wrong."""
    active = 0.0
    for port in [*town.doors[name]]:
        async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}") as client:
            told = (await client.get("/metrics")).raise_for_status().text.splitlines()
        active += sum(float(line.split()[1]) for line in told if line.startswith("relay_active{"))
    same(Check.RELAYS, 1, active, of=name)


async def _nothing() -> None:
    """Streams are there already."""


FAULTS = tuple(beside(name) for name in ("flexjob_pool", "gateway", "impact"))
