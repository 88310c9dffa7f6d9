"""What operations see of the flexjob pool: whether what was registered reaches the bus. Read fresh at each scrape."""

from collections.abc import Iterable
from datetime import UTC, datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from chassis import outbox
from chassis.database import ACQUIRE_SECONDS, Pool
from chassis.relay import Relay


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
