"""Deliveries of every kind, and what the thorough balance says of them."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from chassis.calendar import SystemCalendar
from chassis.database import Connection, Pool
from chassis.wire import seal
from contracts.event import Event
from contracts.flexjob_pool import BudgetAllocated, FlexjobHoursChanged, FlexjobStarted, RulesAdopted
from contracts.platform import EventRetracted, Published, ServiceHeartbeat
from contracts.streams import Stream
from impact import parked
from impact.catalogue import INDICATORS, measures_of
from impact.conservation import Balance
from impact.fold import Fact
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.parked import Decision
from impact.store.thorough import thorough_balance

MEASURES = measures_of(INDICATORS)
LANE = Stream("621", "flexjob_pool")
SOURCE = "urn:kraftcenter:621:flexjob_pool"
REGISTERED = datetime(2026, 6, 1, tzinfo=UTC)
DECISION = Decision("621", "test", "checked")
BROKEN = tuple(replace(measure, rule=lambda _: 1 / 0) for measure in MEASURES)  # type: ignore[arg-type, return-value]
sequences = count(1)


def started(number: int) -> Event:
    return FlexjobStarted(
        occurred_on=date(2026, 1, 1),
        placement_id=UUID(int=number),
        person_ref=UUID(int=100 + number),
        department="Senior",
        workplace_unit="Bakkebo",
        attendance_hours_per_week=Decimal(12),
        effective_hours_per_week=Decimal(4),
        grant_term="permanent",
        retention=False,
        scheme="post2013",
    )


def changed(number: int, hours: str) -> Event:
    return FlexjobHoursChanged(
        occurred_on=date(2026, 2, 1),
        reason_code="late_information",
        placement_id=UUID(int=number),
        person_ref=UUID(int=100 + number),
        attendance_hours_per_week=Decimal(12),
        effective_hours_per_week=Decimal(hours),
        cause="capacity_up",
    )


def retraction(target: str) -> Event:
    return EventRetracted(event_id=target, reason_code="double_entry")


def budget(number: int, ore: int = 100) -> Event:
    return BudgetAllocated(occurred_on=date(2026, 1, 1), budget_id=UUID(int=number), fiscal_year=2026, amount_ore=ore)


RULES = RulesAdopted(
    occurred_on=date(2026, 1, 1), rules_version=1, refund_share=Decimal("0.5"), eligible_units=("Bakkebo",)
)


def heartbeat(events: int, source: str = SOURCE) -> Event:
    return ServiceHeartbeat(producer="flexjob_pool", published=(Published(source=source, events=events),))


def sealed(event: Event, event_id: str, *, corrects: str | None = None) -> bytes:
    time = REGISTERED
    return seal(event, municipality="621", producer="flexjob_pool", id=event_id, time=time, corrects=corrects).body


def edited(raw: bytes, **changes: Any) -> bytes:
    return json.dumps(json.loads(raw) | changes).encode()


async def bring_in(pool: Pool, *bodies: bytes, measures: tuple[Any, ...] = MEASURES) -> int:
    batch = [Delivery(LANE.name, next(sequences), {}, body) for body in bodies]
    return await ingest(pool, LANE, batch, measures=measures, calendar=SystemCalendar())


async def tell(pool: Pool, municipality: str, fact: Fact) -> None:
    """Bring a fact of a story to a municipality's lane."""
    body = seal(
        fact.event,
        municipality=municipality,
        producer="flexjob_pool",
        source=fact.source.replace(":621:", f":{municipality}:"),
        id=fact.id,
        time=fact.time,
        corrects=fact.corrects,
    ).body
    stream = Stream(municipality, "flexjob_pool")
    batch = [Delivery(stream.name, next(sequences), {}, body)]
    await ingest(pool, stream, batch, measures=MEASURES, calendar=SystemCalendar())


async def everything(pool: Pool) -> None:
    start = sealed(started(1), "start-1")
    await bring_in(pool, start, sealed(budget(1), "budget"), sealed(RULES, "rules"), b"noise")
    await bring_in(pool, start, edited(start, subject="placement/2"), sealed(changed(1, "12.50"), "change"))
    await bring_in(pool, sealed(changed(1, "10.50"), "right", corrects="change"), sealed(started(2), "start-2"))
    await bring_in(pool, sealed(retraction("start-2"), "undo"), sealed(changed(3, "9.00"), "early"))
    await bring_in(pool, edited(sealed(RULES, "odd"), data={}), edited(sealed(RULES, "gone"), data={}))
    await bring_in(pool, sealed(started(4), "stumbled"), measures=BROKEN)
    positions = {row["event_id"]: row["position"] for row in await pool.fetch("SELECT event_id, position FROM ledger")}
    async with pool.acquire() as db, db.transaction():
        again = [positions["stumbled"], positions["odd"]]
        await parked.replay(db, DECISION, again, measures=MEASURES, calendar=SystemCalendar())
        await parked.discard(db, DECISION, positions["gone"], calendar=SystemCalendar())
    await bring_in(pool, sealed(heartbeat(11), "beat"))


async def thorough(db: Connection) -> Balance:
    return await thorough_balance(db, "621", MEASURES)
