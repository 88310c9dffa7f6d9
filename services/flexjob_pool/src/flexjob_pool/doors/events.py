"""Events as they were registered, in every version, and how one is corrected or taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from asyncpg import Record
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict
from pydantic_core import to_json

from chassis.database import ACQUIRE_SECONDS
from chassis.idempotency import Answer
from contracts.types import Code, OfList, Ref
from flexjob_pool.at_the_doors import correct, retract
from flexjob_pool.domain.refusals import NotRegistered
from flexjob_pool.doors.building import Limit, Page, Reader, Writer, answer, perform
from flexjob_pool.doors.nouns import PLACES
from flexjob_pool.doors.refused import told_as_problems
from flexjob_pool.store import decisions
from flexjob_pool.store.documents import name_of
from flexjob_pool.use_cases import Desk

NOUN_AT = {path.removeprefix("/v1/"): noun for noun, path in PLACES.items()}
OF = rf"^({'|'.join(NOUN_AT)})/[^/\x00-\x1f]{{1,64}}(/\d{{4}}-\d{{2}}-\d{{2}})?$"

EXAMPLE: JsonDict = {"reason_code": "registration_error", "values": {"occurred_on": "2026-03-01"}}

router = APIRouter(tags=["event"])


class Correction(BaseModel):
    """Why, and new values for fields of what was asked, as its own door takes them; null drops an optional one."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"example": EXAMPLE})

    reason_code: Annotated[Code, OfList("correction_reason")]
    values: dict[str, Any]


class Retraction(BaseModel):
    """Why it never happened."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason_code: Annotated[Code, OfList("retraction_reason")]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an event: its first, or a correction of it.

    `resource` is what was decided on, by a decision of that `kind`; `why` is the reason of a correction.
    """

    event_id: Ref
    root_id: Ref
    type: str
    resource: str
    kind: str
    data: dict[str, Any]
    registered_at: datetime
    in_force: bool
    corrects: Ref | None
    why: Code | None
    retracted_by: Ref | None
    retracted_why: Code | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event in all its versions, oldest first."""

    event_id: Ref
    versions: list[Version]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTold(Told):
    """The event as it stands now, and the ids of all events that tell of what came out otherwise."""

    event_ids: list[str]


Id = Annotated[Ref, Path()]


@router.post("/v1/events/{event_id}/corrections", status_code=201, response_model=RecordedTold)
async def correct_event(event_id: Id, body: Correction, at: Writer) -> Response:
    """Put values over what was asked; everything that followed from it and now comes out otherwise is corrected too."""

    async def act(desk: Desk) -> Answer:
        return await _answered(desk, event_id, await correct(desk, event_id, body.reason_code, body.values))

    return await perform(at, body, act, within="/values")


@router.post("/v1/events/{event_id}/retraction", status_code=201, response_model=RecordedTold)
async def retract_event(event_id: Id, body: Retraction, at: Writer) -> Response:
    """Take an event back, or a correction, so that the version before it holds again."""

    async def act(desk: Desk) -> Answer:
        return await _answered(desk, event_id, await retract(desk, event_id, body.reason_code))

    return await perform(at, body, act)


@router.get("/v1/events/{event_id}", response_model=Told)
async def show_event(event_id: Id, at: Reader) -> Response:
    """One event in all its versions, under the id of any of them."""
    async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        versions = await decisions.chain(db, event_id)
    with told_as_problems():
        if not versions:
            raise NotRegistered
    return answer(_told(event_id, versions))


@router.get("/v1/events", response_model=Page[Version])
async def list_events(
    at: Reader,
    resource: Annotated[str, Query(pattern=OF, description="As `flexjobs/{placement_id}`.")],
    limit: Annotated[Limit, Query()] = 100,
    cursor: Annotated[str, Query(pattern=r"^[0-9]{1,18}$")] = "0",
) -> Response:
    """What was registered about a resource, or looked at it, in the order of registration."""
    noun, _, key = resource.partition("/")
    async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        found = await decisions.told_of(db, name_of(NOUN_AT[noun], key), after=int(cursor), limit=limit + 1)
    more = str(found[limit - 1]["number"]) if len(found) > limit else None
    return answer({"items": [_version(row) for row in found[:limit]], "next_cursor": more})


async def _answered(desk: Desk, event_id: UUID, event_ids: list[str]) -> Answer:
    told = _told(event_id, await decisions.chain(desk.db, event_id))
    return Answer(201, to_json({**told, "event_ids": event_ids}), f"/v1/events/{event_id}")


def _told(event_id: UUID, rows: Sequence[Record]) -> dict[str, Any]:
    return {"event_id": str(event_id), "versions": [_version(row) for row in rows]}


def _version(row: Record) -> Version:
    shown = {name: row[name] for name in Version.__dataclass_fields__ if name != "resource"}
    return Version(**shown, resource=f"{PLACES[row['noun']].removeprefix('/v1/')}/{row['about']}")
