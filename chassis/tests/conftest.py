from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
import typer

from chassis.bus import Bus
from chassis.database import Pool, create_pool
from chassis.migrate import HTTP, OUTBOX
from chassis.provision import provision
from chassis.tests.command_line import app_of_commands
from chassis.wire import Sealed, seal
from contracts.flexjob_pool import BudgetAllocated
from contracts.streams import Stream
from local.fixtures import Templates
from local.nats import NatsServer

MUNICIPALITY = "621"


@pytest.fixture
def outbox_url(templates: Templates) -> Iterator[str]:
    with templates.copied(OUTBOX) as dsn:
        yield dsn


@pytest.fixture
async def pool(outbox_url: str) -> AsyncIterator[Pool]:
    async with await create_pool(outbox_url, name="test") as pool:
        yield pool


@pytest.fixture
async def door_pool(templates: Templates) -> AsyncIterator[Pool]:
    with templates.copied(HTTP) as dsn:
        async with await create_pool(dsn, name="test") as pool:
            yield pool


@pytest.fixture
async def bus(nats_server: NatsServer) -> AsyncIterator[Bus]:
    bus = Bus(nats_server.url, name="test")
    await bus.start()
    yield bus
    await bus.stop()


@pytest.fixture
async def stream(bus: Bus) -> Stream:
    await provision(bus.jetstream, MUNICIPALITY)
    return Stream(MUNICIPALITY, "flexjob_pool")


@pytest.fixture
def sealed() -> Callable[[int], list[Sealed]]:
    return lambda count: list(_sealed(count))


def _sealed(count: int) -> Iterator[Sealed]:
    for number in range(count):
        budget = BudgetAllocated(occurred_on=date(2026, 1, 1), budget_id=uuid4(), fiscal_year=2026, amount_ore=number)
        yield seal(
            budget,
            municipality=MUNICIPALITY,
            producer="flexjob_pool",
            id=str(uuid4()),
            time=datetime(2026, 1, 2, 9, tzinfo=UTC),
        )


@pytest.fixture
def app() -> typer.Typer:
    """The chassis' commands."""
    return app_of_commands()
