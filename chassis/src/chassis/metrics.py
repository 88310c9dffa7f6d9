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
    """Rate, errors and duration of HTTP requests, by route template: a path would carry identifiers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("method", "route", "status")
        self.requests = Counter("http_requests", "Requests answered.", labels, registry=registry)
        self.duration = Histogram(
            "http_request_duration_seconds",
            "Time from a request to its whole answer.",
            ("method", "route"),
            registry=registry,
            buckets=SECONDS,
        )

    def observe(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self.requests.labels(method, route, status).inc()
        self.duration.labels(method, route).observe(seconds)


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
