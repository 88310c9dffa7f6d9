"""What operations see of the gateway: what is let in and turned away."""

from prometheus_client import CollectorRegistry, Counter

UNKNOWN = "unknown"
OUTCOMES = ("accepted", "duplicate", "conflict", "rejected")


class EventCounts:
    """What this process decided, by source; what comes from nobody registered is of the source `unknown`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Counter(
            "gateway_events",
            "Events told to the gateway, by what became of them.",
            ("source", "outcome"),
            registry=registry,
        )
        self._begin(UNKNOWN)

    def count(self, source: str | None, outcome: str) -> None:
        """One event more; `outcome` is one of OUTCOMES."""
        self._begin(source or UNKNOWN)
        self._events.labels(source or UNKNOWN, outcome).inc()

    def _begin(self, source: str) -> None:
        """Show 0 of what has not happened: a counter that appears with its first event hides it from every rate."""
        for outcome in OUTCOMES:
            self._events.labels(source, outcome)
