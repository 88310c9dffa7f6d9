"""A migrated database of impact, and lives to tell it about."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st

from chassis.database import Pool, create_pool
from chassis.migrate import HTTP, component_of
from contracts import development, flexjob_pool, placements, workplaces
from contracts.event import DatedEvent, Event
from contracts.platform import EventRetracted
from impact.fold import Fact
from local.fixtures import Templates
from services.impact.tests.teller import Teller

POOL, OTHER = "urn:kraftcenter:621:flexjob_pool", "urn:kraftcenter:621:portal"
# Few persons, keys and days, so that lives meet: gaps of 28 and 29 days, a 13 weeks' mark, New Year.
REFS = tuple(UUID(int=number) for number in (1, 2, 3))
OR_NONE = (None, None, *REFS)
STEPS = (0, 1, 2, 10, 28, 29, 30, 31, 60, 90, 91, 92, 119, 182, 240)
DAYS = tuple(date(2026, 12, 1) + timedelta(days=number) for number in STEPS)
HOURS = (Decimal(0), Decimal(4), Decimal("6.50"), Decimal("12.50"))
YEARS = (2026, 2027)
AMOUNTS = range(0, 10_000, 1000)
ONE_YEAR = ({year: amount} for year in YEARS for amount in AMOUNTS)
BOTH_YEARS = (dict(zip(YEARS, amounts, strict=True)) for amounts in product(AMOUNTS, repeat=2))
DRAWS = (*ONE_YEAR, *BOTH_YEARS)
TIMES = st.sampled_from([datetime(2026, 12, 1, 8, tzinfo=UTC) + timedelta(hours=number) for number in range(6)])
UNIT = {"department": ("Senior", "Børn"), "workplace_unit": ("Bakkebo", "Havehuset")}


def grant_event(
    model: type[flexjob_pool.GrantEvent], day: date, grant: UUID, draws: dict[int, int]
) -> flexjob_pool.GrantEvent:
    parts = [{"fiscal_year": year, "amount_ore": amount} for year, amount in draws.items()]
    known = {"occurred_on": day, "grant_id": grant, "application_id": grant, "period_from": day, "period_to": day}
    known["reason_code"] = "late_information"
    return model.model_validate({**known, "amount_ore": sum(draws.values()), "allocations": parts})


SPELL = {"placement_id": REFS, "person_ref": REFS}
WORK = {"attendance_hours_per_week": HOURS, "effective_hours_per_week": HOURS}
CAUSE = {"cause": ("capacity_up", "capacity_down", "unheard_of")}
KIND = {"employment_kind": ("ordinary", "small_job", "work_trial", "unheard_of")}
REVIEW = {"review_id": REFS, "review_kind": ("m30", "m54")}
JOB7: dict[str, Sequence[Any]] = {"request_id": REFS, "from_municipality": ("621", "630"), "to_municipality": ("607",)}
TERMS = {"grant_term": ("permanent",), "retention": (False, True), "scheme": ("post2013",)}
BUDGET = {"budget_id": REFS, "fiscal_year": YEARS, "amount_ore": AMOUNTS}
STAFF = {"headcount": (10, 20), "trainee_headcount": range(10), "fte": HOURS}
ABROAD = {"org_id": REFS, "origin_code": ("pension",), "partnership_id": OR_NONE}
TASKS = {
    "task_codes": (("care",),),
    "effective_hours_per_week_from": (Decimal(1),),
    "effective_hours_per_week_to": (Decimal(9),),
}
REASONS = ("ordinary_job", "pension")
FIELDS: dict[type[DatedEvent], dict[str, Sequence[Any]]] = {
    flexjob_pool.FlexjobStarted: {**SPELL, **WORK, **UNIT, **TERMS, "need_id": OR_NONE},
    flexjob_pool.FlexjobHoursChanged: {**SPELL, **WORK, **CAUSE},
    flexjob_pool.FlexjobTransferred: {**SPELL, **UNIT},
    flexjob_pool.FlexjobEnded: {**SPELL, "reason_code": REASONS},
    placements.PlacementStarted: {**SPELL, **WORK, **KIND, **ABROAD},
    placements.PlacementHoursChanged: {**SPELL, **WORK, **CAUSE},
    placements.PlacementKindChanged: {**SPELL, **KIND},
    placements.PlacementEnded: {**SPELL, "next_step_code": ("pension",)},
    flexjob_pool.BudgetAllocated: BUDGET,
    flexjob_pool.BudgetAdjusted: BUDGET,
    development.ReviewDue: {**SPELL, **REVIEW, "due_on": DAYS},
    development.ReviewHeld: {**SPELL, **REVIEW, "outcome_code": ("continues",)},
    workplaces.NeedReported: {**UNIT, **TASKS, "need_id": REFS},
    workplaces.CandidateRequested: JOB7,
    workplaces.CandidatePlaced: {**JOB7, **SPELL},
    workplaces.WorkforceSnapshotTaken: {
        **STAFF,
        "department": UNIT["department"],
        "wage_subsidy_headcount": (0,),
    },
}
GRANTS = (flexjob_pool.GrantCommitted, flexjob_pool.GrantAdjusted, flexjob_pool.GrantReleased)
OFTEN = [flexjob_pool.FlexjobStarted, flexjob_pool.FlexjobHoursChanged, placements.PlacementStarted]
MODELS: st.SearchStrategy[type[Event]] = st.sampled_from([*FIELDS, *GRANTS, *OFTEN * 2])


@cache
def made(model: type[Event]) -> st.SearchStrategy[DatedEvent]:
    """An event by three draws, of when, whom and what: hypothesis takes longer over a draw than we over an event."""
    days = st.sampled_from(DAYS)
    if issubclass(model, flexjob_pool.GrantEvent):
        drawn = st.tuples(days, st.sampled_from(REFS), st.sampled_from(DRAWS))
        return drawn.map(lambda parts: grant_event(model, *parts))
    assert issubclass(model, DatedEvent)
    fields = {"reason_code": ("late_information",), **FIELDS[model]}
    whom = {name: values for name, values in fields.items() if values in (REFS, OR_NONE)}
    what = {name: values for name, values in fields.items() if name not in whom}
    drawn_fields = st.tuples(days, combined(whom), combined(what))
    return drawn_fields.map(lambda parts: model(occurred_on=parts[0], **parts[1], **parts[2]))


def combined(fields: Mapping[str, Sequence[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Any combination of the fields' values."""
    return st.sampled_from([dict(zip(fields, values, strict=True)) for values in product(*fields.values())])


