"""The doors from outside, on a running service with real PostgreSQL and NATS."""

import asyncio
import copy
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import nats
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis import tokens
from chassis.calendar import calendar_of
from chassis.database import Pool
from chassis.heartbeat import beat_once
from chassis.provision import provision
from chassis.wire import read
from gateway import store
from local.nats import NatsServer
from local.waiting import until

EXAMPLES = {
    file.stem: json.loads(file.read_text())
    for file in sorted((Path(__file__).parents[3] / "contracts/examples").glob("*.json"))
}
EVENT = EXAMPLES["payroll.working_time_changed.v1"]
SOURCE = EVENT["source"]
CPR = "010190-1234"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOW = calendar_of("system").now()

Issue = Callable[..., Awaitable[str]]


def event(name: str = "payroll.working_time_changed.v1", **attributes: Any) -> dict[str, Any]:
    message: dict[str, Any] = copy.deepcopy(EXAMPLES[name])
    return message | {"source": SOURCE} | attributes


def with_data(**data: Any) -> dict[str, Any]:
    return event(data=EVENT["data"] | data)


async def tell(doors: httpx.AsyncClient, message: Any, **headers: str) -> httpx.Response:
    told = {"Idempotency-Key": str(uuid4()), "Content-Type": "application/cloudevents+json"} | headers
    return await doors.post("/v1/events", content=json.dumps(message).encode(), headers=told)


async def rows(pool: Pool) -> list[Any]:
    query = (
        "SELECT source, event_id, subject, body FROM outbox WHERE source <> 'urn:kraftcenter:621:gateway' ORDER BY 2"
    )
    return await pool.fetch(query)


async def rejections(doors: httpx.AsyncClient, **asked: Any) -> list[dict[str, Any]]:
    answer = await doors.get("/v1/rejections", params=asked)
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def reasons_in(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(error["pointer"], error["detail"]) for error in answer.json()["errors"]]


async def test_an_event_is_accepted_once_it_is_kept_and_is_kept_as_it_came(
    doors: httpx.AsyncClient, pool: Pool
) -> None:
    answer = await tell(doors, event(traceparent=TRACE))

    assert answer.status_code == 202
    assert answer.json() == {
        "source": SOURCE,
        "id": "sd-2026-000417",
        "outcome": "accepted",
        "received_at": "2026-11-02T08:00:00Z",
    }
    [row] = await rows(pool)
    assert (row["source"], row["event_id"]) == (SOURCE, "sd-2026-000417")
    assert row["subject"] == "events.621.gateway.payroll.working_time_changed.v1"
    assert json.loads(row["body"]) == event(traceparent=TRACE)
    trail = await doors.get(answer.headers["location"])
    assert trail.status_code == 200


