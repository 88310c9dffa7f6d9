"""Events that are told and let in: kept before the answer, once, as they came; on a running service."""

import asyncio
import json

import httpx

from chassis.database import Pool
from chassis.heartbeat import beat_once
from gateway import store
from local.nats import NatsServer
from local.waiting import until
from services.gateway.tests.sender import (
    NOW,
    SOURCE,
    TRACE,
    event,
    provisioned,
    reasons_in,
    rejections,
    rows,
    tell,
    with_data,
)


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
    assert counts == {SOURCE: 3, jobs: 1, "urn:kraftcenter:621:gateway": 0}


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


async def test_metrics_show_zero_of_what_has_not_happened(doors: httpx.AsyncClient) -> None:
    before = (await doors.get("/metrics")).text
    await tell(doors, event())
    after = (await doors.get("/metrics")).text

    assert 'gateway_events_total{outcome="rejected",source="unknown"} 0.0' in before
    assert f'gateway_events_total{{outcome="rejected",source="{SOURCE}"}} 0.0' in after


async def test_the_service_is_ready_once_its_relay_is(doors: httpx.AsyncClient, nats_server: NatsServer) -> None:
    await provisioned(nats_server)

    async def ready() -> bool:
        return (await doors.get("/readyz")).status_code == 200

    await until(ready, seconds=20)
    document = (await doors.get("/openapi.json")).json()
    assert "application/cloudevents+json" in document["paths"]["/v1/events"]["post"]["requestBody"]["content"]
