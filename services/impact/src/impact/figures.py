"""From sums to a figure: pure and exact; only the last step rounds, half up, to six decimals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

from impact.indicator import Indicator

DECIMALS = 6
A_DAY = timedelta(days=1)


class Status(StrEnum):
    """What a value is worth: exact as known now, empty below the line, or withheld."""

    PROVISIONAL = "provisional"
    NO_DATA = "no_data"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: an indicator of a municipality, as it was at the end of a day.

    `first` (inclusive) and `until` (exclusive) bound the days of a flow, the days that a stock is averaged over, or the
    months in which a cohort began; None is without bound, and without both a stock is read at its end. `by` names the
    dimensions of the cut; without any there are no cells.
    """

    indicator: Indicator
    municipality: str
    as_of: date
    first: date | None = None
    until: date | None = None
    by: tuple[str, ...] = ()

    @property
    def last(self) -> date:
        """The last day whose deltas count; a cohort's months do not say how far it has come."""
        return self.as_of if self.indicator.kind == "cohort" or self.until is None else self.until - A_DAY

    @property
    def days(self) -> int | None:
        """How many days a stock is averaged over; None when there is no average."""
        if self.indicator.kind != "stock" or self.first is None:
            return None
        return (self.last - self.first).days + 1


class Sum(NamedTuple):
    """What one measure adds up to where its dimensions are these; for a median, what each of some contributors brings.

    Of an average it is the sum of the days' ends, not yet divided by how many they are.
    """

    dimensions: dict[str, str]
    amount: Decimal
    contributors: int = 1


@dataclass(frozen=True, slots=True)
class Known:
    """What had been admitted: the lane's position, when that was reached, and whether it is the `latest`.

    `latest` holds within the snapshot that it was read from. Without it a figure is read from deltas: slow and right.
    """

    position: int
    at: datetime | None
    latest: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """A value and, of a ratio, what stands above and below the line; None where there is none to show.

    `over` and `under` are those two exactly, after the divisor: the value is `over / under`, or `over` where there is
    no `under`. Below a median stands how many contributors it was taken over, and `under` is None.
    """

    status: Status
    value: Decimal | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    over: Fraction | None = None
    under: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One part of a cut."""

    dimensions: dict[str, str]
    value: Value


@dataclass(frozen=True, slots=True)
class Figure:
    """The answer to a question; `facts` counts the facts of its source events that lie behind it, None if not known."""

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
    """Place a question in time: no day of a flow or an average lies beyond `as_of`, whatever `until` says.

    A flow without `first` runs from 1 January of its last day's year, or over as many months as the indicator says.
    A stock without `first` is read at the end of `as_of`.
    """
    if indicator.kind == "cohort":
        return Question(indicator, municipality, as_of, first, until, by)
    if indicator.kind == "stock" and first is None:
        return Question(indicator, municipality, as_of, None, None, by)
    end = as_of + A_DAY if until is None else min(until, as_of + A_DAY)
    return Question(indicator, municipality, as_of, first or _usual_start(indicator, end - A_DAY), end, by)


def _usual_start(indicator: Indicator, last: date) -> date:
    if indicator.months is None:
        return last.replace(month=1, day=1)
    years, month = divmod(12 * last.year + last.month - 1 - indicator.months, 12)
    following = date(years + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return min(date(years, month + 1, 1) + timedelta(days=last.day - 1), following - A_DAY) + A_DAY


def answer(question: Question, known: Known, sums: Sequence[Sequence[Sum]], facts: int | None = None) -> Figure:
    """The figure of a question, from the sums of each of its indicator's measures."""
    indicator, as_of = question.indicator, question.as_of
    cells = tuple(
        Cell(dict(zip(question.by, place, strict=True)), _value(question, parts))
        for place, parts in sorted(_cut(_where(indicator.held_on(as_of, question.by), sums), question.by).items())
    )
    # The whole of what is held is of the held value, also beside cells of other values.
    whole = _value(question, _where(indicator.held_on(as_of, ()), sums))
    return Figure(question, known, whole, facts, cells)


def _where(held: Mapping[str, str], sums: Sequence[Sequence[Sum]]) -> list[list[Sum]]:
    return [[part for part in parts if held.items() <= part.dimensions.items()] for parts in sums]


def _cut(sums: Sequence[Sequence[Sum]], by: tuple[str, ...]) -> dict[tuple[str, ...], list[list[Sum]]]:
    cut: dict[tuple[str, ...], list[list[Sum]]] = {}
    if by:
        for number, parts in enumerate(sums):
            for part in parts:
                place = tuple(part.dimensions[name] for name in by)
                cut.setdefault(place, [[] for _ in sums])[number].append(part)
    return cut


def _value(question: Question, sums: Sequence[Sequence[Sum]]) -> Value:
    indicator = question.indicator
    if indicator.reading == "median":
        return _median(question, sums)
    over, *under = (_total(parts) / (question.days or 1) for parts in sums)
    over /= Fraction(indicator.divisor)
    if not under:
        return Value(Status.PROVISIONAL, rounded(over), over=over)
    below = under[0]
    status = Status.PROVISIONAL if below else Status.NO_DATA
    value = rounded(over / below) if below else None
    return Value(status, value, rounded(over), rounded(below), over, below)


def _total(parts: Iterable[Sum]) -> Fraction:
    return sum((Fraction(part.amount) for part in parts), Fraction())


def _median(question: Question, sums: Sequence[Sequence[Sum]]) -> Value:
    """Of what stands above the line for each contributor below it: the mean of the two in the middle."""
    spread = sorted((part.amount, part.contributors) for part in sums[0])
    counted = sum(contributors for _, contributors in spread)
    if not counted:
        return Value(Status.NO_DATA, denominator=Decimal(0))
    scale = (question.days or 1) * Fraction(question.indicator.divisor)
    middle = (_place(spread, (counted - 1) // 2) + _place(spread, counted // 2)) / 2 / scale
    return Value(Status.PROVISIONAL, rounded(middle), denominator=Decimal(counted), over=middle)


def _place(spread: Iterable[tuple[Decimal, int]], place: int) -> Fraction:
    """What the contributor at a place brings, when they stand in order of what they bring; the first is at 0."""
    reached = accumulate(contributors for _, contributors in spread)
    return next(Fraction(amount) for (amount, _), upto in zip(spread, reached, strict=True) if place < upto)


def rounded(exact: Fraction) -> Decimal:
    """Half up, away from zero, to six decimals; no trailing zeros, no exponent, no minus before zero."""
    units = int(abs(exact) * 10**DECIMALS + Fraction(1, 2))
    whole, part = divmod(units, 10**DECIMALS)
    sign = "-" if exact < 0 and units else ""
    return Decimal(f"{sign}{whole}.{part:0{DECIMALS}d}".rstrip("0").rstrip("."))
