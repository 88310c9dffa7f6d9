"""What Prometheus sees of impact: the figures, and whether anything was lost on the way to them.

All is read at the scrape from one database snapshot, so that no restart and no replay can invent a number.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import TypeVar

import nats.errors
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from chassis.bus import Bus
from chassis.calendar import COPENHAGEN, Calendar
from chassis.database import Connection, Pool
from chassis.tokens import Principal
from contracts.streams import Stream
from impact.catalogue import INDICATORS, Indicator, measures_of
from impact.consumer import DURABLE, Consumer
from impact.disclosure import disclosed
from impact.figures import Figure, Known, Sum, answer, ask
from impact.store import conservation
from impact.store.conservation import Books
from impact.store.figures import known, snapshot, sums

K = TypeVar("K")
MOST_VALUES = 200
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Seen:
    """What one snapshot shows of a municipality: each figure whole, and in the cut of all its dimensions."""

    municipality: str
    as_of: date
    known: Known
    wholes: Sequence[Figure]
    cuts: Sequence[Figure]


async def public(pool: Pool, calendar: Calendar, municipalities: Sequence[str]) -> list[Metric]:
    """What everybody may see: released effects, and the account of deliveries and facts behind them."""
    async with snapshot(pool) as db:
        return [*await _effects(db, calendar, municipalities), *await _pipeline(db, municipalities)]


async def exact(pool: Pool, calendar: Calendar, reader: Principal) -> list[Metric]:
    """The effects in the reader's municipality, as far as the reader may see them."""
    async with snapshot(pool) as db:
        return await _effects(db, calendar, [reader.municipality], reader)


async def _effects(
    db: Connection, calendar: Calendar, municipalities: Sequence[str], reader: Principal | None = None
) -> list[Metric]:
    seen = [await _see(db, municipality, calendar.today(), reader) for municipality in municipalities]
    gauges = [_gauge(indicator, [(s.wholes[n], s.cuts[n]) for s in seen]) for n, indicator in enumerate(INDICATORS)]
    return [*_lanes(seen), *gauges]


async def _see(db: Connection, municipality: str, today: date, reader: Principal | None) -> Seen:
    now_known = await known(db, municipality)
    asked = [ask(indicator, municipality, as_of=today) for indicator in INDICATORS]
    wholes, cuts = [], []
    for question, parts in zip(asked, await sums(db, municipality, asked), strict=True):
        cut = replace(question, by=question.indicator.dimensions)
        wholes.append(disclosed(answer(question, now_known, parts), reader))
        cuts.append(disclosed(answer(cut, now_known, _bounded(parts)), reader))
    return Seen(municipality, today, now_known, wholes, cuts)


def _bounded(parts: Sequence[Sequence[Sum]]) -> list[list[Sum]]:
    """The same sums in no more places than a time series database can bear; the rest are one place together."""
    places = {tuple(sorted(part.dimensions.items())) for measured in parts for part in measured}
    kept = set(sorted(places)[:MOST_VALUES])
    return [
        [
            part
            if tuple(sorted(part.dimensions.items())) in kept
            else Sum(dict.fromkeys(part.dimensions, OTHER), part.amount)
            for part in measured
        ]
        for measured in parts
    ]


def name_of(indicator: Indicator) -> str:
    """The name of an indicator's gauge, as `impact_in_flexjob_persons`."""
    return f"impact_{indicator.name}_{indicator.unit}"


def _gauge(indicator: Indicator, figures: Iterable[tuple[Figure, Figure]]) -> Metric:
    """One family per indicator: cells that sum to the whole; of a ratio, which sums to nothing, the whole as well."""
    labels = ("municipality", *indicator.dimensions)
    gauge = GaugeMetricFamily(name_of(indicator), f"{indicator.id}: {indicator.title.english}.", labels=labels)
    for whole, cut in figures:
        municipality = whole.question.municipality
        values = [([cell.dimensions[name] for name in indicator.dimensions], cell.value) for cell in cut.cells]
        if indicator.denominator or not values:
            values.append(([""] * len(indicator.dimensions), whole.whole))
        for place, value in values:
            if value.value is not None:
                gauge.add_metric([municipality, *place], float(value.value))
    return gauge


def _lanes(seen: Iterable[Seen]) -> Iterator[Metric]:
    """Which (position, as_of) pair the figures stand at."""
    position = _family("impact_lane_position", "Facts admitted so far.")
    as_of = _family("impact_as_of_timestamp_seconds", "Midnight at the start of the day that the figures tell of.")
    recorded = _family("impact_lane_recorded_timestamp_seconds", "When the last fact was admitted, by the calendar.")
    for each in seen:
        position.add_metric([each.municipality], each.known.position)
        as_of.add_metric([each.municipality], datetime.combine(each.as_of, time(), COPENHAGEN).timestamp())
        if each.known.at:
            recorded.add_metric([each.municipality], each.known.at.timestamp())
    yield from (position, as_of, recorded)


async def _pipeline(db: Connection, municipalities: Sequence[str]) -> list[Metric]:
    read = {event.contract.type for measure in measures_of(INDICATORS) for event in measure.reads}
    books = {municipality: await conservation.books(db, municipality, read) for municipality in municipalities}
    return [*_facts(books), *_completeness(books)]


def _facts(books: Mapping[str, Books]) -> Iterator[Metric]:
    deliveries = CounterMetricFamily(
        "impact_deliveries", "Deliveries by what became of them.", labels=("municipality", "stream", "result")
    )
    facts = _family("impact_facts", "Facts in the ledger, each with exactly one outcome.", "source", "outcome")
    parked = _family("impact_parked_facts", "Facts outside every history, by reason.", "reason")
    for municipality, book in books.items():
        for (stream, result), count in book.deliveries.items():
            deliveries.add_metric([municipality, stream, result], count)
        few = _few(source for source, _ in book.facts)
        for (source, outcome), count in _summed(((few(s), o), count) for (s, o), count in book.facts.items()):
            facts.add_metric([municipality, source, outcome], count)
        for reason, count in book.parked.items():
            parked.add_metric([municipality, reason], count)
    yield from (deliveries, facts, parked)


def _completeness(books: Mapping[str, Books]) -> Iterator[Metric]:
    published = _family("impact_published_events", "Events that a source has ever put into its outbox.", "source")
    received = _family("impact_received_events", "First copies that arrived; fewer than published is a loss.", "source")
    sent = _family("impact_heartbeat_sent_timestamp_seconds", "When the last heartbeat was sent.", "producer")
    heard = _family("impact_heartbeat_received_timestamp_seconds", "When the last heartbeat came.", "producer")
    for municipality, book in books.items():
        few = _few([*book.received, *(beat.source for beat in book.heard)])
        for source, count in _summed((few(beat.source), beat.published) for beat in book.heard):
            published.add_metric([municipality, source], count)
        for source, count in _summed((few(source), count) for source, count in book.received.items()):
            received.add_metric([municipality, source], count)
        for producer, beat in {beat.producer: beat for beat in book.heard}.items():
            sent.add_metric([municipality, producer], beat.sent_at.timestamp())
            heard.add_metric([municipality, producer], beat.received_at.timestamp())
    yield from (published, received, sent, heard)


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
    kept = set(sorted(set(values))[:MOST_VALUES])
    return lambda value: value if value in kept else OTHER


def _family(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=("municipality", *labels))
