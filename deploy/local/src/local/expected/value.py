"""What a figure comes to: exact until it is written, then six decimals, rounded once."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor


@dataclass(frozen=True, slots=True)
class Value:
    """A value, none without data, and of a ratio what stands above and below the line."""

    value: Decimal | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None

    @property
    def says_something(self) -> bool:
        """Whether it is more than nil, or a share of something, be it none of it."""
        return bool(self.value or self.denominator)


@dataclass(frozen=True, slots=True)
class Figure:
    """The whole, and the cells of each cut by name; a cell that has nothing to say is left out."""

    whole: Value
    cuts: dict[str, dict[str, Value]]


def amount(total: Fraction | Decimal | int) -> Value:
    """A sum."""
    return Value(_written(Fraction(total)))


def ratio(over: Fraction | Decimal | int, under: Fraction | Decimal | int) -> Value:
    """One sum by another; none when there is nothing below the line."""
    share = _written(Fraction(over) / Fraction(under)) if under else None
    return Value(share, _written(Fraction(over)), _written(Fraction(under)))


def cells(values: Mapping[str, Value]) -> dict[str, Value]:
    """The cells that a cut shows."""
    return {name: value for name, value in values.items() if value.says_something}


def half_up(value: Fraction) -> int:
    """The nearest whole number; the upper one from half way."""
    return floor(value + Fraction(1, 2))


def _written(value: Fraction) -> Decimal:
    return Decimal(half_up(value * 10**6)).scaleb(-6)
