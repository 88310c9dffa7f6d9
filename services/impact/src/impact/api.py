"""The doors of impact: the catalogue for everybody, figures under the disclosure policy, and the exact metrics."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from chassis.http import Door, door
from chassis.metrics import CONTENT_TYPE, expose
from chassis.problems import Problem, Said
from impact import metrics
from impact.catalogue import INDICATORS, Bilingual, Indicator
from impact.disclosure import EXACT, disclosed
from impact.figures import Figure, Question, Status, Value, answer
from impact.questions import PARAMETERS_OF_ALL, PARAMETERS_OF_ONE, question_of, questions_of
from impact.store.figures import facts_behind, known, snapshot, sums

BY_ID = {indicator.id: indicator for indicator in INDICATORS}
F1_EXAMPLE: JsonDict = {
    "id": "F1",
    "title": {
        "da": "Personer i fleksjob på kommunens arbejdspladser",
        "en": "Persons in flexjobs at municipal workplaces",
    },
    "municipality": "621",
    "value": "24",
    "numerator": None,
    "denominator": None,
    "unit": "persons",
    "status": "provisional",
    "as_of": "2026-06-30",
    "from": None,
    "to": None,
    "known_as_of": "2026-07-01T06:12:44Z",
    "position": 1204,
    "definition_version": 1,
    "facts": 57,
    "cells": [
        {
            "dimensions": {"department": "Senior"},
            "value": "24",
            "numerator": None,
            "denominator": None,
            "status": "provisional",
        }
    ],
}

router = APIRouter()
IndicatorId = Annotated[str, Path(description="An id from /v1/indicators.", examples=["F1"])]


class Texts(BaseModel):
    """A text in Danish and English."""

    da: str
    en: str


class IndicatorShown(BaseModel):
    """An entry of the catalogue."""

    id: str = Field(examples=["F1"])
    name: str
    title: Texts
    definition: Texts
    definition_version: int
    kind: str = Field(description="stock (sum up to a date) or flow (sum within a period); a ratio is of two of them")
    ratio: bool
    unit: str
    level: str
    direction: str = Field(description="The direction that is wanted.")
    dimensions: tuple[str, ...] = Field(description="What a figure can be split `by`.")
    additive: bool = Field(description="Whether the cells of a cut add up to the whole.")
    about_persons: bool = Field(description="Whether exact figures need a token with the scope figures:exact.")
    owner: str
    mapping: tuple[str, ...] = Field(description="Tracks of the strategy, and standards.")
    events: tuple[str, ...] = Field(description="The types of event that it is made from.")
    metric: str


class IndicatorList(BaseModel):
    """The catalogue."""

    items: list[IndicatorShown]


class ValueShown(BaseModel):
    """A value: a decimal as text, at most six decimals; null when there are no data, or when it is suppressed."""

    value: str | None
    numerator: str | None = Field(description="Of a ratio, else null.")
    denominator: str | None = Field(description="Of a ratio, else null.")
    status: Status


class CellShown(ValueShown):
    """One part of a cut."""

    dimensions: dict[str, str]


class FigureShown(ValueShown):
    """A figure as it was at the end of `as_of`, as known at `position`."""

    model_config = ConfigDict(json_schema_extra={"example": F1_EXAMPLE})

    id: str
    title: Texts
    municipality: str
    unit: str
    as_of: date
    first: date | None = Field(serialization_alias="from", description="Of a flow: its first day.")
    until: date | None = Field(serialization_alias="to", description="Of a flow: the day after its last.")
    known_as_of: datetime | None = Field(description="When the last fact was admitted; null before the first.")
    position: int = Field(description="How many facts had been admitted.")
    definition_version: int
    facts: int | None = Field(
        description="Facts of its source `events` (see the catalogue) up to its last day, of a flow from its first on; "
        "also those that do not move it, as of other fiscal years. Null when suppressed.",
    )
    cells: list[CellShown]


class FigureList(BaseModel):
    """Every figure of the catalogue."""

    items: list[FigureShown]


Anyone = Annotated[Door, Depends(door())]


@router.get("/v1/indicators")
async def list_indicators(at: Anyone) -> IndicatorList:  # noqa: ARG001 - a bad token is refused everywhere
    """The catalogue: what is measured, how it is defined, and what it can be split by."""
    return IndicatorList(items=[_indicator(indicator) for indicator in INDICATORS])


@router.get("/v1/indicators/{indicator_id}")
async def show_indicator(indicator_id: IndicatorId, at: Anyone) -> IndicatorShown:  # noqa: ARG001
    """One entry of the catalogue."""
    return _indicator(_found(indicator_id))


@router.get("/v1/figures", openapi_extra={"parameters": PARAMETERS_OF_ALL})
async def list_figures(at: Anyone, response: Response) -> FigureList:
    """Every figure, from one snapshot. Without figures:exact those about persons are suppressed."""
    asked = questions_of(_given(at), INDICATORS, served=_served(at), today=at.calendar.today())
    return FigureList(items=await _answers(at, asked, response))


@router.get("/v1/figures/{indicator_id}", openapi_extra={"parameters": PARAMETERS_OF_ONE})
async def show_figure(indicator_id: IndicatorId, at: Anyone, response: Response) -> FigureShown:
    """One figure, on any date and in any of its cuts. Without figures:exact one about persons is suppressed."""
    asked = question_of(_given(at), _found(indicator_id), served=_served(at), today=at.calendar.today())
    return (await _answers(at, [asked], response))[0]


@router.get("/metrics/exact", include_in_schema=False)
async def exact_metrics(at: Annotated[Door, Depends(door(EXACT))]) -> Response:
    """Every figure of the token's municipality for Prometheus, exact and live."""
    exposed = await expose(CollectorRegistry(), [lambda: metrics.exact(at.pool, at.calendar, at.principal)])
    return Response(exposed, media_type=CONTENT_TYPE, headers={"cache-control": "no-store"})


