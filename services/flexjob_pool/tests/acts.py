"""What is done at a desk, and what came of it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from flexjob_pool.domain.refusals import Refusal
from flexjob_pool.requests.ask import Ask
from flexjob_pool.requests.flexjobs import ChangeHours, EndFlexjob
from flexjob_pool.undo import correct, retract
from flexjob_pool.use_cases import Desk, register

FIRST = date(2026, 7, 1)
Act = Callable[[Desk], Awaitable[Any]]


def asked(about: UUID | str, ask: Ask) -> Act:
    return lambda desk: register(desk, about, ask)


def refused(outcomes: Sequence[object]) -> list[type[Refusal]]:
    return [type(outcome) for outcome in outcomes if isinstance(outcome, Refusal)]


def corrected(event_id: str, **values: Any) -> Act:
    return lambda desk: correct(desk, UUID(event_id), "registration_error", values)


def retracted(event_id: str) -> Act:
    return lambda desk: retract(desk, UUID(event_id), "never_happened")


def hours(day: date, effective: int) -> ChangeHours:
    attendance, effective_hours = Decimal(20), Decimal(effective)
    return ChangeHours(
        occurred_on=day,
        attendance_hours_per_week=attendance,
        effective_hours_per_week=effective_hours,
        cause="capacity_up",
    )


def end(day: date) -> EndFlexjob:
    return EndFlexjob(occurred_on=day, reason_code="pension")


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("dk.kraftcenter.").removesuffix(".v1") for event in events]


async def state(office: Any, noun: str, key: object) -> dict[str, Any]:
    found = await office.pool.fetchval("SELECT state FROM resource WHERE noun = $1 AND key = $2", noun, str(key))
    return dict(found)
