"""What payroll may tell, in few words, and what is read out of it."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid5

from contracts.payroll import EmploymentEnded, WorkingTimeChanged
from contracts.platform import EventRetracted
from flexjob_pool.domain.payroll.reconcile import Booked, Differing, Due, Hours, Wanted, due
from flexjob_pool.domain.payroll.timeline import Employment, employments_of
from flexjob_pool.domain.payroll.versions import Message, versions_of
from flexjob_pool.domain.refusals import Refusal
from flexjob_pool.requests.flexjobs import PayEnd, PayHours

SOURCE = "urn:kraftcenter:621:sd_loen"
NAMES = UUID("9a8f4d8e-5f0c-4c53-9d0e-0c4c6f0f7f11")
TODAY = date(2026, 11, 2)
DAY = timedelta(days=1)


def ref(name: str) -> UUID:
    return uuid5(NAMES, name)


def on(text: str) -> date:
    """A day of 2026, as "03-01"."""
    return date.fromisoformat(f"2026-{text}")


def hours(attendance: str, effective: str) -> Hours:
    return Hours(Decimal(attendance), Decimal(effective))


BOOKED = Booked(ref("person"), "post2013", on("01-01"), None, {on("01-01"): hours("12", "10")})


def paid(  # noqa: PLR0913 - what an interval consists of
    id: str,  # noqa: A002
    rate: str,
    first: str,
    end: str | None = None,
    *,
    at: int = 0,
    employment: str = "employment",
    placement: str = "placement",
    person: str = "person",
    corrects: str | None = None,
) -> Message:
    """An interval, registered `at` so many minutes past midnight."""
    event = WorkingTimeChanged(
        occurred_on=on(first),
        ends_on=end and on(end),
        employment_ref=ref(employment),
        placement_id=ref(placement),
        person_ref=ref(person),
        occupation_rate=Decimal(rate),
        reason_code="registration_error" if corrects else None,
    )
    return Message(SOURCE, id, minute(at), corrects, event)


def ended(id: str, day: str, *, at: int = 0, employment: str = "employment", corrects: str | None = None) -> Message:  # noqa: A002
    event = EmploymentEnded(
        occurred_on=on(day),
        employment_ref=ref(employment),
        placement_id=ref("placement"),
        person_ref=ref("person"),
        reason_code="late_information" if corrects else None,
    )
    return Message(SOURCE, id, minute(at), corrects, event)


def retracted(id: str, target: str, *, at: int = 0) -> Message:  # noqa: A002
    return Message(SOURCE, id, minute(at), None, EventRetracted(event_id=target, reason_code="never_happened"))


def minute(past_midnight: int) -> datetime:
    return datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=past_midnight)


def employments(*messages: Message) -> list[Employment]:
    return employments_of(versions_of(messages), {})


def registrations(found: Iterable[Due]) -> list[PayHours | PayEnd]:
    return [each.ask for each in found if isinstance(each, Wanted)]


def wanted(*messages: Message, booked: Booked = BOOKED) -> list[tuple[date, str] | date]:
    """What is due: effective hours from a day, or the day of the end."""
    asked = registrations(due(booked, employments(*messages), TODAY))
    return [
        (each.occurred_on, str(each.effective_hours_per_week)) if isinstance(each, PayHours) else each.occurred_on
        for each in asked
    ]


def differing(*messages: Message, booked: Booked | None = BOOKED) -> set[tuple[type[Refusal], str | None]]:
    """What differs, and the message that it is about."""
    return {
        (type(each.reason), each.message and each.message.id)
        for each in due(booked, employments(*messages), TODAY)
        if isinstance(each, Differing)
    }
