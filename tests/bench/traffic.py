"""Steady traffic through a running stack: events by the pool's outbox, lives told of at doors, readers of figures.

The doors alone would take fewer events a second than this (`commands_per_s` of the bench), so most of them are a year's
bodies in the outbox; what a caseworker and payroll tell of a few lives goes the whole way.
"""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from itertools import count
from random import Random
from time import monotonic
from uuid import UUID

import asyncpg
import httpx

from chassis import outbox
from chassis.wire import Sealed
from local.actions.payroll import ChangeWorkingTime
from local.simulator import CLOUD_EVENT
from local.stack import Stack
from tests.bench.calling import Caller
from tests.bench.commanding import Command, careers
from tests.bench.workload import Workload, once_each

# Told so far ahead, by a process of its own, while the ones before are sent.
SECONDS_AHEAD = 15
TICK_SECONDS = 0.1
COMMANDS_PER_S, READS_PER_S = 2, 2
PAID_FROM, PAID = date(2026, 9, 1), Decimal("0.3243")
READ = ("/v1/figures", "/metrics/exact", "/metrics", "/v1/ledger/balance", "/v1/figures/F1")


@dataclass(slots=True)
class Sent:
    """What was sent, and what did not go well."""

    events: int = 0
    commands: int = 0
    messages: int = 0
    reads: int = 0
    slowest_read_ms: float = 0.0
    refused: list[str] = field(default_factory=list)
    behind_seconds: float = 0.0


@asynccontextmanager
async def traffic(stack: Stack, municipality: str, rate: float, seed: int) -> AsyncIterator[Sent]:
    """So many events a second, and a few commands, messages and readers beside them, while the block runs."""
    sent = Sent()
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_append(stack, municipality, rate, seed, sent)),
            group.create_task(_tell_of_lives(stack, municipality, seed, sent)),
            group.create_task(_read(stack, municipality, sent)),
        ]
        yield sent
        for task in tasks:
            task.cancel()


async def _append(stack: Stack, municipality: str, rate: float, seed: int, sent: Sent) -> None:
    """Put what is due into the outbox, ten times a second, on a connection of its own."""
    db = await asyncpg.connect(
        stack.database_urls["flexjob_pool"], server_settings={"application_name": "soak traffic"}
    )
    loop, fresh = asyncio.get_running_loop(), multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh) as teller:
        tell = partial(_chunk, municipality, round(rate * SECONDS_AHEAD), seed)
        coming = loop.run_in_executor(teller, tell, 0)
        try:
            began, waiting = monotonic(), list[Sealed]()
            for number in count(1):
                waiting += (await coming).arriving
                coming = loop.run_in_executor(teller, tell, number)
                while waiting:
                    due = round((monotonic() - began) * rate) - sent.events
                    now, waiting = waiting[: max(0, due)], waiting[max(0, due) :]
                    await outbox.append(db, now, now=datetime.now(UTC))
                    sent.events += len(now)
                    await asyncio.sleep(TICK_SECONDS)
                sent.behind_seconds = max(0.0, monotonic() - began - sent.events / rate)
        finally:
            teller.shutdown(wait=False, cancel_futures=True)
            await db.close()


def _chunk(municipality: str, events: int, seed: int, number: int) -> Workload:
    """The next people's year."""
    return once_each(municipality, events, seed=seed + number, name=f"soak{number}-", more=number > 0)


async def _tell_of_lives(stack: Stack, municipality: str, seed: int, sent: Sent) -> None:
    """One life after the other: its start and its other hours at the pool's doors, then what payroll pays."""
    caller = Caller(stack.ports["flexjob_pool"], stack.token)
    chance = Random(seed)  # noqa: S311 - a load, no secret
    headers = {"Authorization": f"Bearer {stack.token}"} | CLOUD_EVENT
    async with httpx.AsyncClient(base_url=stack.url_of("gateway"), headers=headers, timeout=60) as payroll:
        try:
            for number in count():
                [life] = careers(2, chance)
                for turn, command in enumerate(life):
                    await caller.post(command.path, f"soak-{seed}-{number}-{turn}", command.body)
                    sent.commands += 1
                    await asyncio.sleep(1 / COMMANDS_PER_S)
                paid, key = _paid(life[0], chance), {"Idempotency-Key": f"soak-{seed}-{number}"}
                answer = await payroll.post(paid.path, json=paid.event(municipality), headers=key)
                sent.messages += 1
                if not answer.is_success:
                    sent.refused.append(f"payroll: {answer.status_code} {answer.text}")
        finally:
            caller.close()


def _paid(start: Command, chance: Random) -> ChangeWorkingTime:
    """Other hours than were told at the doors, so that events of the pool follow."""
    return ChangeWorkingTime(
        registered_on=PAID_FROM,
        told_on=PAID_FROM,
        occurred_on=PAID_FROM,
        message_id=UUID(int=chance.getrandbits(128), version=4),
        employment_ref=UUID(int=chance.getrandbits(128), version=4),
        placement_id=UUID(start.body["placement_id"]),
        person_ref=UUID(start.body["person_ref"]),
        occupation_rate=PAID,
    )


async def _read(stack: Stack, municipality: str, sent: Sent) -> None:
    headers = {"Authorization": f"Bearer {stack.token}"}
    async with httpx.AsyncClient(base_url=stack.url_of("impact"), headers=headers, timeout=60) as client:
        for number in count():
            path = READ[number % len(READ)]
            began = monotonic()
            answer = await client.get(path, params={} if "metrics" in path else {"municipality": municipality})
            sent.slowest_read_ms = max(sent.slowest_read_ms, 1000 * (monotonic() - began))
            sent.reads += 1
            if not answer.is_success:
                sent.refused.append(f"{path}: {answer.status_code}")
            await asyncio.sleep(1 / READS_PER_S)
