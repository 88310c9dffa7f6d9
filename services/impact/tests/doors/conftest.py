"""A migrated database of impact, a small life in its ledger, and the doors on it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

import httpx
import pytest
from fastapi import FastAPI

from chassis import tokens
from chassis.calendar import calendar_of
from chassis.database import Pool
from chassis.wire import seal
from contracts import flexjob_pool
from contracts.event import Event
from contracts.streams import Stream
from impact.app import build_app
from impact.catalogue import INDICATORS, measures_of
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.settings import ImpactSettings

TODAY = "2026-06-30T08:00:00Z"
LANE = Stream("621", "flexjob_pool")
NAMES = UUID(int=0)

Admit = Callable[..., Awaitable[int]]
Issue = Callable[..., Awaitable[dict[str, str]]]


def ref(name: str) -> UUID:
    return uuid5(NAMES, name)


def started(person: str, department: str, hours: str, day: str) -> Event:
    return flexjob_pool.FlexjobStarted.model_validate(
        {
            "occurred_on": day,
            "placement_id": str(ref(f"job of {person}")),
            "person_ref": str(ref(person)),
            "department": department,
            "workplace_unit": f"{department}-1",
            "attendance_hours_per_week": hours,
            "effective_hours_per_week": hours,
            "grant_term": "temporary_5y",
            "retention": False,
            "scheme": "post2013",
        }
    )


def hours_changed(person: str, hours: str, day: str) -> Event:
    return flexjob_pool.FlexjobHoursChanged.model_validate(
        {
            "occurred_on": day,
            "placement_id": str(ref(f"job of {person}")),
            "person_ref": str(ref(person)),
            "attendance_hours_per_week": hours,
            "effective_hours_per_week": hours,
            "cause": "capacity_up",
        }
    )


def ended(person: str, day: str) -> Event:
    return flexjob_pool.FlexjobEnded.model_validate(
        {
            "occurred_on": day,
            "placement_id": str(ref(f"job of {person}")),
            "person_ref": str(ref(person)),
            "reason_code": "ordinary_job",
        }
    )


def budget(year: int, ore: int) -> Event:
    return flexjob_pool.BudgetAllocated.model_validate(
        {"occurred_on": "2026-01-02", "budget_id": str(ref(f"budget {year}")), "fiscal_year": year, "amount_ore": ore}
    )


def granted(name: str, day: str, **allocations: int) -> Event:
    return flexjob_pool.GrantCommitted.model_validate(
        {
            "occurred_on": day,
            "grant_id": str(ref(name)),
            "application_id": str(ref(f"application for {name}")),
            "amount_ore": sum(allocations.values()),
            "allocations": [
                {"fiscal_year": int(year.removeprefix("in_")), "amount_ore": ore} for year, ore in allocations.items()
            ],
            "period_from": day,
            "period_to": "2027-02-01",
        }
    )


LIFE = (
    budget(2026, 10_000_000),
    budget(2027, 5_000_000),
    granted("A", "2026-01-05", in_2026=3_328_000),
    granted("B", "2026-02-05", in_2026=2_600_000, in_2027=1_000_000),
    started("Cilla", "Senior", "4.00", "2025-11-01"),
    started("Anna", "Senior", "12.50", "2026-02-01"),
    started("Bo", "Teknik", "6.00", "2026-03-01"),
    hours_changed("Bo", "9.50", "2026-04-01"),
    ended("Cilla", "2026-05-01"),
)


@pytest.fixture
def clock(tmp_path: Path) -> str:
    """A calendar that stands still on 30 June 2026."""
    file = tmp_path / "clock"
    file.write_text(TODAY)
    return f"file:{file}"


@pytest.fixture
def admit(pool: Pool, clock: str) -> Admit:
    """Admit events, or raw bodies, as one batch; gives the lane's position."""
    sequence = 0

    async def admit(*events: Event | bytes) -> int:
        nonlocal sequence
        batch = []
        for event in events:
            sequence += 1
            body = event if isinstance(event, bytes) else sealed(event, f"event-{sequence}")
            batch.append(Delivery(LANE.name, sequence, {}, body))
        measures = measures_of(INDICATORS)
        return await ingest(pool, LANE, batch, measures=measures, calendar=calendar_of(clock))

    return admit


def sealed(event: Event, event_id: str, *, corrects: str | None = None) -> bytes:
    time = datetime(2026, 6, 30, 8, tzinfo=UTC)
    return seal(event, municipality="621", producer="flexjob_pool", id=event_id, time=time, corrects=corrects).body


@pytest.fixture
def a_start() -> bytes:
    """The message of one person's start in a flexjob."""
    return sealed(started("Dorte", "Senior", "10.00", "2026-06-01"), "a-start")


@pytest.fixture
async def life(admit: Admit) -> int:
    """Two budgets, two grants, three persons: the worked example of these tests. Gives the lane's position."""
    return await admit(*LIFE)


@pytest.fixture
def app(clock: str) -> FastAPI:
    """The service before its lifespan: it knows neither database nor bus."""
    nowhere = {"database_url": "postgresql://127.0.0.1:9/none", "nats_url": "nats://127.0.0.1:9"}
    return build_app(ImpactSettings.model_validate({**nowhere, "port": 0, "clock": clock}))


@pytest.fixture
async def entrance(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A caller without a token who reads English, at doors with nothing behind them."""
    transport = httpx.ASGITransport(app)
    headers = {"Accept-Language": "en"}
    async with httpx.AsyncClient(transport=transport, base_url="http://impact", headers=headers) as client:
        yield client


@pytest.fixture
async def doors(entrance: httpx.AsyncClient, app: FastAPI, pool: Pool) -> httpx.AsyncClient:
    """The same caller, at doors with the database behind them."""
    app.state.pool = pool
    return entrance


@pytest.fixture
def issue(pool: Pool) -> Issue:
    """Issue a token and give it as the header to send."""

    async def issue(*scopes: str, municipality: str = "621") -> dict[str, str]:
        now = datetime.now(UTC)
        async with pool.acquire() as db:
            token = await tokens.issue(db, name="test", municipality=municipality, scopes=scopes, now=now)
        return {"Authorization": f"Bearer {token}"}

    return issue