ANY_EVENT = MODELS.flatmap(made)
# Now and then another source points at the event, and that comes to nothing; None is the source pointed at.
TELLING = st.sampled_from([*product(("new", "new", "new", "correct", "retract"), (None, POOL, POOL, OTHER))])


@st.composite
def careers(draw: st.DrawFn) -> list[DatedEvent]:
    """One person's jobs after each other, with pauses about as long as the rules allow."""
    events: list[DatedEvent] = []
    person, day = draw(st.sampled_from(REFS)), date(2026, 12, 1)
    for job in range(4, draw(st.integers(4, 7))):
        of = {"placement_id": UUID(int=job), "person_ref": person, "reason_code": draw(st.sampled_from(REASONS))}
        for model in (flexjob_pool.FlexjobStarted, flexjob_pool.FlexjobHoursChanged, flexjob_pool.FlexjobEnded):
            if model is not flexjob_pool.FlexjobHoursChanged or draw(st.booleans()):
                events.append(draw(made(model)).model_copy(update={**of, "occurred_on": day}))
                day += timedelta(days=draw(st.sampled_from([30, 61, 91, 182])))
        day = events[-1].occurred_on + timedelta(days=draw(st.sampled_from([0, 14, 28, 29])))
    return events


@st.composite
def registrations(draw: st.DrawFn) -> list[Fact]:
    """Events, corrections and retractions of any of them and of each other; the position is the order of telling."""
    career = draw(st.one_of(st.just([]), careers()))
    facts = [
        Fact(number, POOL, f"e{number}", event.contract.type, draw(TIMES), event)
        for number, event in enumerate(career, start=1)
    ]
    for number in range(len(facts) + 1, len(facts) + draw(st.integers(1, 18)) + 1):
        kind, source = draw(TELLING)
        target = draw(st.sampled_from(facts)) if facts else None
        source = source or (target.source if target else POOL)
        if target and kind == "retract":
            event: Event = EventRetracted(event_id=target.id, reason_code="double_entry")
        elif target and kind == "correct" and type(target.event) is not EventRetracted:
            event = draw(made(type(target.event)))
        else:
            kind, event = "new", draw(ANY_EVENT)
        corrects = target.id if target and kind == "correct" else None
        facts.append(Fact(number, source, f"e{number}", event.contract.type, draw(TIMES), event, corrects=corrects))
    return facts


@pytest.fixture(scope="session")
def lives() -> st.SearchStrategy[list[Event]]:
    """What may befall a few persons, placements, grants and budgets, in any order and however unlikely."""
    return st.lists(ANY_EVENT, min_size=1, max_size=14)


@pytest.fixture(scope="session")
def stories() -> st.SearchStrategy[list[Fact]]:
    """Lives as they are registered, with what was registered wrongly and undone."""
    return registrations()


@pytest.fixture
def database_url(templates: Templates) -> Iterator[str]:
    """The DSN of a fresh database with the service's tables."""
    with templates.copied(HTTP, component_of("impact")) as dsn:
        yield dsn


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """Connections to that database."""
    async with await create_pool(database_url, name="test") as connections:
        yield connections


@pytest.fixture
def story(pool: Pool) -> Teller:
    """Who tells a municipality's story into that database."""
    return Teller(pool)
