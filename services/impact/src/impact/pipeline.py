"""What Prometheus sees of the way to the figures: whether anything was lost on it, and how far behind it is.

All but the lag is read at the scrape from one database snapshot, so that no restart and no replay can invent a number.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

import nats.errors
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from chassis.bus import Bus
from chassis.database import Connection, Pool
from contracts.streams import Stream
from impact.chronicle import Outcome
from impact.conservation import Heard
from impact.consumer import Consumer
from impact.ingest import DURABLE
from impact.ledger import Parked
from impact.store import conservation
from impact.store.conservation import Books
from impact.store.figures import snapshot

K = TypeVar("K")
MOST_SOURCES = 200
OTHER = "other"


async def accounts(pool: Pool, municipalities: Sequence[str]) -> list[Metric]:
    """The account of deliveries and facts, and what producers say they have published."""
    async with snapshot(pool) as db:
        return await accounts_in(db, municipalities)


async def accounts_in(db: Connection, municipalities: Sequence[str]) -> list[Metric]:
    """The same on a connection, for one who reads more from its snapshot."""
    books = {municipality: await conservation.books(db, municipality) for municipality in municipalities}
    return [*_facts(books), *_completeness(books), _open(books)]


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
    received = _family("impact_received_events", "First copies that arrived; fewer than published is a loss.", "source")
    sent = _family("impact_heartbeat_sent_timestamp_seconds", "When the last heartbeat was sent.", "producer")
    heard = _family("impact_heartbeat_received_timestamp_seconds", "When the last heartbeat came.", "producer")
    for municipality, book in books.items():
        sources = book.balance.completeness
        few = _few(each.source for each in sources)
        known = ((few(each.source), each.published) for each in sources)
        for source, count in _summed((source, count) for source, count in known if count is not None):
            published.add_metric([municipality, source], count)
        for source, count in _summed((few(each.source), each.received) for each in sources):
            received.add_metric([municipality, source], count)
        for beat in _latest(beat for each in sources for beat in each.heard):
            sent.add_metric([municipality, beat.producer], beat.sent_at.timestamp())
            heard.add_metric([municipality, beat.producer], beat.received_at.timestamp())
    yield from (published, received, sent, heard)


def _latest(beats: Iterable[Heard]) -> Iterable[Heard]:
    """The last heartbeat of each producer, of no more producers than sources."""
    by_time = sorted(beats, key=lambda beat: beat.sent_at)
    latest = {beat.producer: beat for beat in by_time}
    return [latest[producer] for producer in sorted(latest)[:MOST_SOURCES]]


def _open(books: Mapping[str, Books]) -> Metric:
    accounts = _family(
        "impact_conservation_open_accounts", "Accounts of counters that do not close; anything but 0 is an alarm."
    )
    for municipality, book in books.items():
        accounts.add_metric([municipality], len(book.balance.open_accounts))
    return accounts


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
