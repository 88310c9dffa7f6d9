"""What is measured, in the order of the table, and what it should come to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """A number of the bench; without a target it is there for orientation."""

    name: str
    what: str
    target: float | None = None
    stretch: float | None = None
    at_most: bool = False

    def reached(self, value: float | None) -> str:
        """`stretch`, `yes`, `no`; empty where there is nothing to reach, or no value."""
        if value is None or self.target is None or self.stretch is None:
            return ""
        sign = -1 if self.at_most else 1
        if sign * value >= sign * self.stretch:
            return "stretch"
        return "yes" if sign * value >= sign * self.target else "no"


KEYS = (
    Key("ceiling_events_per_s", "nats-py fetch(500) and pydantic validation, no database"),
    Key("events_per_s", "impact, effect-once, whole catalogue, one process"),
    Key("ratio_to_ceiling", "events_per_s / ceiling_events_per_s", 0.15, 0.30),
    Key("ratio_to_naive", "against FastStream, one message and one transaction at a time", 8, 15),
    Key("ratio_to_faststream_batch", "against FastStream, batches of 500, a loop in one transaction", 1.5, 2.2),
    Key("ratio_at_10x_ledger", "the same further people: rate at ten times the ledger / rate at the ledger", 0.9, 1.0),
    Key("rebuild_ratio", "facts per second told again from the ledger / events_per_s", 3, 6),
    Key("cpu_s_per_100k", "CPU seconds of impact, NATS and PostgreSQL", 12, 6, at_most=True),
    Key("rss_mb", "impact's peak of resident memory", 150, 80, at_most=True),
    Key("freshness_p50_ms", "200/s: broker's timestamp until the lane shows it", 10, 3, at_most=True),
    Key("freshness_p99_ms", "the same", 50, 15, at_most=True),
    Key("freshness_2000_p99_ms", "the same at 2,000/s", 100, 50, at_most=True),
    Key("relay_ratio", "outbox drained by the relay / one awaited publication at a time", 5, 10),
    Key("commands_per_s", "HTTP commands of flexjob_pool, 8 clients, until all is on the stream", 600, 1200),
    Key("command_to_stream_p99_ms", "100 commands/s: sent until the broker's timestamp", 15, 8, at_most=True),
    Key("restatement_ms", "a correction 24 months back until every exit agrees", 500, 100, at_most=True),
)
NAMES = tuple(key.name for key in KEYS)
