"""A small life in the ledger that touches every indicator, and what verifying it finds."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from chassis.calendar import Calendar
from chassis.database import Pool
from chassis.wire import seal
from contracts.catalogue import BY_TYPE
from contracts.event import Event
from contracts.streams import Stream
from impact.catalogue import INDICATORS, measures_of
from impact.fold import Measure
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.store.figures import snapshot
from impact.store.verification import is_trusted
from impact.verify.drift import Pair, Verification, verify
from impact.verify.watch import HORIZON, verify_once

EXAMPLES = Path(__file__).parents[4] / "contracts" / "examples"
LANE = Stream("621", "flexjob_pool")
MEASURES = measures_of(INDICATORS)
TODAY = date(2026, 6, 30)
REGISTERED = datetime(2026, 6, 1, tzinfo=UTC)
PEOPLE = ("Anna", "Bo", "Cilla", "Dorte", "Emil", "Frida")

Cells = set[tuple[str, str]]


def told(name: str, day: str, **data: object) -> Event:
    """An event as its published example has it, but for what is said here; names become ids."""
    message = json.loads((EXAMPLES / f"{name}.v1.json").read_text(encoding="utf-8"))
    ids = {key: str(uuid5(UUID(int=0), str(data[key]))) for key in data if key.endswith(("_id", "_ref"))}
    return BY_TYPE[message["type"]].model_validate({**message["data"], "occurred_on": day, **data, **ids})


def started(person: str, day: str, hours: str, department: str = "Senior") -> Event:
    job = {"person_ref": person, "placement_id": f"job of {person}", "need_id": f"need for {person}"}
    return told("flexjob.started", day, department=department, effective_hours_per_week=hours, **job)


def of(person: str) -> dict[str, str]:
    return {"person_ref": person, "placement_id": f"job of {person}"}


DRAWN = ({"fiscal_year": 2026, "amount_ore": 100},)
# Cilla began the year before; a review of Bo's lies ahead, and so does what is due after so many weeks.
LIFE = (
    told("workforce.snapshot_taken", "2026-01-01", department="Senior", headcount=100, trainee_headcount=4, fte="80"),
    told("pool.budget_allocated", "2026-01-02", budget_id="pool", fiscal_year=2026, amount_ore=10_000_000),
    told("need.reported", "2026-01-05", need_id="need for Anna", department="Senior"),
    told("job7.candidate_requested", "2026-01-19", request_id="request"),
    told("job7.candidate_placed", "2026-02-16", request_id="request"),
    told("grant.committed", "2026-02-01", grant_id="grant", amount_ore=100, allocations=DRAWN),
    started("Cilla", "2025-11-01", "4.00"),
    started("Anna", "2026-02-01", "4.00"),
    started("Bo", "2026-03-01", "6.00", "Teknik"),
    *(started(person, "2026-05-01", "8.00") for person in PEOPLE[3:]),
    told("flexjob.hours_changed", "2026-03-01", **of("Anna"), effective_hours_per_week="12.50", cause="capacity_up"),
    told("flexjob.hours_changed", "2026-06-01", **of("Bo"), effective_hours_per_week="5.00", cause="capacity_down"),
    told("flexjob.ended", "2026-05-01", **of("Cilla"), reason_code="ordinary_job"),
    told("flexjob.review_due", "2026-06-01", **of("Bo"), review_id="review", due_on="2027-09-01"),
    told("flexjob.review_held", "2027-09-01", **of("Bo"), review_id="review"),
)
FACTS = len(LIFE)


async def bring_in(pool: Pool, calendar: Calendar, measures: Sequence[Measure] = MEASURES) -> None:
    batch = [Delivery(LANE.name, number, {}, sealed(event, f"e{number}")) for number, event in enumerate(LIFE, start=1)]
    await ingest(pool, LANE, batch, measures=measures, calendar=calendar)


def sealed(event: Event, event_id: str) -> bytes:
    return seal(event, municipality="621", producer="flexjob_pool", time=REGISTERED, id=event_id).body


async def verified(pool: Pool, *pairs: Pair) -> Verification:
    async with snapshot(pool, readonly=False) as db:
        return await verify(db, "621", INDICATORS, pairs or (Pair(TODAY), Pair(HORIZON)))


def cells(found: Verification, *, read_from: str | None = None) -> Cells:
    """Which cells differ, by indicator; the whole is the empty text."""
    return {
        (drift.indicator, ",".join(f"{name}={value}" for name, value in drift.cell))
        for drift in found.drift
        if read_from in (None, drift.read_from)
    }


DELTA = "UPDATE delta SET amount = amount + 1 WHERE measure = '{}' AND dimensions ->> 'department' = 'Teknik'"
SUM = "UPDATE running_sum SET amount = amount + 1 WHERE measure = '{}' AND dimensions ->> 'department' = 'Teknik'"
PERSONS: Cells = {("F1", ""), ("F1", "department=Teknik"), ("F4", ""), ("F4", "department=Teknik")}
OF_SENIOR: Cells = {("E2", ""), ("E2", "department=Senior")}
HIRED: Cells = {("J1", ""), ("J1", "kind=flexjob"), ("J1", "origin=unknown"), ("J1", "partner=no")}


async def differing(pool: Pool, calendar: Calendar, *, retell: bool = False) -> list[dict[str, Any]]:
    """What one round finds."""
    found = await verify_once(pool, "621", calendar, INDICATORS, retell=retell)
    assert found is not None
    return found.differing


async def trusted(pool: Pool, *served: str) -> bool:
    """Whether figures may be released, with five minutes between rounds, of which three may be missed."""
    return await is_trusted(pool, "621", served=["621", *served], every=timedelta(minutes=5), missed=3)


FORGED = """
UPDATE ledger SET body = jsonb_set(body, '{data,effective_hours_per_week}', '"5.00"')
WHERE body #>> '{data,person_ref}' = $1
"""
