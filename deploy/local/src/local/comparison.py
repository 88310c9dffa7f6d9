"""Every figure and every cell that impact answers, beside what it must be; a cell of one side alone is a difference."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from local.expected.value import Figure, Value

WHOLE = ""
COPENHAGEN = ZoneInfo("Europe/Copenhagen")


class NotCovered(Exception):
    """The catalogue and the expectation do not name the same figures and cuts."""


@dataclass(frozen=True, slots=True)
class Line:
    """One value of a figure, the whole or a cell of a cut, and what it must be."""

    municipality: str
    indicator: str
    title: str
    cut: str
    cell: str
    as_of: date
    known_on: date
    unit: str
    answered: Value
    expected: Value
    facts: int | None

    @property
    def agrees(self) -> bool:
        """Whether the value is exactly what it must be; of a ratio, above and below the line too."""
        return self.answered == self.expected

    def __str__(self) -> str:
        """The value and what it must be, in one line."""
        cell = f"{self.cut}={self.cell}" if self.cut else "whole"
        where = f"{self.municipality} {self.indicator} {cell} as of {self.as_of}, as known on {self.known_on}"
        return f"{where}: {_written(self.answered)}, expected {_written(self.expected)}"


def _written(value: Value) -> str:
    ratio = "" if value.denominator is None else f" = {number(value.numerator)} / {number(value.denominator)}"
    return f"{number(value.value)}{ratio}"


def number(amount: Decimal | None) -> str:
    """The shortest way to write an amount; `none` without data."""
    return "none" if amount is None else f"{amount.normalize():f}"


async def compare(
    impact: httpx.AsyncClient, expected: Mapping[str, Figure], *, municipality: str, as_of: date, known_on: date
) -> list[Line]:
    """A line for each value of a municipality at the end of a day, as known at the end of another.

    Raises NotCovered, or httpx.HTTPError when impact refuses.
    """
    indicators = (await _get(impact, "/v1/indicators"))["items"]
    named = {indicator["id"]: set(indicator["dimensions"]) for indicator in indicators}
    covered = {name: set(figure.cuts) for name, figure in expected.items()}
    if apart := sorted(name for name in {*named, *covered} if named.get(name) != covered.get(name)):
        raise NotCovered(f"the catalogue and local.expected.figures do not have the same cuts of {', '.join(apart)}")
    lines = []
    asked = {"municipality": municipality, "as_of": as_of.isoformat(), "known_as_of": _end_of(known_on)}
    for indicator in indicators:
        for cut, cell, answer, must_be in await _values(impact, indicator["id"], expected[indicator["id"]], asked):
            lines.append(
                Line(
                    municipality=municipality,
                    indicator=indicator["id"],
                    title=indicator["title"]["da"],
                    cut=cut,
                    cell=cell,
                    as_of=as_of,
                    known_on=known_on,
                    unit=indicator["unit"],
                    answered=_value(answer),
                    expected=must_be,
                    facts=answer.get("facts"),
                )
            )
    return lines


async def _values(
    impact: httpx.AsyncClient, indicator: str, wanted: Figure, asked: Mapping[str, str]
) -> list[tuple[str, str, Any, Value]]:
    """The whole and every cell: its cut and name, impact's answer, and what it must be."""
    path = f"/v1/figures/{indicator}"
    values = [] if wanted.cuts else [(WHOLE, WHOLE, await _get(impact, path, **asked), wanted.whole)]
    for cut, cells in wanted.cuts.items():
        answer = await _get(impact, path, **asked, by=cut)
        answered = {cell["dimensions"][cut]: cell for cell in answer["cells"] if _value(cell).says_something}
        # Beside each cut stands the whole, which must be the same every time.
        values.append((WHOLE, WHOLE, answer, wanted.whole))
        values += [
            (cut, name, answered.get(name, {}), cells.get(name, Value())) for name in sorted({*answered, *cells})
        ]
    return values


def _end_of(day: date) -> str:
    """The last second of a Danish day."""
    return datetime.combine(day, time(23, 59, 59), COPENHAGEN).isoformat()


def _value(answer: Mapping[str, Any]) -> Value:
    amounts = (answer.get(name) for name in ("value", "numerator", "denominator"))
    return Value(*(None if text is None else Decimal(text) for text in amounts))


async def _get(impact: httpx.AsyncClient, path: str, **query: str) -> Any:
    answer = await impact.get(path, params=query)
    answer.raise_for_status()
    return answer.json()