async def test_a_second_copy_changes_nothing_however_it_is_spelled(doors: httpx.AsyncClient, pool: Pool) -> None:
    await tell(doors, event())

    shuffled = dict(sorted(event(traceparent=TRACE).items(), reverse=True))
    answer = await tell(doors, shuffled, **{"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["outcome"]) == (202, "duplicate")
    assert len(await rows(pool)) == 1


async def test_a_request_that_is_sent_again_gets_the_same_answer(doors: httpx.AsyncClient, pool: Pool) -> None:
    key = {"Idempotency-Key": "the-same"}
    first = await tell(doors, event(), **key)
    second = await tell(doors, event(traceparent=TRACE), **key)

    assert first.content == second.content
    assert second.headers["idempotency-replayed"] == "true"
    assert len(await rows(pool)) == 1
    assert (await tell(doors, event(id="sd-2"), **key)).status_code == 422


async def test_another_body_under_the_same_id_is_a_conflict(doors: httpx.AsyncClient, pool: Pool) -> None:
    await tell(doors, event())

    answer = await tell(doors, with_data(occupation_rate="0.5"))

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:kraftcenter:problem:event-conflict"
    assert reasons_in(answer) == [("/id", "was used for another event of the same source; the first one stands")]
    [row] = await rows(pool)
    assert json.loads(row["body"]) == event()
    [kept] = await rejections(doors)
    assert (kept["status"], kept["id"]) == (409, "sd-2026-000417")


async def test_copies_that_come_at_once_leave_one_row(doors: httpx.AsyncClient, pool: Pool) -> None:
    answers = await asyncio.gather(*(tell(doors, event()) for _ in range(12)))

    outcomes = sorted(answer.json()["outcome"] for answer in answers)
    assert outcomes == ["accepted", *["duplicate"] * 11]
    assert len(await rows(pool)) == 1


async def test_of_two_bodies_that_come_at_once_under_one_id_one_stands(doors: httpx.AsyncClient, pool: Pool) -> None:
    messages = [with_data(occupation_rate=f"0.{number}") for number in range(1, 7)]

    answers = await asyncio.gather(*(tell(doors, message) for message in messages))

    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409, 409, 409]
    assert len(await rows(pool)) == 1


async def test_nothing_is_accepted_that_is_not_kept(doors: httpx.AsyncClient, pool: Pool) -> None:
    await pool.execute(
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;"
        "CREATE CONSTRAINT TRIGGER dies_at_commit AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION die()"
    )

    answer = await tell(doors, event())

    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    assert await rows(pool) == []
    assert await pool.fetchval("SELECT count(*) FROM admitted") == 0
    await pool.execute("DROP TRIGGER dies_at_commit ON outbox")
    assert (await tell(doors, event())).json()["outcome"] == "accepted"


@pytest.mark.parametrize(
    ("message", "status", "reason"),
    [
        (event(source="urn:kraftcenter:607:sd_loen"), 403, ("/source", "is of another municipality")),
        (event(source="urn:kraftcenter:621:kmd"), 403, ("/source", "is not registered here")),
        (event("flexjob.started.v1"), 403, ("/type", "is not among the types that the source may send")),
        (event(source="sd_loen"), 422, ("/source", "must match ^urn:kraftcenter:[0-9]{3}:[a-z][a-z0-9_]{0,62}$")),
        (event(leader="Karen"), 422, ("", "has a field that is not known here")),
        (with_data(name="Karen"), 422, ("/data", "has a field that is not known here")),
        (with_data(person_ref=None), 422, ("/data/person_ref", "must be a UUID in lower case with hyphens")),
        (event(subject=f"x/{CPR}"), 422, ("/subject", "holds a personal number (CPR); use a person_ref instead")),
        (event(id=CPR), 422, ("/id", "holds a personal number (CPR); use a person_ref instead")),
        ([event()], 422, ("", "must be a JSON object")),
        ("text", 422, ("", "must be a JSON object")),
        (7, 422, ("", "must be a JSON object")),
        ({}, 422, ("/source", "is missing")),
        (with_data(note="x" * 70_000), 422, ("", "The event may be at most 64 KiB.")),
        (event(corrects="sd-1"), 422, ("/data/reason_code", "is missing: a correction must say why")),
    ],
)
async def test_what_is_refused_says_why_leaves_nothing_and_is_kept_as_a_rejection(
    doors: httpx.AsyncClient, pool: Pool, message: Any, status: int, reason: tuple[str, str]
) -> None:
    answer = await tell(doors, message)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert reason in reasons_in(answer)
    assert await rows(pool) == []
    [kept] = await rejections(doors)
    assert kept["status"] == status
    assert {"pointer": reason[0], "detail": reason[1]} in [
        {"pointer": one["pointer"], "detail": one["detail"]["en"]} for one in kept["reasons"]
    ]
    for told in (answer.text, json.dumps(kept)):
        assert "Karen" not in told
        assert CPR not in told


async def test_who_may_not_send_is_told_everything_else_too(doors: httpx.AsyncClient) -> None:
    answer = await tell(doors, event("flexjob.started.v1", subject="two words", extra=1))

    assert answer.status_code == 403
    assert [place for place, _ in reasons_in(answer)] == ["/type", "", "/subject"]


async def test_a_refusal_is_told_in_danish_unless_english_is_asked_for(doors: httpx.AsyncClient) -> None:
    answer = await tell(doors, event(source="urn:kraftcenter:621:kmd"), **{"Accept-Language": "da"})

    assert answer.json()["errors"] == [{"pointer": "/source", "detail": "er ikke registreret her"}]


async def test_a_source_is_sent_by_its_own_token_alone(doors: httpx.AsyncClient, token_of: Issue) -> None:
    answer = await tell(doors, event(), Authorization=f"Bearer {await token_of('jobs')}")

    assert answer.status_code == 403
    assert reasons_in(answer) == [("/source", "is registered with another token")]
    [kept] = await rejections(doors)
    assert kept["token_name"] == "jobs"  # noqa: S105 - its name


async def test_a_revoked_source_sends_nothing_more_not_even_a_copy(doors: httpx.AsyncClient, pool: Pool) -> None:
    await tell(doors, event())
    async with pool.acquire() as db:
        assert await store.revoke(db, SOURCE, now=NOW)

    for message in (event(), event(id="sd-2")):
        answer = await tell(doors, message)
        assert (answer.status_code, reasons_in(answer)) == (403, [("/source", "may send no longer")])
    assert len(await rows(pool)) == 1


async def test_a_source_is_revoked_only_when_those_whom_it_lets_in_are_through(pool: Pool) -> None:
    async with pool.acquire() as letting_in, letting_in.transaction():
        assert await store.lock_source(letting_in, SOURCE)
        async with pool.acquire() as revoking:
            revocation = asyncio.create_task(store.revoke(revoking, SOURCE, now=NOW))
            waiting = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE source%'"
            )
            await until(lambda: pool.fetchval(waiting))
            assert not revocation.done()
            await letting_in.execute("COMMIT; BEGIN")
            assert await revocation


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer nobody"}, 401),
        ({"Idempotency-Key": ""}, 400),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/cloudevents-batch+json"}, 415),
        ({"Content-Type": "application/json", "ce-specversion": "1.0"}, 415),
    ],
)
async def test_a_request_that_is_no_event_is_refused_and_leaves_no_rejection(
    doors: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    answer = await tell(doors, event(), **headers)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert await rejections(doors) == []


@pytest.mark.parametrize("body", [b"", b"{", b"null", b'{"a": NaN}', b'"\\ud800"', b"[" * 5000, b"\xff"])
async def test_what_cannot_be_read_is_refused(doors: httpx.AsyncClient, body: bytes) -> None:
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}

    answer = await doors.post("/v1/events", content=body, headers=headers)

    assert answer.status_code in (400, 422)


