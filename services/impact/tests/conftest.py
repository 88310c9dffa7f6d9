"""A migrated database of impact, and lives to tell it about."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import strategies as st

from chassis.calendar import SystemCalendar
from chassis.database import Pool, create_pool
from chassis.migrate import component_of, migrate
from contracts.event import Event
from contracts.flexjob_pool import (
    BudgetAllocated,
    FlexjobEnded,
    FlexjobHoursChanged,
    FlexjobStarted,
    GrantCommitted,
    GrantEvent,
    GrantReleased,
)

REFS = st.integers(1, 3).map(lambda number: UUID(int=number))
DAYS = st.integers(0, 40).map(lambda number: date(2026, 12, 1) + timedelta(days=number))
HOURS = st.sampled_from([Decimal(0), Decimal(4), Decimal("6.50"), Decimal("12.50")])
YEARS = st.sampled_from([2026, 2027])
AMOUNTS = st.integers(0, 9).map(lambda number: 1000 * number)
DRAWS = st.dictionaries(YEARS, AMOUNTS, min_size=1)


def grant_event(model: type[GrantEvent], day: date, grant: UUID, draws: dict[int, int]) -> GrantEvent:
    parts = [{"fiscal_year": year, "amount_ore": amount} for year, amount in draws.items()]
    known = {"occurred_on": day, "grant_id": grant, "application_id": grant, "period_from": day, "period_to": day}
    return model.model_validate({**known, "amount_ore": sum(draws.values()), "allocations": parts})


SPELL = {"occurred_on": DAYS, "placement_id": REFS, "person_ref": REFS}
TIMES = {"attendance_hours_per_week": HOURS, "effective_hours_per_week": HOURS}
STARTS = st.builds(
    FlexjobStarted,
    **SPELL,
    **TIMES,
    department=st.sampled_from(["Senior", "Børn"]),
    workplace_unit=st.just("Bakkebo"),
    grant_term=st.just("temporary_5y"),
    retention=st.booleans(),
    scheme=st.just("post2013"),
)
CHANGES = st.builds(FlexjobHoursChanged, **SPELL, **TIMES, cause=st.just("capacity_up"))
ENDS = st.builds(FlexjobEnded, **SPELL, reason_code=st.just("pension"))
BUDGETS = st.builds(BudgetAllocated, occurred_on=DAYS, budget_id=REFS, fiscal_year=YEARS, amount_ore=AMOUNTS)
GRANTS = st.builds(grant_event, st.sampled_from([GrantCommitted, GrantReleased]), DAYS, REFS, DRAWS)


@pytest.fixture(scope="session")
def lives() -> st.SearchStrategy[list[Event]]:
    """What may befall a few persons, placements, grants and budgets, in any order and however unlikely."""
    return st.lists(st.one_of(STARTS, STARTS, CHANGES, ENDS, BUDGETS, GRANTS), min_size=1, max_size=14)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """Connections to a fresh database with impact's tables."""
    await migrate(database_url, [component_of("impact")], clock=SystemCalendar())
    async with await create_pool(database_url, name="test") as connections:
        yield connections
