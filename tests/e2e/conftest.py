"""A whole stack under load: real servers, real processes, real sockets; and what must hold after whatever befell it."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import nats
import pytest
import pytest_asyncio
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig

from chassis.database import Pool, create_pool
from contracts.streams import Stream
from impact.catalogue import INDICATORS, measures_of
from impact.rebuild import compare
from impact.store.conservation import balance
from impact.store.figures import snapshot
from impact.store.thorough import thorough_balance
from impact.verify.drift import Pair, verify
from impact.verify.watch import HORIZON
from local.instances import MUNICIPALITY
from local.processes import Server
from local.stack import Stack, running_stack
from local.waiting import until

TODAY = "2026-06-15"
HEARTBEAT_SECONDS = "0.5"
HEARTBEAT = b".service.heartbeat."
STREAM = Stream(MUNICIPALITY, "flexjob_pool")
MEASURES = measures_of(INDICATORS)


@dataclass(slots=True)
class Town:
    """A stack, the load that it was put under, and what was promised to the callers."""

    stack: Stack
    client: httpx.AsyncClient
    started: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    calls: int = 0

    async def start_flexjobs(self, count: int, *, callers: int = 4) -> None:
        """Start flexjobs from several callers at once, each of whom asks again with the same key until answered."""
        dice = random.Random(len(self.started))  # noqa: S311 - repeatable load, no secret
        self.calls += 1
        jobs = [UUID(int=dice.getrandbits(128), version=4) for _ in range(count)]
        try:
            await asyncio.gather(*(self._call(jobs[n::callers]) for n in range(callers)))
        finally:
            self.calls -= 1

    async def _call(self, jobs: list[UUID]) -> None:
        for job in jobs:
            await until(partial(self._started, job), seconds=60, message="a flexjob is not taken")

    async def _started(self, job: UUID) -> bool:
        url = f"{self.stack.url_of('flexjob_pool')}/v1/flexjobs"
        try:
            answer = await self.client.post(url, json=flexjob(job), headers={"Idempotency-Key": str(job)})
        except httpx.TransportError:
            return False
        if answer.status_code == httpx.codes.CREATED:
            self.started.add(str(job))
            return True
        if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
            self.refused.append(answer.text)
            return True
        return False

    @asynccontextmanager
    async def under_load(self, count: int) -> AsyncIterator[None]:
        """Flexjobs are started while the block runs, and all are taken at its end."""
        async with asyncio.TaskGroup() as load:
            load.create_task(self.start_flexjobs(count))
            await until(lambda: self.calls, message="nobody calls")
            yield

    async def until_started(self, *, more: int) -> None:
        """Return once so many more were taken, or all that were asked for."""
        enough = len(self.started) + more
        await until(lambda: len(self.started) >= enough or self.calls == 0, seconds=60, message="the load stands still")

    async def crash(self, kept: Server) -> None:
        """Kill a process as a crash would, and return once the supervisor has started it again."""
        await until(lambda: kept.pid and not kept.crashed(), seconds=60, message=f"{kept.name} does not run")
        before = kept.pid
        assert before
        os.kill(before, signal.SIGKILL)
        await until(
            lambda: kept.pid != before and not kept.crashed(), seconds=60, message=f"{kept.name} is not started again"
        )

    async def losses_found(self) -> float:
        """How often the pool's relay has found that the stream had lost events."""
        metrics = await self.client.get(f"{self.stack.url_of('flexjob_pool')}/metrics")
        [found] = [line for line in metrics.text.splitlines() if line.startswith("relay_regressions_total ")]
        return float(found.split()[1])

    async def figure(self, indicator: str) -> dict[str, Any]:
        """Ask impact for an exact figure."""
        answer = await self.client.get(f"{self.stack.url_of('impact')}/v1/figures/{indicator}", params={"as_of": TODAY})
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    async def until_figures_are_right(self, *, seconds: float = 60) -> None:
        """Return once both figures say what was promised to the callers."""
        expected = len(self.started)

        async def right() -> bool:
            try:
                placements, persons = await self.figure("J1"), await self.figure("F1")
            except httpx.HTTPError:
                return False
            return bool(placements["value"] == persons["value"] == str(expected))

        await until(right, seconds=seconds, message=f"the figures do not come to {expected}")

    async def check_the_books(self) -> None:
        """Outbox, stream and ledger hold the same; every account closes; a rebuild changes nothing, and SQL agrees."""
        assert not self.refused
        outbox = await self._rows("flexjob_pool", "SELECT * FROM outbox WHERE type NOT LIKE $1")
        ledger = await self._rows("impact", "SELECT * FROM ledger WHERE type NOT LIKE $1")

        assert all(row["published_at"] for row in outbox)
        assert await self._published() == {row["body"] for row in outbox}
        assert sorted(map(_named, ledger)) == sorted(map(_named, outbox))
        assert sorted(row["position"] for row in ledger) == list(range(1, len(ledger) + 1))
        async with await create_pool(self.stack.database_urls["impact"], name="test") as pool:
            await until(partial(_is_complete, pool), message="the heartbeats tell of more than arrived")
            async with snapshot(pool) as seen:
                assert (await thorough_balance(seen, MUNICIPALITY, MEASURES)).open_accounts == ()
                assert (await verify(seen, MUNICIPALITY, INDICATORS, [Pair(HORIZON)])).drift == ()
            async with pool.acquire() as db, db.transaction(isolation="repeatable_read"):
                assert (await compare(db, MUNICIPALITY, MEASURES)).differing == []

    @asynccontextmanager
    async def at_the_broker(self) -> AsyncIterator[JetStreamContext]:
        """A connection of the test's own to the broker."""
        client = await nats.connect(self.stack.nats_url)
        try:
            yield client.jetstream()
        finally:
            await client.close()

    async def messages(self) -> int:
        """How many the stream of the pool holds."""
        async with self.at_the_broker() as jetstream:
            return (await jetstream.stream_info(STREAM.name)).state.messages

    async def _published(self) -> set[bytes]:
        """What the stream holds but for heartbeats."""
        count, found = await self.messages(), list[bytes]()
        async with self.at_the_broker() as jetstream:
            config = ConsumerConfig(ack_policy=AckPolicy.NONE)
            reader = await jetstream.pull_subscribe("", stream=STREAM.name, config=config)
            while len(found) < count:
                found += [message.data for message in await reader.fetch(count - len(found))]
        return {body for body in found if HEARTBEAT not in body}

    async def _rows(self, service: str, query: str) -> list[asyncpg.Record]:
        db = await asyncpg.connect(self.stack.database_urls[service])
        try:
            return list(await db.fetch(query, f"%{HEARTBEAT.decode()}%"))
        finally:
            await db.close()


