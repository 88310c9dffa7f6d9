"""The ingest loop's bus, and its patience."""

from collections.abc import AsyncIterator

import pytest

from chassis.bus import Bus
from chassis.provision import provision
from impact import consumer
from local.nats import NatsServer
from services.impact.tests.consumer.traffic import ACK_WAIT, LANE


@pytest.fixture
async def bus(nats_server: NatsServer) -> AsyncIterator[Bus]:
    bus = Bus(nats_server.url, name="impact")
    await bus.start()
    await provision(bus.jetstream, LANE.municipality, ack_wait_seconds=ACK_WAIT)
    yield bus
    await bus.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter pauses: waiting longer proves nothing more."""
    monkeypatch.setattr(consumer, "PAUSE_SECONDS", (0.02, 0.1))
    monkeypatch.setattr(consumer, "REFUSED_SECONDS", 0.1)
    monkeypatch.setattr(consumer, "FLOOR_SECONDS", 0.1)
    monkeypatch.setattr(consumer, "FETCH_SECONDS", 0.5)
