"""What operations see of the gateway: what is let in and turned away."""

from prometheus_client import CollectorRegistry, Counter

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
