from collections.abc import Callable

import pytest

from chassis.bus import Bus
from chassis.database import Pool
from chassis.tests.relay.producer import Producer
from chassis.wire import Sealed
from contracts.streams import Stream
from local.nats import NatsServer


@pytest.fixture
def producer(  # noqa: PLR0913, PLR0917 - a producer is all of these together
    outbox_url: str,
    pool: Pool,
    bus: Bus,
    stream: Stream,
    nats_server: NatsServer,
    sealed: Callable[[int], list[Sealed]],
) -> Producer:
    return Producer(outbox_url, pool, bus, stream, nats_server, sealed)
