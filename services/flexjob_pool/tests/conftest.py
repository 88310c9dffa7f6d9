"""A migrated database of the service, and the whole service in this process, on real servers."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import nats
import pytest

from chassis import tokens
from chassis.calendar import calendar_of
from chassis.database import Pool, create_pool
from chassis.migrate import HTTP, OUTBOX, component_of, migrate
from chassis.provision import provision
from flexjob_pool.app import build_app
from flexjob_pool.settings import FlexjobPoolSettings
from local.nats import NatsServer

MORNING = "2026-03-02T08:00:00Z"
SCOPES = ("read:flexjob_pool", "write:flexjob_pool")


@pytest.fixture
def clock(tmp_path: Path) -> str:
    """A calendar that stands still on 2 March 2026."""
    file = tmp_path / "clock"
    file.write_text(MORNING)
    return f"file:{file}"


@pytest.fixture
async def pool(database_url: str, clock: str) -> AsyncIterator[Pool]:
    """Connections to a fresh database with the service's tables."""
    await migrate(database_url, [OUTBOX, HTTP, component_of("flexjob_pool")], clock=calendar_of(clock))
    async with await create_pool(database_url, name="test", max_size=24) as connections:
        yield connections


@pytest.fixture
async def doors(pool: Pool, database_url: str, clock: str, nats_server: NatsServer) -> AsyncIterator[httpx.AsyncClient]:
    """The running service; every request carries a token that may read and write."""
    settings = FlexjobPoolSettings.model_validate(
        {"database_url": database_url, "nats_url": nats_server.url, "port": 0, "clock": clock}
    )
    calendar = calendar_of(clock)
    async with pool.acquire() as db:
        token = await tokens.issue(db, name="test", municipality="621", scopes=SCOPES, now=calendar.now())
    async with await nats.connect(nats_server.url) as client:
        await provision(client.jetstream(), "621")
    app = build_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://pool",
            headers={"Authorization": f"Bearer {token}"},
        ) as client,
    ):
        yield client
