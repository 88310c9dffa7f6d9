"""The doors on parked facts: what is parked and why, and what somebody decides about it.

Event data may be personal: they are shown to an administrator alone, and each time it is written down.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from chassis import refusals
from chassis.database import ACQUIRE_SECONDS, Connection
from chassis.http import Door, door
from chassis.idempotency import Answer
from chassis.openapi import refused
from chassis.problems import Problem, Said
from chassis.wire import MOST_EXACT
from contracts.types import MunicipalityCode, Text
from impact import parked
from impact.catalogue import INDICATORS, measures_of
from impact.chronicle import Outcome
from impact.enquiry import cannot_tell
from impact.ledger import Parked
from impact.parked import Decision, NotParked
from impact.store import audit
from impact.store import parked as store
from impact.store.definitions import DefinitionMissing, LaneNotTold
from impact.store.parked import State
from impact.store.recall import NotUnderstood

ADMIN, LEDGER = "admin", "ledger"
AT_ONCE = 100
FOUND = {
    None: Said("her er intet parkeret", "nothing was parked here"),
    State.REPLAYED: Said("har fået virkning", "has taken effect since"),
    State.DISCARDED: Said("er opgivet for altid", "was given up for good"),
}

router = APIRouter(tags=["ledger"])
Reader = Annotated[Door, Depends(door(LEDGER))]
Admin = Annotated[Door, Depends(door(ADMIN))]
Position = Annotated[int, Path(ge=1, le=MOST_EXACT, description="Where the ledger holds the fact's first copy.")]


class OfLane(BaseModel):
    """Which lane is asked about; a parameter that does not exist is refused rather than overlooked."""

    municipality: MunicipalityCode | None = Field(None, description="The token's own, which it is unless given.")

    @model_validator(mode="before")
    @classmethod
    def _nothing_else(cls, given: Any) -> Any:
        if set(given) - set(cls.model_fields):
            names = ", ".join(cls.model_fields)
            raise ValueError(Said(f"findes ikke her, kun {names}", f"does not exist here, only {names}"))
        return given


class Page(OfLane):
    """Which part of a list is asked for."""

    limit: int = Field(100, ge=1, le=500)
    cursor: int = Field(0, ge=0, le=MOST_EXACT, description="The `next_cursor` of the page before.")


class ParkedPage(Page):
    """Which parked facts are asked for."""

    reason: Parked | None = Field(None, description="Only those that are parked for this reason.")


class FactShown(BaseModel):
    """A fact by the position of its first copy; `occurred_on` is null while nobody can read it."""

    model_config = ConfigDict(from_attributes=True)

    position: int = Field(examples=[1204])
    source: str = Field(examples=["urn:kraftcenter:621:flexjob_pool"])
    event_id: str
    type: str = Field(examples=["dk.kraftcenter.flexjob.hours_changed.v2"])
    time: datetime = Field(description="When its source registered it.")
    occurred_on: date | None
    recorded_at: datetime = Field(description="When it was received.")


class ParkedShown(FactShown):
    """A parked fact; it is in no history and moves no figure."""

    reason: Parked = Field(description="Why it is parked, as its last replay found, or its first copy.")
    state: State = Field(description="replayed: it took effect at its last attempt. discarded: it never will.")


class ParkedList(BaseModel):
    """Facts that are parked now, the oldest first."""

    items: list[ParkedShown]
    next_cursor: int | None = Field(description="Where the next page begins; null on the last.")


class AttemptShown(BaseModel):
    """What somebody decided, at a position of its own."""

    model_config = ConfigDict(from_attributes=True)

    position: int
    kind: str = Field(description="replay or discard")
    reason: Parked | None = Field(description="Why a replay parked it again; null when it took effect.")
    recorded_at: datetime


class ParkedWhole(ParkedShown):
    """A parked fact with everything that was tried."""

    attempts: list[AttemptShown]
    envelope: dict[str, Any] = Field(
        description="What the event says about itself. Its `data` only for a token with the scope admin; every look at "
        "them is written down."
    )


class Ask(BaseModel):
    """Why something is decided; it is kept for good in the audit, so it must not be about a person."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Text = Field(description="A code, or a short text without anything personal.", examples=["type_released"])


class AskForMany(Ask):
    """Parked facts to replay together: all of them are decided on, or none."""

    positions: tuple[Annotated[int, Field(ge=1, le=MOST_EXACT, strict=True)], ...] = Field(
        min_length=1, max_length=AT_ONCE, description="Where each was parked; they are replayed in order of position."
    )


class DecidedShown(BaseModel):
    """What came of a parked fact."""

    model_config = ConfigDict(from_attributes=True)

    position: int = Field(description="Where it was parked.")
    decided_at: int = Field(description="The position of this decision.")
    state: State = Field(description="parked: the replay found a reason to park it again.")
    reason: Parked | None = Field(description="Why it has no effect; null when it was replayed.")
    outcome: Outcome = Field(description="What it counts as in the balance of the ledger.")


class DecidedList(BaseModel):
    """What came of each parked fact, in order of position."""

    items: list[DecidedShown]


