"""A small life, and messages about it: the worked example of the tests at the doors."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from chassis.wire import seal
from contracts import flexjob_pool
from contracts.event import Event
from contracts.streams import Stream

LANE = Stream("621", "flexjob_pool")
NAMES = UUID(int=0)

Admit = Callable[..., Awaitable[int]]
Issue = Callable[..., Awaitable[dict[str, str]]]
Json = dict[str, Any]
Receipt = Callable[[str], Awaitable[Json]]


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


def sealed(event: Event, event_id: str, *, corrects: str | None = None) -> bytes:
    time = datetime(2026, 6, 30, 8, tzinfo=UTC)
    return seal(event, municipality="621", producer="flexjob_pool", id=event_id, time=time, corrects=corrects).body
