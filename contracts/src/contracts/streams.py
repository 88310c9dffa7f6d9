"""Where events travel: subjects, streams and durable consumers, as data that one job provisions."""

from dataclasses import dataclass

from contracts.event import Contract

DAY_SECONDS = 86_400
PRODUCERS: dict[str, tuple[str, ...]] = {
    "flexjob_pool": ("impact",),
    "gateway": ("impact", "flexjob_pool"),
}
IN_ORDER = frozenset({"flexjob_pool"})
"""Consumers that are given an event only once the one before it is acknowledged; impact takes any order."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream per municipality and producer, written only by that producer's relay."""

    municipality: str
    producer: str
    max_age_seconds: int = 400 * DAY_SECONDS
    max_bytes: int = 4 * 1024**3
    max_message_bytes: int = 72 * 1024
    duplicate_window_seconds: int = 600

    @property
    def name(self) -> str:
        """As `EVENTS_621_FLEXJOB_POOL`."""
        return f"EVENTS_{self.municipality}_{self.producer.upper()}"

    @property
    def subjects(self) -> str:
        """Every subject the stream holds."""
        return f"events.{self.municipality}.{self.producer}.>"

    @property
    def durables(self) -> tuple[str, ...]:
        """The consumers that read the stream, one durable each."""
        return PRODUCERS[self.producer]


def streams_of(municipality: str) -> tuple[Stream, ...]:
    """Every stream of a municipality."""
    return tuple(Stream(municipality, producer) for producer in PRODUCERS)


def streams_read_by(consumer: str, municipality: str) -> tuple[Stream, ...]:
    """The streams of a municipality that a consumer has a durable on."""
    return tuple(stream for stream in streams_of(municipality) if consumer in stream.durables)


def subject_of(municipality: str, producer: str, contract: Contract) -> str:
    """The NATS subject of an event, as `events.621.flexjob_pool.flexjob.started.v1`."""
    return f"events.{municipality}.{producer}.{contract.name}.v{contract.major}"
