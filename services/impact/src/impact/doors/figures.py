"""The doors on figures: the catalogue for everybody, figures under the disclosure policy, and the exact metrics."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from prometheus_client import CollectorRegistry
from starlette.responses import PlainTextResponse

from chassis.database import ACQUIRE_SECONDS, Connection
from chassis.http import Door, door
from chassis.metrics import CONTENT_TYPE, expose
from chassis.openapi import refused
from chassis.problems import Problem
from impact import enquiry, metrics
from impact.asked import Asked
from impact.catalogue import INDICATORS
from impact.disclosure import EXACT, Release, disclosed
from impact.figures import Figure, Known, Question, ask
from impact.indicator import Indicator
from impact.parameters import PARAMETERS_OF_ALL, PARAMETERS_OF_ONE
from impact.questions import asked_about_all, asked_about_one
from impact.shown import FigureList, FigureShown, IndicatorList, IndicatorShown, figure_shown, indicator_shown
from impact.store.audit import note_exact_read
from impact.store.figures import figures_at, snapshot, with_facts
from impact.store.releases import latest

Responses = dict[int | str, dict[str, Any]]


def _refusal(problem: Problem, when: str) -> dict[str, Any]:
    """A problem as OpenAPI tells it; what is wrong with a question is told by the reasons of `invalid-question`."""
    return refused(when, example=problem.members("en"))


UNKNOWN: Responses = {404: _refusal(enquiry.unknown_indicator(), "No indicator has this id.")}
NOT_KEPT: Responses = {
    409: _refusal(enquiry.not_in_force(), "The lane does not keep the definition, or did not at that position.")
}

router = APIRouter(tags=["figures"])
IndicatorId = Annotated[str, Path(description="An id from /v1/indicators.", examples=["F1"])]
Anyone = Annotated[Door, Depends(door())]


@router.get("/v1/indicators")
async def list_indicators(at: Anyone) -> IndicatorList:  # noqa: ARG001 - a bad token is refused everywhere
    """The catalogue: what is measured, how it is defined, and what it can be split by."""
    return IndicatorList(items=[_indicator(indicator) for indicator in INDICATORS])


@router.get("/v1/indicators/{indicator_id}", responses=UNKNOWN)
async def show_indicator(indicator_id: IndicatorId, at: Anyone) -> IndicatorShown:  # noqa: ARG001
    """One entry of the catalogue, by its newest definition version."""
    return _indicator(enquiry.entries_of(INDICATORS, indicator_id)[-1])


@router.get("/v1/figures", openapi_extra={"parameters": PARAMETERS_OF_ALL})
async def list_figures(at: Anyone, response: Response) -> FigureList:
    """Every figure, from one snapshot, on any date and as known at any position.

    Each by the definition in force at the position; an indicator whose definition the lane does not keep yet is left
    out. Without figures:exact those about persons are suppressed. What cannot be answered is refused as the problem
    `urn:kraftcenter:problem:invalid-question` with all reasons.
    """
    asked = asked_about_all(given(at), served=served(at), today=at.calendar.today())
    async with snapshot(at.pool) as db:
        lane = await enquiry.lane_of(db, asked)
        questions = await enquiry.questions_of(db, asked, INDICATORS, lane)
        figures, release = await _read(db, questions, lane)
    return FigureList(items=await _leaving(at, asked, figures, release, response))


@router.get(
    "/v1/figures/{indicator_id}",
    openapi_extra={"parameters": PARAMETERS_OF_ONE},
    responses={**UNKNOWN, **NOT_KEPT},
)
async def show_figure(indicator_id: IndicatorId, at: Anyone, response: Response) -> FigureShown:
    """One figure: when it was true, as known when, over which period, in which cut, by which definition.

    What it told on an earlier day is told again by the `position` of that answer, or by an instant of that day, as
    `known_as_of`. Without figures:exact a figure about persons is suppressed. What cannot be answered is refused as
    the problem `urn:kraftcenter:problem:invalid-question` with all reasons.
    """
    entries = enquiry.entries_of(INDICATORS, indicator_id)
    asked = asked_about_one(given(at), entries, served=served(at), today=at.calendar.today())
    async with snapshot(at.pool) as db:
        lane = await enquiry.lane_of(db, asked)
        question = await enquiry.question_of(db, asked, entries, lane)
        figures, release = await _read(db, [question], lane)
    return (await _leaving(at, asked, figures, release, response))[0]


@router.get("/metrics/exact", response_class=PlainTextResponse)
async def exact_metrics(at: Annotated[Door, Depends(door(EXACT))]) -> Response:
    """Every figure of the token's municipality for Prometheus, exact and live."""
    municipality, today = at.principal.municipality, at.calendar.today()
    await note_read(at, [ask(indicator, municipality, as_of=today) for indicator in INDICATORS])
    exposed = await expose(CollectorRegistry(), [lambda: metrics.exact(at.pool, at.calendar, at.principal)])
    return Response(exposed, media_type=CONTENT_TYPE, headers={"cache-control": "no-store"})


def given(at: Door) -> list[tuple[str, str]]:
    """The query parameters as they stand."""
    return at.request.query_params.multi_items()


def served(at: Door) -> tuple[str, ...]:
    """The municipalities that this impact serves."""
    municipalities: tuple[str, ...] = at.request.app.state.settings.municipalities
    return municipalities


def _indicator(indicator: Indicator) -> IndicatorShown:
    return indicator_shown(indicator, metrics.name_of(indicator))


async def _read(db: Connection, questions: Sequence[Question], lane: Known) -> tuple[list[Figure], Release | None]:
    """Exact figures of one municipality, and its latest release."""
    figures = await with_facts(db, await figures_at(db, questions, lane))
    return figures, await latest(db, figures[0].question.municipality) if figures else None


async def _leaving(
    at: Door, asked: Asked, figures: Sequence[Figure], release: Release | None, response: Response
) -> list[FigureShown]:
    """The figures as they may leave, once it is noted that exact ones do."""
    # Exact figures are not for shared caches, and a live one is stale at once.
    response.headers["cache-control"] = "no-store"
    await note_read(at, [figure.question for figure in figures])
    return [figure_shown(disclosed(figure, at.principal, release, by_default=asked.by_default)) for figure in figures]


async def note_read(at: Door, questions: Sequence[Question]) -> None:
    """Write down who is about to read exact figures about persons, outside any snapshot."""
    asked = {"door": at.request.url.path, **dict(given(at))}
    async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        await note_exact_read(db, at.principal, questions, asked, at=datetime.now(UTC))
