"""A payroll system: its messages as the gateway publishes them, and what came of them at the pool."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx
from nats.js import JetStreamContext

from chassis import inbox
from chassis.database import Pool
from chassis.wire import Sealed, read, seal
from contracts.event import Event
from contracts.payroll import EmploymentEnded, WorkingTimeChanged
from contracts.platform import EventRetracted
from contracts.streams import Stream
from flexjob_pool.payroll import take
from flexjob_pool.retelling import retold
from flexjob_pool.store import lists
from flexjob_pool.use_cases import Desk
from local.waiting import until

STREAM = Stream("621", "gateway").name
DURABLE = "flexjob_pool"
PERSON, EMPLOYMENT, PLACEMENT = uuid4(), uuid4(), uuid4()
FLEXJOB = {
    "placement_id": str(PLACEMENT),
    "occurred_on": "2026-01-01",
    "person_ref": str(PERSON),
    "department": "Senior",
    "workplace_unit": "Aahaven",
    "attendance_hours_per_week": "12",
    "effective_hours_per_week": "10",
    "grant_term": "temporary_5y",
    "retention": False,
    "scheme": "post2013",
}


def paid(first: str, rate: str, end: str | None = None, **other: UUID | str) -> WorkingTimeChanged:
    """A working time of the employment; 0.5 of full time is 18.5 hours."""
    who: dict[str, Any] = {"employment_ref": EMPLOYMENT, "placement_id": PLACEMENT, "person_ref": PERSON}
    return WorkingTimeChanged(
        occurred_on=date.fromisoformat(first),
        ends_on=date.fromisoformat(end) if end else None,
        occupation_rate=Decimal(rate),
        **(who | other),
    )


def ended(day: str, **other: UUID | str) -> EmploymentEnded:
    who: dict[str, Any] = {"employment_ref": EMPLOYMENT, "placement_id": PLACEMENT, "person_ref": PERSON}
    return EmploymentEnded(occurred_on=date.fromisoformat(day), **(who | other))


def never(event_id: str) -> EventRetracted:
    return EventRetracted(event_id=event_id, reason_code="never_happened")


def sealed(id: str, event: Event, *, at: int, corrects: str | None = None) -> Sealed:  # noqa: A002
    """A message as the gateway publishes it."""
    return seal(
        event.model_copy(update={"reason_code": "registration_error"}) if corrects else event,
        municipality="621",
        producer="gateway",
        source="urn:kraftcenter:621:sd_loen",
        id=id,
        time=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=at),
        corrects=corrects,
    )


class PayrollSystem:
    """What SD Løn's messages look like once the gateway has admitted them, and what came of them."""

    def __init__(self, jetstream: JetStreamContext, doors: httpx.AsyncClient, pool: Pool) -> None:
        self.jetstream = jetstream
        self.doors = doors
        self.pool = pool

    async def tell(self, id: str, event: Event, *, at: int, corrects: str | None = None) -> None:  # noqa: A002
        """Publish an event that payroll registered `at` so many minutes past midnight."""
        message = sealed(id, event, at=at, corrects=corrects)
        await self.jetstream.publish(message.nats_subject, message.body)

    async def told(self) -> None:
        """Wait until all of it is taken in."""

        async def idle() -> bool:
            # What was just published may be no consumer's yet; all up to its floor is taken in.
            last = (await self.jetstream.stream_info(STREAM)).state.last_seq
            info = await self.jetstream.consumer_info(STREAM, DURABLE)
            return info.ack_floor is not None and info.ack_floor.stream_seq == last

        await until(idle)

    async def post(self, path: str, body: object) -> httpx.Response:
        return await self.doors.post(
            path, json=body, headers={"Idempotency-Key": str(uuid4()), "Accept-Language": "en"}
        )

    async def done(self, path: str, body: object) -> dict[str, Any]:
        answer = await self.post(path, body)
        assert answer.status_code == 201, answer.text
        resource: dict[str, Any] = answer.json()
        return resource

    async def start(self, **other: object) -> dict[str, Any]:
        return await self.done("/v1/flexjobs", FLEXJOB | other)

    async def shown(self, path: str) -> dict[str, Any]:
        answer = await self.doors.get(path)
        assert answer.status_code == 200, answer.text
        resource: dict[str, Any] = answer.json()
        return resource

    async def employment(self, employment: UUID = EMPLOYMENT) -> dict[str, Any]:
        return await self.shown(f"/v1/payroll/employments/{employment}")

    async def why(self, employment: UUID = EMPLOYMENT) -> tuple[str, list[tuple[str, str | None]]]:
        shown = await self.employment(employment)
        return shown["status"], [(reason["code"], reason["event_id"]) for reason in shown["why"]]

    async def hours(self, placement: object = PLACEMENT) -> list[tuple[str, str]]:
        """The effective hours of the flexjob, by the day from which they hold."""
        flexjob = await self.shown(f"/v1/flexjobs/{placement}")
        return [(step["occurred_on"], step["effective_hours_per_week"]) for step in flexjob["hours"]]

    async def emitted(self) -> list[dict[str, Any]]:
        """What the pool told because of payroll, in order."""
        rows = await self.pool.fetch("SELECT body FROM outbox ORDER BY position")
        events = [json.loads(row["body"]) for row in rows]
        return [event for event in events if event.get("causationid")]

    async def books(self) -> None:
        """The inbox's counters and rows agree, and resources are what events tell."""
        async with self.pool.acquire() as db:
            assert await inbox.differences(db) == []
            for resource in (await retold(db, "621")).changed.values():
                assert await lists.find(db, resource.noun, resource.key) == resource


def of(event: dict[str, Any]) -> tuple[Any, ...]:
    """An event of the pool in short: type, date, hours, and the event of payroll that it follows from."""
    kind = event["type"].removeprefix("dk.kraftcenter.").removesuffix(".v1")
    data = event["data"]
    return kind, data.get("occurred_on"), data.get("effective_hours_per_week"), event["causationid"]


Step = Callable[[Desk], Awaitable[object]]


def message(id: str, event: Event, *, at: int, corrects: str | None = None) -> Step:  # noqa: A002
    reading = read(sealed(id, event, at=at, corrects=corrects).body)
    return lambda desk: take(desk.db, reading, municipality=desk.municipality, calendar=desk.calendar)
