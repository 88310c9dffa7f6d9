"""Addresses, parameters and headers that are no good."""

from uuid import UUID

import httpx
import pytest

from chassis.database import Pool
from chassis.tests.http.notes import NOTE, PERSONAL, notes_in, problem_of

NOTE_ID = UUID(int=1)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        (f"/v1/notes/{PERSONAL}", "note_id"),
        ("/v1/notes/..%2f..%2fetc", "note_id"),
        ("/v1/notes/%ED%A0%80", "note_id"),
        ("/v1/notes/" + "x" * 9000, "note_id"),
        (f"/v1/notes/{NOTE_ID}?limit={PERSONAL}", "limit"),
        (f"/v1/notes/{NOTE_ID}?limit=" + "9" * 5000, "limit"),
        (f"/v1/notes/{NOTE_ID}?limit=%ff", "limit"),
        (f"/v1/notes/{NOTE_ID}?limit=", "limit"),
    ],
)
async def test_a_bad_parameter_is_named(client: httpx.AsyncClient, path: str, parameter: str) -> None:
    response = await client.get(path)

    if response.status_code == 404:
        problem_of(response, 404, "not-found")
    else:
        document = problem_of(response, 422, "invalid-request")
        assert [fault["parameter"] for fault in document["errors"]] == [parameter]


@pytest.mark.parametrize("path", ["/v1/notes/%00", "/v1/notes?break=%00", "/v1/no%00tes"])
async def test_a_nul_character_in_an_address_is_refused(client: httpx.AsyncClient, path: str) -> None:
    problem_of(await client.get(path), 400, "bad-request")


async def test_an_unknown_address_and_a_wrong_method_are_problems(client: httpx.AsyncClient) -> None:
    problem_of(await client.get("/v1/nothing"), 404, "not-found")
    problem_of(await client.get("/v1/notes/"), 404, "not-found")
    response = await client.delete("/v1/notes")
    problem_of(response, 405, "method-not-allowed")
    assert sorted(response.headers["allow"].split(", ")) == ["GET", "POST"]
    problem_of(await client.request("BREW", "/v1/notes"), 405, "method-not-allowed")


@pytest.mark.parametrize("accept", ["", "text/html", "application/xml;q=1", "///", "*/*;q=x", "æ"])
async def test_any_accept_header_gets_json(client: httpx.AsyncClient, accept: str) -> None:
    headers = {b"accept": accept.encode(), b"accept-language": accept.encode()}

    problem_of(await client.get("/v1/nothing", headers=headers), 404, "not-found")
    assert (await client.get("/livez", headers=headers)).json() == {"status": "ok"}


@pytest.mark.parametrize("name", ["Authorization", "Idempotency-Key"])
async def test_a_header_that_decides_may_not_be_given_twice(client: httpx.AsyncClient, pool: Pool, name: str) -> None:
    headers = [*client.headers.multi_items(), (name, client.headers[name])]

    document = problem_of(await client.post("/v1/notes", json=NOTE, headers=headers), 400, "bad-request")

    assert document["errors"] == [{"header": name, "detail": "may stand only once"}]
    assert await notes_in(pool) == 0
