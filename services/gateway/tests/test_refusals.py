"""Events that are not let in: all reasons at once, nothing left of them but the rejection; on a running service."""

import asyncio
import copy
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis import tokens
from chassis.database import Pool
from gateway import store
from local.waiting import until
from services.gateway.tests.sender import (
    CPR,
    EXAMPLES,
    NOW,
    SOURCE,
    Issue,
    event,
    reasons_in,
    rejections,
    rows,
    tell,
    with_data,
)


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


async def test_a_token_that_is_revoked_opens_nothing_more(doors: httpx.AsyncClient, pool: Pool) -> None:
    async with pool.acquire() as db:
        await tokens.revoke(db, name="payroll", now=NOW)

    assert (await tell(doors, event())).status_code == 401


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
