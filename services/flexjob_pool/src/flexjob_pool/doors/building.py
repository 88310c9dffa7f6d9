"""Builds the doors of a noun from what the noun is and what may be asked about it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, make_dataclass
from functools import cache
from inspect import Parameter, Signature
from typing import Annotated, Any, Generic, TypeVar, get_type_hints
from urllib.parse import quote
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic_core import to_json

from chassis.database import ACQUIRE_SECONDS
from chassis.http import Door, door
from chassis.idempotency import Answer
from contracts.types import Ref
from flexjob_pool.at_the_doors import register
from flexjob_pool.domain.case import Resource
from flexjob_pool.domain.refusals import NotRegistered
from flexjob_pool.domain.rulebook import RESOURCES
from flexjob_pool.domain.workforce import snapshot_key
from flexjob_pool.doors.refused import told_as_problems
from flexjob_pool.requests.ask import Ask
from flexjob_pool.requests.workforce import TakeSnapshot
from flexjob_pool.store import lists
from flexjob_pool.store.documents import document_of
from flexjob_pool.store.locks import Locks, with_all_locks
from flexjob_pool.use_cases import Desk

Writer = Annotated[Door, Depends(door("write:flexjob_pool"))]
Reader = Annotated[Door, Depends(door("read:flexjob_pool"))]
Limit = Annotated[int, Field(ge=1, le=500)]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Noun:
    """A kind of resource: where it is, what names one of it, what lists are narrowed by, and what may be asked, where.

    A path below the noun's own names what the ask is about, or `within` which resource. A filter is for what equals its
    value; one of `before` for what has that field on an earlier day, one of `among` for what has it in that list.
    """

    resource: type[Resource]
    path: str
    key: Mapping[str, Any]
    asks: Mapping[str, type[Ask]]
    filters: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)
    among: Mapping[str, str] = field(default_factory=dict)
    cursor: Any = Ref


class Page(BaseModel, Generic[T]):
    """Some of a list, and where the next page begins when there is one."""

    items: list[T]
    next_cursor: str | None


def build(noun: Noun, places: Mapping[str, str]) -> APIRouter:
    """The doors of a noun: what may be asked, one of it, and a page of it; `places` tells where each noun is."""
    router = APIRouter(tags=[noun.resource.noun])
    for below, ask in noun.asks.items():
        _open(router, noun.path + below, ask, places)
    name = "/".join(f"{{{part}}}" for part in noun.key)
    router.add_api_route(f"{noun.path}/{name}", _showing(noun), response_model=noun.resource)
    router.add_api_route(noun.path, _listing(noun), response_model=Page[noun.resource])  # type: ignore[name-defined]
    return router


@cache
def recorded(resource: type[Resource]) -> type:
    """The answer to a decision, for the OpenAPI document: the resource, and the ids of the events that tell of it."""
    fields = [("event_ids", list[str])]
    return make_dataclass(f"Recorded{resource.__name__}", fields, bases=(resource,), frozen=True, kw_only=True)


async def perform(at: Door, body: BaseModel, act: Callable[[Desk], Awaitable[Answer]], *, within: str = "") -> Response:
    """Run a use case once per Idempotency-Key, with all locks that it needs; a refusal is told as a problem."""

    async def attempt(locks: Locks) -> Response:
        return await at.perform(body, lambda db: act(Desk(db, at.municipality, at.calendar, locks)))

    with told_as_problems(within):
        return await with_all_locks(attempt)


def answer(value: Any) -> Response:
    """200 with a value."""
    return Response(to_json(value), media_type="application/json")


def _open(router: APIRouter, path: str, ask: type[Ask], places: Mapping[str, str]) -> None:
    resource = RESOURCES[ask.noun]
    keys = {name: Annotated[Ref, Path()] for name in re.findall(r"{(\w+)}", path)}

    async def post(at: Door, body: BaseModel, **named: Any) -> Response:
        about, asked = _parted(ask, body, named)

        async def act(desk: Desk) -> Answer:
            done = await register(desk, about, asked)
            document = document_of(done.resource)
            place = f"{places[ask.noun]}/{quote(done.resource.key)}"
            return Answer(201, to_json({**document, "event_ids": done.event_ids}), place)

        return await perform(at, body, act)

    router.add_api_route(
        path,
        _signed(post, at=Writer, body=body_of(ask), **keys),
        methods=["POST"],
        status_code=201,
        response_model=recorded(resource),
        name=ask.__name__,
        description=ask.__doc__,
    )


@cache
def body_of(ask: type[Ask]) -> type[BaseModel]:
    """What a body holds: the ask, and the id that it may give, but not what the address tells."""
    if not ask.named and not ask.within:
        return ask
    hints = get_type_hints(ask, include_extras=True)
    fields: dict[str, Any] = {
        name: (hints[name], ... if info.is_required() else info.default)
        for name, info in ask.model_fields.items()
        if name != ask.within
    }
    if ask.named:
        fields[ask.named] = (Ref | None, None)
    config = ConfigDict(frozen=True, extra="forbid")
    return create_model(ask.__name__, __config__=config, __doc__=ask.__doc__, **fields)


def _parted(ask: type[Ask], body: BaseModel, named: Mapping[str, UUID]) -> tuple[str, Ask]:
    """What is decided on, and what is asked: an id stands in the address, or in the body, or is minted."""
    given = dict(body)
    new = (given.pop(ask.named) or uuid4()) if ask.named else None
    asked = ask.model_validate(given | ({ask.within: named[ask.within]} if ask.within else {}))
    if isinstance(asked, TakeSnapshot):
        return snapshot_key(asked.department, asked.occurred_on), asked
    return str(new or next(iter(named.values()), "")), asked


def _showing(noun: Noun) -> Callable[..., Awaitable[Response]]:
    async def show(at: Door, **named: Any) -> Response:
        async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            found = await lists.find(db, noun.resource.noun, "/".join(map(str, named.values())))
        with told_as_problems():
            if found is None:
                raise NotRegistered
        return answer(document_of(found))

    show.__doc__ = f"One of {noun.path.removeprefix('/v1/')}."
    return _signed(show, at=Reader, **{name: Annotated[kind, Path()] for name, kind in noun.key.items()})


def _listing(noun: Noun) -> Callable[..., Awaitable[Response]]:
    async def page(at: Door, narrowed: Any) -> Response:
        given = narrowed.model_dump(mode="json", exclude_none=True, exclude={"limit", "cursor"})
        before = {noun.before[name]: given.pop(name) for name in noun.before.keys() & given}
        among = {noun.among[name]: [{name: given.pop(name)}] for name in noun.among.keys() & given}
        async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            found = await lists.page(
                db,
                noun.resource.noun,
                having=given | among,
                before=before,
                after=str(narrowed.cursor or ""),
                limit=narrowed.limit + 1,
            )
        items = found[: narrowed.limit]
        more = items[-1].key if len(found) > narrowed.limit else None
        return answer({"items": [document_of(one) for one in items], "next_cursor": more})

    fields: dict[str, Any] = {name: (kind | None, None) for name, kind in noun.filters.items()}
    query = create_model(
        f"{noun.resource.__name__}Query", limit=(Limit, 100), cursor=(noun.cursor | None, None), **fields
    )
    page.__doc__ = "A page in the order of keys, after the cursor; filters add up."
    return _signed(page, at=Reader, narrowed=Annotated[query, Query()])


def _signed(function: Callable[..., Awaitable[Response]], **parameters: Any) -> Callable[..., Awaitable[Response]]:
    """The function with parameters that are known only now, for FastAPI to read."""
    signature = Signature(
        [Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation) for name, annotation in parameters.items()]
    )
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function
