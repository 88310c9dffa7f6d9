"""The whole service on real servers: from the bus to a figure, and well or unwell as operations see it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import nats
import pytest
from fastapi import FastAPI
from nats.js import JetStreamContext

from chassis.database import Pool
from chassis.provision import provision
from chassis.settings import SettingsRefused, read
from contracts.streams import Stream
from impact.app import build_app
from impact.settings import ImpactSettings
from local.nats import NatsServer
from local.waiting import until
from services.impact.tests.doors.small_life import Issue

LANE = Stream("621", "flexjob_pool")


@pytest.fixture
async def bus(nats_server: NatsServer) -> AsyncIterator[JetStreamContext]:
    """The streams and durables of the municipality, as the provisioning job leaves them."""
    connection = await nats.connect(nats_server.url)
    await provision(connection.jetstream(), "621", ack_wait_seconds=2)
    yield connection.jetstream()
    await connection.close()


@pytest.fixture
def app(database_url: str, nats_server: NatsServer, clock: str) -> FastAPI:
    """The service as it is run."""
    given = {"database_url": database_url, "nats_url": nats_server.url, "port": 0, "clock": clock}
    return build_app(ImpactSettings.model_validate(given))


@pytest.fixture
async def running(
    app: FastAPI,
    pool: Pool,  # noqa: ARG001 - the service refuses a database without its tables
    bus: JetStreamContext,  # noqa: ARG001 - and ends itself without its durables
    entrance: httpx.AsyncClient,
) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the running service."""
    async with app.router.lifespan_context(app):
        yield entrance


async def test_an_event_on_the_bus_moves_the_figure(
    running: httpx.AsyncClient, bus: JetStreamContext, issue: Issue, a_start: bytes
) -> None:
    exact = await issue("figures:exact")

    async def value() -> str:
        return str((await running.get("/v1/figures/F1", headers=exact)).json()["value"])

    assert await value() == "0"
    await bus.publish("events.621.flexjob_pool.flexjob.started.v1", a_start)
    await until(lambda: is_one(value))

    scraped = (await running.get("/metrics")).text
    place = f'municipality="621",stream="{LANE.name}"'
    assert f"impact_freshness_seconds{{{place}}}" in scraped
    await until(lambda: caught_up(running, place))


async def is_one(value: Callable[[], Awaitable[str]]) -> bool:
    return await value() == "1"


async def caught_up(running: httpx.AsyncClient, place: str) -> bool:
    return f"impact_consumer_lag_events{{{place}}} 0.0" in (await running.get("/metrics")).text


async def test_an_idle_service_is_ready(running: httpx.AsyncClient) -> None:
    async def ready() -> bool:
        return (await running.get("/readyz")).status_code == 200

    await until(ready)


async def test_a_service_without_its_bus_says_so_and_still_answers(
    running: httpx.AsyncClient, nats_server: NatsServer
) -> None:
    async def unwell() -> bool:
        answer = await running.get("/readyz")
        return bool(answer.status_code == 503 and answer.json()["checks"]["bus"] != "ok")

    async def well() -> bool:
        return (await running.get("/readyz")).status_code == 200

    await until(well)
    nats_server.kill()
    await until(unwell)

    assert (await running.get("/v1/figures/F5")).status_code == 200
    assert "impact_consumer_lag_events{" not in (await running.get("/metrics")).text
    nats_server.start()
    await until(well, seconds=20)


async def test_a_refused_lane_is_named_and_the_doors_go_on(
    running: httpx.AsyncClient, pool: Pool, bus: JetStreamContext, a_start: bytes
) -> None:
    async def admitted() -> bool:
        return bool(await pool.fetchval("SELECT count(*) FROM ledger"))

    await bus.publish("events.621.flexjob_pool.flexjob.started.v1", a_start)
    await until(admitted)
    await pool.execute(NEWER)
    await bus.publish("events.621.flexjob_pool.flexjob.started.v1", a_start)

    async def refused() -> bool:
        answer = await running.get("/readyz")
        said = "621 refused: DefinitionMissing of_tomorrow/1"
        return bool(answer.status_code == 503 and answer.json()["checks"]["lanes"] == said)

    await until(refused)
    assert (await running.get("/v1/figures/F5")).status_code == 200
    assert (await running.get("/livez")).status_code == 200


NEWER = "INSERT INTO definition (municipality, measure, version, in_force_from) VALUES ('621', 'of_tomorrow', 1, 0)"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("IMPACT_DATABASE_URL", "postgresql://localhost/impact")
    monkeypatch.setenv("IMPACT_NATS_URL", "nats://localhost")
    monkeypatch.setenv("IMPACT_PORT", "8604")
    return monkeypatch


def test_one_impact_may_serve_several_municipalities(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("IMPACT_MUNICIPALITIES", "621, 751")

    assert read(ImpactSettings).municipalities == ("621", "751")


def test_it_serves_its_own_municipality_unless_told(environment: pytest.MonkeyPatch) -> None:
    assert read(ImpactSettings).municipalities == ("621",)
    environment.setenv("IMPACT_MUNICIPALITY", "751")
    assert read(ImpactSettings).municipalities == ("751",)


@pytest.mark.parametrize("given", [",", "62", "621,", "621;751", "abc", "621,621"])
def test_a_wrong_list_of_municipalities_is_refused(environment: pytest.MonkeyPatch, given: str) -> None:
    environment.setenv("IMPACT_MUNICIPALITIES", given)

    with pytest.raises(SettingsRefused, match="IMPACT_MUNICIPALITIES"):
        read(ImpactSettings)
