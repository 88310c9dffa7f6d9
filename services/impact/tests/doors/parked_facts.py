"""What is parked behind the small life, and how the doors on it are used."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx

from chassis.database import Pool
from contracts.placements import PlacementStarted

LIST, WAITING = "/v1/ledger/parked", "/v1/ledger/waiting"
UNKNOWN = PlacementStarted.contract.type
START, MOON, BROKEN = 10, 11, 12
PERSON = str(UUID(int=9))
CPR = "0101651234"
ASK = {"reason": "type_released"}
JOB = PlacementStarted(
    occurred_on=date(2026, 6, 1),
    placement_id=UUID(int=8),
    person_ref=UUID(PERSON),
    org_id=UUID(int=7),
    employment_kind="small_job",
    origin_code="pension",
    attendance_hours_per_week=Decimal(4),
    effective_hours_per_week=Decimal(4),
)


async def rows(pool: Pool, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in await pool.fetch(statement)]


async def written(pool: Pool) -> list[Any]:
    tables = ("ledger", "outcome", "delta", "audit", "idempotency_key")
    return [await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables]  # noqa: S608 - no input


async def post(
    doors: httpx.AsyncClient, path: str, token: dict[str, str], body: Any = ASK, key: str = "a"
) -> httpx.Response:
    return await doors.post(f"{LIST}/{path}", json=body, headers={**token, "Idempotency-Key": key})
