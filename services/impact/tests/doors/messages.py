"""Messages as they come, and what the doors answer about them."""

import json
from typing import Any
from uuid import UUID

import httpx

from contracts.catalogue import BY_TYPE
from impact.catalogue import INDICATORS, measures_of
from impact.parked import Decision

SOURCE = "urn:kraftcenter:621:flexjob_pool"
STREAM = "EVENTS_621_FLEXJOB_POOL"
PERSON, PLACEMENT = str(UUID(int=2)), str(UUID(int=1))
JOB = {
    "placement_id": PLACEMENT,
    "person_ref": PERSON,
    "attendance_hours_per_week": "12.00",
    "effective_hours_per_week": "4.00",
}
STARTED = {
    **JOB,
    "occurred_on": "2026-03-01",
    "department": "Senior",
    "workplace_unit": "Senior-1",
    "grant_term": "permanent",
    "retention": True,
    "scheme": "post2013",
}
CHANGED = {
    **JOB,
    "occurred_on": "2026-04-01",
    "cause": "task_match",
    "effective_hours_per_week": "12.50",
    "reason_code": "late_information",
}
DECISION = Decision("621", "test", "checked")
MEASURES = measures_of(INDICATORS)
RULES = {"occurred_on": "2026-01-01", "rules_version": 1, "refund_share": "0.5", "eligible_units": []}


def message(name: str, event_id: str, data: dict[str, Any], **attributes: str) -> bytes:
    type_name = f"dk.kraftcenter.{name}.v1"
    envelope = {
        "specversion": "1.0",
        "id": event_id,
        "source": SOURCE,
        "type": type_name,
        "subject": "placement/1",
        "time": "2026-06-30T08:00:00Z",
        "datacontenttype": "application/json",
        "dataclassification": BY_TYPE[type_name].contract.classification if type_name in BY_TYPE else "internal",
        **attributes,
        "data": data,
    }
    return json.dumps(envelope).encode()


def retraction(event_id: str, target: str) -> bytes:
    return message("event.retracted", event_id, {"event_id": target, "reason_code": "never_happened"})


def heartbeat(events: int) -> bytes:
    said = {"producer": "flexjob_pool", "published": [{"source": SOURCE, "events": events}]}
    return message("service.heartbeat", f"beat-{events}", said, time="2026-06-30T08:00:05Z")


START = message("flexjob.started", "start", STARTED)
CHANGE = message("flexjob.hours_changed", "change", CHANGED)


async def read(
    doors: httpx.AsyncClient, path: str, headers: dict[str, str], *, status: int = 200, **query: str
) -> dict[str, Any]:
    answer = await doors.get(path, headers=headers, params=query)
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body
