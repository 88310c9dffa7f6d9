"""The HTTP doors of the flexjob pool: each hands what is asked to one use case, and tells a refusal as a problem."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import make_dataclass
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic_core import to_json, to_jsonable_python

from chassis.database import ACQUIRE_SECONDS, Connection
from chassis.http import Door, door
from chassis.idempotency import Answer
from chassis.problems import Problem, Said
from contracts.types import Ref
from flexjob_pool import requests, store, use_cases
from flexjob_pool.domain.applications import Application, Rules
from flexjob_pool.domain.flexjobs import Flexjob
from flexjob_pool.domain.grants import Budget, Grant
from flexjob_pool.domain.refusals import Clash, NotRegistered, Refusal
from flexjob_pool.domain.validity import check_reach
from flexjob_pool.use_cases import Desk, Recorded, Resource, known

LARGEST_INTEGER = 2**31 - 1
PLACES: dict[type[Resource], str] = {
    Rules: "/v1/rules/{rules_version}",
    Budget: "/v1/budgets/{budget_id}",
    Application: "/v1/applications/{application_id}",
    Grant: "/v1/grants/{grant_id}",
    Flexjob: "/v1/flexjobs/{placement_id}",
}


@cache
def recorded(resource: type[Resource]) -> type:
    """The answer to a decision, for the OpenAPI document: the resource, and the ids of the events that tell of it."""
    return make_dataclass(f"Recorded{resource.__name__}", [("event_ids", list[str])], bases=(resource,), frozen=True)


router = APIRouter()
Writer = Annotated[Door, Depends(door("write:flexjob_pool"))]
Reader = Annotated[Door, Depends(door("read:flexjob_pool"))]
Limit = Annotated[int, Query(ge=1, le=500)]
Version = Annotated[int, Path(ge=1, le=LARGEST_INTEGER)]


@router.post("/v1/rules", status_code=201, response_model=recorded(Rules))
async def adopt_rules(ask: requests.AdoptRules, at: Writer) -> Response:
    """Adopt a new version of the pool's rules."""
    return await _record(at, ask, lambda desk: use_cases.adopt_rules(desk, ask))


@router.post("/v1/budgets", status_code=201, response_model=recorded(Budget))
async def allocate_budget(ask: requests.AllocateBudget, at: Writer) -> Response:
    """Set money aside, or set the new total of a budget."""
    return await _record(at, ask, lambda desk: use_cases.allocate_budget(desk, ask))


@router.post("/v1/applications", status_code=201, response_model=recorded(Application))
async def apply(ask: requests.Apply, at: Writer) -> Response:
    """Ask the pool for money."""
    return await _record(at, ask, lambda desk: use_cases.apply(desk, ask))


@router.post("/v1/applications/{application_id}/approve", status_code=201, response_model=recorded(Application))
async def approve(application_id: Ref, ask: requests.Approve, at: Writer) -> Response:
    """Approve an application under the rules of the day."""
    return await _record(at, ask, lambda desk: use_cases.approve(desk, application_id, ask))


@router.post("/v1/applications/{application_id}/reject", status_code=201, response_model=recorded(Application))
async def reject(application_id: Ref, ask: requests.Reject, at: Writer) -> Response:
    """Turn an application down under the rules of the day."""
    return await _record(at, ask, lambda desk: use_cases.reject(desk, application_id, ask))


@router.post("/v1/grants", status_code=201, response_model=recorded(Grant))
async def commit_grant(ask: requests.CommitGrant, at: Writer) -> Response:
    """Reserve the money of an approved application."""
    return await _record(at, ask, lambda desk: use_cases.commit_grant(desk, ask))


@router.post("/v1/flexjobs", status_code=201, response_model=recorded(Flexjob))
async def start_flexjob(ask: requests.StartFlexjob, at: Writer) -> Response:
    """Start a flexjob."""
    return await _record(at, ask, lambda desk: use_cases.start_flexjob(desk, ask))


@router.post("/v1/flexjobs/{placement_id}/hours-changes", status_code=201, response_model=recorded(Flexjob))
async def change_hours(placement_id: Ref, ask: requests.ChangeHours, at: Writer) -> Response:
    """Set new hours from a date."""
    return await _record(at, ask, lambda desk: use_cases.change_hours(desk, placement_id, ask))


@router.post("/v1/flexjobs/{placement_id}/end", status_code=201, response_model=recorded(Flexjob))
async def end_flexjob(placement_id: Ref, ask: requests.EndFlexjob, at: Writer) -> Response:
    """End a flexjob and release its grant."""
    return await _record(at, ask, lambda desk: use_cases.end_flexjob(desk, placement_id, ask))


