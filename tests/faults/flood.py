"""One source that sends as fast as it can, while the town lives on."""

import asyncio
import itertools
import json
import os
from asyncio.subprocess import DEVNULL
from functools import partial
from pathlib import Path
from random import Random
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
from tests.faults.town import MUNICIPALITY, Town

GROUP = "flood"
SYSTEM = "flood"
SOURCE = source_of(MUNICIPALITY, SYSTEM)
# No measure counts it, and the pool passes it over.
KIND = AwarenessSessionHeld.contract.file_stem
EXAMPLE = Path(__file__).parents[2] / "contracts" / "examples" / f"{KIND}.json"
HANDS = 32
LEAST = 3000
OF_THE_TOWN = 60
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


async def _one_source_floods(town: Town, dice: Random) -> None:
    await _register(town)
    flood = Flood(town, dice)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(flood.run())
        await until(lambda: flood.sent > HANDS, seconds=PATIENCE_SECONDS, message="nothing of the flood is let in")
        try:
            for _ in range(3):
                before = await _facts_of(town, "flexjob_pool")
                await town.registered(OF_THE_TOWN)
                await until(partial(_has_more_than, town, before), seconds=PATIENCE_SECONDS, message="the town drowns")
        finally:
            flood.over = True
    counted = partial(_are_in_the_ledger, town, flood)
    await until(counted, seconds=PATIENCE_SECONDS, message="not all that was let in is in the ledger")


async def _register(town: Town) -> None:
    env = {**os.environ, "GATEWAY_DATABASE_URL": town.stack.database_urls["gateway"]}
    command = ("sources", "add", SYSTEM, f"--type={KIND}", f"--token-name={TOKEN_OF}", f"--municipality={MUNICIPALITY}")
    added = await asyncio.create_subprocess_exec(kraftcenter(), *command, env=env, stdout=DEVNULL)
    assert await added.wait() == 0


async def _has_more_than(town: Town, before: int) -> bool:
    """Whether impact has taken in more of the town than it had."""
    return await _facts_of(town, "flexjob_pool") > before


async def _are_in_the_ledger(town: Town, flood: Flood) -> bool:
    return await _facts_of(town, SYSTEM) == flood.sent


async def _facts_of(town: Town, system: str) -> int:
    db = await asyncpg.connect(town.stack.database_urls["impact"])
    try:
        return int(await db.fetchval(IN_THE_LEDGER, source_of(MUNICIPALITY, system)))
    finally:
        await db.close()


FAULTS = (
    Fault(
        "a flood from one source",
        f"one registered source sends {KIND}, which no measure counts, with {HANDS} hands as fast as it can to the "
        f"gateway's door, {LEAST} events at least, until three times {OF_THE_TOWN} registrations of the town were "
        "answered and impact has more of the town than before",
        "the town is answered and counted while the flood lasts; all of the flood that was let in is in the ledger, "
        "and no figure moves",
        _one_source_floods,
        GROUP,
    ),
)