@router.get("/v1/ledger/parked")
async def list_parked(at: Reader, asked: Annotated[ParkedPage, Query()]) -> ParkedList:
    """Facts that are parked now, the oldest first: what they are and why, without their data."""
    lane, more = lane_of(at, asked), asked.limit + 1
    async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        found = await store.list_parked(db, lane, reason=asked.reason, after=asked.cursor, limit=more)
    items = [ParkedShown.model_validate(fact) for fact in found[: asked.limit]]
    return ParkedList(items=items, next_cursor=next_of(items, len(found)))


@router.get("/v1/ledger/parked/{position}")
async def show_parked(
    position: Position, at: Reader, asked: Annotated[OfLane, Query()], response: Response
) -> ParkedWhole:
    """One fact that is or was parked, with everything that was tried; for scope admin also its data, which is noted."""
    lane, with_data = lane_of(at, asked), at.principal.may(ADMIN)
    response.headers["cache-control"] = "no-store"
    async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db, db.transaction():
        found = await store.find_parked(db, lane, [position])
        if not found:
            raise _not_parked(NotParked({position: None}))
        attempts = await store.attempts(db, lane, position)
        ((_, arrival),) = await store.read_again(db, lane, [position])
        if with_data:
            await _note_look(db, at, lane, position)
    envelope = arrival.reading.envelope
    hidden = set() if with_data else {"data"}
    return ParkedWhole(
        **ParkedShown.model_validate(found[0]).model_dump(),
        attempts=[AttemptShown.model_validate(attempt) for attempt in attempts],
        envelope=envelope.model_dump(mode="json", exclude=hidden, exclude_none=True),
    )


@router.post(
    "/v1/ledger/parked/replay",
    response_model=DecidedList,
    responses={404: refused("At none of the positions anything was ever parked.")},
)
async def replay_many(ask: AskForMany, at: Admin) -> Response:
    """Replay up to a hundred parked facts, in order of position, each at a position of its own; all or none."""

    async def act(db: Connection) -> Answer:
        decided = await _replayed(db, at, ask, ask.positions)
        return _answer(DecidedList(items=[DecidedShown.model_validate(each) for each in decided]))

    return await _perform(at, ask, act, ask.positions)


@router.post("/v1/ledger/parked/{position}/replay", response_model=DecidedShown)
async def replay(position: Position, ask: Ask, at: Admin) -> Response:
    """Read a parked fact again with today's contracts and rules, and let it take effect now if it can."""

    async def act(db: Connection) -> Answer:
        (decided,) = await _replayed(db, at, ask, [position])
        return _answer(DecidedShown.model_validate(decided))

    return await _perform(at, ask, act)


@router.post("/v1/ledger/parked/{position}/discard", response_model=DecidedShown)
async def discard(position: Position, ask: Ask, at: Admin) -> Response:
    """Give a parked fact up: it stays in the ledger and counts as parked, and nothing replays it."""

    async def act(db: Connection) -> Answer:
        decided = await parked.discard(db, _decision(at, ask), position, calendar=at.calendar)
        return _answer(DecidedShown.model_validate(decided))

    return await _perform(at, ask, act)


def lane_of(at: Door, asked: OfLane) -> str:
    """The token's municipality, which is the only one that it may ask about."""
    if asked.municipality not in {None, at.principal.municipality}:
        raise refusals.other_municipality()
    return at.principal.municipality


def next_of(shown: Sequence[FactShown], found: int) -> int | None:
    """Where the next page begins, when more was found than is shown."""
    return shown[-1].position if found > len(shown) else None


async def _note_look(db: Connection, at: Door, lane: str, position: int) -> None:
    await audit.note(
        db,
        at=datetime.now(UTC),
        municipality=lane,
        actor=at.principal.token_name,
        action="read_parked",
        subject=str(position),
        detail={},
    )


async def _replayed(db: Connection, at: Door, ask: Ask, positions: Sequence[int]) -> list[parked.Decided]:
    measures = measures_of(INDICATORS)
    return await parked.replay(db, _decision(at, ask), positions, measures=measures, calendar=at.calendar)


def _decision(at: Door, ask: Ask) -> Decision:
    return Decision(at.principal.municipality, at.principal.token_name, ask.reason)


def _answer(shown: BaseModel) -> Answer:
    return Answer(200, shown.model_dump_json().encode())


async def _perform(
    at: Door, ask: Ask, act: Callable[[Connection], Awaitable[Answer]], positions: Sequence[int] = ()
) -> Response:
    """Decide once per Idempotency-Key; `positions` tells where in the request each position stands."""
    try:
        return await at.perform(ask, act)
    except NotParked as refusal:
        raise _not_parked(refusal, positions) from None
    except (DefinitionMissing, LaneNotTold, NotUnderstood):
        raise cannot_tell() from None


def _not_parked(refusal: NotParked, positions: Sequence[int] = ()) -> Problem:
    """404 when nothing was ever parked there, else 409."""
    unknown = all(state is None for state in refusal.states.values())
    title = Said("Findes ikke", "Not found") if unknown else Said("Er ikke parkeret mere", "No longer parked")
    places = {position: f"/positions/{place}" for place, position in enumerate(positions)}
    return Problem(
        404 if unknown else 409,
        "not-found" if unknown else "no-longer-parked",
        title,
        Said("GET /v1/ledger/parked viser, hvad der er parkeret.", "GET /v1/ledger/parked lists what is parked."),
        [(places.get(position, ""), FOUND[state]) for position, state in sorted(refusal.states.items())],
    )
