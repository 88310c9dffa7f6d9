"""The wiring of impact: one consumer per stream on one side, the doors and the exits for Prometheus on the other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.metadata import version

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from chassis.bus import Bus
from chassis.calendar import calendar_of
from chassis.database import create_pool, is_there
from chassis.health import Health
from chassis.http import build_api
from chassis.tasks import background
from chassis.watchdog import Watchdog
from contracts.streams import streams_read_by
from impact import metrics, pipeline
from impact.catalogue import INDICATORS, measures_of
from impact.consumer import Consumer
from impact.doors import board, facts, figures, ledger, parked, receipts, waiting
from impact.ingest import DURABLE
from impact.rebuild import Attempt
from impact.refusals import trouble_of
from impact.releases import keep_releasing
from impact.settings import ImpactSettings
from impact.store.verification import is_trusted
from impact.verify.watch import keep_verifying

NAME = "impact"
# So many turns of verifying may be late before figures are no longer trusted.
MISSED_ROUNDS = 3


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
            measures = measures_of(INDICATORS)
            attempts = {code: Attempt() for code in settings.municipalities}
            for stream in streams:
                attempt = attempts[stream.municipality]
                consumers[stream.name] = Consumer(
                    app.state.pool, bus, stream, measures=measures, calendar=calendar, attempt=attempt
                )
            tasks = {f"ingest_{name}": consumer.run() for name, consumer in consumers.items()}
            async with background(watchdog=watchdog.run(), verifying=verifying(), releasing=releasing(), **tasks):
                yield
            await bus.stop()

    async def verifying() -> None:
        await keep_verifying(
            app.state.pool, settings.municipalities, calendar, INDICATORS, every=settings.verify_seconds
        )

    async def trusted(municipality: str) -> bool:
        every = timedelta(seconds=settings.verify_seconds)
        served = settings.municipalities
        return await is_trusted(app.state.pool, municipality, served=served, every=every, missed=MISSED_ROUNDS)

    async def releasing() -> None:
        await keep_releasing(
            app.state.pool,
            settings.municipalities,
            calendar,
            INDICATORS,
            trusted=trusted,
            every=settings.release_seconds,
        )

    health = Health()
    health.add("database", lambda: is_there(app.state.pool))
    health.add("bus", watchdog.trouble)
    health.add("lanes", lambda: trouble_of(consumer.refusals for consumer in consumers.values()))
    app = build_api(
        title="Kraftcenter impact",
        version=version("kraftcenter-impact"),
        settings=settings,
        calendar=calendar,
        lifespan=lifespan,
        routers=[door.router for door in (board, figures, receipts, ledger, facts, parked, waiting)],
        health=health,
        registry=CollectorRegistry(),
        collectors=[
            lambda: metrics.public(app.state.pool, calendar, settings.municipalities),
            lambda: pipeline.ingest(bus, streams, consumers),
        ],
        service=NAME,
    )
    app.state.trusted = trusted
    return app
