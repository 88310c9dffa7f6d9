"""What operations see of the flexjob pool: whether what was registered reaches the bus, and reviews are called for.

Read fresh at each scrape.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from chassis import outbox
from chassis.database import ACQUIRE_SECONDS, Pool
from chassis.relay import Relay
from flexjob_pool.domain.payroll.reconcile import Status
from flexjob_pool.store import payroll
from flexjob_pool.sweep import Sweep


async def measure(pool: Pool, relay: Relay, sweep: Sweep) -> Iterable[Metric]:
    """The outbox as it stands in the database, and the relay and the sweep of this process."""
    # First of all: what the sweep has called for by then is in the outbox that is read after it.
    swept = datetime.combine(sweep.until, time(), UTC).timestamp() if sweep.until else 0
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        backlog = await outbox.backlog(db)
        employments = await payroll.counts(db)
    age = (datetime.now(UTC) - backlog.oldest).total_seconds() if backlog.oldest else 0
    paid = GaugeMetricFamily("payroll_employments", "Employments by what became of them.", labels=["status"])
    for status in get_args(Status):
        paid.add_metric([status], employments.get(status, 0))
    return [
        paid,
        GaugeMetricFamily("outbox_pending", "Events that wait for the bus.", value=backlog.pending),
        GaugeMetricFamily("outbox_oldest_age_seconds", "How long the oldest of them has waited.", value=age),
        GaugeMetricFamily("outbox_parked", "Events that the bus will never take as they are.", value=backlog.parked),
        GaugeMetricFamily("relay_active", "1 when this process is the one that publishes.", value=relay.active),
        GaugeMetricFamily(
            "reviews_swept_until_timestamp_seconds",
            "Midnight, UTC, of the calendar's day up to which all reviews are called for.",
            value=swept,
        ),
        CounterMetricFamily("relay_regressions", "Times the stream had lost events.", value=relay.regressions),
    ]