def _given(at: Door) -> list[tuple[str, str]]:
    return at.request.query_params.multi_items()


def _served(at: Door) -> tuple[str, ...]:
    served: tuple[str, ...] = at.request.app.state.settings.municipalities
    return served


def _found(indicator_id: str) -> Indicator:
    if indicator_id not in BY_ID:
        raise Problem(
            404,
            "unknown-indicator",
            Said("Indikatoren findes ikke", "There is no such indicator"),
            Said("GET /v1/indicators viser alle id'er.", "GET /v1/indicators lists every id."),
        )
    return BY_ID[indicator_id]


async def _answers(at: Door, asked: Sequence[Question], response: Response) -> list[FigureShown]:
    # Exact figures are not for shared caches, and a live one is stale at once.
    response.headers["cache-control"] = "no-store"
    municipality = asked[0].municipality
    async with snapshot(at.pool) as db:
        lane = await known(db, municipality)
        totals = await sums(db, municipality, asked)
        facts = await facts_behind(db, municipality, asked)
    return [
        _shown(disclosed(answer(question, lane, parts, behind), at.principal))
        for question, parts, behind in zip(asked, totals, facts, strict=True)
    ]


def _indicator(indicator: Indicator) -> IndicatorShown:
    return IndicatorShown(
        id=indicator.id,
        name=indicator.name,
        title=_texts(indicator.title),
        definition=_texts(indicator.definition),
        definition_version=indicator.definition_version,
        kind=indicator.kind,
        ratio=indicator.denominator is not None,
        unit=indicator.unit,
        level=indicator.level,
        direction=indicator.direction,
        dimensions=indicator.dimensions,
        additive=indicator.additive,
        about_persons=indicator.about_persons,
        owner=indicator.owner,
        mapping=indicator.mapping,
        events=tuple(event.contract.type for event in indicator.sources),
        metric=metrics.name_of(indicator),
    )


def _shown(figure: Figure) -> FigureShown:
    question = figure.question
    return FigureShown(
        **_value(figure.whole),
        id=question.indicator.id,
        title=_texts(question.indicator.title),
        municipality=question.municipality,
        unit=question.indicator.unit,
        as_of=question.as_of,
        first=question.first,
        until=question.last + timedelta(days=1) if question.first else None,
        known_as_of=figure.known.at,
        position=figure.known.position,
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
