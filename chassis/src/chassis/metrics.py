"""What is measured of every service, and how it is exposed; figures come fresh from a collector at each scrape."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric

from chassis.database import UNAVAILABLE

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Collector = Callable[[], Awaitable[Iterable[Metric]]]
log = structlog.get_logger()


class RequestMetrics:
    """Rate, errors and duration of HTTP requests, by kind: probe, read or write.

    Never by route, which would tell everybody of each single registration what it was; logs have it.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter("http_requests", "Requests answered.", ("kind", "status"), registry=registry)
        self.duration = Histogram(
            "http_request_duration_seconds",
            "Time from a request to its whole answer.",
            ("kind",),
            registry=registry,
            buckets=SECONDS,
        )

    def observe(self, *, kind: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self.requests.labels(kind, status).inc()
        self.duration.labels(kind).observe(seconds)


class _Collected:
    """Families collected beforehand, in the shape that prometheus_client asks for."""

    def __init__(self, families: list[Metric]) -> None:
        self.families = families

    def collect(self) -> list[Metric]:
        return self.families


async def expose(registry: CollectorRegistry, collectors: Sequence[Collector]) -> bytes:
    """Everything in the registry and from the collectors, as text for Prometheus.

    A collector whose database does not answer is left out: a stale figure would pass for a live one.
    """
    scrape = CollectorRegistry(auto_describe=False)
    failed = Gauge("scrape_collectors_failed", "Collectors left out of this scrape.", registry=scrape)
    for collector in collectors:
        try:
            scrape.register(_Collected(list(await collector())))
        except UNAVAILABLE as error:
            failed.inc()
            log.warning("collector_failed", error=type(error).__name__)
    return generate_latest(registry) + generate_latest(scrape)
