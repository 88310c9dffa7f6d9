"""A database of impact with a small life in its ledger, the doors on it, and those who come to them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from chassis import cli, tokens
from chassis.calendar import calendar_of
from chassis.database import Pool
from contracts.catalogue import BY_TYPE
from contracts.event import Event
from impact.app import build_app
from impact.catalogue import INDICATORS, measures_of
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.settings import ImpactSettings
from services.impact.tests.doors.commandline import Bearing, Kraftcenter, Said, served
from services.impact.tests.doors.parked_facts import JOB, START, UNKNOWN
from services.impact.tests.doors.small_life import LANE, LIFE, Admit, Issue, Json, Receipt, sealed, started

TODAY = "2026-06-30T08:00:00Z"


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


@pytest.fixture
async def parked(admit: Admit, life: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Behind a small life: a type that is known by now, one that never is, and a number that is none."""
    job = sealed(JOB, "job")
    moon = job.replace(b"placement.started", b"moon.landed_on").replace(b'"job"', b'"moon"')
    broken = job.replace(b'"effective_hours_per_week":"4.00"', b'"effective_hours_per_week":4.5').replace(
        b'"job"', b'"x"'
    )
    with monkeypatch.context() as before:
        before.delitem(BY_TYPE, UNKNOWN)
        await admit(job, moon)
    assert life == START - 1
    return await admit(broken)


@pytest.fixture
async def reader(issue: Issue) -> dict[str, str]:
    """A token that may read the ledger."""
    return await issue("ledger")


@pytest.fixture
async def admin(issue: Issue) -> dict[str, str]:
    """A token that may read the ledger and decide on it."""
    return await issue("ledger", "admin")


@pytest.fixture
async def exact(issue: Issue) -> dict[str, str]:
    """A token that may see exact figures."""
    return await issue("figures:exact")


@pytest.fixture
def receipt(doors: httpx.AsyncClient, exact: dict[str, str]) -> Receipt:
    """Asks for a receipt, as `F1?known_as_of=5`."""

    async def receipt(question: str) -> Json:
        indicator, _, query = question.partition("?")
        answer = await doors.get(f"/v1/figures/{indicator}/receipt?{query}", headers=exact)
        assert answer.status_code == 200, answer.text
        shown: Json = answer.json()
        return shown

    return receipt


@pytest.fixture
def commandline(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Kraftcenter:
    """Runs `kraftcenter` in this process as its entry point does, on a terminal of so many columns."""

    def command(arguments: tuple[str, ...], answers: str, columns: int) -> int:
        monkeypatch.setattr("sys.argv", ["kraftcenter", *arguments])
        monkeypatch.setattr("sys.stdin", StringIO(answers))
        monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit) as left:
            cli.main()
        return int(left.value.code or 0)

    async def commandline(*arguments: str, answers: str = "", columns: int = 200) -> Said:
        capsys.readouterr()
        # The doors run in this process too, and what they log is not the command's.
        with capture_logs():
            code = await asyncio.to_thread(command, arguments, answers, columns)
        return Said(code, *capsys.readouterr())

    return commandline


@pytest.fixture
def kraftcenter(commandline: Kraftcenter, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Kraftcenter:
    """Run a command as somebody who operates the database."""
    monkeypatch.setenv("IMPACT_DATABASE_URL", database_url)
    return commandline


@pytest.fixture
async def url(app: FastAPI, pool: Pool) -> AsyncIterator[str]:
    """The address of running doors."""
    app.state.pool = pool
    async with served(app) as address:
        yield address


@pytest.fixture
def bearing(url: str, issue: Issue, tmp_path: Path) -> Bearing:
    """Gives the options that lead to the doors, with a token of these scopes."""

    async def bearing(*scopes: str) -> tuple[str, ...]:
        file = tmp_path / "token"
        header = await issue(*scopes)
        file.write_text(header["Authorization"].removeprefix("Bearer "))
        return ("--url", url, "--token-file", str(file))

    return bearing
