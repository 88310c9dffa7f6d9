"""What the doors show: entries of the catalogue and figures as JSON; every decimal is text."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from impact.disclosure import Released
from impact.figures import Figure, Status, Value
from impact.indicator import Bilingual, Indicator

NO_RATIO: JsonDict = {"numerator": None, "denominator": None, "status": "provisional"}
F1_EXAMPLE: JsonDict = {
    "id": "F1",
    "title": {
        "da": "Personer i fleksjob på kommunens arbejdspladser",
        "en": "Persons in flexjobs at municipal workplaces",
    },
    "municipality": "621",
    "value": "24",
    "unit": "persons",
    "as_of": "2026-06-30",
    "from": None,
    "to": None,
    "known_as_of": "2026-07-01T06:12:44Z",
    "position": 1204,
    "release": None,
    "definition_version": 1,
    "facts": 57,
    "cells": [{"dimensions": {"department": "Senior"}, "value": "24", **NO_RATIO}],
    **NO_RATIO,
}


class Texts(BaseModel):
    """A text in Danish and English."""

    da: str
    en: str


class IndicatorShown(BaseModel):
    """An entry of the catalogue: an indicator by one of its definition versions."""

    id: str = Field(examples=["F1"])
    name: str
    title: Texts
    definition: Texts
    definition_version: int
    kind: str = Field(
        description="stock (sum up to a date, or its daily average over a period), flow (sum within a period), or "
        "cohort (a period selects the months of beginning, the date says how far they have come)"
    )
    ratio: bool = Field(description="Whether it is one measure over another.")
    reading: str = Field(description="sum, or median: over its contributors, the mean of the two in the middle.")
    unit: str
    level: str
    direction: str = Field(description="The direction that is wanted.")
    dimensions: tuple[str, ...] = Field(description="What a figure can be split `by`, one or two at a time.")
    held: dict[str, str] = Field(
        description="Dimensions held to one value, but for the cells of a cut `by` them; {year} is that of `as_of`.",
        examples=[{"weeks": "26"}],
    )
    months: int | None = Field(description="Of a flow: how far back it goes without `from`; null is to 1 January.")
    additive: bool = Field(description="Whether the cells of a cut add up to the whole.")
    about_persons: bool = Field(description="Whether exact figures need a token with the scope figures:exact.")
    owner: str
    mapping: tuple[str, ...] = Field(description="Tracks of the strategy, and standards.")
    events: tuple[str, ...] = Field(description="The types of event that it is made from.")
    metric: str


class IndicatorList(BaseModel):
    """The catalogue; an indicator with several definition versions stands here once for each."""

    items: list[IndicatorShown]


class ValueShown(BaseModel):
    """A value: a decimal as text, at most six decimals; null when there are no data, or when it is suppressed."""

    value: str | None
    numerator: str | None = Field(description="Of a ratio, else null.")
    denominator: str | None = Field(
        description="Of a ratio; of a median, how many contributors it was taken over; else null."
    )
    status: Status = Field(
        description="provisional: exact as known at `position`. no_data: nothing below the line, or a median of "
        "nothing. suppressed: withheld from this reader."
    )


class CellShown(ValueShown):
    """One part of a cut; parts of which there is nothing are left out."""

    dimensions: dict[str, str] = Field(description="One value for each dimension of `by`.")


class FigureShown(ValueShown):
    """A figure as it was at the end of `as_of`, as known at `position`."""

    model_config = ConfigDict(json_schema_extra={"example": F1_EXAMPLE})

    id: str
    title: Texts
    municipality: str
    unit: str
    as_of: date = Field(description="When it was true: at the end of this day.")
    first: date | None = Field(
        serialization_alias="from",
        description="Of a flow or an average: its first day. Of a cohort: its first month. Null without bound, and for "
        "a stock at its end.",
    )
    until: date | None = Field(
        serialization_alias="to",
        description="Of a flow or an average: the day after its last, never beyond as_of. Of a cohort: the month after "
        "its last.",
    )
    known_as_of: datetime | None = Field(
        description="What was known: when the fact at `position` was admitted; null before the first."
    )
    position: int = Field(description="The last position of the ledger that was read; it identifies what was known.")
    release: int | None = Field(
        description="The number of the release that the figure comes out of; null when it is live, or suppressed."
    )
    definition_version: int = Field(description="Which definition answered.")
    facts: int | None = Field(
        description="Facts of its source `events` (see the catalogue) that count, up to its last day, of a flow from "
        "its first on; also those that do not move it, as of other fiscal years. Null when suppressed, and where "
        "it is not known: at a position before the latest, and after a batch by an older impact until the next one.",
    )
    cells: list[CellShown] = Field(description="The parts of the cut, when `by` asks for one.")


class FigureList(BaseModel):
    """Every figure whose definition the lane keeps."""

    items: list[FigureShown]


def indicator_shown(indicator: Indicator, metric: str) -> IndicatorShown:
    """An entry of the catalogue, and the name of its gauge."""
    return IndicatorShown(
        id=indicator.id,
        name=indicator.name,
        title=_texts(indicator.title),
        definition=_texts(indicator.definition),
        definition_version=indicator.definition_version,
        kind=indicator.kind,
        ratio=indicator.denominator is not None and indicator.reading == "sum",
        reading=indicator.reading,
        unit=indicator.unit,
        level=indicator.level,
        direction=indicator.direction,
        dimensions=indicator.dimensions,
        held=dict(indicator.held),
        months=indicator.months,
        additive=indicator.additive,
        about_persons=indicator.about_persons,
        owner=indicator.owner,
        mapping=indicator.mapping,
        events=tuple(event.contract.type for event in indicator.sources),
        metric=metric,
    )


def figure_shown(figure: Figure) -> FigureShown:
    """A figure as it may leave; the disclosure policy comes before."""
    question = figure.question
    return FigureShown(
        **_value(figure.whole),
        id=question.indicator.id,
        title=_texts(question.indicator.title),
        municipality=question.municipality,
        unit=question.indicator.unit,
        as_of=question.as_of,
        first=question.first,
        until=question.until,
        known_as_of=figure.known.at,
        position=figure.known.position,
        release=figure.release if isinstance(figure, Released) else None,
        definition_version=question.indicator.definition_version,
        facts=figure.facts,
        cells=[CellShown(**_value(cell.value), dimensions=cell.dimensions) for cell in figure.cells],
    )


def _value(value: Value) -> dict[str, Any]:
    return {
        "value": _text(value.value),
        "numerator": _text(value.numerator),
        "denominator": _text(value.denominator),
        "status": value.status,
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _texts(text: Bilingual) -> Texts:
    return Texts(da=text.danish, en=text.english)
