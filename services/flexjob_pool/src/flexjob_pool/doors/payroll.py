"""What payroll told of its employments, what became of it, and a caseworker's word on which flexjob one pays for."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json

from chassis.database import ACQUIRE_SECONDS, Connection
from chassis.idempotency import Answer
from contracts.payroll import EmploymentEvent, WorkingTimeChanged
from contracts.types import Code, Ref, Share
from flexjob_pool import payroll
from flexjob_pool.domain.payroll.reconcile import Status
from flexjob_pool.domain.payroll.versions import Message, Standing, standings_of
from flexjob_pool.domain.refusals import NotRegistered
from flexjob_pool.doors.building import Limit, Page, Reader, Writer, answer, perform
from flexjob_pool.doors.refused import told_as_problems
from flexjob_pool.store import payroll as store
from flexjob_pool.store.payroll import Outcome
from flexjob_pool.use_cases import Desk

FIRST = UUID(int=0)

router = APIRouter(prefix="/v1/payroll/employments", tags=["payroll"])
Employment = Annotated[Ref, Path()]


class Narrowed(BaseModel):
    """What narrows a list."""

    limit: Limit = 100
    cursor: Ref = FIRST
    status: Status | None = None
    employment_ref: Ref | None = None
    placement_id: Ref | None = None


class Match(BaseModel):
    """The flexjob that the employment pays for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    placement_id: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message about an employment, as it came; `standing` says whether it holds among those that correct it."""

    source: str
    event_id: str
    time: datetime
    corrects: str | None
    reason_code: Code | None
    placement_id: Ref
    person_ref: Ref
    occurred_on: date
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval(Told):
    """A share of full time that is paid for from a day on."""

    ends_on: date | None
    occupation_rate: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class EmploymentShown(Outcome):
    """An employment with all that payroll told of it, in the order of its registration there."""

    intervals: tuple[Interval, ...]
    ends: tuple[Told, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched(EmploymentShown):
    """The employment as it stands now, and the ids of the events that followed from the match."""

    event_ids: list[str]


@router.get("", response_model=Page[Outcome])
async def list_employments(at: Reader, narrowed: Annotated[Narrowed, Query()]) -> Response:
    """Employments by their reference, after the cursor; filters are equalities, and add up."""
    async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        found = await store.page(
            db,
            status=narrowed.status,
            employment_ref=narrowed.employment_ref,
            placement_id=narrowed.placement_id,
            after=narrowed.cursor,
            limit=narrowed.limit + 1,
        )
    items = found[: narrowed.limit]
    return answer({"items": items, "next_cursor": items[-1].employment_ref if len(found) > len(items) else None})


@router.get("/{employment_ref}", response_model=EmploymentShown)
async def show_employment(employment_ref: Employment, at: Reader) -> Response:
    """An employment, all that payroll told of it, and why something of it is not registered."""
    async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        with told_as_problems():
            return answer(await _shown(db, employment_ref))


@router.post("/{employment_ref}/match", status_code=201, response_model=Matched)
async def match_employment(employment_ref: Employment, body: Match, at: Writer) -> Response:
    """Say which flexjob an employment pays for, whatever payroll calls it."""

    async def act(desk: Desk) -> Answer:
        event_ids = await payroll.match(desk, employment_ref, body.placement_id)
        shown = await _shown(desk.db, employment_ref)
        return Answer(201, to_json({**shown, "event_ids": event_ids}), f"{router.prefix}/{employment_ref}")

    return await perform(at, body, act)


async def _shown(db: Connection, employment_ref: UUID) -> dict[str, Any]:
    found = (await store.outcomes(db, [employment_ref])).get(employment_ref)
    if found is None:
        raise NotRegistered
    messages = await store.messages_of(db, [employment_ref])
    standings = standings_of(messages)
    told = [
        _told(message, message.event, standings[message.identity])
        for message in sorted(messages, key=lambda each: each.rank)
        if isinstance(message.event, EmploymentEvent) and message.event.employment_ref == employment_ref
    ]
    return asdict(found) | {
        "intervals": [each for each in told if isinstance(each, Interval)],
        "ends": [each for each in told if not isinstance(each, Interval)],
    }


def _told(message: Message, event: EmploymentEvent, standing: Standing) -> Told:
    shown = {
        "source": message.source,
        "event_id": message.id,
        "time": message.time,
        "corrects": message.corrects,
        "standing": standing,
        **event.model_dump(exclude={"employment_ref"}),
    }
    return Interval(**shown) if isinstance(event, WorkingTimeChanged) else Told(**shown)
