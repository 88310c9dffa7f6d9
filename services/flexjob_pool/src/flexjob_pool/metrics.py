"""What operations see of the flexjob pool, read at each scrape: reviews called for, and what waits for somebody."""

from collections.abc import Iterable
from datetime import UTC, datetime, time

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from chassis.database import ACQUIRE_SECONDS, Pool
from flexjob_pool.store import payroll
from flexjob_pool.sweep import Sweep


async def measure(pool: Pool, sweep: Sweep) -> Iterable[Metric]:
    """The employments that wait for somebody, and the sweep of this process.

    How many are registered is not told: that number would show everybody each single start and end.
    """
    swept = datetime.combine(sweep.until, time(), UTC).timestamp() if sweep.until else 0
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        unsettled = await payroll.unsettled(db)
    return [
        GaugeMetricFamily(
            "payroll_employments_unsettled",
            "Employments of which something is left out until somebody looks at it.",
            value=unsettled,
        ),
        GaugeMetricFamily(
            "reviews_swept_until_timestamp_seconds",
            "Midnight, UTC, of the calendar's day up to which all reviews are called for.",
            value=swept,
        ),
    ]
