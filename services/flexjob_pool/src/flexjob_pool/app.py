"""The wiring of the flexjob pool: doors and inbox on one side, relay and heartbeat on the other, PostgreSQL between."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
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
from chassis.subscriber import Subscriber
from chassis.tasks import background
from chassis.watchdog import Watchdog
from contracts.streams import Stream
from flexjob_pool import payroll
from flexjob_pool.doors import routers
from flexjob_pool.metrics import measure
from flexjob_pool.retelling import tell_resources
from flexjob_pool.settings import FlexjobPoolSettings
from flexjob_pool.sweep import Sweep
from flexjob_pool.use_cases import PRODUCER


def build_app(settings: FlexjobPoolSettings) -> FastAPI:
    """The service as an ASGI application; it connects when it starts."""
    dsn = settings.database_url.get_secret_value()
    bus = Bus(settings.nats_url, name=PRODUCER)
    relay = Relay(dsn, bus, Stream(settings.municipality, PRODUCER))
    calendar = calendar_of(settings.clock)
    sweep = Sweep(settings.municipality, calendar, every=settings.sweep_seconds)
    gateway = Stream(settings.municipality, "gateway")
    subscriber = Subscriber(
        bus,
        gateway,
        durable=PRODUCER,
        reads=payroll.READS,
        handle=partial(payroll.take, municipality=settings.municipality, calendar=calendar),
    )
    watchdog = Watchdog(bus, [(gateway.name, PRODUCER)])

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with await create_pool(dsn, name=PRODUCER) as app.state.pool:
            await tell_resources(app.state.pool, settings.municipality)
            heartbeat = beat(
                app.state.pool,
                municipality=settings.municipality,
                producer=PRODUCER,
                every=settings.heartbeat_seconds,
            )
            async with background(
                relay=relay.run(),
                heartbeat=heartbeat,
                sweep=sweep.run(app.state.pool),
                inbox=subscriber.run(app.state.pool),
                watchdog=watchdog.run(),
            ):
                yield
            await bus.stop()

    health = Health()
    health.add("database", lambda: is_there(app.state.pool))
    health.add("relay", lambda: relay.trouble)
    health.add("inbox", lambda: subscriber.trouble)
    health.add("bus", watchdog.trouble)
    app = build_api(
        title="Kraftcenter flexjob_pool",
        version=version("kraftcenter-flexjob-pool"),
        settings=settings,
        calendar=calendar,
        lifespan=lifespan,
        routers=routers(),
        health=health,
        registry=CollectorRegistry(),
        collectors=[
            lambda: measure(app.state.pool, sweep),
            lambda: relay.measure(app.state.pool),
            lambda: subscriber.measure(app.state.pool),
        ],
        service=PRODUCER,
    )
    return app
