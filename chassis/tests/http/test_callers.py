"""Who may come in: by token, scope and municipality."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from chassis.database import Pool
from chassis.settings import ServiceSettings
from chassis.tests.http.notes import JSON, NOTE, build, client_of, issue, notes_in, problem_of


async def test_without_a_token_the_caller_is_told_to_bring_one(stranger: httpx.AsyncClient, pool: Pool) -> None:
    response = await stranger.post("/v1/notes", json=NOTE)

    problem_of(response, 401, "unauthorised")
    assert response.headers["www-authenticate"] == 'Bearer realm="kraftcenter"'
    assert await notes_in(pool) == 0


async def test_without_a_token_nothing_of_a_body_is_read(stranger: httpx.AsyncClient) -> None:
    async def body() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    problem_of(await stranger.post("/v1/notes", content=body(), headers=JSON), 401, "unauthorised")


@pytest.mark.parametrize(
    "given", ["Bearer x", "Bearer kc_" + "x" * 4000, "bearer \xe6\xf8", "Basic YTpi", "Bearer", ""]
)
async def test_a_token_that_is_not_ours_is_refused(stranger: httpx.AsyncClient, given: str) -> None:
    response = await stranger.get(f"/v1/notes/{uuid4()}", headers={b"authorization": given.encode("latin-1")})

    problem_of(response, 401, "unauthorised")
    assert response.headers["www-authenticate"].startswith("Bearer")


async def test_an_expired_token_is_refused(stranger: httpx.AsyncClient, pool: Pool) -> None:
    token = await issue(pool, "read:notes", days=-1)

    response = await stranger.get(f"/v1/notes/{uuid4()}", headers={"authorization": f"Bearer {token}"})

    problem_of(response, 401, "unauthorised")
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


async def test_a_token_without_the_scope_may_not(stranger: httpx.AsyncClient, pool: Pool) -> None:
    token = await issue(pool, "read:notes")

    response = await stranger.post(
        "/v1/notes", json=NOTE, headers={"authorization": f"Bearer {token}", "idempotency-key": "k"}
    )

    document = problem_of(response, 403, "missing-scope")
    assert document["detail"] == "Your token lacks the scope write:notes."
    assert await notes_in(pool) == 0


async def test_a_token_of_another_municipality_may_not(stranger: httpx.AsyncClient, pool: Pool) -> None:
    token = await issue(pool, "read:notes", municipality="561")

    for path in (f"/v1/notes/{uuid4()}", "/v1/notes"):
        response = await stranger.get(path, headers={"authorization": f"Bearer {token}"})
        problem_of(response, 403, "other-municipality")


class TwoMunicipalities(ServiceSettings):
    @property
    def serves(self) -> tuple[str, ...]:
        return ("621", "561")


async def test_a_service_of_several_municipalities_admits_the_tokens_of_each(pool: Pool) -> None:
    app = build(pool)
    app.state.settings = TwoMunicipalities(database_url="postgresql:///", nats_url="nats://nowhere", port=0)
    async with client_of(app) as client:
        for municipality, status in (("621", 200), ("561", 200), ("101", 403)):
            token = await issue(pool, "read:notes", municipality=municipality)
            response = await client.get("/v1/notes", headers={"authorization": f"Bearer {token}"})
            assert response.status_code == status


async def test_an_open_door_admits_anyone_and_knows_who_has_a_token(stranger: httpx.AsyncClient, pool: Pool) -> None:
    token = await issue(pool, "figures:exact")

    anonymous = await stranger.get("/v1/notes")
    known = await stranger.get("/v1/notes", headers={"authorization": f"Bearer {token}"})
    false = [
        await stranger.get("/v1/notes", headers={"authorization": given})
        for given in ("Bearer kc_false", "Basic YTpi", "kc_false", "Bearer")
    ]

    assert anonymous.json() == {"asked_by": "anonymous", "exact": False}
    assert known.json() == {"asked_by": "payroll", "exact": True}
    for response in false:
        problem_of(response, 401, "unauthorised")
