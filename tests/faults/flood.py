"""One source that sends as fast as it can, while the town lives on."""

import asyncio
import itertools
import json
import os
from asyncio.subprocess import DEVNULL
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from pathlib import Path
from random import Random
from time import monotonic
from uuid import UUID

import asyncpg
import httpx

from contracts.envelope import source_of
from contracts.workplaces import AwarenessSessionHeld
from local.processes import kraftcenter
from local.simulator import CLOUD_EVENT
from local.stack import TOKEN_OF
from local.waiting import until
from tests.faults.fault import Fault
from tests.faults.patience import ANSWER_SECONDS, PATIENCE_SECONDS, Patient
from tests.faults.town import MUNICIPALITY, PRODUCERS, Town

GROUP = "flood"
SYSTEM = "flood"
SOURCE = source_of(MUNICIPALITY, SYSTEM)
# No measure counts it, and the pool passes it over.
KIND = AwarenessSessionHeld.contract.file_stem
EXAMPLE = Path(__file__).parents[2] / "contracts" / "examples" / f"{KIND}.json"
HANDS = 32
LEAST = 3000
OF_THE_TOWN = 180
LONGEST_SECONDS = 10.0
LAST_OF_THE_TOWN = """
SELECT source, event_id FROM outbox WHERE source <> $1 AND type NOT LIKE '%.service.heartbeat.%'
ORDER BY position DESC LIMIT 1
"""
IS_IN_THE_LEDGER = "SELECT 1 FROM ledger WHERE kind = 'fact' AND source = $1 AND event_id = $2"
IN_THE_LEDGER = "SELECT count(*) FROM ledger WHERE kind = 'fact' AND source = $1"


class Flood:
    """Sends events of its own until it is told that it is enough; `sent` are those that were let in."""

    def __init__(self, town: Town, dice: Random) -> None:
        self.sent = 0
        self.over = False
        self._town = town
        self._dice = dice
        self._numbers = itertools.count(1)
        self._example = json.loads(EXAMPLE.read_text())

    async def run(self) -> None:
        """Send with many hands. Raises AssertionError when an event is not let in."""
        transport = Patient(self._town.answers, self._town.doors["gateway"])
        headers = {"Authorization": f"Bearer {self._town.stack.token}", **CLOUD_EVENT}
        url = self._town.stack.url_of("gateway")
        async with (
            httpx.AsyncClient(base_url=url, headers=headers, transport=transport, timeout=ANSWER_SECONDS) as door,
            asyncio.TaskGroup() as hands,
        ):
            for _ in range(HANDS):
                hands.create_task(self._send(door))

    async def _send(self, door: httpx.AsyncClient) -> None:
        while not self.over or self.sent < LEAST:
            name = f"{SYSTEM}-{next(self._numbers)}"
            event = self._example | {"id": str(UUID(int=self._dice.getrandbits(128))), "source": SOURCE}
            answer = await door.post("/v1/events", json=event, headers={"Idempotency-Key": name})
            assert answer.status_code == httpx.codes.ACCEPTED, answer.text
            self.sent += 1


async def _one_source_floods(town: Town, dice: Random) -> str:
    await _register(town)
    flood = Flood(town, dice)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(flood.run())
        await until(lambda: flood.sent > HANDS, seconds=PATIENCE_SECONDS, message="nothing of the flood is let in")
        try:
            with _timed(town.hall.office.pool, town.hall.office.gateway) as answers:
                ledger = await _longest_way_to_the_ledger(town, town.hall.office.requests + OF_THE_TOWN)
        finally:
            flood.over = True
    assert max(answers) < LONGEST_SECONDS, f"the town waited for {max(answers):.1f} s for an answer"
    counted = partial(_are_in_the_ledger, town, flood)
    await until(counted, seconds=PATIENCE_SECONDS, message="not all that was let in is in the ledger")
    return f"the town waited for {max(answers):.1f} s at most for an answer, and for {ledger:.1f} s to be in the ledger"


@contextmanager
def _timed(*doors: httpx.AsyncClient) -> Iterator[list[float]]:
    """How long each answer at these doors takes, in seconds, however often it was asked for."""
    waits = list[float]()

    async def note(answer: httpx.Response) -> None:
        await answer.aread()
        waits.append(answer.elapsed.total_seconds())

    for door in doors:
        door.event_hooks["response"].append(note)
    try:
        yield waits
    finally:
        for door in doors:
            door.event_hooks["response"].remove(note)


async def _longest_way_to_the_ledger(town: Town, requests: int) -> float:
    """Follow what the town tells, an event after the other of each producer, until it has registered so much."""
    longest = 0.0
    async with AsyncExitStack() as opened:
        outboxes = [await _connected(town, producer, opened) for producer in PRODUCERS]
        ledger = await _connected(town, "impact", opened)
        while town.hall.office.requests < requests:
            for outbox in outboxes:
                if (last := await outbox.fetchrow(LAST_OF_THE_TOWN, SOURCE)) is None:
                    continue
                began = monotonic()
                told = partial(ledger.fetchval, IS_IN_THE_LEDGER, *last)
                await until(told, seconds=LONGEST_SECONDS, message="what the town told does not reach the ledger")
                longest = max(longest, monotonic() - began)
    return longest


async def _connected(town: Town, name: str, opened: AsyncExitStack) -> "asyncpg.Connection[asyncpg.Record]":
    db = await asyncpg.connect(town.stack.database_urls[name])
    opened.push_async_callback(db.close)
    return db


async def _register(town: Town) -> None:
    env = {**os.environ, "GATEWAY_DATABASE_URL": town.stack.database_urls["gateway"]}
    command = ("sources", "add", SYSTEM, f"--type={KIND}", f"--token-name={TOKEN_OF}", f"--municipality={MUNICIPALITY}")
    added = await asyncio.create_subprocess_exec(kraftcenter(), *command, env=env, stdout=DEVNULL)
    assert await added.wait() == 0


async def _are_in_the_ledger(town: Town, flood: Flood) -> bool:
    db = await asyncpg.connect(town.stack.database_urls["impact"])
    try:
        return bool(await db.fetchval(IN_THE_LEDGER, SOURCE) == flood.sent)
    finally:
        await db.close()


FAULTS = (
    Fault(
        "a flood from one source",
        f"one registered source sends {KIND}, which no measure counts, with {HANDS} hands as fast as it can to the "
        f"gateway's door, {LEAST} events at least, until {OF_THE_TOWN} registrations of the town were answered, and of "
        "each producer one event after the other was followed to the ledger",
        f"meanwhile the town waits for less than {LONGEST_SECONDS:.0f} s for an answer, and for as long at most to be "
        "in the ledger; all of the flood that was let in is there too, and no figure moves",
        _one_source_floods,
        GROUP,
    ),
)
