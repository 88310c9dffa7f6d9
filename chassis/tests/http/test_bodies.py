"""What is wrong with a body is told, all of it and in the caller's language; none makes the service fail."""

from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.database import Pool
from chassis.tests.http.notes import JSON, PERSONAL, notes_in, problem_of


async def test_all_faults_of_a_request_are_told_at_once(client: httpx.AsyncClient) -> None:
    wrong = {"day": PERSONAL, "amount": -1, "more": PERSONAL, PERSONAL: 1}

    document = problem_of(await client.post("/v1/notes", json=wrong), 422, "invalid-request")

    assert document["errors"] == [
        {"pointer": "/day", "detail": "must be a calendar date, YYYY-MM-DD"},
        {"pointer": "/amount", "detail": "must be at least 0"},
        {"pointer": "", "detail": "has a field that is not known here"},
        {"pointer": "", "detail": "has a field that is not known here"},
    ]


async def test_a_problem_is_danish_unless_asked_otherwise(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/notes", json={}, headers={"accept-language": "fr"})

    assert response.headers["content-language"] == "da"
    assert response.json()["errors"][0] == {"pointer": "/day", "detail": "mangler"}


WRONG_BODIES = {
    "cut off": (b'{"day": "2026', 400, "not-json"),
    "not a number": (b'{"amount": NaN}', 400, "not-json"),
    "infinity": (b'{"amount": -Infinity}', 400, "not-json"),
    "a number of 5000 digits": (b'{"amount": ' + b"9" * 5000 + b"}", 400, "not-json"),
    "a lone surrogate": (b'{"text": "\\ud800"}', 400, "not-json"),
    "not UTF-8": (b'{"text": "\xe6"}', 400, "not-json"),
    "UTF-16": ('{"amount": 1}'.encode("utf-16"), 400, "not-json"),
    "too deep": (b"[" * 10_000, 400, "not-json"),
    "two values": (b"{} {}", 400, "not-json"),
    "white space": (b"   ", 400, "not-json"),
    "a number too large for a float": (b'{"amount": 1e999}', 422, "invalid-request"),
    "a NUL character": (b'{"day": "2026-03-01", "amount": 1, "text": "a\\u0000b"}', 422, "invalid-request"),
    "a NUL character in a name": (b'{"a\\u0000b": 1}', 422, "invalid-request"),
    "a number of 4000 digits": (b'{"amount": ' + b"9" * 4000 + b"}", 422, "invalid-request"),
    "nothing": (b"", 422, "invalid-request"),
    "null": (b"null", 422, "invalid-request"),
    "a list": (b"[1, 2]", 422, "invalid-request"),
    "a text": (b'"0101701234"', 422, "invalid-request"),
    "more than 1 MiB": (b'{"text": "' + b"x" * 1024**2 + b'"}', 413, "too-large"),
}


@pytest.mark.parametrize("wrong", WRONG_BODIES)
async def test_a_body_that_is_no_good_is_a_problem(client: httpx.AsyncClient, pool: Pool, wrong: str) -> None:
    content, status, slug = WRONG_BODIES[wrong]

    problem_of(await client.post("/v1/notes", content=content, headers=JSON), status, slug)

    assert await notes_in(pool) == 0


async def test_the_place_where_json_breaks_is_told(client: httpx.AsyncClient) -> None:
    document = problem_of(await client.post("/v1/notes", content=b'{\n"a": x}', headers=JSON), 400, "not-json")

    assert document["detail"] == "The body is not valid JSON in UTF-8 (line 2, column 6)."


async def test_a_nul_character_is_pointed_at(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/notes", content=b'{"parts": [1, {"text": "\\u0000"}]}', headers=JSON)

    document = problem_of(response, 422, "invalid-request")
    assert document["errors"] == [{"pointer": "/parts/1/text", "detail": "must not hold NUL characters"}]


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "",
        "application/xml",
        "application/jsonx",
        "multipart/form-data",
        "/;",
        "application/json; charset=iso-8859-1",
        'application/json;x=y; CHARSET = "utf-16"',
        "application/json; charset=utf-8; charset=latin1",
    ],
)
async def test_a_body_of_another_type_is_refused(client: httpx.AsyncClient, kind: str) -> None:
    response = await client.post("/v1/notes", content=b"{}", headers={"content-type": kind})

    problem_of(response, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    "kind",
    [
        "application/json; charset=utf-8",
        'application/json;Charset="UTF-8"',
        "application/JSON",
        "application/vnd.x+json",
    ],
)
async def test_json_has_many_names(client: httpx.AsyncClient, kind: str) -> None:
    response = await client.post(
        "/v1/notes", content=b'{"day": "2026-03-01", "amount": 1}', headers={"content-type": kind}
    )

    assert response.status_code == 201


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=60) | st.from_regex(rb'\{"(day|amount|text)": .{0,30}\}', fullmatch=True),
    kind=st.sampled_from(["application/json", "text/plain", "application/json;;="]),
    language=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
)
async def test_no_body_makes_the_service_fail(
    client: httpx.AsyncClient, content: bytes, kind: str, language: str
) -> None:
    headers = {"content-type": kind, "accept-language": language, "idempotency-key": uuid4().hex}

    response = await client.post("/v1/notes", content=content, headers=headers)

    assert response.status_code < 500
    assert response.headers["content-type"] in {"application/json", "application/problem+json"}
