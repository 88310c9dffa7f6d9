"""The wiring of impact: one consumer per stream on one side, the doors and the exits for Prometheus on the other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from chassis.bus import Bus
from chassis.calendar import calendar_of
from chassis.database import ACQUIRE_SECONDS, create_pool
from chassis.health import Health
from chassis.http import build_api
from chassis.tasks import background
from chassis.watchdog import Watchdog
from contracts.streams import streams_read_by
from impact import metrics
from impact.api import router
from impact.catalogue import INDICATORS, measures_of
from impact.consumer import DURABLE, Consumer
from impact.settings import ImpactSettings

NAME = "impact"


def build_app(settings: ImpactSettings) -> FastAPI:
    """The service as an ASGI application; it connects when it starts."""
    bus = Bus(settings.nats_url, name=NAME)
    calendar = calendar_of(settings.clock)
    streams = [stream for code in settings.municipalities for stream in streams_read_by(NAME, code)]
    watchdog = Watchdog(bus, [(stream.name, DURABLE) for stream in streams])
    consumers: dict[str, Consumer] = {}

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with await create_pool(settings.database_url.get_secret_value(), name=NAME) as app.state.pool:
            for stream in streams:
                measures = measures_of(INDICATORS)
                consumers[stream.name] = Consumer(app.state.pool, bus, stream, measures=measures, calendar=calendar)
            ingesting = {f"ingest_{name}": consumer.run() for name, consumer in consumers.items()}
            async with background(watchdog=watchdog.run(), **ingesting):
                yield
            await bus.stop()

    async def database_trouble() -> None:
        async with app.state.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            await db.fetchval("SELECT 1")

    health = Health()
    health.add("database", database_trouble)
    health.add("bus", watchdog.trouble)
    app = build_api(
        title="Kraftcenter impact",
        version=version("kraftcenter-impact"),
        settings=settings,
        calendar=calendar,
        lifespan=lifespan,
        routers=[router],
        health=health,
        registry=CollectorRegistry(),
        collectors=[
            lambda: metrics.public(app.state.pool, calendar, settings.municipalities),
            lambda: metrics.ingest(bus, streams, consumers),
        ],
    )
    return app
