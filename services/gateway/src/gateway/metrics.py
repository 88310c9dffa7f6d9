"""What operations see of the gateway: what is let in and turned away, and whether it reaches the bus."""

from collections.abc import Iterable
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from chassis import outbox
from chassis.database import ACQUIRE_SECONDS, Pool
from chassis.relay import Relay

UNKNOWN = "unknown"


class EventCounts:
    """What this process decided, by source; what comes from nobody registered is of the source `unknown`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Counter(
            "gateway_events",
            "Events told to the gateway, by what became of them.",
            ("source", "outcome"),
            registry=registry,
        )

    def count(self, source: str | None, outcome: str) -> None:
        """One event more; `outcome` is accepted, duplicate, conflict or rejected."""
        self._events.labels(source or UNKNOWN, outcome).inc()


async def measure(pool: Pool, relay: Relay) -> Iterable[Metric]:
    """The outbox as it stands in the database, and the relay of this process."""
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        backlog = await outbox.backlog(db)
    age = (datetime.now(UTC) - backlog.oldest).total_seconds() if backlog.oldest else 0
    return [
        GaugeMetricFamily("outbox_pending", "Events that wait for the bus.", value=backlog.pending),
        GaugeMetricFamily("outbox_oldest_age_seconds", "How long the oldest of them has waited.", value=age),
        GaugeMetricFamily("outbox_parked", "Events that the bus will never take as they are.", value=backlog.parked),
        GaugeMetricFamily("relay_active", "1 when this process is the one that publishes.", value=relay.active),
        CounterMetricFamily("relay_regressions", "Times the stream had lost events.", value=relay.regressions),
    ]
