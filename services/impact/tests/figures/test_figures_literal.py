"""Every kind of figure in any cut, at any position, beside a literal count of the same deltas."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from statistics import median
from typing import NamedTuple

import pytest

from chassis.database import Pool
from impact.catalogue import INDICATORS
from impact.figures import Question, Status, ask
from impact.fold import Measure
from impact.indicator import Indicator
from impact.store.figures import figure_at, known, snapshot

Tell = Callable[..., Awaitable[None]]
DAYS = [date(2026, 1, 1) + timedelta(days=number) for number in range(90)]
MONTHS = [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1), None]
VALUES = {"weeks": ["13", "26"], "fiscal_year": ["2025", "2026"]}
SEED = 20260630


class Move(NamedTuple):
    """What one fact changes, at its position."""

    position: int
    measure: Measure
    amount: Decimal
    day: date
    dimensions: dict[str, str]
    contributor: str = "c"
    cohort: date | None = None


def lived(indicators: Iterable[Indicator], random: Random, positions: int) -> list[Move]:
    """Any deltas at all of the measures of these indicators, a few at each position."""
    kinds: dict[Measure, tuple[str, ...]] = {}
    for indicator in indicators:
        for measure in (*indicator.measures, indicator.evaluated_at):
            if measure:
                kinds.setdefault(measure, indicator.dimensions)
    found = []
    for position in range(1, positions + 1):
        for measure, dimensions in random.choices(list(kinds.items()), k=6):
            place = {name: random.choice(VALUES.get(name, ["A", "B", "C"])) for name in dimensions}
            amount = Decimal(random.choice([-100, 25, 50, 100, 150])) / 100
            # Who contributes does so with one value of each dimension: a median relies on that.
            contributor, cohort = "/".join([random.choice("ab"), *place.values()]), random.choice(MONTHS)
            found.append(Move(position, measure, amount, random.choice(DAYS), place, contributor, cohort))
    return found


def counted(question: Question, moves: Sequence[Move], position: int, place: dict[str, str]) -> Fraction | None:
    """What a cell of a figure is, literally; None when there are no data."""
    held = question.indicator.held_on(question.as_of, question.by if place else ()) | place
    there = [move for move in moves if move.position <= position and held.items() <= move.dimensions.items()]
    of = [[move for move in there if move.measure is measure] for measure in question.indicator.measures]
    if question.indicator.reading == "median":
        return middle(*(by_contributor(in_window(question, found)) for found in of))
    amounts = [over_days(question, found, there) / Fraction(question.indicator.divisor) for found in of]
    if len(amounts) == 1:
        return amounts[0]
    return amounts[0] / amounts[1] if amounts[1] else None


def over_days(question: Question, moves: Sequence[Move], there: Sequence[Move]) -> Fraction:
    if question.indicator.evaluated_at:
        return total(m for m in moves if (day := last_moved(question, there, m)) and m.day <= day)
    if question.indicator.kind == "stock" and question.first:
        days = [question.first + timedelta(days=n) for n in range((question.last - question.first).days + 1)]
        return sum((total(m for m in moves if m.day <= day) for day in days), Fraction()) / len(days)
    return total(in_window(question, moves))


def last_moved(question: Question, there: Sequence[Move], like: Move) -> date | None:
    amounts: defaultdict[date, Decimal] = defaultdict(Decimal)
    for move in there:
        if move.measure is question.indicator.evaluated_at and move.dimensions == like.dimensions:
            amounts[move.day] += move.amount
    return max((day for day, amount in amounts.items() if amount and day <= question.as_of), default=None)


def in_window(question: Question, moves: Iterable[Move]) -> list[Move]:
    first, until = question.first or date.min, question.until or date.max
    if question.indicator.kind == "cohort":
        bounded = question.first or question.until
        return [
            m for m in moves if m.day <= question.as_of and (not bounded or (m.cohort and first <= m.cohort < until))
        ]
    return [m for m in moves if first <= m.day <= question.last]


def total(moves: Iterable[Move]) -> Fraction:
    return sum((Fraction(move.amount) for move in moves), Fraction())


def by_contributor(moves: Iterable[Move]) -> dict[str, Fraction]:
    amounts: defaultdict[str, Fraction] = defaultdict(Fraction)
    for move in moves:
        amounts[move.contributor] += Fraction(move.amount)
    return amounts


def middle(above: dict[str, Fraction], counted: dict[str, Fraction]) -> Fraction | None:
    read = [above[contributor] for contributor, amount in counted.items() if amount]
    return Fraction(median(read)) if read else None


def questions(random: Random) -> Iterable[Question]:
    for indicator in INDICATORS:
        firsts = [None, date(2025, 12, 1), date(2026, 1, 1)] if indicator.kind == "cohort" else [None, *DAYS[:40]]
        untils = [None, date(2026, 2, 1)] if indicator.kind == "cohort" else [None, *DAYS[40:]]
        for size in (0, 1, 2)[: len(indicator.dimensions) + 1]:
            by = tuple(random.sample(indicator.dimensions, size))
            first = None if indicator.evaluated_at else random.choice(firsts)
            as_of = random.choice(DAYS[40:])
            yield ask(indicator, "621", as_of=as_of, first=first, until=random.choice(untils), by=by)


async def test_every_kind_of_figure_is_what_a_literal_count_gives_at_any_position(
    pool: Pool, tell: Tell, subtests: pytest.Subtests
) -> None:
    random = Random(SEED)  # noqa: S311 - a choice of examples
    moves = lived(INDICATORS, random, positions=120)
    await tell(moves, position=120)

    for question in [question for _ in range(4) for question in questions(random)]:
        position = random.choice([None, 120, random.randint(0, 119)])
        with subtests.test(question.indicator.id, question=question, position=position):
            async with snapshot(pool) as db:
                lane = await known(db, "621", position)
                figure = await figure_at(db, question, lane)
                assert await figure_at(db, question, lane, from_deltas=True) == figure
            upto = figure.known.position
            places = [({}, figure.whole), *((cell.dimensions, cell.value) for cell in figure.cells)]
            for place, value in places:
                exact = None if value.status is Status.NO_DATA else (value.over or 0) / (value.under or 1)
                assert exact == counted(question, moves, upto, place)
