"""The door on one fact: where it stands in the ledger, what became of it and why, and what it moved."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from chassis.database import ACQUIRE_SECONDS
from chassis.http import Door, door
from chassis.problems import Problem, Said
from impact.chronicle import Outcome
from impact.disclosure import may_see_exact
from impact.doors.balance import Texts
from impact.store import audit
from impact.store.figures import snapshot
from impact.store.trail import trail_of
from impact.trail import Membership, Moved, Role, Trail

READ_FACT = "read_fact"
EXAMPLE: JsonDict = {
    "municipality": "621",
    "source": "urn:kraftcenter:621:flexjob_pool",
    "id": "7f6a2c0e-5b1d-4c57-9a38-0c2f1f6f4a11",
    "type": "dk.kraftcenter.flexjob.hours_changed.v1",
    "time": "2026-03-05T09:12:44Z",
    "occurred_on": "2026-03-01",
    "outcome": "superseded",
    "why": {
        "da": "Erstattet af 0d0f6a9e-2f4c-4a0e-9a43-1b7f6b3d2c55.",
        "en": "Superseded by 0d0f6a9e-2f4c-4a0e-9a43-1b7f6b3d2c55.",
    },
    "parked": None,
    "entries": [{"position": 17, "kind": "fact", "recorded_at": "2026-03-05T09:12:45Z", "parked": None}],
    "chain": [
        {
            "id": "7f6a2c0e-5b1d-4c57-9a38-0c2f1f6f4a11",
            "position": 17,
            "role": "root",
            "target": None,
            "outcome": "superseded",
            "in_force": False,
        },
        {
            "id": "0d0f6a9e-2f4c-4a0e-9a43-1b7f6b3d2c55",
            "position": 41,
            "role": "correction",
            "target": "7f6a2c0e-5b1d-4c57-9a38-0c2f1f6f4a11",
            "outcome": "counted",
            "in_force": True,
        },
    ],
    "histories": [
        {"kind": "person", "key": "3f1d8f0a-8f57-4c39-8f0b-2d5f7f8f1a66", "in_force": False},
        {"kind": "placement", "key": "5b0e6a2c-6f0e-4f2b-9d5e-0d9f6f3b2a11", "in_force": False},
    ],
    "deltas": [
        {
            "position": 17,
            "measure": "flexjob_hours",
            "definition_version": 1,
            "key": "3f1d8f0a-8f57-4c39-8f0b-2d5f7f8f1a66",
            "contributor": "3f1d8f0a-8f57-4c39-8f0b-2d5f7f8f1a66",
            "person": "3f1d8f0a-8f57-4c39-8f0b-2d5f7f8f1a66",
            "cohort": None,
            "date": "2026-03-01",
            "amount": "8.50",
            "dimensions": {"department": "Senior"},
        }
    ],
}

router = APIRouter(tags=["ledger"])
Source = Annotated[
    str, Path(description="The source that gave it its id.", examples=["urn:kraftcenter:621:flexjob_pool"])
]
EventId = Annotated[
    str,
    Path(
        description="The id that its source gave it; percent-encoded, as it may hold any printable ASCII.",
        examples=["7f6a2c0e-5b1d-4c57-9a38-0c2f1f6f4a11"],
    ),
]


class StepShown(BaseModel):
    """An entry of the ledger about the fact."""

    model_config = ConfigDict(from_attributes=True)

    position: int
    kind: str = Field(description="fact: its first copy. replay: it was tried again. discard: it was given up.")
    recorded_at: datetime
    parked: str | None = Field(description="Why it took no effect there.")


class MemberShown(BaseModel):
    """A fact of the same chain."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    position: int = Field(description="Where it took effect.")
    role: Role
    target: str | None = Field(description="The id that it corrects or retracts.")
    outcome: Outcome
    in_force: bool = Field(description="Whether it is the version that holds.")


class MembershipShown(BaseModel):
    """A history that the fact belongs to."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    key: str | None = Field(description="Null for a person, unless the token has figures:exact as well.")
    in_force: bool = Field(description="Whether it is the version of its event that holds in the history.")


class DeltaShown(BaseModel):
    """What was appended to a measure at a position of the fact; it may concern other facts of the history as well."""

    position: int
    measure: str
    definition_version: int
    key: str = Field(description="Of the history that it comes from.")
    contributor: str = Field(description="What is counted.")
    person: str | None = Field(description="Whom disclosure protects.")
    cohort: date | None = Field(description="The first of a month.")
    on: date = Field(serialization_alias="date")
    amount: str = Field(description="A decimal.")
    dimensions: dict[str, str]


class FactShown(BaseModel):
    """The trail of a fact."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    municipality: str
    source: str
    id: str
    type: str
    time: datetime = Field(description="When its source registered it.")
    occurred_on: date | None = Field(description="When it became true, as far as that can be read.")
    outcome: Outcome | None = Field(description="What has become of it; null only when a row of the account is gone.")
    why: Texts
    parked: str | None = Field(description="Why it is parked, or was until it was discarded.")
    entries: list[StepShown] = Field(description="In order of position.")
    chain: list[MemberShown] = Field(
        description="Its root, corrections and retractions, itself included; empty while it is parked."
    )
    histories: list[MembershipShown]
    deltas: list[DeltaShown] | None = Field(description="Null unless the token has figures:exact as well.")


@router.get("/v1/facts/{source}/{event_id:path}")
async def show_fact(
    source: Source, event_id: EventId, at: Annotated[Door, Depends(door("ledger"))], response: Response
) -> FactShown:
    """The trail of one fact of the token's municipality, without its data; that it was read is written down."""
    response.headers["cache-control"] = "no-store"
    municipality = at.principal.municipality
    async with snapshot(at.pool) as db:
        trail = await trail_of(db, municipality, source, event_id)
    if trail is None:
        raise _unknown()
    exact = may_see_exact(at.principal, municipality)
    await _note(at, trail)
    return FactShown(
        municipality=municipality,
        source=trail.source,
        id=trail.id,
        type=trail.type,
        time=trail.time,
        occurred_on=trail.occurred_on,
        outcome=trail.outcome,
        why=Texts(da=trail.why.danish, en=trail.why.english),
        parked=trail.parked,
        entries=[StepShown.model_validate(step) for step in trail.steps],
        chain=[MemberShown.model_validate(member) for member in trail.members],
        histories=[_membership(membership, exact=exact) for membership in trail.histories],
        deltas=_deltas(trail.deltas) if exact else None,
    )


def _membership(membership: Membership, *, exact: bool) -> MembershipShown:
    shown = MembershipShown.model_validate(membership)
    return shown if exact or shown.kind != "person" else shown.model_copy(update={"key": None})


def _deltas(moved: Iterable[Moved]) -> list[DeltaShown]:
    return [
        DeltaShown(**{**each._asdict(), "on": each.date, "amount": f"{each.amount:f}", "dimensions": each.dimensions})
        for each in moved
    ]


async def _note(at: Door, trail: Trail) -> None:
    """What a fact moved is exact, and mostly about a person."""
    async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        await audit.note(
            db,
            at=datetime.now(UTC),
            municipality=at.principal.municipality,
            actor=at.principal.token_name,
            action=READ_FACT,
            subject=f"{trail.source}/{trail.id}",
            detail={},
        )


def _unknown() -> Problem:
    return Problem(
        404,
        "unknown-fact",
        Said("Faktummet findes ikke", "There is no such fact"),
        Said(
            "Ingen levering til din kommune har haft denne kilde og dette id. En, der ikke kunne læses, har intet id.",
            "No delivery to your municipality had this source and this id. One that could not be read has no id.",
        ),
    )
