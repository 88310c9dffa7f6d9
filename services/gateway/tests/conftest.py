"""A migrated database of the service, and the whole service in this process, on real servers."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from chassis import tokens
from chassis.calendar import calendar_of
from chassis.database import Pool, create_pool
from chassis.migrate import HTTP, OUTBOX, component_of
from gateway import store
from gateway.app import build_app
from gateway.settings import GatewaySettings
from local.fixtures import Templates
from local.nats import NatsServer
from local.waiting import until

MORNING = "2026-11-02T08:00:00Z"
UNDER_WAY = ("starting", "waiting for the bus", "not connected to the bus", "ok")
SCOPES = ("read:gateway", "write:gateway")
PAYROLL = "urn:kraftcenter:621:sd_loen"
TYPES = ("dk.kraftcenter.payroll.working_time_changed.v1", "dk.kraftcenter.payroll.employment_ended.v1")


@pytest.fixture
def clock(tmp_path: Path) -> str:
    """A calendar that stands still on 2 November 2026."""
    file = tmp_path / "clock"
    file.write_text(MORNING)
    return f"file:{file}"


@pytest.fixture
def database_url(templates: Templates) -> Iterator[str]:
    """The DSN of a fresh database with the service's tables."""
    with templates.copied(OUTBOX, HTTP, component_of("gateway")) as dsn:
        yield dsn


@pytest.fixture
async def pool(database_url: str, clock: str) -> AsyncIterator[Pool]:
    """Connections to that database, where payroll is registered."""
    calendar = calendar_of(clock)
    async with await create_pool(database_url, name="test", max_size=24) as connections:
        async with connections.acquire() as db:
            await store.register(db, PAYROLL, TYPES, token_name="payroll", now=calendar.now())  # noqa: S106 - its name
        yield connections


@pytest.fixture
async def doors(pool: Pool, database_url: str, clock: str, nats_server: NatsServer) -> AsyncIterator[httpx.AsyncClient]:
    """The running service; every request carries payroll's token."""
    settings = GatewaySettings.model_validate(
        {"database_url": database_url, "nats_url": nats_server.url, "port": 0, "clock": clock}
    )
    token = await token_of(pool, "payroll")
    app = build_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://gateway",
            headers={"Authorization": f"Bearer {token}", "Accept-Language": "en"},
        ) as client,
    ):

        async def relay_has_started() -> bool:
            return (await client.get("/readyz")).json()["checks"]["relay"] not in UNDER_WAY

        # A relay that is stopped while it connects would leave a socket behind.
        await until(relay_has_started, seconds=30)
        yield client


async def token_of(pool: Pool, name: str, municipality: str = "621", scopes: tuple[str, ...] = SCOPES) -> str:
    """A fresh token of this name."""
    async with pool.acquire() as db:
        now = calendar_of("system").now()
        return await tokens.issue(db, name=name, municipality=municipality, scopes=scopes, now=now)


@pytest.fixture(name="token_of")
def token_of_(pool: Pool) -> object:
    """Issues tokens."""

    async def issue(name: str, municipality: str = "621", scopes: tuple[str, ...] = SCOPES) -> str:
        return await token_of(pool, name, municipality, scopes)

    return issue
