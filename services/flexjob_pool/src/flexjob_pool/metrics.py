"""What operations see of the flexjob pool, read fresh at each scrape: reviews called for, and employments by status."""

from collections.abc import Iterable
from datetime import UTC, datetime, time
from typing import get_args

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from chassis.database import ACQUIRE_SECONDS, Pool
from flexjob_pool.domain.payroll.reconcile import Status
from flexjob_pool.store import payroll
from flexjob_pool.sweep import Sweep


async def measure(pool: Pool, sweep: Sweep) -> Iterable[Metric]:
    """The employments as they stand in the database, and the sweep of this process."""
    swept = datetime.combine(sweep.until, time(), UTC).timestamp() if sweep.until else 0
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        employments = await payroll.counts(db)
    paid = GaugeMetricFamily("payroll_employments", "Employments by what became of them.", labels=["status"])
    for status in get_args(Status):
        paid.add_metric([status], employments.get(status, 0))
    return [
        paid,
        GaugeMetricFamily(
            "reviews_swept_until_timestamp_seconds",
            "Midnight, UTC, of the calendar's day up to which all reviews are called for.",
            value=swept,
        ),
    ]
