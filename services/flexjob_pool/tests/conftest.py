"""A migrated database of the service, desks at it, and the whole service in this process, on real servers."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
import nats
import pytest

from chassis import tokens
from chassis.calendar import Calendar, calendar_of, danish_date
from chassis.database import Pool, create_pool
from chassis.migrate import HTTP, INBOX, OUTBOX, component_of
from chassis.provision import provision
from flexjob_pool.app import build_app
from flexjob_pool.domain.refusals import Refusal
from flexjob_pool.requests.applications import Apply, Approve
from flexjob_pool.requests.ask import Ask
from flexjob_pool.requests.budgets import AllocateBudget
from flexjob_pool.requests.flexjobs import StartFlexjob
from flexjob_pool.requests.grants import CommitGrant
from flexjob_pool.requests.rules import AdoptRules
from flexjob_pool.settings import FlexjobPoolSettings
from flexjob_pool.undo import correct, retract
from flexjob_pool.use_cases import Desk, Recorded, at_a_desk, register
from local.fixtures import Templates
from local.nats import NatsServer
from local.waiting import until
from services.flexjob_pool.tests.caseworker import Caseworker
from services.flexjob_pool.tests.payroll_system import PayrollSystem

MORNING = "2026-03-02T08:00:00Z"
SCOPES = ("read:flexjob_pool", "write:flexjob_pool")
RULES_DAY = date(2026, 1, 1)
DAY = timedelta(days=1)
WIPE = "TRUNCATE decision, event, resource, movement, outbox"

T = TypeVar("T")
Act = Callable[[Desk], Awaitable[T]]


@dataclass
class Standing:
    """A calendar that stands still until it is told otherwise."""

    instant: datetime = field(default_factory=lambda: datetime.fromisoformat(MORNING))

    def now(self) -> datetime:
        return self.instant

    def today(self) -> date:
        return danish_date(self.instant)


class Office:
    """Desks at one database; every act is a transaction of its own."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.calendar: Calendar = Standing()

    def later(self, days: int) -> None:
        assert isinstance(self.calendar, Standing)
        self.calendar.instant += timedelta(days=days)

    async def act(self, work: Act[T]) -> T:
        async with self.pool.acquire() as db:
            return await at_a_desk(db, "621", self.calendar, work)

    async def ask(self, about: UUID | str, ask: Ask) -> Recorded:
        return await self.act(lambda desk: register(desk, about, ask))

    async def correct(self, event_id: str, **values: Any) -> list[str]:
        return await self.act(lambda desk: correct(desk, UUID(event_id), "registration_error", values))

    async def retract(self, event_id: str) -> list[str]:
        return await self.act(lambda desk: retract(desk, UUID(event_id), "never_happened"))

    async def race(self, *works: Act[T]) -> list[T | Refusal]:
        """Perform all at once, each on its own connection; what each came to. All else than a refusal is raised."""
        ready = asyncio.Barrier(max(1, len(works)))

        async def attempt(work: Act[T]) -> T | Refusal:
            async with self.pool.acquire() as db:
                await ready.wait()
                try:
                    return await at_a_desk(db, "621", self.calendar, work)
                except Refusal as refusal:
                    return refusal

        return await asyncio.gather(*map(attempt, works))

    async def told(self, name: str = "") -> list[dict[str, Any]]:
        """The events in the outbox, all or those of one name, as they were appended."""
        rows = await self.pool.fetch("SELECT type, body FROM outbox ORDER BY position")
        return [json.loads(row["body"]) for row in rows if name in row["type"]]

    async def wipe(self) -> None:
        await self.pool.execute(WIPE)
        self.calendar = Standing()

    async def rules(self, **limits: Any) -> Recorded:
        share = limits.pop("refund_share", Decimal("0.5"))
        return await self.ask(
            "", AdoptRules(occurred_on=RULES_DAY, refund_share=share, eligible_units=("Senior",), **limits)
        )

    async def budget(self, year: int, amount_ore: int, day: date = RULES_DAY) -> UUID:
        budget_id = uuid4()
        await self.ask(budget_id, AllocateBudget(occurred_on=day, fiscal_year=year, amount_ore=amount_ore))
        return budget_id

    async def approved(self, amount_ore: int) -> UUID:
        """An application that may be granted."""
        application_id = uuid4()
        await self.ask(application_id, self.application(amount_ore))
        await self.ask(application_id, Approve(occurred_on=RULES_DAY))
        return application_id

    async def running_flexjob(self, amount_ore: int = 1000) -> tuple[UUID, UUID]:
        """A flexjob of the first hundred days of July, with its grant: (placement, grant)."""
        grant_id, placement_id, first = uuid4(), uuid4(), date(2026, 7, 1)
        await self.rules()
        await self.budget(2026, amount_ore)
        granted = self.commitment(await self.approved(amount_ore), first, first + 100 * DAY)
        await self.ask(grant_id, granted)
        await self.ask(placement_id, self.start(first, grant_id=grant_id))
        return placement_id, grant_id

    @staticmethod
    def application(amount_ore: int, **values: Any) -> Apply:
        given = {
            "occurred_on": RULES_DAY,
            "department": "Senior",
            "workplace_unit": "Aahaven",
            "effective_hours_per_week": Decimal(8),
            "months": 12,
            "amount_ore": amount_ore,
        }
        return Apply.model_validate(given | values)

    @staticmethod
    def commitment(application_id: UUID, first: date, end: date, day: date = RULES_DAY) -> CommitGrant:
        return CommitGrant(occurred_on=day, application_id=application_id, period_from=first, period_to=end)

    @staticmethod
    def start(first: date, **values: Any) -> StartFlexjob:
        given = {
            "occurred_on": first,
            "person_ref": uuid4(),
            "department": "Senior",
            "workplace_unit": "Aahaven",
            "attendance_hours_per_week": Decimal(12),
            "effective_hours_per_week": Decimal(8),
            "grant_term": "permanent",
            "retention": False,
            "scheme": "post2013",
        }
        return StartFlexjob.model_validate(given | values)


