"""A database that served before decisions were kept goes on: what was registered is told from its events."""

import json
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis import outbox
from chassis.calendar import SystemCalendar
from chassis.database import Pool, create_pool
from chassis.migrate import HTTP, OUTBOX, Component, component_of, migrate
from chassis.wire import seal
from contracts.event import DatedEvent, Event
from contracts.flexjob_pool import (
    Allocation,
    ApplicationApproved,
    ApplicationRejected,
    ApplicationSubmitted,
    BudgetAllocated,
    FlexjobEnded,
    FlexjobHoursChanged,
    FlexjobStarted,
    GrantCommitted,
    GrantReleased,
    RulesAdopted,
)
from contracts.platform import ServiceHeartbeat
from flexjob_pool.requests.flexjobs import ChangeHours
from flexjob_pool.retelling import tell_resources
from flexjob_pool.store import decisions
from flexjob_pool.use_cases import event_ids
from local.postgres import Postgres
from services.flexjob_pool.tests.conftest import Office

CLOCK = SystemCalendar()
BUDGET, WISH, REFUSED, GRANT, JOB, LONE, PERSON = (UUID(int=number) for number in range(1, 8))
UNIT = {"department": "Senior", "workplace_unit": "Aahaven"}
HOURS = {"attendance_hours_per_week": Decimal(12), "effective_hours_per_week": Decimal(8)}
FIRST, END = date(2026, 7, 1), date(2026, 10, 9)


def drawn(ore: int) -> dict[str, Any]:
    return {"amount_ore": ore, "allocations": (Allocation(fiscal_year=2026, amount_ore=ore),)}


def events() -> list[Event]:
    """What the service had told before: every kind of event that it knew, and heartbeats between."""
    day = date(2026, 1, 2)
    wish = {**UNIT, "effective_hours_per_week": Decimal(8), "months": 12, "amount_ore": 1000}
    job = {**UNIT, **HOURS, "grant_term": "permanent", "retention": False, "scheme": "post2013"}
    life = {"placement_id": JOB, "person_ref": PERSON}
    return [
        RulesAdopted(occurred_on=day, rules_version=1, refund_share=Decimal("0.5"), eligible_units=("Senior",)),
        BudgetAllocated(occurred_on=day, budget_id=BUDGET, fiscal_year=2026, amount_ore=1500),
        ServiceHeartbeat(producer="flexjob_pool", published=()),
        ApplicationSubmitted(occurred_on=day, application_id=WISH, **wish),
        ApplicationSubmitted(occurred_on=day, application_id=REFUSED, need_id=uuid4(), **wish),
        ApplicationApproved(occurred_on=day, application_id=WISH, **UNIT, rules_version=1, amount_ore=1000),
        ApplicationRejected(occurred_on=day, application_id=REFUSED, **UNIT, rules_version=1, reject_code="no_match"),
        GrantCommitted(
            occurred_on=day, grant_id=GRANT, application_id=WISH, **drawn(1000), period_from=FIRST, period_to=END
        ),
        FlexjobStarted(occurred_on=FIRST, **life, grant_id=GRANT, **job),
        FlexjobStarted(occurred_on=FIRST, placement_id=LONE, person_ref=PERSON, **job),
        FlexjobHoursChanged(
            occurred_on=FIRST + timedelta(days=3),
            **life,
            **HOURS | {"attendance_hours_per_week": Decimal(20)},
            cause="capacity_up",
        ),
        BudgetAllocated(occurred_on=day, budget_id=BUDGET, fiscal_year=2026, amount_ore=2000),
        FlexjobEnded(occurred_on=FIRST + timedelta(days=10), **life, grant_id=GRANT, reason_code="pension"),
        GrantReleased(occurred_on=FIRST, grant_id=GRANT, application_id=WISH, **drawn(100)),
    ]


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """The DSN of a fresh database without any tables."""
    dsn = postgres.create_database()
    yield dsn
    postgres.drop_database(dsn)


