"""The trail of an event, from the door to the bus and to what corrects it; on a running service."""

from typing import Any

import httpx
import nats
import pytest

from chassis.database import Pool
from chassis.wire import read
from local.nats import NatsServer
from local.waiting import until
from services.gateway.tests.sender import SOURCE, event, provisioned, tell


async def test_a_trail_leads_from_the_door_to_the_bus(
    doors: httpx.AsyncClient, pool: Pool, nats_server: NatsServer
) -> None:
    place = (await tell(doors, event())).headers["location"]

    waiting = (await doors.get(place)).json()
    assert (waiting["state"], waiting["published"], waiting["token_name"]) == ("waiting", None, "payroll")
    await provisioned(nats_server)

    async def published() -> Any:
        trail = (await doors.get(place)).json()
        return trail["state"] == "published" and trail

    trail = await until(published, seconds=20)
    stored = await message_in_stream(nats_server, trail["published"]["sequence"])
    assert trail["published"]["stream"] == "EVENTS_621_GATEWAY"
    envelope = read(stored).envelope
    assert (envelope.source, envelope.id) == (SOURCE, event()["id"])
    assert {
        name: trail[name] for name in ("source", "id", "type", "received_at", "corrects", "retracts", "parked")
    } == {
        "source": SOURCE,
        "id": "sd-2026-000417",
        "type": event()["type"],
        "received_at": "2026-11-02T08:00:00Z",
        "corrects": None,
        "retracts": None,
        "parked": None,
    }

    await pool.execute("UPDATE outbox SET published_at = NULL, stream_sequence = NULL, parked_reason = 'too big'")
    parked = (await doors.get(place)).json()
    assert (parked["state"], parked["parked"], parked["published"]) == ("parked", "too big", None)


async def message_in_stream(server: NatsServer, sequence: int) -> bytes:
    async with await nats.connect(server.url) as client:
        message = await client.jetstream().get_msg("EVENTS_621_GATEWAY", seq=sequence)
        return message.data or b""


async def test_a_trail_shows_what_corrects_and_retracts_it(doors: httpx.AsyncClient) -> None:
    first = (await tell(doors, event())).headers["location"]
    correction = event(id="sd-2", corrects="sd-2026-000417")
    correction["data"] = correction["data"] | {"reason_code": "late_information", "occupation_rate": "0.5"}
    retraction = event("event.retracted.v1", id="sd-3")
    retraction["data"] = {"event_id": "sd-2026-000417", "reason_code": "never_happened"}

    second = (await tell(doors, correction)).headers["location"]
    third = (await tell(doors, retraction)).headers["location"]

    followers = (await doors.get(first)).json()["followed_by"]
    assert [(one["id"], one["relation"]) for one in followers] == [("sd-2", "correction"), ("sd-3", "retraction")]
    assert (await doors.get(second)).json()["corrects"] == "sd-2026-000417"
    assert (await doors.get(third)).json()["retracts"] == "sd-2026-000417"


@pytest.mark.parametrize(
    "event_id", ["a/b", "/a", "a//b/", "%2F", "a?b#c", "a:b;c=d&e", "~!@$^*()+,'\"<>[]{}|\\`", "..a"]
)
async def test_an_id_of_any_printable_characters_leads_to_its_trail(doors: httpx.AsyncClient, event_id: str) -> None:
    answer = await tell(doors, event(id=event_id))

    assert answer.status_code == 202
    trail = await doors.get(answer.headers["location"])
    assert trail.json()["id"] == event_id


@pytest.mark.parametrize(
    "place", [f"/v1/events/{SOURCE}/nothing", "/v1/events/x/y/z", "/v1/rejections/7", "/v1/events"]
)
async def test_what_did_not_come_in_is_not_found(doors: httpx.AsyncClient, place: str) -> None:
    answer = await doors.get(place)

    assert answer.status_code == (405 if place == "/v1/events" else 404)
    assert answer.headers["content-type"] == "application/problem+json"
