"""The door on facts that wait: nobody decides on them, they take effect once what they wait for does."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from chassis.database import ACQUIRE_SECONDS
from impact.chronicle import Outcome
from impact.doors.parked import FactShown, Page, Reader, lane_of, next_of
from impact.store import waiting as store

router = APIRouter(tags=["ledger"])


class WaitedFor(BaseModel):
    """What must come first: a `target`, an event of the same source, or an `opening`, an event with the same key."""

    model_config = ConfigDict(from_attributes=True)

    what: str = Field(examples=["target"])
    event_id: str | None = Field(description="Of a target: the event that is corrected or retracted.")
    position: int | None = Field(description="Of a target that has come: where.")
    outcome: Outcome | None = Field(
        description="Of a target that has come: what it is. When it is counted it has another type, or is a retraction."
    )
    event: str | None = Field(description="Of an opening: its name, as flexjob.started.")
    kind: str | None = Field(description="Of an opening: the kind of key that both have, as placement.")
    key: str | None = Field(description="Of an opening: the key.")


class WaitingShown(FactShown):
    """A fact that waits; it takes effect by itself as soon as what it waits for does."""

    waits_for: WaitedFor


class WaitingList(BaseModel):
    """Facts that wait, the oldest first."""

    items: list[WaitingShown]
    next_cursor: int | None = Field(description="Where the next page begins; null on the last.")


@router.get("/v1/ledger/waiting")
async def list_waiting(at: Reader, asked: Annotated[Page, Query()]) -> WaitingList:
    """Facts that wait for another, the oldest first, and for which."""
    lane, more = lane_of(at, asked), asked.limit + 1
    async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        found = await store.list_waiting(db, lane, after=asked.cursor, limit=more)
    items = [WaitingShown.model_validate(fact) for fact in found[: asked.limit]]
    return WaitingList(items=items, next_cursor=next_of(items, len(found)))