async def test_a_token_needs_its_scopes_and_its_municipality(doors: httpx.AsyncClient, token_of: Issue) -> None:
    reader = await token_of("payroll", scopes=("read:gateway",))
    writer = await token_of("payroll", scopes=("write:gateway",))
    neighbour = await token_of("payroll", "607")

    assert (await tell(doors, event(), Authorization=f"Bearer {reader}")).status_code == 403
    assert (await tell(doors, event(), Authorization=f"Bearer {neighbour}")).status_code == 403
    for place in ("/v1/rejections", "/v1/rejections/1", f"/v1/events/{SOURCE}/x"):
        assert (await doors.get(place, headers={"Authorization": f"Bearer {writer}"})).status_code == 403


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
    assert read(stored).envelope.id == event()["id"]
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


async def provisioned(server: NatsServer) -> None:
    async with await nats.connect(server.url) as client:
        await provision(client.jetstream(), "621")


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


async def test_rejections_are_listed_page_by_page_of_one_source_since_an_instant(
    doors: httpx.AsyncClient, clock: str
) -> None:
    for number in range(3):
        await tell(doors, event(id=f"sd-{number}", extra=1))
    Path(clock.removeprefix("file:")).write_text("2026-11-03T08:00:00Z")  # noqa: ASYNC240 - a few bytes
    await tell(doors, event(id="sd-3", extra=1))
    await tell(doors, event(source="urn:kraftcenter:621:kmd"))

    page = (await doors.get("/v1/rejections", params={"limit": 2})).json()
    rest = (await doors.get("/v1/rejections", params={"cursor": page["next_cursor"]})).json()

    assert [one["id"] for one in page["items"] + rest["items"]] == ["sd-0", "sd-1", "sd-2", "sd-3", "sd-2026-000417"]
    assert rest["next_cursor"] is None
    assert len(await rejections(doors, source=SOURCE)) == 4
    assert len(await rejections(doors, source=SOURCE, since="2026-11-03T08:00:00+00:00")) == 1
    one = (await doors.get(f"/v1/rejections/{page['items'][0]['rejection_id']}")).json()
    assert one == page["items"][0]
    assert set(one) == {
        *("rejection_id", "rejected_at", "token_name", "source", "id", "type"),
        *("status", "problem", "reasons", "body_hash"),
    }
    for wrong in ({"limit": 0}, {"since": "yesterday"}, {"since": "2026-11-03"}, {"since": "0.5"}, {"cursor": -1}):
        assert (await doors.get("/v1/rejections", params=wrong)).status_code == 422


