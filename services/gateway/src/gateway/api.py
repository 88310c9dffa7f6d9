"""The HTTP doors of the gateway: tell an event, follow its trail, and see what was turned away."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from pydantic import BaseModel
from pydantic_core import to_json

from chassis import outbox
from chassis.database import ACQUIRE_SECONDS, Connection
from chassis.http import Door, door
from chassis.idempotency import Answer
from chassis.problems import Problem, Said
from chassis.wire import MOST_EXACT
from contracts.envelope import Envelope
from contracts.streams import Stream
from contracts.types import Instant
from gateway import store
from gateway.domain import NOT_REGISTERED, OTHER_MUNICIPALITY, Conflict, Invalid, NotAllowed, Outcome, Refused, Told
from gateway.metrics import EventCounts
from gateway.store import Follower, Rejection
from gateway.use_cases import PRODUCER, Desk, Receipt, admit, told_by

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch"
EXAMPLE = {
    "specversion": "1.0",
    "id": "sd-2026-000418",
    "source": "urn:kraftcenter:621:sd_loen",
    "type": "dk.kraftcenter.payroll.working_time_changed.v1",
    "subject": "employment/1d6c6a0e-0c35-4a0e-8a63-6f2b0b4f2a90",
    "time": "2026-03-05T09:12:44Z",
    "datacontenttype": "application/json",
    "dataclassification": "special_category",
    "data": {
        "occurred_on": "2026-03-01",
        "employment_ref": "1d6c6a0e-0c35-4a0e-8a63-6f2b0b4f2a90",
        "placement_id": "5b0e6a2c-6f0e-4f2b-9d5e-0d9f6f3b2a11",
        "person_ref": "0b8f2c3d-7a61-4f0e-9c55-1f2d3c4b5a69",
        "occupation_rate": "0.3378",
    },
}
PROBLEMS: dict[type[Refused], tuple[str, Said]] = {
    NotAllowed: ("not-allowed", Said("Kilden må ikke sende dette", "The source may not send this")),
    Invalid: ("invalid-event", Said("Hændelsen er ikke gyldig", "The event is not valid")),
    Conflict: ("event-conflict", Said("Hændelsen findes med andet indhold", "The event exists with another content")),
}
SEE_ERRORS = Said(
    "Intet er gemt af hændelsen. `errors` siger hvorfor.", "Nothing of the event was saved. `errors` tells why."
)
NOT_FOUND = Problem(
    404,
    "not-found",
    Said("Findes ikke", "Not found"),
    Said("Det er ikke kommet ind ad denne dør.", "It did not come in through this door."),
)


class Identity(BaseModel):
    """By what a request is recognised when it is sent again: the event's own hash, which no trace context changes."""

    event: Any


@dataclass(frozen=True, slots=True)
class Published:
    """Where on the bus an event is."""

    stream: str
    sequence: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Trail:
    """What became of an event: let in, waiting for the bus, published, or parked because the bus does not take it."""

    source: str
    id: str
    type: str
    token_name: str
    received_at: datetime
    state: Literal["waiting", "published", "parked"]
    appended_at: datetime
    published: Published | None
    parked: str | None
    corrects: str | None
    retracts: str | None
    followed_by: list[Follower]


@dataclass(frozen=True, slots=True)
class Rejections:
    """A page of what was turned away, and where the next one begins."""

    items: list[Rejection]
    next_cursor: int | None


async def structured(request: Request) -> None:
    """One event, as structured JSON: binary and batch mode are not spoken yet, and must not be taken for it."""
    binary = any(name.startswith("ce-") for name in request.headers)
    if binary or request.headers.get("content-type", "").lower().startswith(BATCH):
        said = f"{STRUCTURED}: "
        raise Problem(
            415,
            "unsupported-media-type",
            Said("Indholdstypen forstås ikke", "The content type is not supported"),
            Said(
                f"Send én hændelse ad gangen som {said}hele kuverten i brødteksten, ingen ce-headere.",
                f"Send one event at a time as {said}the whole envelope in the body, no ce- headers.",
            ),
        )


router = APIRouter()
Writer = Annotated[Door, Depends(door("write:gateway"))]
Reader = Annotated[Door, Depends(door("read:gateway"))]
Limit = Annotated[int, Query(ge=1, le=500)]
CONTENT = {"schema": Envelope.model_json_schema(), "example": EXAMPLE}
EVENT = {"requestBody": {"required": True, "content": {STRUCTURED: CONTENT, "application/json": CONTENT}}}


