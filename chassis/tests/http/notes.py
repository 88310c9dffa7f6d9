"""A service of notes on the chassis, who calls it, and how its refusals are read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import uuid4

import httpx
from fastapi import APIRouter, Depends, FastAPI, Query, Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from pydantic import BaseModel, ConfigDict

from chassis import tokens
from chassis.calendar import calendar_of
from chassis.database import Connection, Pool
from chassis.health import Health
from chassis.http import Door, build_api, door
from chassis.idempotency import Answer, created
from chassis.problems import Problem, Said
from chassis.settings import ServiceSettings
from contracts.types import Day, Ore, Ref

JSON = {"content-type": "application/json"}
PERSONAL = "0101701234"
NOTE = {"day": "2026-03-01", "amount": 100}


class NewNote(BaseModel):
    model_config = ConfigDict(extra="forbid")

    day: Day
    amount: Ore
    text: str = ""


class Note(NewNote):
    note_id: Ref


router = APIRouter(prefix="/v1/notes")
Writing = Annotated[Door, Depends(door("write:notes"))]
Reading = Annotated[Door, Depends(door("read:notes"))]
Visiting = Annotated[Door, Depends(door())]


@router.post("", status_code=201)
async def add(body: NewNote, at: Writing) -> Response:
    return await at.perform(body, lambda db: add_note(db, body))


async def add_note(db: Connection, new: NewNote) -> Answer:
    if new.amount == 666:
        raise Problem(409, "refused", Said("Nej", "No"), Said("Aldrig", "Never"), [("/amount", Said("nej", "no"))])
    note = Note(note_id=uuid4(), **new.model_dump())
    await db.execute("INSERT INTO note VALUES ($1, $2)", note.note_id, note.text)
    return created(note, f"/v1/notes/{note.note_id}")


@router.get("/{note_id}")
async def show(note_id: Ref, at: Reading, limit: Annotated[int, Query(ge=1, le=10)] = 1) -> dict[str, Any]:
    return {"note_id": note_id, "limit": limit, "asked_by": at.principal.token_name}


@router.get("")
async def visit(at: Visiting, break_: Annotated[str, Query(alias="break")] = "") -> dict[str, Any]:
    if break_ == "bug":
        raise RuntimeError(PERSONAL)
    if break_ == "range":
        await at.pool.execute("SELECT $1::integer", 10**12)
    if break_ == "text":
        await at.pool.execute("SELECT $1::text", "\x00")
    return {"asked_by": at.principal.token_name, "exact": at.principal.may("figures:exact")}


def build(pool: Pool, *, health: Health | None = None, municipality: str = "621") -> FastAPI:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield

    async def figures() -> list[GaugeMetricFamily]:
        return [GaugeMetricFamily("notes", "Notes kept.", value=await pool.fetchval("SELECT count(*) FROM note"))]

    app = build_api(
        title="Notes",
        version="1.0.0",
        settings=ServiceSettings(
            database_url="postgresql:///", nats_url="nats://nowhere", port=0, municipality=municipality
        ),
        calendar=calendar_of("system"),
        lifespan=lifespan,
        routers=[router],
        health=health or Health(),
        registry=CollectorRegistry(),
        collectors=[figures],
        service="flexjob_pool",
    )
    app.state.pool = pool
    return app


async def issue(pool: Pool, *scopes: str, municipality: str = "621", days: int = 1) -> str:
    now = datetime.now(UTC)
    expires = now + timedelta(days=days)
    async with pool.acquire() as db:
        return await tokens.issue(
            db, name="payroll", municipality=municipality, scopes=scopes, now=now, expires_at=expires
        )


def client_of(app: FastAPI, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://notes",
        headers={"accept-language": "en", **(headers or {})},
    )


def problem_of(response: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    document: dict[str, Any] = response.json()
    assert response.status_code == status, document
    assert response.headers["content-type"] == "application/problem+json"
    assert document["status"] == status
    assert document["type"] == f"urn:kraftcenter:problem:{slug}"
    assert PERSONAL not in response.text
    assert "Traceback" not in response.text
    return document


async def notes_in(pool: Pool) -> int:
    count: int = await pool.fetchval("SELECT count(*) FROM note")
    return count