@router.get("/v1/rules/{rules_version}", response_model=Rules)
async def show_rules(rules_version: Version, at: Reader) -> Response:
    """One version of the rules."""

    async def find(db: Connection) -> Rules | None:
        found = await store.list_rules(db, after=rules_version - 1, limit=1)
        return found[0] if found and found[0].rules_version == rules_version else None

    return await _show(at, find)


@router.get("/v1/budgets/{budget_id}", response_model=Budget)
async def show_budget(budget_id: Ref, at: Reader) -> Response:
    """One budget."""
    return await _show(at, lambda db: store.find_budget(db, budget_id))


@router.get("/v1/applications/{application_id}", response_model=Application)
async def show_application(application_id: Ref, at: Reader) -> Response:
    """One application."""
    return await _show(at, lambda db: store.find_application(db, application_id))


@router.get("/v1/grants/{grant_id}", response_model=Grant)
async def show_grant(grant_id: Ref, at: Reader) -> Response:
    """One grant."""
    return await _show(at, lambda db: store.find_grant(db, grant_id))


@router.get("/v1/flexjobs/{placement_id}", response_model=Flexjob)
async def show_flexjob(placement_id: Ref, at: Reader) -> Response:
    """One flexjob."""
    return await _show(at, lambda db: store.find_flexjob(db, placement_id))


@router.get("/v1/rules")
async def list_rules(
    at: Reader, limit: Limit = 100, cursor: Annotated[int, Query(ge=0, le=LARGEST_INTEGER)] = 0
) -> Response:
    """Versions of the rules by number, after the cursor."""
    return await _list(at, limit, "rules_version", lambda db: store.list_rules(db, after=cursor, limit=limit + 1))


@router.get("/v1/budgets")
async def list_budgets(at: Reader, limit: Limit = 100, cursor: Ref | None = None) -> Response:
    """Budgets by id, after the cursor."""
    return await _list(at, limit, "budget_id", lambda db: store.list_budgets(db, after=cursor, limit=limit + 1))


@router.get("/v1/applications")
async def list_applications(at: Reader, limit: Limit = 100, cursor: Ref | None = None) -> Response:
    """Applications by id, after the cursor."""
    return await _list(
        at, limit, "application_id", lambda db: store.list_applications(db, after=cursor, limit=limit + 1)
    )


@router.get("/v1/flexjobs")
async def list_flexjobs(at: Reader, limit: Limit = 100, cursor: Ref | None = None) -> Response:
    """Flexjobs by placement id, after the cursor."""
    return await _list(at, limit, "placement_id", lambda db: store.list_flexjobs(db, after=cursor, limit=limit + 1))


async def _record(at: Door, ask: requests.Ask, use_case: Callable[[Desk], Awaitable[Recorded]]) -> Response:
    async def act(db: Connection) -> Answer:
        desk = Desk(db, at.municipality, at.calendar)
        check_reach(at.calendar.today(), occurred_on=ask.occurred_on)
        return _answer_of(await use_case(desk))

    try:
        return await at.perform(ask, act)
    except Refusal as refusal:
        raise problem_of(refusal) from None


def _answer_of(recorded: Recorded) -> Answer:
    resource = to_jsonable_python(recorded.resource)
    location = PLACES[type(recorded.resource)].format_map(resource)
    return Answer(201, to_json({**resource, "event_ids": recorded.event_ids}), location)


async def _show(at: Door, find: Callable[[Connection], Awaitable[Resource | None]]) -> Response:
    async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        found = await find(db)
    try:
        return _json(known(found))
    except NotRegistered as refusal:
        raise problem_of(refusal) from None


async def _list(
    at: Door, limit: int, key: str, find: Callable[[Connection], Awaitable[Sequence[Resource]]]
) -> Response:
    """A page of `items`, and the `next_cursor` when there are more."""
    async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        found = await find(db)
    page = found[:limit]
    return _json({"items": page, "next_cursor": getattr(page[-1], key) if len(found) > limit else None})


def _json(value: Any) -> Response:
    return Response(to_json(value), media_type="application/json")


def problem_of(refusal: Refusal) -> Problem:
    """A refusal as the problem that a caller gets: 404, 409 when what is registered stands in the way, else 422."""
    if isinstance(refusal, NotRegistered):
        status, title = 404, Said("Findes ikke", "Not found")
    elif all(isinstance(reason, Clash) for reason in refusal.reasons):
        status, title = 409, Said("Det kan ikke registreres", "It cannot be registered")
    else:
        status, title = 422, Said("Forespørgslen er ikke gyldig", "The request is not valid")
    errors = [(f"/{reason.field}" if reason.field else "", _said(reason)) for reason in refusal.reasons]
    return Problem(status, _slug(refusal), title, _said(refusal), errors)


def _said(refusal: Refusal) -> Said:
    return Said(refusal.in_danish, refusal.in_english)


def _slug(refusal: Refusal) -> str:
    """The refusal's name as in `budget-exceeded`."""
    name = type(refusal).__name__
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
