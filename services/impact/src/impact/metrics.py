"""What Prometheus sees of the figures, beside the account of what they come from.

All is read at the scrape from one database snapshot, so that no restart and no replay can invent a number.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from prometheus_client.core import GaugeMetricFamily, Metric

from chassis.calendar import Calendar
from chassis.database import Connection, Pool
from chassis.tokens import Principal
from impact import pipeline
from impact.catalogue import INDICATORS
from impact.disclosure import Release, disclosed
from impact.figures import Figure, Known, Status, Sum, answer, ask
from impact.indicator import Indicator
from impact.pipeline import midnight
from impact.store import verification
from impact.store.figures import definitions_of, known, snapshot, sums
from impact.store.releases import latest
from impact.store.verification import Verified
from impact.versions import entries_at

MOST_VALUES = 200
OTHER = "other"


class Shown(NamedTuple):
    """A figure whole, and in the cut of all its dimensions."""

    whole: Figure
    cut: Figure


@dataclass(frozen=True, slots=True)
class Seen:
    """What one snapshot shows of a municipality."""

    municipality: str
    as_of: date
    known: Known
    figures: Sequence[Shown]
    release: Release | None
    verified: Verified | None


async def public(pool: Pool, calendar: Calendar, municipalities: Sequence[str]) -> list[Metric]:
    """What everybody may see: released effects, and the account of deliveries and facts behind them."""
    async with snapshot(pool) as db:
        return [*await _effects(db, calendar, municipalities), *await pipeline.accounts(db, municipalities)]


async def exact(pool: Pool, calendar: Calendar, reader: Principal) -> list[Metric]:
    """The effects in the reader's municipality, as far as the reader may see them."""
    async with snapshot(pool) as db:
        return await _effects(db, calendar, [reader.municipality], reader)


async def _effects(
    db: Connection, calendar: Calendar, municipalities: Sequence[str], reader: Principal | None = None
) -> list[Metric]:
    seen = [await _see(db, municipality, calendar.today(), reader) for municipality in municipalities]
    named: dict[str, list[Shown]] = {}
    for figure in (figure for each in seen for figure in each.figures):
        named.setdefault(name_of(figure.whole.question.indicator), []).append(figure)
    return [
        *_lanes(seen),
        *_releases(seen),
        *_verifications(seen),
        *(_gauge(name, figures) for name, figures in named.items()),
    ]


async def _see(db: Connection, municipality: str, today: date, reader: Principal | None) -> Seen:
    """Every figure by the definition that is in force; what the lane does not keep yet is not shown."""
    lane = await known(db, municipality)
    entries = entries_at(INDICATORS, await definitions_of(db, municipality), lane.position)
    asked = [ask(indicator, municipality, as_of=today) for indicator in entries]
    release = await latest(db, municipality)
    figures = []
    for question, parts in zip(asked, await sums(db, asked, lane), strict=True):
        cut = replace(question, by=question.indicator.dimensions)
        whole = disclosed(answer(question, lane, parts), reader, release, by_default=True)
        figures.append(Shown(whole, disclosed(answer(cut, lane, _bounded(parts)), reader)))
    return Seen(municipality, today, lane, figures, release, await verification.latest(db, municipality))


def _bounded(parts: Sequence[Sequence[Sum]]) -> list[list[Sum]]:
    """The same sums in no more places than a time series database can bear; the rest are one place together."""
    places = {tuple(sorted(part.dimensions.items())) for measured in parts for part in measured}
    kept = set(sorted(places)[:MOST_VALUES])
    return [
        [
            part
            if tuple(sorted(part.dimensions.items())) in kept
            else part._replace(dimensions=dict.fromkeys(part.dimensions, OTHER))
            for part in measured
        ]
        for measured in parts
    ]


def name_of(indicator: Indicator) -> str:
    """The name of an indicator's gauge, as `impact_in_flexjob_persons`."""
    return f"impact_{indicator.name}_{indicator.unit}"


def _gauge(name: str, figures: Sequence[Shown]) -> Metric:
    """One family per indicator: cells that sum to the whole; of a figure whose cells do not, the whole as well."""
    indicator = figures[0].whole.question.indicator
    gauge = GaugeMetricFamily(name, f"{indicator.id}: {indicator.title.english}.")
    for whole, cut in figures:
        question = whole.question
        values = [(cell.dimensions, cell.value) for cell in cut.cells]
        if question.indicator.denominator or not values:
            values.append((dict.fromkeys(question.indicator.dimensions, ""), whole.whole))
        for place, value in values:
            if value.value is not None:
                gauge.add_sample(name, {"municipality": question.municipality, **place}, float(value.value))
    return gauge


def _lanes(seen: Iterable[Seen]) -> Iterator[Metric]:
    """Which (position, as_of) pair live figures stand at."""
    position = _family("impact_lane_position", "Facts admitted so far.")
    as_of = _family("impact_as_of_timestamp_seconds", "Midnight at the start of the day that the figures tell of.")
    recorded = _family("impact_lane_recorded_timestamp_seconds", "When the last fact was admitted, by the calendar.")
    for each in seen:
        position.add_metric([each.municipality], each.known.position)
        as_of.add_metric([each.municipality], midnight(each.as_of))
        if each.known.at:
            recorded.add_metric([each.municipality], each.known.at.timestamp())
    yield from (position, as_of, recorded)


def _releases(seen: Iterable[Seen]) -> Iterator[Metric]:
    """Which pair the figures about persons stand at for everybody, and how many are kept back from who reads this."""
    number = _family("impact_release_number", "The latest release of totals about persons.")
    position = _family("impact_release_position", "The position of the ledger that the release knows.")
    as_of = _family("impact_release_as_of_timestamp_seconds", "Midnight at the start of the day that it tells of.")
    hidden = _family("impact_suppressed_cells", "Figures, and cells of their cuts, that are suppressed here.")
    for each in seen:
        values = [value for shown in each.figures for value in (shown.whole.whole, *(c.value for c in shown.cut.cells))]
        hidden.add_metric([each.municipality], sum(value.status is Status.SUPPRESSED for value in values))
        if release := each.release:
            number.add_metric([each.municipality], release.number)
            position.add_metric([each.municipality], release.position)
            as_of.add_metric([each.municipality], midnight(release.as_of))
    yield from (number, position, as_of, hidden)


def _verifications(seen: Iterable[Seen]) -> Iterator[Metric]:
    """What the second implementation said last, and which cells it said it of."""
    at = _family("impact_verified_timestamp_seconds", "When figures were last compared with their proofs.")
    took = _family("impact_verification_seconds", "How long that took.")
    cells = _family("impact_verified_cells", "Cells compared then.")
    drift = _family("impact_drift_cells", "Comparisons that differed then.")
    odd = _family("impact_drift", "Of these, how many are of this cell.", "indicator", "cell")
    for each in seen:
        if verified := each.verified:
            at.add_metric([each.municipality], verified.at.timestamp())
            took.add_metric([each.municipality], verified.seconds)
            cells.add_metric([each.municipality], verified.cells)
            drift.add_metric([each.municipality], verified.drift)
            for (indicator, cell), times in Counter(map(_place, verified.differing)).most_common(MOST_VALUES):
                odd.add_metric([each.municipality, indicator, cell], times)
    yield from (at, took, cells, drift, odd)


def _place(differing: dict[str, Any]) -> tuple[str, str]:
    return differing["indicator"], ",".join(f"{name}={value}" for name, value in differing["cell"].items())


def _family(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=("municipality", *labels))