async def test_what_is_not_well_formed_is_not_kept_with_a_rejection(doors: httpx.AsyncClient) -> None:
    await tell(doors, {"source": "urn:kraftcenter:621:p_010190_1234", "id": "Karen Blixen", "type": CPR})

    [kept] = await rejections(doors)
    assert (kept["source"], kept["id"], kept["type"]) == (None, None, None)
    assert len(kept["body_hash"]) == 64


async def test_a_heartbeat_counts_what_each_source_sent(doors: httpx.AsyncClient, pool: Pool) -> None:
    jobs = "urn:kraftcenter:621:momentum"
    async with pool.acquire() as db:
        await store.register(db, jobs, [event()["type"]], token_name="payroll", now=NOW)  # noqa: S106 - its name
    for number in range(3):
        await tell(doors, event(id=f"sd-{number}"))
    await tell(doors, event(source=jobs))

    await beat_once(pool, municipality="621", producer="gateway")

    body = await pool.fetchval("SELECT body FROM outbox WHERE type LIKE '%heartbeat%' ORDER BY position DESC LIMIT 1")
    counts = {one["source"]: one["events"] for one in json.loads(body)["data"]["published"]}
    assert counts == {SOURCE: 3, jobs: 1}


async def test_metrics_count_what_became_of_events_by_registered_source(doors: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "once"}
    for message in (event(), event()):
        await tell(doors, message, **key)
    await tell(doors, event())
    await tell(doors, with_data(occupation_rate="1"))
    await tell(doors, event(id="sd-5", extra=1))
    await tell(doors, event(source="urn:kraftcenter:621:kmd"))

    metrics = (await doors.get("/metrics")).text

    for outcome in ("accepted", "duplicate", "conflict", "rejected"):
        assert f'gateway_events_total{{outcome="{outcome}",source="{SOURCE}"}} 1.0' in metrics
    assert 'gateway_events_total{outcome="rejected",source="unknown"} 1.0' in metrics
    assert "kmd" not in metrics
    assert "outbox_pending" in metrics


async def test_the_service_is_ready_once_its_relay_is(doors: httpx.AsyncClient, nats_server: NatsServer) -> None:
    await provisioned(nats_server)

    async def ready() -> bool:
        return (await doors.get("/readyz")).status_code == 200

    await until(ready, seconds=20)
    document = (await doors.get("/openapi.json")).json()
    assert "application/cloudevents+json" in document["paths"]["/v1/events"]["post"]["requestBody"]["content"]


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    | st.just(CPR),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_whatever_is_done_to_an_example_it_is_let_in_or_refused_with_reasons(
    doors: httpx.AsyncClient, data: st.DataObject
) -> None:
    message = copy.deepcopy(EXAMPLES[data.draw(st.sampled_from(sorted(EXAMPLES)))])
    message |= {"source": SOURCE, "id": str(uuid4())}
    place = data.draw(st.sampled_from([message, message["data"]]))
    name = data.draw(st.sampled_from([*sorted(place), "extra"]))
    if data.draw(st.booleans()):
        place.pop(name, None)
    else:
        place[name] = data.draw(JSON_VALUES)

    answer = await tell(doors, message)

    assert answer.status_code == 202 or (answer.status_code in (403, 422) and answer.json()["errors"])
    if answer.status_code == 202:
        assert (await doors.get(f"/v1/events/{SOURCE}/{quote(message['id'], safe='')}")).status_code == 200


async def test_a_token_that_is_revoked_opens_nothing_more(doors: httpx.AsyncClient, pool: Pool) -> None:
    async with pool.acquire() as db:
        await tokens.revoke(db, name="payroll", now=NOW)

    assert (await tell(doors, event())).status_code == 401
