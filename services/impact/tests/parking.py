"""Facts that a program did not know, or could not take, so that they were parked; and what is read of them."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.calendar import SystemCalendar
from chassis.database import Pool
from chassis.wire import seal
from contracts.catalogue import BY_TYPE
from contracts.event import Event
from contracts.flexjob_pool import BudgetAdjusted, BudgetAllocated, FlexjobHoursChanged, FlexjobStarted
from contracts.platform import EventRetracted
from contracts.streams import Stream
from impact import parked
from impact.catalogue import INDICATORS, measures_of
from impact.conservation import HEARD
from impact.fold import Effect, Fact, Measure
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.parked import Decided, Decision
from impact.rebuild import compare
from impact.store.parked import list_parked
from impact.store.thorough import thorough_balance
from impact.store.waiting import WaitedFor, list_waiting

MEASURES = measures_of(INDICATORS)
LANE = Stream("621", "flexjob_pool")
OTHER_SOURCE = "urn:kraftcenter:621:portal"
REGISTERED = datetime(2026, 6, 1, 9, tzinfo=UTC)
ALLOCATED, ADJUSTED = BudgetAllocated.contract.type, BudgetAdjusted.contract.type
STARTED = FlexjobStarted.contract.type
DECISION = Decision("621", "test", "type_released")

Row = tuple[Any, ...]


def budget(amount_ore: int = 100, model: type[Event] = BudgetAllocated, day: str = "2026-01-01") -> Event:
    known = {"occurred_on": day, "budget_id": str(UUID(int=1)), "fiscal_year": 2026, "amount_ore": amount_ore}
    return model.model_validate({**known, "reason_code": "late_information"})


def retracted(event_id: str) -> Event:
    return EventRetracted(event_id=event_id, reason_code="double_entry")


def started() -> Event:
    return FlexjobStarted(
        occurred_on=date(2026, 1, 1),
        placement_id=UUID(int=1),
        person_ref=UUID(int=2),
        department="Senior",
        workplace_unit="Bakkebo",
        attendance_hours_per_week=Decimal(12),
        effective_hours_per_week=Decimal(4),
        grant_term="temporary_5y",
        retention=False,
        scheme="post2013",
    )


def hours_changed() -> Event:
    return FlexjobHoursChanged(
        occurred_on=date(2026, 2, 1),
        placement_id=UUID(int=1),
        person_ref=UUID(int=2),
        attendance_hours_per_week=Decimal(12),
        effective_hours_per_week=Decimal("12.50"),
        cause="capacity_up",
    )


def sealed(event: Event, event_id: str, stream: Stream = LANE, **envelope: Any) -> bytes:
    known = {"municipality": stream.municipality, "producer": stream.producer, "time": REGISTERED}
    return seal(event, **{**known, **envelope}, id=event_id).body


async def bring_in(
    pool: Pool,
    *bodies: bytes,
    stream: Stream = LANE,
    measures: Sequence[Measure] = MEASURES,
    unknown: Collection[str] = (),
) -> None:
    """Admit messages as one batch, by a program that does not know these types yet."""
    batch = [Delivery(stream.name, sequence, {}, body) for sequence, body in enumerate(bodies, start=1)]
    if not batch:
        return
    with not_yet_known(*unknown):
        await ingest(pool, stream, batch, measures=measures, calendar=SystemCalendar())


@contextmanager
def not_yet_known(*types: str) -> Iterator[None]:
    """The program as it was before it learned of these types."""
    learned = {type_: BY_TYPE.pop(type_) for type_ in types}
    try:
        yield
    finally:
        BY_TYPE.update(learned)


def raising_on(*event_ids: str) -> list[Measure]:
    """The measures as they were when their rules could not take these events."""
    return [replace(measure, rule=touchy(measure, set(event_ids))) for measure in MEASURES]


def touchy(measure: Measure, sore: set[str]) -> Callable[[Sequence[Fact]], list[Effect]]:
    def rule(facts: Sequence[Fact]) -> list[Effect]:
        if any(fact.id in sore for fact in facts):
            raise ZeroDivisionError
        return list(measure.rule(facts))

    return rule


async def replay(
    pool: Pool, *positions: int, measures: Sequence[Measure] = MEASURES, decision: Decision = DECISION
) -> list[Decided]:
    async with pool.acquire() as db, db.transaction():
        return await parked.replay(db, decision, positions, measures=measures, calendar=SystemCalendar())


async def discard(pool: Pool, position: int, decision: Decision = DECISION) -> Decided:
    async with pool.acquire() as db, db.transaction():
        return await parked.discard(db, decision, position, calendar=SystemCalendar())


async def rows(pool: Pool, statement: str, *arguments: object) -> list[Row]:
    return [tuple(row.values()) for row in await pool.fetch(statement, *arguments)]


async def outcomes(pool: Pool) -> dict[str, str]:
    found = await rows(pool, "SELECT event_id, outcome FROM outcome JOIN ledger USING (municipality, position)")
    return dict(found)


async def allocated(pool: Pool) -> int:
    statement = "SELECT coalesce(sum(amount), 0) FROM running_sum WHERE measure = 'pool_allocated'"
    return int(await pool.fetchval(statement))


async def entries(pool: Pool) -> list[Row]:
    return await rows(pool, "SELECT position, kind, event_id, concerns, parked FROM ledger ORDER BY position")


async def parked_now(pool: Pool, municipality: str = "621") -> list[tuple[int, str]]:
    async with pool.acquire() as db:
        found = await list_parked(db, municipality, reason=None, after=0, limit=500)
    return [(fact.position, fact.reason) for fact in found]


async def waits(pool: Pool) -> dict[str, WaitedFor]:
    async with pool.acquire() as db:
        found = await list_waiting(db, "621", after=0, limit=500)
    return {fact.event_id: fact.waits_for for fact in found}


async def differing(pool: Pool, municipality: str = "621") -> list[str]:
    return (await compare(pool, municipality, MEASURES)).differing


async def in_balance(pool: Pool, municipality: str = "621") -> bool:
    async with pool.acquire() as db, db.transaction(isolation="repeatable_read"):
        found = await thorough_balance(db, municipality, MEASURES)
    # Nobody sends heartbeats here.
    return [each for each in found.open_accounts if each.name != HEARD] == []
