"""A post acts once under its key, however often it is sent."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from chassis.database import Pool
from chassis.tests.http.notes import JSON, NOTE, build, notes_in, problem_of
from local.waiting import until


async def test_a_post_acts_and_answers_with_the_resource(client: httpx.AsyncClient, pool: Pool) -> None:
    response = await client.post("/v1/notes", json=NOTE)

    assert response.status_code == 201
    assert response.json() | NOTE == response.json()
    assert response.headers["location"] == f"/v1/notes/{response.json()['note_id']}"
    assert "idempotency-replayed" not in response.headers
    assert await notes_in(pool) == 1


async def test_the_same_post_again_is_answered_from_memory(client: httpx.AsyncClient, pool: Pool) -> None:
    first = await client.post("/v1/notes", json=NOTE)
    again = await client.post("/v1/notes", content=b'{"amount": 100,\n "day": "2026-03-01"}', headers=JSON)

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    assert await notes_in(pool) == 1


async def test_many_copies_at_once_act_once(client: httpx.AsyncClient, pool: Pool) -> None:
    responses = await asyncio.gather(*(client.post("/v1/notes", json=NOTE) for _ in range(25)))

    assert {(response.status_code, response.content) for response in responses} == {(201, responses[0].content)}
    assert await notes_in(pool) == 1


async def test_a_running_service_forgets_old_answers(
    client: httpx.AsyncClient, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.idempotency.FORGET_EVERY_SECONDS", 0.05)
    await client.post("/v1/notes", json=NOTE)
    await pool.execute("UPDATE idempotency_key SET claimed_at = $1", datetime.now(UTC) - timedelta(days=31))

    app = build(pool)
    async with app.router.lifespan_context(app):
        await until(lambda: pool.fetchval("SELECT count(*) = 0 FROM idempotency_key"))


async def test_another_request_under_the_same_key_is_refused(client: httpx.AsyncClient, pool: Pool) -> None:
    await client.post("/v1/notes", json=NOTE)

    document = problem_of(await client.post("/v1/notes", json=NOTE | {"amount": 1}), 422, "idempotency-key-reused")

    assert document["errors"] == [{"header": "Idempotency-Key", "detail": "was used for another request"}]
    assert await notes_in(pool) == 1


async def test_a_refusal_of_the_domain_saves_nothing_and_frees_the_key(client: httpx.AsyncClient, pool: Pool) -> None:
    document = problem_of(await client.post("/v1/notes", json=NOTE | {"amount": 666}), 409, "refused")

    assert document["errors"] == [{"pointer": "/amount", "detail": "no"}]
    assert (await client.post("/v1/notes", json=NOTE)).status_code == 201
    assert await notes_in(pool) == 1


@pytest.mark.parametrize("key", ["", "k" * 129, "nøgle", "a\tb", "\x7f"])
async def test_a_post_needs_a_printable_key(client: httpx.AsyncClient, pool: Pool, key: str) -> None:
    response = await client.post("/v1/notes", json=NOTE, headers={b"idempotency-key": key.encode()})

    problem_of(response, 400, "idempotency-key-missing")
    assert await notes_in(pool) == 0
