"""The wiring of the gateway: the doors on one side, relay and heartbeat on the other, PostgreSQL between them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from chassis.bus import Bus
from chassis.calendar import calendar_of
from chassis.database import create_pool, is_there
from chassis.health import Health
from chassis.heartbeat import beat
from chassis.http import build_api
from chassis.relay import Relay
from chassis.tasks import background
from chassis.watchdog import Watchdog
from contracts.streams import Stream
from gateway.api import router
from gateway.metrics import EventCounts
from gateway.settings import GatewaySettings
from gateway.use_cases import PRODUCER


def build_app(settings: GatewaySettings) -> FastAPI:
    """The service as an ASGI application; it connects when it starts."""
    dsn = settings.database_url.get_secret_value()
    bus = Bus(settings.nats_url, name=PRODUCER)
    relay = Relay(dsn, bus, Stream(settings.municipality, PRODUCER))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with await create_pool(dsn, name=PRODUCER) as app.state.pool:
            heartbeat = beat(
                app.state.pool,
                municipality=settings.municipality,
                producer=PRODUCER,
                every=settings.heartbeat_seconds,
            )
            async with background(relay=relay.run(), heartbeat=heartbeat, watchdog=Watchdog(bus, []).run()):
                yield
            await bus.stop()

    health = Health()
    health.add("database", lambda: is_there(app.state.pool))
    health.add("relay", lambda: relay.trouble)
    registry = CollectorRegistry()
    app = build_api(
        title="Kraftcenter gateway",
        version=version("kraftcenter-gateway"),
        settings=settings,
        calendar=calendar_of(settings.clock),
        lifespan=lifespan,
        routers=[router],
        health=health,
        registry=registry,
        collectors=[lambda: relay.measure(app.state.pool)],
        service=PRODUCER,
    )
    app.state.counts = EventCounts(registry)
    return app