def _named(row: asyncpg.Record) -> tuple[str, bytes]:
    return row["event_id"], row["body_hash"]


async def _is_complete(pool: Pool) -> bool:
    async with snapshot(pool) as seen:
        return bool((await balance(seen, MUNICIPALITY)).complete)


def flexjob(job: UUID) -> dict[str, Any]:
    """A start of one person's flexjob; person and placement share the number, so that both can be counted."""
    return {
        "occurred_on": "2026-05-01",
        "placement_id": str(job),
        "person_ref": str(job),
        "department": "Senior",
        "workplace_unit": "Plejecenter_Olivenhaven",
        "attendance_hours_per_week": "12.00",
        "effective_hours_per_week": "8.00",
        "grant_term": "permanent",
        "retention": False,
        "scheme": "post2013",
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lasting(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A running stack with short heartbeats, on a controlled calendar: one for all that befalls it, in turn."""
    folder = tmp_path_factory.mktemp("town")
    clock = folder / "clock"
    clock.write_text(f"{TODAY}T10:00:00Z", encoding="utf-8")
    settings = {"CLOCK": f"file:{clock}", "FLEXJOB_POOL_HEARTBEAT_SECONDS": HEARTBEAT_SECONDS}
    async with running_stack(folder / "stack", services=("flexjob_pool", "impact"), settings=settings) as stack:
        headers = {"Authorization": f"Bearer {stack.token}"}
        async with httpx.AsyncClient(headers=headers, timeout=10) as client:
            yield Town(stack, client)


@pytest.fixture
def town(lasting: Town) -> Town:
    """The same town, with all that was promised to its callers; what went wrong for another test is not told again."""
    return replace(lasting, refused=[], calls=0)
