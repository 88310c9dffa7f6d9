"""Deliveries to admit, and the entries that they become."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.wire import seal
from contracts.event import Event
from contracts.flexjob_pool import BudgetAllocated, FlexjobEnded, FlexjobHoursChanged, FlexjobStarted
from impact.catalogue import INDICATORS, measures_of
from impact.chronicle import Chronicle
from impact.fold import Measure
from impact.ledger import (
    Arrival,
    Delivery,
    Entry,
    Evidence,
    Identity,
    Lane,
    Sorted,
    admit,
    receive,
    sort_out,
)

MEASURES = measures_of(INDICATORS)
SOURCE = "urn:kraftcenter:621:flexjob_pool"
STREAM = "EVENTS_621_FLEXJOB_POOL"
NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)
PLACEMENT, PERSON = UUID(int=1), UUID(int=2)


def body(event: Event, event_id: str, *, municipality: str = "621", **envelope: Any) -> bytes:
    sealed = seal(event, municipality=municipality, producer="flexjob_pool", id=event_id, time=NOON, **envelope)
    return sealed.body


def edited(raw: bytes, **changes: Any) -> bytes:
    return json.dumps(json.loads(raw) | changes).encode()


def budget(amount_ore: int = 100, day: date = date(2026, 1, 1)) -> BudgetAllocated:
    return BudgetAllocated(occurred_on=day, budget_id=UUID(int=3), fiscal_year=2026, amount_ore=amount_ore)


def started(hours: str = "4.00") -> FlexjobStarted:
    return FlexjobStarted(
        occurred_on=date(2026, 1, 1),
        placement_id=PLACEMENT,
        person_ref=PERSON,
        department="Senior",
        workplace_unit="Bakkebo",
        attendance_hours_per_week=Decimal(12),
        effective_hours_per_week=Decimal(hours),
        grant_term="temporary_5y",
        retention=False,
        scheme="post2013",
    )


def changed(hours: str) -> FlexjobHoursChanged:
    return FlexjobHoursChanged(
        occurred_on=date(2026, 2, 1),
        placement_id=PLACEMENT,
        person_ref=PERSON,
        attendance_hours_per_week=Decimal(12),
        effective_hours_per_week=Decimal(hours),
        cause="capacity_up",
    )


def ended() -> FlexjobEnded:
    return FlexjobEnded(
        occurred_on=date(2026, 3, 1), placement_id=PLACEMENT, person_ref=PERSON, reason_code="ordinary_job"
    )


def received(raws: Iterable[bytes]) -> list[Arrival | Evidence]:
    return [receive(Delivery(STREAM, sequence, {}, raw), "621") for sequence, raw in enumerate(raws, start=1)]


def sorted_out(*raws: bytes, known: Mapping[Identity, bytes] | None = None) -> Sorted:
    return sort_out(received(raws), known or {})


def entries_of(*raws: bytes, at: datetime = NOON, measures: Iterable[Measure] = MEASURES) -> list[Entry]:
    return admit(Lane("621", 0, at), sorted_out(*raws).fresh, Chronicle(measures))
