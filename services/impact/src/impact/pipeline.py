"""What Prometheus sees of the way to the figures: whether anything was lost on it, and how far behind it is.

All but the lag is read at the scrape from one database snapshot, so that no restart and no replay can invent a number.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, time
from typing import TypeVar

import nats.errors
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from chassis.bus import Bus
from chassis.calendar import COPENHAGEN
from chassis.database import Connection
from contracts.streams import Stream
from impact.chronicle import Outcome
from impact.conservation import Heard
from impact.consumer import Consumer
from impact.ingest import DURABLE
from impact.ledger import Parked
from impact.rhythm import Rhythm
from impact.store import conservation, sources
from impact.store.conservation import Books

K = TypeVar("K")
MOST_SOURCES = 200
OTHER = "other"


async def accounts(db: Connection, municipalities: Sequence[str]) -> list[Metric]:
    """The account of deliveries and facts, what producers say they have published, and when sources were heard."""
    books = {municipality: await conservation.books(db, municipality) for municipality in municipalities}
    rhythms = {municipality: await sources.rhythms(db, municipality) for municipality in municipalities}
    timeliness = {municipality: await sources.timeliness(db, municipality) for municipality in municipalities}
    return [*_facts(books), *_completeness(books), _open(books), *_heard(rhythms), _timely(timeliness)]


def _facts(books: Mapping[str, Books]) -> Iterator[Metric]:
    deliveries = CounterMetricFamily(
        "impact_deliveries", "Deliveries by what became of them.", labels=("municipality", "stream", "result")
    )
    facts = _family("impact_facts", "Facts in the ledger, each with exactly one outcome.", "source", "outcome")
    parked = _family("impact_parked_facts", "Facts outside every history until replayed, by reason.", "reason")
    for municipality, book in books.items():
        for (stream, result), count in book.deliveries.items():
            deliveries.add_metric([municipality, stream, result], count)
        few = _few(source for source, _ in book.facts)
        # What none is of yet is 0 and not absent: that would look like silence.
        none = [((few(source), outcome), 0) for source, _ in book.facts for outcome in Outcome]
        some = [((few(source), outcome), count) for (source, outcome), count in book.facts.items()]
        for (source, outcome), count in _summed([*none, *some]):
            facts.add_metric([municipality, source, outcome], count)
        for reason, count in (dict.fromkeys(Parked, 0) | book.parked).items():
            parked.add_metric([municipality, reason], count)
    yield from (deliveries, facts, parked)


def _completeness(books: Mapping[str, Books]) -> Iterator[Metric]:
    published = _family("impact_published_events", "Events that a source has ever put into its outbox.", "source")
    received = _family("impact_received_events", "First copies that arrived.", "source")
    missing = _family("impact_missing_events", "Events that were published and have not arrived.", "source")
    sent = _family("impact_heartbeat_sent_timestamp_seconds", "When the last heartbeat was sent.", "producer")
    heard = _family("impact_heartbeat_received_timestamp_seconds", "When the last heartbeat came.", "producer")
    for municipality, book in books.items():
        told = book.balance.completeness
        few = _few(each.source for each in told)
        # Each by itself: of those named together, what came of one makes up for nothing of another.
        for family, counts in (
            (published, ((few(each.source), each.published) for each in told)),
            (received, ((few(each.source), each.received) for each in told)),
            (missing, ((few(each.source), each.missing) for each in told)),
        ):
            for source, count in _summed((source, count) for source, count in counts if count is not None):
                family.add_metric([municipality, source], count)
        for beat in _latest(beat for each in told for beat in each.heard):
            sent.add_metric([municipality, beat.producer], beat.sent_at.timestamp())
            heard.add_metric([municipality, beat.producer], beat.received_at.timestamp())
    yield from (published, received, missing, sent, heard)


def _latest(beats: Iterable[Heard]) -> Iterable[Heard]:
    """The last heartbeat of each producer, of no more producers than sources."""
    by_time = sorted(beats, key=lambda beat: beat.sent_at)
    latest = {beat.producer: beat for beat in by_time}
    return [latest[producer] for producer in sorted(latest)[:MOST_SOURCES]]


def _open(books: Mapping[str, Books]) -> Metric:
    accounts = _family(
        "impact_conservation_open_accounts",
        "Accounts of counters that do not close; anything but 0 is an alarm.",
        "account",
    )
    for municipality, book in books.items():
        found = Counter(account.name for account in book.balance.open_accounts)
        for name in book.balance.names:
            accounts.add_metric([municipality, name], found[name])
    return accounts


def _heard(rhythms: Mapping[str, Mapping[str, Rhythm]]) -> Iterator[Metric]:
    """Days by the calendar, as `impact_as_of_timestamp_seconds` is."""
    last = _family("impact_source_received_timestamp_seconds", "Midnight of the day it was last heard.", "source")
    due = _family(
        "impact_source_due_timestamp_seconds",
        "Midnight of the day it is due by.",
        "source",
    )
    for municipality, heard in rhythms.items():
        # Of sources named together nobody can say which one is silent.
        for source in sorted(heard)[:MOST_SOURCES]:
            last.add_metric([municipality, source], midnight(heard[source].last_on))
            if due_on := heard[source].due_on:
                due.add_metric([municipality, source], midnight(due_on))
    yield from (last, due)


def _timely(timeliness: Mapping[str, Mapping[str, float]]) -> Metric:
    family = _family("impact_source_timeliness_seconds", "From an event's time to its receipt, lately.", "source")
    for municipality, known in timeliness.items():
        for source in sorted(known)[:MOST_SOURCES]:
            family.add_metric([municipality, source], known[source])
    return family


async def ingest(bus: Bus, streams: Iterable[Stream], consumers: Mapping[str, Consumer]) -> list[Metric]:
    """How far behind each consumer is; without a connection to the bus nobody knows, and nothing is said."""
    lag = _family("impact_consumer_lag_events", "Events that wait, or are delivered and not acknowledged.", "stream")
    freshness = _family(
        "impact_freshness_seconds",
        "From the broker's timestamp to the commit: the last batch's oldest event.",
        "stream",
    )
    for stream in streams:
        place = [stream.municipality, stream.name]
        consumer = consumers.get(stream.name)
        if consumer and consumer.freshness is not None:
            freshness.add_metric(place, consumer.freshness)
        if bus.connected:
            with suppress(nats.errors.Error):
                info = await bus.jetstream.consumer_info(stream.name, DURABLE)
                lag.add_metric(place, (info.num_pending or 0) + (info.num_ack_pending or 0))
    return [lag, freshness]


def midnight(day: date) -> float:
    """When a Danish day begins, as a timestamp."""
    return datetime.combine(day, time(), COPENHAGEN).timestamp()


def _summed(counts: Iterable[tuple[K, int]]) -> Iterable[tuple[K, int]]:
    total: Counter[K] = Counter()
    for key, count in counts:
        total[key] += count
    return total.items()


def _few(values: Iterable[str]) -> Callable[[str], str]:
    """Keep the first values by name; the others are named together, since anyone on the bus can think up a source."""
    kept = set(sorted(set(values))[:MOST_SOURCES])
    return lambda value: value if value in kept else OTHER


def _family(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=("municipality", *labels))
