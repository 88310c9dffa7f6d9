import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
import pytest
import structlog
from fastapi import APIRouter, Depends, FastAPI, Query, Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from pydantic import BaseModel, ConfigDict

from chassis import tokens
from chassis.calendar import calendar_of
from chassis.database import Connection, Pool
from chassis.health import Health
from chassis.http import Door, build_api, door
from chassis.idempotency import Answer, created
from chassis.problems import Problem, Said
from chassis.settings import ServiceSettings
from contracts.types import Day, Ore, Ref
from local.waiting import until

JSON = {"content-type": "application/json"}
PERSONAL = "0101701234"
NOTE_ID = UUID(int=1)
NOTE = {"day": "2026-03-01", "amount": 100}


class NewNote(BaseModel):
    model_config = ConfigDict(extra="forbid")

    day: Day
    amount: Ore
    text: str = ""


class Note(NewNote):
    note_id: Ref


router = APIRouter(prefix="/v1/notes")
Writing = Annotated[Door, Depends(door("write:notes"))]
Reading = Annotated[Door, Depends(door("read:notes"))]
Visiting = Annotated[Door, Depends(door())]


@router.post("", status_code=201)
async def add(body: NewNote, at: Writing) -> Response:
    return await at.perform(body, lambda db: add_note(db, body))


async def add_note(db: Connection, new: NewNote) -> Answer:
    if new.amount == 666:
        raise Problem(409, "refused", Said("Nej", "No"), Said("Aldrig", "Never"), [("/amount", Said("nej", "no"))])
    note = Note(note_id=uuid4(), **new.model_dump())
    await db.execute("INSERT INTO note VALUES ($1, $2)", note.note_id, note.text)
    return created(note, f"/v1/notes/{note.note_id}")


@router.get("/{note_id}")
async def show(note_id: Ref, at: Reading, limit: Annotated[int, Query(ge=1, le=10)] = 1) -> dict[str, Any]:
    return {"note_id": note_id, "limit": limit, "asked_by": at.principal.token_name}


@router.get("")
async def visit(at: Visiting, break_: Annotated[str, Query(alias="break")] = "") -> dict[str, Any]:
    if break_ == "bug":
        raise RuntimeError(PERSONAL)
    if break_ == "range":
        await at.pool.execute("SELECT $1::integer", 10**12)
    if break_ == "text":
        await at.pool.execute("SELECT $1::text", "\x00")
    return {"asked_by": at.principal.token_name, "exact": at.principal.may("figures:exact")}


def build(pool: Pool, *, health: Health | None = None, municipality: str = "621") -> FastAPI:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield

    async def figures() -> list[GaugeMetricFamily]:
        return [GaugeMetricFamily("notes", "Notes kept.", value=await pool.fetchval("SELECT count(*) FROM note"))]

    app = build_api(
        title="Notes",
        version="1.0.0",
        settings=ServiceSettings(
            database_url="postgresql:///", nats_url="nats://nowhere", port=0, municipality=municipality
        ),
        calendar=calendar_of("system"),
        lifespan=lifespan,
        routers=[router],
        health=health or Health(),
        registry=CollectorRegistry(),
        collectors=[figures],
        service="flexjob_pool",
    )
    app.state.pool = pool
    return app


@pytest.fixture
async def pool(door_pool: Pool) -> Pool:
    await door_pool.execute("CREATE TABLE note (note_id uuid PRIMARY KEY, text text)")
    return door_pool


@pytest.fixture
async def token(pool: Pool) -> str:
    return await issue(pool, "write:notes", "read:notes")


async def issue(pool: Pool, *scopes: str, municipality: str = "621", days: int = 1) -> str:
    now = datetime.now(UTC)
    expires = now + timedelta(days=days)
    async with pool.acquire() as db:
        return await tokens.issue(
            db, name="payroll", municipality=municipality, scopes=scopes, now=now, expires_at=expires
        )


def client_of(app: FastAPI, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://notes",
        headers={"accept-language": "en", **(headers or {})},
    )


@pytest.fixture
async def client(pool: Pool, token: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "k"}
    async with client_of(build(pool), headers) as client:
        yield client


@pytest.fixture
async def stranger(pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(build(pool)) as client:
        yield client


def problem_of(response: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    document: dict[str, Any] = response.json()
    assert response.status_code == status, document
    assert response.headers["content-type"] == "application/problem+json"
    assert document["status"] == status
    assert document["type"] == f"urn:kraftcenter:problem:{slug}"
    assert PERSONAL not in response.text
    assert "Traceback" not in response.text
    return document


async def notes_in(pool: Pool) -> int:
    count: int = await pool.fetchval("SELECT count(*) FROM note")
    return count


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


async def test_a_running_service_forgets_old_answers(client: httpx.AsyncClient, pool: Pool) -> None:
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


@pytest.mark.parametrize("name", ["Authorization", "Idempotency-Key"])
async def test_a_header_that_decides_may_not_be_given_twice(client: httpx.AsyncClient, pool: Pool, name: str) -> None:
    headers = [*client.headers.multi_items(), (name, client.headers[name])]

    document = problem_of(await client.post("/v1/notes", json=NOTE, headers=headers), 400, "bad-request")

    assert document["errors"] == [{"header": name, "detail": "may stand only once"}]
    assert await notes_in(pool) == 0


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


async def test_a_service_tells_which_events_it_sends_and_receives(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/asyncapi.json")

    told = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert told["asyncapi"] == "3.0.0"
    assert "flexjob_pool.sends.flexjob_pool.flexjob.started.v1" in told["operations"]
    assert "/asyncapi.json" in (await stranger.get("/openapi.json")).json()["paths"]


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


async def test_requests_are_counted_by_route_never_by_path(client: httpx.AsyncClient) -> None:
    note_id = uuid4()
    await client.get(f"/v1/notes/{note_id}")
    await client.get("/v1/unknown")

    exposed = (await client.get("/metrics")).text

    assert 'http_requests_total{method="GET",route="/v1/notes/{note_id}",status="200"} 1.0' in exposed
    assert 'http_requests_total{method="GET",route="none",status="404"} 1.0' in exposed
    assert str(note_id) not in exposed
    assert "\nnotes 0.0" in exposed


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


async def test_the_document_tells_of_keys_problems_and_tokens(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    post = document["paths"]["/v1/notes"]["post"]
    assert [one["name"] for one in post["parameters"]] == ["Idempotency-Key"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert document == (await client.get("/openapi.json")).json()


async def test_the_document_tells_every_refusal_that_a_door_knows_and_no_other(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    refusals = document["components"]["responses"]
    assert all("application/problem+json" in refusal["content"] for refusal in refusals.values())
    assert {
        f"{method} {path}": " ".join(operation["responses"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    } == {
        "get /livez": "200 400",
        "get /readyz": "200 400 503",
        "get /metrics": "200 400",
        "get /asyncapi.json": "200 400",
        "post /v1/notes": "201 400 401 403 409 413 415 422 503",
        "get /v1/notes": "200 400 401 403 422 503",
        "get /v1/notes/{note_id}": "200 400 401 403 404 422 503",
    }


async def test_the_document_tells_whom_a_door_admits(client: httpx.AsyncClient) -> None:
    notes = (await client.get("/openapi.json")).json()["paths"]["/v1/notes"]

    assert notes["post"]["security"] == [{"HTTPBearer": ["write:notes"]}]
    assert notes["post"]["description"] == "Needs a token with the scope `write:notes`."
    assert notes["get"]["security"] == [{"HTTPBearer": []}, {}]


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