@pytest.fixture
def clock(tmp_path: Path) -> str:
    """A calendar that stands still on 2 March 2026."""
    file = tmp_path / "clock"
    file.write_text(MORNING)
    return f"file:{file}"


@pytest.fixture
def database_url(templates: Templates) -> Iterator[str]:
    """The DSN of a fresh database with the service's tables."""
    with templates.copied(OUTBOX, INBOX, HTTP, component_of("flexjob_pool")) as dsn:
        yield dsn


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """Connections to that database."""
    async with await create_pool(database_url, name="test", max_size=32) as connections:
        yield connections


@pytest.fixture
def office(pool: Pool) -> Office:
    """Desks at that database."""
    return Office(pool)


@pytest.fixture
async def doors(pool: Pool, database_url: str, clock: str, nats_server: NatsServer) -> AsyncIterator[httpx.AsyncClient]:
    """The running service; every request carries a token that may read and write."""
    settings = FlexjobPoolSettings.model_validate(
        {"database_url": database_url, "nats_url": nats_server.url, "port": 0, "clock": clock, "sweep_seconds": 0.05}
    )
    calendar = calendar_of(clock)
    async with pool.acquire() as db:
        token = await tokens.issue(db, name="test", municipality="621", scopes=SCOPES, now=calendar.now())
    async with await nats.connect(nats_server.url) as bus:
        await provision(bus.jetstream(), "621")
    app = build_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://pool",
            headers={"Authorization": f"Bearer {token}"},
        ) as client,
    ):

        async def relay_has_connected() -> bool:
            active = (
                'relay_active{municipality="621",producer="flexjob_pool"} 1.0' in (await client.get("/metrics")).text
            )
            return active and (await client.get("/readyz")).status_code == 200

        # A relay that is stopped while it connects would leave a socket behind.
        await until(relay_has_connected, seconds=30)
        yield client


@pytest.fixture
def caseworker(doors: httpx.AsyncClient) -> Caseworker:
    """Who sends requests to it."""
    return Caseworker(doors)


@pytest.fixture
async def payroll(nats_server: NatsServer, doors: httpx.AsyncClient, pool: Pool) -> AsyncIterator[PayrollSystem]:
    """A payroll system whose messages it takes in; when the test ends, the books must be right."""
    async with await nats.connect(nats_server.url) as client:
        system = PayrollSystem(client.jetstream(), doors, pool)
        yield system
        await system.books()
