"""Databases that are restored from an older backup."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from random import Random
from urllib.parse import urlsplit

import asyncpg

from local.actions.payroll import Message
from local.plan.chance import DAYS
from local.postgres import OwnPostgres
from local.processes import kraftcenter
from local.waiting import until
from tests.faults.books import Check, answered, named
from tests.faults.fault import Fault
from tests.faults.patience import PATIENCE_SECONDS
from tests.faults.town import Town
from tests.faults.words import Words

GROUP = "restores"
ENOUGH_TO_TELL = 3
HEARTBEAT = "%.service.heartbeat.%"


class Backups:
    """Copies of one service's database, beside it on the same server."""

    def __init__(self, town: Town, service: str) -> None:
        assert isinstance(town.stack.postgres, OwnPostgres)
        self._server = town.stack.postgres
        self._name = urlsplit(town.stack.database_urls[service]).path.removeprefix("/")

    async def take(self, suffix: str) -> str:
        """Copy the database as it is; whoever is connected is thrown out for that."""
        backup = f"{self._name}_{suffix}"
        await self._do(
            f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self._name}'",  # noqa: S608
            f"CREATE DATABASE {backup} TEMPLATE {self._name} OWNER {self._name}",
            f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true",
        )
        return backup

    async def put_back(self, backup: str) -> None:
        """Have the database be what the backup is."""
        await self._do(
            f"DROP DATABASE {self._name} WITH (FORCE)",
            f"ALTER DATABASE {backup} RENAME TO {self._name}",
        )

    async def ids_in(self, backup: str) -> set[str]:
        """The ids of all events in an outbox, heartbeats aside."""
        db = await asyncpg.connect(self._server.dsn_of(backup))
        try:
            rows = await db.fetch("SELECT event_id FROM outbox WHERE type NOT LIKE $1", HEARTBEAT)
        finally:
            await db.close()
        return {row["event_id"] for row in rows}

    async def _do(self, *statements: str) -> None:
        await asyncio.to_thread(self._server.execute, *statements)


async def _impact_goes_back(town: Town, dice: Random) -> None:
    backups = Backups(town, "impact")
    await town.registered(dice.randint(1, 25))
    older = await backups.take("older")
    await _impact_takes_in(town, dice)
    impact = Words(town, "impact")

    await backups.put_back(older)

    await impact.tell_of("task_ended", "DatabaseWentBack")
    await impact.tell_of("consumer_reset")


async def _impact_is_put_back(town: Town, dice: Random) -> None:
    backups = Backups(town, "impact")
    await town.registered(dice.randint(1, 25))
    older = await backups.take("older")
    await _impact_takes_in(town, dice)

    await town.kill("impact")
    impact = Words(town, "impact")
    await backups.put_back(older)
    await town.start("impact")
    await impact.tell_of("consumer_reset")


async def _impact_takes_in(town: Town, dice: Random) -> None:
    """Return once impact has more in its lane than now: only that can go back."""
    before = await _position(town)
    await town.registered(dice.randint(30, 90))

    async def has_more() -> bool:
        return await _position(town) > before

    await until(has_more, seconds=PATIENCE_SECONDS, message="impact takes nothing in")


async def _position(town: Town) -> int:
    db = await asyncpg.connect(town.stack.database_urls["impact"])
    try:
        return int(await db.fetchval("SELECT position FROM lane"))
    finally:
        await db.close()


async def _a_producer_is_put_back(town: Town, _: Random) -> None:
    """A day that payroll is silent on, since the pool would take its messages in again, as new events."""
    backups = Backups(town, "flexjob_pool")
    await town.live_until(_telling_day(town))
    await town.wake()
    async with _stopped(town, "flexjob_pool"):
        older = await backups.take("older")
    await town.work()
    await town.published()
    async with _stopped(town, "flexjob_pool"):
        latest = await backups.take("latest")
        forgotten = await backups.ids_in(latest) - await backups.ids_in(older)
        await backups.put_back(older)

    assert forgotten, "nothing happened after the older backup"
    await answered(partial(phantoms_are, forgotten), town)

    async with _stopped(town, "flexjob_pool"):
        await backups.put_back(latest)
    await phantoms_are(set(), town)


def _telling_day(town: Town) -> date:
    agenda = town.hall.year.agenda
    for day in DAYS[town.lived :]:
        actions = [action for case in agenda.get(day, ()) for action in case]
        if len(actions) >= ENOUGH_TO_TELL and not any(isinstance(action, Message) for action in actions):
            return day
    raise AssertionError("no day of the year is left that is told of at the pool's doors alone")


async def phantoms_are(forgotten: set[str], town: Town) -> None:
    """The command tells these ids of flexjob_pool, and no other. Raises Wrong."""
    env = {**os.environ, "FLEXJOB_POOL_DATABASE_URL": town.stack.database_urls["flexjob_pool"]}
    command = (kraftcenter(), "phantoms", "--service", "flexjob_pool")
    asked = await asyncio.create_subprocess_exec(*command, env=env, stdout=subprocess.PIPE)
    told, _ = await asked.communicate()
    assert asked.returncode == 0
    named(Check.PHANTOMS, forgotten, {line.split()[0] for line in told.decode().splitlines()})


@asynccontextmanager
async def _stopped(town: Town, name: str) -> AsyncIterator[None]:
    await asyncio.to_thread(town.processes[name].stop)
    yield
    await town.start(name)
    await town.stack.until_ready()


FAULTS = (
    Fault(
        "impact's database goes back",
        "impact's database is replaced under it, under load, by an older backup",
        "impact says that its database went back, ends, resets its consumers to the stored floor, and catches up",
        _impact_goes_back,
        GROUP,
        short=True,
    ),
    Fault(
        "impact's database is put back",
        "impact is killed under load and its database restored from an older backup before it starts",
        "the stored floor is behind the consumers: impact says that it resets them, and the gap closes",
        _impact_is_put_back,
        GROUP,
    ),
    Fault(
        "a producer's database is put back",
        "flexjob_pool's database is restored from a backup older than its stream; then from the latest",
        "exactly the events that were forgotten are reported as phantoms, by id; with the latest backup none is",
        _a_producer_is_put_back,
        GROUP,
        quiet=True,
    ),
)