@router.post(
    "/v1/events",
    status_code=202,
    response_model=Receipt,
    dependencies=[Depends(structured)],
    openapi_extra=EVENT,
)
async def tell(message: Annotated[Any, Body()], at: Writer) -> Response:
    """Tell one event: it is kept before this answers, and published as it came."""
    counts: EventCounts = at.request.app.state.counts
    told = told_by(at.principal.token_name, message, at.calendar)
    outcomes: list[Outcome] = []

    async def act(db: Connection) -> Answer:
        receipt = await admit(Desk(db, at.municipality, at.calendar), told, message)
        outcomes.append(receipt.outcome)
        return Answer(202, to_json(receipt), place_of(receipt.source, receipt.id))

    try:
        answer = await at.perform(Identity(event=told.body_hash.hex() if told.body_hash else message), act)
    except Refused as refused:
        problem = problem_of(refused)
        await _keep(at, told, refused, problem)
        raise problem from None
    for outcome in outcomes:
        counts.count(told.source, outcome)
    return answer


async def _keep(at: Door, told: Told, refused: Refused, problem: Problem) -> None:
    """The refused transaction has left nothing; that it was refused is kept all the same."""
    counts: EventCounts = at.request.app.state.counts
    async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        await store.save_rejection(db, told, refused, problem=problem.slug, now=at.calendar.now())
    # A source that nobody registered could have any name, and each would be a series of its own.
    nobody = {NOT_REGISTERED, OTHER_MUNICIPALITY} & {*refused.reasons}
    counts.count(None if nobody else told.source, "conflict" if isinstance(refused, Conflict) else "rejected")


@router.get("/v1/events/{source}/{event_id:path}", response_model=Trail)
async def show_trail(source: str, event_id: str, at: Reader) -> Response:
    """What became of an event that came in here; its id stands in the address with every `/` and `%` as %XX."""
    async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db, db.transaction(isolation="repeatable_read"):
        admitted = await store.find_admitted(db, source, event_id)
        kept = await outbox.find(db, source, event_id)
        followers = await store.followers(db, source, event_id)
    if admitted is None or kept is None:
        raise NOT_FOUND
    published = None
    if kept.published_at and kept.stream_sequence:
        published = Published(Stream(at.municipality, PRODUCER).name, kept.stream_sequence, kept.published_at)
    trail = Trail(
        source=source,
        id=event_id,
        type=kept.type,
        token_name=admitted.token_name,
        received_at=admitted.received_at,
        state="published" if published else "parked" if kept.parked_reason else "waiting",
        appended_at=kept.appended_at,
        published=published,
        parked=kept.parked_reason,
        corrects=admitted.target if admitted.relation == "correction" else None,
        retracts=admitted.target if admitted.relation == "retraction" else None,
        followed_by=followers,
    )
    return _json(trail)


@router.get("/v1/rejections", response_model=Rejections)
async def list_rejections(
    at: Reader,
    limit: Limit = 100,
    cursor: Annotated[int, Query(ge=0, le=MOST_EXACT)] = 0,
    source: str | None = None,
    since: Instant | None = None,
) -> Response:
    """What was turned away, after the cursor: of one source, since an instant."""
    async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        found = await store.list_rejections(db, after=cursor, source=source, since=since, limit=limit + 1)
    page = found[:limit]
    return _json(Rejections(page, page[-1].rejection_id if len(found) > limit else None))


@router.get("/v1/rejections/{rejection_id}", response_model=Rejection)
async def show_rejection(rejection_id: Annotated[int, Path(ge=1, le=MOST_EXACT)], at: Reader) -> Response:
    """One event that was turned away."""
    async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        found = await store.find_rejection(db, rejection_id)
    if found is None:
        raise NOT_FOUND
    return _json(found)


def place_of(source: str, event_id: str) -> str:
    """Where the trail of an event is."""
    return f"/v1/events/{quote(source, safe=':')}/{quote(event_id, safe='')}"


def problem_of(refused: Refused) -> Problem:
    """A refusal as the problem that a caller gets."""
    slug, title = PROBLEMS[type(refused)]
    errors = [(reason.pointer, Said(reason.danish, reason.english)) for reason in refused.reasons]
    return Problem(refused.status, slug, title, SEE_ERRORS, errors)


def _json(value: Any) -> Response:
    return Response(to_json(value), media_type="application/json")
