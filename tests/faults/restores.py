"""Databases that are restored from an older backup."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from functools import partial
from random import Random
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg

from chassis.wire import read
from contracts.platform import EventRetracted
from local.actions.action import Action
from local.actions.flexjobs import StartFlexjob
from local.actions.payroll import EndEmployment, Message
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
DAYS_GONE_ON = 2
HEARTBEAT = "%.service.heartbeat.%"
RETRACTED = f".{EventRetracted.contract.file_stem}"


class Backups:
    """Copies of one service's database, beside it on the same server."""

    def __init__(self, town: Town, service: str) -> None:
        assert isinstance(town.stack.postgres, OwnPostgres)
        self._server = town.stack.postgres
        self.name = urlsplit(town.stack.database_urls[service]).path.removeprefix("/")

    async def take(self, suffix: str) -> str:
        """Copy the database as it is; whoever is connected is thrown out for that."""
        backup = f"{self.name}_{suffix}"
        await self._do(
            f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS false",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'",  # noqa: S608
            f"DROP DATABASE IF EXISTS {backup}",
            f"CREATE DATABASE {backup} TEMPLATE {self.name} OWNER {self.name}",
            f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS true",
        )
        return backup

    async def put_back(self, backup: str) -> None:
        """Have the database be what the backup is."""
        await self._do(
            f"DROP DATABASE {self.name} WITH (FORCE)",
            f"ALTER DATABASE {backup} RENAME TO {self.name}",
        )

    async def events_in(self, backup: str) -> dict[str, bytes]:
        """The bodies of all events in an outbox, heartbeats aside, by id."""
        db = await asyncpg.connect(self._server.dsn_of(backup))
        try:
            rows = await db.fetch("SELECT event_id, body FROM outbox WHERE type NOT LIKE $1", HEARTBEAT)
        finally:
            await db.close()
        return {row["event_id"]: row["body"] for row in rows}

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
    _forgotten, latest = await _forget(town, backups, _telling_day(town, payroll=None))

    async with _stopped(town, "flexjob_pool"):
        await backups.put_back(latest)
    await phantoms_are(set(), town)


async def _a_producer_goes_on(town: Town, _: Random) -> None:
    """A day on which payroll ends a job: the pool takes the message in again, and ends it anew beside the phantom.

    What is the same but for its id counts once, so that a job is forgotten too that nobody registers again.
    """
    backups = Backups(town, "flexjob_pool")
    day = _telling_day(town, payroll=EndEmployment)
    forgotten, _latest = await _forget(town, backups, day, besides=_a_job(day))

    await town.work()
    await town.live(DAYS_GONE_ON)
    now = await backups.events_in(backups.name)
    assert _causes(forgotten) & _causes(now), "nothing was made again of what payroll had told"
    await _decide(town)

    assert await town.metric("flexjob_pool", "outbox_phantoms") == 0
    await phantoms_are({*forgotten}, town)
    # What nobody's outbox knows is on the stream for good, as if strangers had told it.
    town.strangers += forgotten.values()
    await town.live(DAYS_GONE_ON)


async def _forget(
    town: Town, backups: Backups, day: date, *, besides: Action | None = None
) -> tuple[dict[str, bytes], str]:
    """Live until a day is over, and put back what was before it; gives what was forgotten, and the latest backup.

    `besides` is registered too, and not by the town's callers.
    """
    await town.live_until(day)
    await town.wake()
    async with _stopped(town, "flexjob_pool"):
        older = await backups.take("older")
    await town.work()
    if besides:
        path, body = besides.request()
        answer = await town.hall.office.pool.post(path, json=body, headers={"Idempotency-Key": "besides"})
        answer.raise_for_status()
    await town.hall.office.settle(day, counted=True)
    async with _stopped(town, "flexjob_pool"):
        latest = await backups.take("latest")
        known, events = await backups.events_in(older), await backups.events_in(latest)
        await backups.put_back(older)

    forgotten = {name: body for name, body in events.items() if name not in known}
    assert forgotten, "nothing happened after the older backup"
    await answered(partial(phantoms_are, {*forgotten}), town)
    return forgotten, latest


def _a_job(day: date) -> StartFlexjob:
    """One that is in no plan."""
    return StartFlexjob(
        registered_on=day,
        occurred_on=day,
        placement_id=UUID(int=1, version=4),
        person_ref=UUID(int=2, version=4),
        department="Senior",
        workplace_unit="Plejecenter_Olivenhaven",
        attendance_hours_per_week=Decimal("12.00"),
        effective_hours_per_week=Decimal("8.00"),
        grant_term="permanent",
        retention=False,
    )


def _telling_day(town: Town, *, payroll: type[Message] | None) -> date:
    """The next day with registrations at the pool's doors, and with such a message of payroll, or none at all."""
    agenda = town.hall.year.agenda
    for day in DAYS[town.lived :]:
        actions = [action for case in agenda.get(day, ()) for action in case]
        messages = [action for action in actions if isinstance(action, Message)]
        told = any(isinstance(each, payroll) for each in messages) if payroll else not messages
        if told and len(actions) - len(messages) >= ENOUGH_TO_TELL:
            return day
    raise AssertionError("no such day of the year is left")


def _causes(events: Mapping[str, bytes]) -> set[str]:
    """The events that these followed from."""
    return {cause for body in events.values() if (cause := read(body).envelope.causationid)}


async def _decide(town: Town) -> None:
    """Retract every phantom, but those that are retractions themselves."""
    still_open = await _phantoms(town, "list", "--open")
    retractions = [name for name, line in still_open.items() if RETRACTED in line]
    others = [name for name in still_open if name not in retractions]
    await _phantoms(town, "retract", *others, "--reason-code", "double_entry", "--yes")
    if retractions:
        await _phantoms(town, "keep", *retractions)


async def phantoms_are(forgotten: set[str], town: Town) -> None:
    """The command tells these ids of flexjob_pool, and no other. Raises Wrong."""
    named(Check.PHANTOMS, forgotten, {*await _phantoms(town, "list")})


async def _phantoms(town: Town, *words: str) -> dict[str, str]:
    """The lines that a command on phantoms tells, by their first word."""
    settings = {"FLEXJOB_POOL_DATABASE_URL": town.stack.database_urls["flexjob_pool"], "CLOCK": f"file:{town.clock}"}
    command = (kraftcenter(), "phantoms", *words, "--service", "flexjob_pool")
    asked = await asyncio.create_subprocess_exec(*command, env={**os.environ, **settings}, stdout=subprocess.PIPE)
    told, _ = await asked.communicate()
    assert asked.returncode == 0
    return {line.split()[0]: line for line in told.decode().splitlines()}


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
    Fault(
        "a producer goes on from an older backup",
        "flexjob_pool's database is restored from a backup older than its stream, and payroll's messages reach it "
        "again; callers register again what it forgot, and go on; then every phantom is retracted",
        "what was made again counts, and what was forgotten does not; phantoms are on record, and none waits",
        _a_producer_goes_on,
        GROUP,
        quiet=True,
    ),
)