@pytest.fixture
async def older(database_url: str, tmp_path: Path) -> AsyncIterator[Pool]:
    """A database as it stood before, with rows in its old tables too."""
    for migration in component_of("flexjob_pool").migrations()[:2]:
        (tmp_path / migration.name).write_text(migration.sql, encoding="utf-8")
    await migrate(database_url, [OUTBOX, HTTP, Component("flexjob_pool", tmp_path)], clock=CLOCK)
    shutil.rmtree(tmp_path)
    async with await create_pool(database_url, name="test") as pool:
        await pool.execute(
            """
            INSERT INTO rules VALUES (1, '2026-01-02', 0.5, NULL, NULL, '{Senior}');
            INSERT INTO fiscal_year VALUES (2026, 2000, 100);
            INSERT INTO budget VALUES ('00000000-0000-0000-0000-000000000001', 2026, 2000, '2026-01-02');
            INSERT INTO movement (fiscal_year, occurred_on, amount_ore) VALUES (2026, '2026-01-02', 2000);
            """
        )
        time = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)
        async with pool.acquire() as db:
            for event in events():
                about = {"municipality": "621", "producer": "flexjob_pool"}
                await outbox.append(db, [seal(event, **about, id=str(next(event_ids)), time=time)], now=time)
        yield pool


async def test_a_database_of_before_goes_on(older: Pool, database_url: str) -> None:
    applied = await migrate(database_url, [OUTBOX, HTTP, component_of("flexjob_pool")], clock=CLOCK)
    await tell_resources(older, "621")
    await tell_resources(older, "621")

    assert applied[0] == "flexjob_pool/0003_story.sql"
    told = [event for event in events() if isinstance(event, DatedEvent)]
    kept = await older.fetch("SELECT type, data FROM event ORDER BY number")
    assert sorted((row["type"], json.dumps(row["data"], sort_keys=True)) for row in kept) == sorted(
        (body["type"], json.dumps(body["data"], sort_keys=True))
        for row in await older.fetch("SELECT body FROM outbox")
        if "heartbeat" not in (body := json.loads(row["body"]))["type"]
    )
    assert len(kept) == len(told)
    state = {(row["noun"], row["key"]): row["state"] for row in await older.fetch("SELECT * FROM resource")}
    assert {noun for noun, _ in state} == {"rules", "budget", "application", "grant", "flexjob"}
    assert state["budget", str(BUDGET)]["amount_ore"] == 2000
    assert state["application", str(WISH)]["status"] == "approved"
    assert state["application", str(REFUSED)]["reject_code"] == "no_match"
    assert (state["grant", str(GRANT)]["amount_ore"], state["grant", str(GRANT)]["status"]) == (100, "released")
    flexjob = state["flexjob", str(JOB)]
    assert (flexjob["status"], len(flexjob["hours"]), flexjob["registered_on"]) == ("ended", 2, "2026-01-03")
    assert await older.fetchval("SELECT sum(amount_ore)::bigint FROM movement") == 1900


async def test_what_was_registered_before_can_be_corrected_and_new_things_be_registered(
    older: Pool, database_url: str
) -> None:
    await migrate(database_url, [OUTBOX, HTTP, component_of("flexjob_pool")], clock=CLOCK)
    await tell_resources(older, "621")
    office = Office(older)
    [ended] = await office.told("flexjob.ended")

    await office.correct(ended["id"], occurred_on=str(FIRST + timedelta(days=20)))

    correction, release = (await office.told())[-2:]
    assert (correction["corrects"], release["data"]["amount_ore"]) == (ended["id"], 200)
    change = ChangeHours(occurred_on=FIRST, **HOURS | {"effective_hours_per_week": Decimal(9)}, cause="task_match")
    await office.ask(LONE, change)
    async with older.acquire() as db:
        positions = [decision.position for decision in (await decisions.whole_story(db)).decisions]
    assert positions == sorted(positions)
    assert positions[-1] == max(positions)
    [*allocations] = await office.told("budget_allocated")
    await office.correct(allocations[1]["id"], amount_ore=3000)
    assert await older.fetchval("SELECT sum(amount_ore)::bigint FROM movement") == 3000 - 200


async def test_an_empty_database_of_before_goes_on_too(database_url: str) -> None:
    await migrate(database_url, [OUTBOX, HTTP, component_of("flexjob_pool")], clock=CLOCK)
    async with await create_pool(database_url, name="test") as pool:
        await tell_resources(pool, "621")
        office = Office(pool)
        await office.running_flexjob()
        assert len(await office.told()) == 6
