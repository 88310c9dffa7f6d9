"""From running sums to a figure: pure and exact; only the last step rounds, half up, to six decimals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from impact.catalogue import Indicator

DECIMALS = 6


class Status(StrEnum):
    """What a value is worth: exact as known now, empty below the line, or withheld."""

    PROVISIONAL = "provisional"
    NO_DATA = "no_data"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: an indicator of a municipality, from a day (None: since the beginning) to the end of another.

    `by` names the dimensions of the cut; without any there are no cells.
    """

    indicator: Indicator
    municipality: str
    as_of: date
    first: date | None
    last: date
    by: tuple[str, ...] = ()


class Sum(NamedTuple):
    """What one measure adds up to where its dimensions are these."""

    dimensions: dict[str, str]
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Known:
    """What had been admitted when the sums were read: the lane's position, and when it was reached."""

    position: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Value:
    """A value and, of a ratio, what stands above and below the line; None where there is none to show."""

    status: Status
    value: Decimal | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One part of a cut."""

    dimensions: dict[str, str]
    value: Value


@dataclass(frozen=True, slots=True)
class Figure:
    """The answer to a question; `facts` counts the facts of its source events that lie behind it."""

    question: Question
    known: Known
    whole: Value
    facts: int | None
    cells: tuple[Cell, ...]


def ask(  # noqa: PLR0913 - one parameter per parameter of the door
    indicator: Indicator,
    municipality: str,
    *,
    as_of: date,
    first: date | None = None,
    until: date | None = None,
    by: tuple[str, ...] = (),
) -> Question:
    """Place a question in time: a stock sums up to `as_of`, a flow within [`first`, `until`) and never beyond `as_of`.

    A flow without bounds runs from 1 January of its last day's year.
    """
    last = as_of if until is None else min(as_of, until - timedelta(days=1))
    if indicator.kind == "flow" and first is None:
        first = last.replace(month=1, day=1)
    return Question(indicator, municipality, as_of, first, last, by)


def answer(question: Question, known: Known, sums: Sequence[Sequence[Sum]], facts: int | None = None) -> Figure:
    """The figure of a question, from the sums of each of its indicator's measures."""
    indicator = question.indicator
    year = indicator.year_dimension if not question.by else None
    if year is not None:
        sums = [[part for part in parts if part.dimensions[year] == str(question.as_of.year)] for parts in sums]
    cells = tuple(
        Cell(dict(zip(question.by, place, strict=True)), _value(indicator, parts))
        for place, parts in sorted(_cut(sums, question.by).items())
    )
    return Figure(question, known, _value(indicator, sums), facts, cells)


def _cut(sums: Sequence[Sequence[Sum]], by: tuple[str, ...]) -> dict[tuple[str, ...], list[list[Sum]]]:
    cut: dict[tuple[str, ...], list[list[Sum]]] = {}
    if by:
        for number, parts in enumerate(sums):
            for part in parts:
                place = tuple(part.dimensions[name] for name in by)
                cut.setdefault(place, [[] for _ in sums])[number].append(part)
    return cut


def _value(indicator: Indicator, sums: Sequence[Sequence[Sum]]) -> Value:
    over, *under = (sum((Fraction(part.amount) for part in parts), Fraction()) for parts in sums)
    over /= Fraction(indicator.divisor)
    if not under:
        return Value(Status.PROVISIONAL, rounded(over))
    denominator = under[0]
    if denominator == 0:
        return Value(Status.NO_DATA, None, rounded(over), rounded(denominator))
    return Value(Status.PROVISIONAL, rounded(over / denominator), rounded(over), rounded(denominator))


def rounded(exact: Fraction) -> Decimal:
    """Half up, away from zero, to six decimals; no trailing zeros, no exponent, no minus before zero."""
    units = int(abs(exact) * 10**DECIMALS + Fraction(1, 2))
    whole, part = divmod(units, 10**DECIMALS)
    sign = "-" if exact < 0 and units else ""
    return Decimal(f"{sign}{whole}.{part:0{DECIMALS}d}".rstrip("0").rstrip("."))
