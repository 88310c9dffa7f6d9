"""Every figure is proven: by SQL that shares no code with it, at any date and as known at any position."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import count, permutations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.calendar import SystemCalendar
from chassis.database import Connection, Pool
from chassis.wire import seal
from contracts.streams import Stream
from impact.catalogue import INDICATORS, measures_of
from impact.figures import Known, Question, Value, ask
from impact.fold import Fact
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.store.figures import figures_at, known, snapshot
from impact.verify.drift import Drift, Pair, verify

MEASURES = measures_of(INDICATORS)
MUNICIPALITIES = (f"{number:03}" for number in count(101))
# Around what happens, and around the days on which something is due because of it.
DISTANCES = st.sampled_from([-1, 0, 1, 28, 29, 89, 90, 91, 181, 182, 363, 364]).map(lambda days: timedelta(days=days))
LENGTHS = st.sampled_from([0, 1, 30, 200]).map(lambda days: timedelta(days=days))

Stories = st.SearchStrategy[list[Fact]]
a_few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@a_few
@given(data=st.data())
async def test_the_second_implementation_agrees_at_any_pair_of_date_and_position(
    pool: Pool, stories: Stories, data: st.DataObject
) -> None:
    stream = Stream(next(MUNICIPALITIES), "flexjob_pool")
    facts = data.draw(stories)
    await bring_in(pool, stream, data.draw(st.permutations(facts)))
    days = st.sampled_from([fact.occurred_on for fact in facts if fact.occurred_on] or [date(2026, 12, 1)])
    positions = st.one_of(st.just(len(facts)), st.integers(0, len(facts)))
    pairs = [Pair(data.draw(days) + data.draw(DISTANCES), data.draw(positions)) for _ in range(20)]

    assert await drift(pool, stream, [Pair(date(2029, 1, 1)), *pairs]) == ()


@a_few
@given(data=st.data())
async def test_the_cells_of_every_cut_add_up_to_the_whole_at_any_pair_and_over_any_period(
    pool: Pool, stories: Stories, data: st.DataObject
) -> None:
    """Of a ratio its numerators and its denominators do; by one dimension or by two, from sums and from deltas."""
    stream = Stream(next(MUNICIPALITIES), "flexjob_pool")
    facts = data.draw(stories)
    for batch in (facts[: len(facts) // 2], facts[len(facts) // 2 :]):
        await bring_in(pool, stream, batch)
    days = st.sampled_from([fact.occurred_on for fact in facts if fact.occurred_on] or [date(2026, 12, 1)])
    positions = st.one_of(st.just(len(facts)), st.integers(0, len(facts)))
    pairs = [Pair(data.draw(days) + data.draw(DISTANCES), data.draw(positions)) for _ in range(5)]

    for pair in pairs:
        length = data.draw(st.none() | LENGTHS)
        first = None if length is None else pair.as_of - length
        async with snapshot(pool) as db:
            lane = await known(db, stream.municipality, pair.position)
            for indicator in INDICATORS:
                if indicator.additive:
                    await adds_up(db, lane, ask(indicator, stream.municipality, as_of=pair.as_of, first=first))


async def adds_up(db: Connection, lane: Known, whole: Question) -> None:
    names = whole.indicator.dimensions
    cuts = [(), *((name,) for name in names), *permutations(names, 2)]
    for from_deltas in (False, True):
        figures = await figures_at(db, [replace(whole, by=by) for by in cuts], lane, from_deltas=from_deltas)
        for figure in figures[1:]:
            for part in (above, below):
                assert sum(part(cell.value) for cell in figure.cells) == part(figures[0].whole), figure.question


def above(value: Value) -> Fraction:
    return value.over or Fraction(0)


def below(value: Value) -> Fraction:
    return value.under or Fraction(0)


async def bring_in(pool: Pool, stream: Stream, facts: Sequence[Fact]) -> None:
    deliveries = [Delivery(stream.name, fact.position, {}, sealed(fact, stream)) for fact in facts]
    await ingest(pool, stream, deliveries, measures=MEASURES, calendar=SystemCalendar())


def sealed(fact: Fact, stream: Stream) -> bytes:
    source = fact.source.replace(":621:", f":{stream.municipality}:")
    known = {"municipality": stream.municipality, "producer": stream.producer, "source": source}
    return seal(fact.event, **known, id=fact.id, time=fact.time, corrects=fact.corrects).body


async def drift(pool: Pool, stream: Stream, pairs: Sequence[Pair]) -> tuple[Drift, ...]:
    async with snapshot(pool, readonly=False) as db:
        return (await verify(db, stream.municipality, INDICATORS, pairs)).drift
