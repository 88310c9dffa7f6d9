"""What operations see of a service that runs, and what a caller sees of one that fails."""

import time
from uuid import uuid4

import httpx
import pytest
import structlog

from chassis.database import Pool
from chassis.health import Health
from chassis.tests.http.notes import NOTE, PERSONAL, build, client_of, problem_of


async def test_a_bug_is_a_problem_that_tells_nothing_of_the_inside(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with structlog.testing.capture_logs() as logged:
        response = await client.get("/v1/notes?break=bug", headers={"x-request-id": "abc"})

    problem_of(response, 500, "unexpected")
    assert response.headers["x-request-id"] == "abc"
    assert "request_failed" in [line["event"] for line in logged]
    assert PERSONAL not in caplog.text


@pytest.mark.parametrize("value", ["range", "text"])
async def test_a_value_that_the_database_cannot_hold_is_the_callers_to_change(
    client: httpx.AsyncClient, value: str
) -> None:
    problem_of(await client.get(f"/v1/notes?break={value}"), 422, "invalid-request")


async def test_without_its_database_the_service_asks_for_patience(client: httpx.AsyncClient, pool: Pool) -> None:
    pool.terminate()

    response = await client.post("/v1/notes", json=NOTE)

    problem_of(response, 503, "unavailable")
    assert response.headers["retry-after"] == "5"
    assert (await client.get("/livez")).status_code == 200


async def test_readiness_names_what_is_not_well(pool: Pool) -> None:
    health = Health()
    health.add("database", lambda: None)
    health.add("consumer", lambda: "deaf: 12 pending, no progress for 40 s")

    async with client_of(build(pool, health=health)) as client:
        response = await client.get("/readyz")

    assert response.status_code == 503
    assert response.json() == {
        "status": "unwell",
        "checks": {"database": "ok", "consumer": "deaf: 12 pending, no progress for 40 s"},
    }


async def test_requests_are_counted_as_probes_reads_and_writes_and_by_no_route(client: httpx.AsyncClient) -> None:
    note_id = uuid4()
    await client.get("/livez")
    await client.get(f"/v1/notes/{note_id}")
    await client.get("/v1/unknown")
    await client.post("/v1/notes", json=NOTE)

    exposed = (await client.get("/metrics")).text

    assert {line for line in exposed.splitlines() if line.startswith("http_requests_total")} == {
        'http_requests_total{kind="probe",status="200"} 1.0',
        'http_requests_total{kind="read",status="200"} 1.0',
        'http_requests_total{kind="read",status="404"} 1.0',
        'http_requests_total{kind="write",status="201"} 1.0',
    }
    assert str(note_id) not in exposed
    assert "/v1" not in exposed
    assert "\nnotes 1.0" in exposed


async def test_metrics_tell_since_when_the_process_runs(client: httpx.AsyncClient) -> None:
    exposed = (await client.get("/metrics")).text

    (began,) = [line for line in exposed.splitlines() if line.startswith("process_start_time_seconds ")]
    assert 0 < time.time() - float(began.split()[1]) < 3600


async def test_a_figure_that_cannot_be_collected_is_left_out_of_the_metrics(
    client: httpx.AsyncClient, pool: Pool
) -> None:
    pool.terminate()

    exposed = (await client.get("/metrics")).text

    assert "\nnotes " not in exposed
    assert "scrape_collectors_failed 1.0" in exposed


async def test_a_request_id_is_kept_or_made(client: httpx.AsyncClient) -> None:
    kept = await client.get("/livez", headers={"x-request-id": "caller-1"})
    made = await client.get("/livez", headers={"x-request-id": "a b; c"})

    assert kept.headers["x-request-id"] == "caller-1"
    assert len(made.headers["x-request-id"]) == 32
