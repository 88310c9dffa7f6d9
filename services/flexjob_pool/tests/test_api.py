"""The doors from outside, on a running service with real PostgreSQL and NATS."""

import asyncio
import copy
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import nats
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis import tokens
from chassis.database import Pool
from contracts.catalogue import data_of
from contracts.envelope import Envelope
from local.nats import NatsServer
from local.waiting import until

PERSON = str(uuid4())
CPR = "0101651234"
RULES = {
    "occurred_on": "2026-01-01",
    "refund_share": "0.5",
    "max_weekly_effective_hours": "20",
    "max_months": 12,
    "eligible_units": ["Senior"],
}
BUDGET = {"occurred_on": "2026-01-01", "fiscal_year": 2026, "amount_ore": 100_000}
APPLICATION = {
    "occurred_on": "2026-01-10",
    "department": "Senior",
    "workplace_unit": "Plejecenter-Åhaven",
    "effective_hours_per_week": "8",
    "months": 12,
    "amount_ore": 26_000,
}
FLEXJOB = {
    "occurred_on": "2026-03-01",
    "person_ref": PERSON,
    "department": "Senior",
    "workplace_unit": "Plejecenter-Åhaven",
    "attendance_hours_per_week": "12",
    "effective_hours_per_week": "8.00",
    "grant_term": "temporary_5y",
    "retention": False,
    "scheme": "post2013",
}
HOURS = {
    "occurred_on": "2026-04-01",
    "attendance_hours_per_week": "14",
    "effective_hours_per_week": "12.5",
    "cause": "capacity_up",
}
END = {"occurred_on": "2026-06-01", "reason_code": "ordinary_job"}
DOORS: dict[str, tuple[str, dict[str, Any]]] = {
    "rules": ("/v1/rules", RULES),
    "budgets": ("/v1/budgets", BUDGET),
    "applications": ("/v1/applications", APPLICATION),
    "approve": ("/v1/applications/{submitted}/approve", {"occurred_on": "2026-01-20"}),
    "reject": ("/v1/applications/{submitted}/reject", {"occurred_on": "2026-01-20", "reject_code": "no_match"}),
    "grants": (
        "/v1/grants",
        {
            "occurred_on": "2026-01-21",
            "application_id": "{approved}",
            "period_from": "2026-03-01",
            "period_to": "2026-12-01",
        },
    ),
    "flexjobs": ("/v1/flexjobs", FLEXJOB),
    "hours-changes": ("/v1/flexjobs/{placement}/hours-changes", HOURS),
    "end": ("/v1/flexjobs/{placement}/end", END),
}


class Caseworker:
    """Sends what a caseworker would, with a fresh Idempotency-Key unless one is given."""

    def __init__(self, doors: httpx.AsyncClient) -> None:
        self.doors = doors
        self.known: dict[str, str] = {}

    async def post(self, path: str, body: object, *, key: str | None = None, language: str = "da") -> httpx.Response:
        headers = {"Idempotency-Key": key or str(uuid4()), "Accept-Language": language}
        return await self.doors.post(path, json=body, headers=headers)

    async def done(self, path: str, body: object) -> dict[str, Any]:
        answer = await self.post(path, body)
        assert answer.status_code == 201, answer.text
        resource: dict[str, Any] = answer.json()
        return resource

    async def prepare(self) -> None:
        """Rules, a budget, an application that waits, one that is approved, and a flexjob."""
        await self.done("/v1/rules", RULES)
        await self.done("/v1/budgets", BUDGET)
        for name in ("submitted", "approved"):
            self.known[name] = (await self.done("/v1/applications", APPLICATION))["application_id"]
        await self.done(f"/v1/applications/{self.known['approved']}/approve", {"occurred_on": "2026-01-20"})
        self.known["placement"] = (await self.done("/v1/flexjobs", FLEXJOB))["placement_id"]

    def at(self, door: str) -> tuple[str, dict[str, Any]]:
        """Path and good body of a door, with what was prepared filled in."""
        path, body = DOORS[door]
        filled = {
            name: value.format_map(self.known) if isinstance(value, str) else copy.copy(value)
            for name, value in body.items()
        }
        return path.format_map(self.known), filled


@pytest.fixture
def caseworker(doors: httpx.AsyncClient) -> Caseworker:
    return Caseworker(doors)


async def stored(pool: Pool) -> dict[str, int]:
    """How many rows there are of everything that a request may leave; heartbeats beat by themselves."""
    tables = ("rules", "budget", "fiscal_year", "application", "pool_grant", "allocation", "flexjob", "hours")
    counts = {table: await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables}  # noqa: S608 - above
    counts["outbox"] = await pool.fetchval("SELECT count(*) FROM outbox WHERE type NOT LIKE '%heartbeat%'")
    counts["idempotency_key"] = await pool.fetchval("SELECT count(*) FROM idempotency_key")
    return counts


async def test_a_whole_flexjob_reaches_the_stream_in_order(caseworker: Caseworker, nats_server: NatsServer) -> None:
    await caseworker.prepare()
    grant = await caseworker.done(*caseworker.at("grants"))
    placement = await caseworker.done("/v1/flexjobs", {**FLEXJOB, "grant_id": grant["grant_id"]})
    path = f"/v1/flexjobs/{placement['placement_id']}"
    await caseworker.done(f"{path}/hours-changes", HOURS)
    ended = await caseworker.done(f"{path}/end", END)

    async with await nats.connect(nats_server.url) as client:
        subscription = await client.jetstream().pull_subscribe_bind("impact", "EVENTS_621_FLEXJOB_POOL")
        envelopes: list[Envelope] = []
        while len(envelopes) < 11:
            fetched = await subscription.fetch(20, timeout=10)
            read = [Envelope.model_validate_json(message.data) for message in fetched]
            envelopes += [envelope for envelope in read if envelope.name != "service.heartbeat"]

    assert [envelope.name for envelope in envelopes] == [
        "pool.rules_adopted",
        "pool.budget_allocated",
        "application.submitted",
        "application.submitted",
        "application.approved",
        "flexjob.started",
        "grant.committed",
        "flexjob.started",
        "flexjob.hours_changed",
        "flexjob.ended",
        "grant.released",
    ]
    assert [envelope.id for envelope in envelopes[-2:]] == ended["event_ids"]
    assert all(data_of(envelope) for envelope in envelopes)
    assert {envelope.source for envelope in envelopes} == {"urn:kraftcenter:621:flexjob_pool"}
    assert {envelope.time.isoformat() for envelope in envelopes} == {"2026-03-02T08:00:00+00:00"}
    # 26,000 øre over 275 days, of which the flexjob lasted 92.
    assert envelopes[-1].data["allocations"] == [{"fiscal_year": 2026, "amount_ore": 8698}]


async def test_an_answer_is_the_resource_that_its_location_shows(caseworker: Caseworker) -> None:
    await caseworker.prepare()
    for door in ("rules", "budgets", "applications", "grants", "flexjobs"):
        answer = await caseworker.post(*caseworker.at(door))

        shown = await caseworker.doors.get(answer.headers["location"])

        assert shown.status_code == 200
        assert {**shown.json(), "event_ids": answer.json()["event_ids"]} == answer.json()
        assert len(answer.json()["event_ids"]) == 1


async def test_ids_are_minted_unless_given_and_given_once(caseworker: Caseworker) -> None:
    await caseworker.prepare()
    for door, field in (
        ("applications", "application_id"),
        ("grants", "grant_id"),
        ("flexjobs", "placement_id"),
    ):
        path, body = caseworker.at(door)
        given_id = str(uuid4())

        first = await caseworker.done(path, {**body, field: given_id})
        second = await caseworker.post(path, {**body, field: given_id})

        assert first[field] == given_id
        assert second.status_code == 409
        assert second.json()["errors"][0]["pointer"] == f"/{field}"


async def test_one_idempotency_key_sent_many_times_at_once_registers_one_event(
    caseworker: Caseworker, pool: Pool
) -> None:
    answers = await asyncio.gather(*(caseworker.post("/v1/flexjobs", FLEXJOB, key="one") for _ in range(8)))

    assert {(answer.status_code, answer.text) for answer in answers} == {(201, answers[0].text)}
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 7
    counts = await stored(pool)
    assert (counts["flexjob"], counts["outbox"], counts["idempotency_key"]) == (1, 1, 1)


async def test_a_copy_of_a_request_gets_the_answer_of_its_day_whatever_happened_since(
    caseworker: Caseworker, pool: Pool
) -> None:
    started = await caseworker.post("/v1/flexjobs", FLEXJOB, key="start")
    path = f"/v1/flexjobs/{started.json()['placement_id']}"
    changed = await caseworker.post(f"{path}/hours-changes", HOURS, key="change")
    await caseworker.done(f"{path}/end", END)
    before = await stored(pool)

    for first, door, body, key in (
        (started, "/v1/flexjobs", FLEXJOB, "start"),
        (changed, f"{path}/hours-changes", HOURS, "change"),
    ):
        again = await caseworker.post(door, body, key=key)

        assert again.headers["idempotency-replayed"] == "true"
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["location"] == first.headers["location"]
    assert await stored(pool) == before


async def test_the_document_tells_what_every_post_answers(caseworker: Caseworker) -> None:
    await caseworker.prepare()
    document = (await caseworker.doors.get("/openapi.json")).json()
    for door, (route, _) in DOORS.items():
        if door == "reject":
            caseworker.known["submitted"] = (await caseworker.done("/v1/applications", APPLICATION))["application_id"]
        answer = await caseworker.done(*caseworker.at(door))

        path = route.format(submitted="{application_id}", placement="{placement_id}")
        told = document["paths"][path]["post"]["responses"]["201"]["content"]["application/json"]["schema"]["$ref"]
        schema = document["components"]["schemas"][told.rpartition("/")[2]]
        assert set(schema["properties"]) == set(answer)
        assert "event_ids" in schema["required"]


async def test_one_idempotency_key_is_not_for_two_requests(caseworker: Caseworker, pool: Pool) -> None:
    await caseworker.post("/v1/flexjobs", FLEXJOB, key="one")
    before = await stored(pool)

    answer = await caseworker.post("/v1/flexjobs", {**FLEXJOB, "retention": True}, key="one")

    assert answer.status_code == 422
    assert await stored(pool) == before


async def test_a_refused_request_may_be_sent_again_with_its_key(caseworker: Caseworker) -> None:
    approval = {"occurred_on": "2026-01-20"}
    application = await caseworker.done("/v1/applications", APPLICATION)
    path = f"/v1/applications/{application['application_id']}/approve"
    assert (await caseworker.post(path, approval, key="one")).status_code == 409
    await caseworker.done("/v1/rules", RULES)

    assert (await caseworker.post(path, approval, key="one")).status_code == 201


async def test_a_caseworker_is_told_all_reasons_in_danish_and_in_english(caseworker: Caseworker) -> None:
    await caseworker.done("/v1/rules", RULES)
    asked = {**APPLICATION, "department": "Teknik", "effective_hours_per_week": "20.25", "months": 13}
    application = await caseworker.done("/v1/applications", asked)
    path = f"/v1/applications/{application['application_id']}/approve"

    danish = await caseworker.post(path, {"occurred_on": "2026-01-20"})
    english = await caseworker.post(path, {"occurred_on": "2026-01-20"}, language="en")

    assert danish.status_code == english.status_code == 409
    assert danish.headers["content-type"] == "application/problem+json"
    assert [error["detail"] for error in danish.json()["errors"]] == [
        "Arbejdspladsen er ikke omfattet af de regler, der gælder den dag.",
        "De regler, der gælder den dag, tillader højst 20,00 effektive timer om ugen.",
        "De regler, der gælder den dag, tillader højst 12 måneder.",
    ]
    assert [error["detail"] for error in english.json()["errors"]] == [
        "The rules in force that day do not let this workplace draw on the pool.",
        "The rules in force that day allow at most 20.00 effective hours a week.",
        "The rules in force that day allow at most 12 months.",
    ]


async def test_a_budget_named_again_gets_its_new_total(caseworker: Caseworker) -> None:
    await caseworker.prepare()
    await caseworker.done(*caseworker.at("grants"))
    budget = {**BUDGET, "budget_id": (await caseworker.doors.get("/v1/budgets")).json()["items"][0]["budget_id"]}

    for amount, status in ((26_000, 201), (26_000, 409), (25_999, 409)):
        assert (await caseworker.post("/v1/budgets", {**budget, "amount_ore": amount})).status_code == status


async def test_rules_name_as_many_units_as_fit_into_an_event(caseworker: Caseworker) -> None:
    most = ["Å" * 64] * 400

    assert (await caseworker.done("/v1/rules", {**RULES, "eligible_units": most}))["eligible_units"] == most
    assert (await caseworker.post("/v1/rules", {**RULES, "eligible_units": [*most, "Senior"]})).status_code == 422


async def test_hours_that_are_registered_late_leave_later_changes_as_they_are(caseworker: Caseworker) -> None:
    placement = await caseworker.done("/v1/flexjobs", FLEXJOB)
    path = f"/v1/flexjobs/{placement['placement_id']}/hours-changes"
    await caseworker.done(path, HOURS)

    late = {**HOURS, "occurred_on": "2026-03-15", "effective_hours_per_week": "9"}
    changed = await caseworker.done(path, late)

    assert [(step["occurred_on"], step["effective_hours_per_week"]) for step in changed["hours"]] == [
        ("2026-03-01", "8.00"),
        ("2026-03-15", "9.00"),
        ("2026-04-01", "12.50"),
    ]
    assert (await caseworker.post(path, late)).status_code == 409


async def test_pages_of_a_list_show_everything_once(caseworker: Caseworker) -> None:
    for number in range(5):
        await caseworker.done("/v1/rules", RULES)
        await caseworker.done("/v1/budgets", {**BUDGET, "amount_ore": number})
        await caseworker.done("/v1/applications", APPLICATION)
        await caseworker.done("/v1/flexjobs", FLEXJOB)
    for noun, key in (
        ("rules", "rules_version"),
        ("budgets", "budget_id"),
        ("applications", "application_id"),
        ("flexjobs", "placement_id"),
    ):
        seen, cursor, pages = [], None, 0
        while pages == 0 or cursor is not None:
            asked = {"limit": 2} | ({"cursor": cursor} if cursor is not None else {})
            page = (await caseworker.doors.get(f"/v1/{noun}", params=asked)).json()
            seen += [item[key] for item in page["items"]]
            cursor, pages = page["next_cursor"], pages + 1
        assert (len(set(seen)), len(seen), pages) == (5, 5, 3)


def wrong_values(good: object) -> Iterator[object]:
    """Values that no field takes in the place of a good one."""
    yield from ({}, {"a": 1}, [[]], "", "\x00", "x" * 70_000, "DROP TABLE rules", "2026-02-30", 1e300, -1, 10**30)
    yield CPR
    yield None if not isinstance(good, bool) else "true"
    if isinstance(good, str):
        yield from (f" {good}", f"{good}\n", good + "é́" * 40, 8.5, True)
    if isinstance(good, int):
        yield from (str(good), 0.5, "NaN")


# What may be left out, or is taken with no value.
OPTIONAL = {"max_weekly_effective_hours", "max_months"}


async def check_refused(answer: httpx.Response) -> None:
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert CPR not in answer.text
    assert answer.json()["detail"]


@pytest.mark.parametrize("door", DOORS)
async def test_a_wrong_body_is_refused_and_leaves_nothing(caseworker: Caseworker, pool: Pool, door: str) -> None:
    await caseworker.prepare()
    path, good = caseworker.at(door)
    before = await stored(pool)

    for body in (None, [], [good], "text", 7, True, {"data": good}, {**good, "unknown": 1}, {**good, CPR: CPR}):
        await check_refused(await caseworker.post(path, body))
    for field, value in good.items():
        if field not in OPTIONAL:
            await check_refused(await caseworker.post(path, {k: v for k, v in good.items() if k != field}))
        for wrong in wrong_values(value):
            if not (wrong is None and field in OPTIONAL):
                await check_refused(await caseworker.post(path, {**good, field: wrong}))
    for day in ("1989-12-31", "2028-03-03", "9999-12-31", "0001-01-01"):
        await check_refused(await caseworker.post(path, {**good, "occurred_on": day}))

    assert await stored(pool) == before
    assert (await caseworker.post(path, good)).status_code == 201


@pytest.mark.parametrize("door", DOORS)
async def test_a_wrong_request_is_refused_and_leaves_nothing(caseworker: Caseworker, pool: Pool, door: str) -> None:
    await caseworker.prepare()
    path, good = caseworker.at(door)
    weak, foreign = await other_tokens(pool)
    before = await stored(pool)
    key = {"Idempotency-Key": "key"}
    as_json = {"Content-Type": "application/json", **key}
    body = json.dumps(good).encode()

    for content, headers, status in (
        (body, {"Content-Type": "application/json"}, 400),
        (body, {**as_json, "Idempotency-Key": "x" * 129}, 400),
        (body, {**as_json, "Idempotency-Key": "tab\tbed"}, 400),
        (body, {**as_json, "Authorization": ""}, 401),
        (body, {**as_json, "Authorization": "Bearer kc_unknown"}, 401),
        (body, {**as_json, "Authorization": f"Bearer {weak}"}, 403),
        (body, {**as_json, "Authorization": f"Bearer {foreign}"}, 403),
        (body, {**key, "Content-Type": "text/plain"}, 415),
        (body[:-1], as_json, 400),
        (b"", as_json, 422),
        (b"\xff\xfe", as_json, 400),
        (b'{"occurred_on": NaN}', as_json, 400),
        (b"[" * 100_000, as_json, 400),
        (b" " * 1024 * 1024 + body, as_json, 413),
    ):
        answer = await caseworker.doors.post(path, content=content, headers=headers)
        await check_refused(answer)
        assert answer.status_code == status, answer.text
    for method in ("PUT", "DELETE", "PATCH"):
        assert (await caseworker.doors.request(method, path, content=body, headers=as_json)).status_code == 405

    assert await stored(pool) == before


async def other_tokens(pool: Pool) -> tuple[str, str]:
    """One that may only read, and one of another municipality."""
    async with pool.acquire() as db:
        now = await db.fetchval("SELECT issued_at FROM token")
        weak = await tokens.issue(db, name="weak", municipality="621", scopes=["read:flexjob_pool"], now=now)
        scopes = ["read:flexjob_pool", "write:flexjob_pool"]
        return weak, await tokens.issue(db, name="foreign", municipality="607", scopes=scopes, now=now)


@pytest.mark.parametrize("door", ["approve", "reject", "hours-changes", "end"])
async def test_a_wrong_id_in_the_path_is_refused(caseworker: Caseworker, pool: Pool, door: str) -> None:
    await caseworker.prepare()
    _, good = caseworker.at(door)
    path, _ = DOORS[door]
    before = await stored(pool)

    for wrong in (str(uuid4()), str(uuid4()).upper(), "1", "x" * 5000, "%00", "..%2f..", "é", CPR):
        known = dict.fromkeys(caseworker.known, wrong)
        await check_refused(await caseworker.post(path.format_map(known), good))

    assert await stored(pool) == before


@pytest.mark.parametrize("noun", ["rules", "budgets", "applications", "grants", "flexjobs"])
async def test_what_is_not_registered_is_not_found(caseworker: Caseworker, noun: str) -> None:
    missing = "7" if noun == "rules" else str(uuid4())

    assert (await caseworker.doors.get(f"/v1/{noun}/{missing}")).status_code == 404
    for wrong in ("0", "-1", "99999999999999999999", "x", "%00", CPR):
        await check_refused(await caseworker.doors.get(f"/v1/{noun}/{wrong}"))


@pytest.mark.parametrize("noun", ["rules", "budgets", "applications", "flexjobs"])
async def test_a_list_takes_a_sane_limit_and_cursor(caseworker: Caseworker, noun: str) -> None:
    for query in ("limit=0", "limit=501", "limit=x", "limit=1e9", "cursor=x", "cursor=-1", "cursor=%00"):
        await check_refused(await caseworker.doors.get(f"/v1/{noun}?{query}"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(door=st.sampled_from(sorted(DOORS)), fields=st.sets(st.sampled_from(sorted(FLEXJOB | HOURS | RULES))), junk=JSON)
async def test_no_body_at_all_ends_in_an_error_of_ours(
    caseworker: Caseworker, pool: Pool, door: str, fields: set[str], junk: object
) -> None:
    if not caseworker.known:
        await caseworker.prepare()
    path, good = caseworker.at(door)
    before = await stored(pool)

    answer = await caseworker.post(path, {**good, "not_a_field": junk, **dict.fromkeys(fields, junk)})

    await check_refused(answer)
    assert await stored(pool) == before


async def test_doors_stay_open_while_the_bus_is_away_and_nothing_is_lost(
    caseworker: Caseworker, nats_server: NatsServer
) -> None:
    await until(lambda: is_ready(caseworker), message="the service does not get ready")
    nats_server.kill()
    await until(lambda: is_unready(caseworker), message="the service does not notice")

    await caseworker.done("/v1/flexjobs", FLEXJOB)
    assert await metric(caseworker, "outbox_pending") == 1

    nats_server.start()
    await until(lambda: is_drained(caseworker), seconds=30, message="the outbox does not drain")
    assert await metric(caseworker, "outbox_parked") == await metric(caseworker, "relay_regressions_total") == 0


async def is_ready(caseworker: Caseworker) -> bool:
    return (await caseworker.doors.get("/readyz")).status_code == 200


async def is_unready(caseworker: Caseworker) -> bool:
    answer = await caseworker.doors.get("/readyz")
    return answer.status_code == 503 and answer.json()["checks"]["database"] == "ok"


async def is_drained(caseworker: Caseworker) -> bool:
    return await metric(caseworker, "outbox_pending") == 0


async def metric(caseworker: Caseworker, name: str) -> float:
    scrape = (await caseworker.doors.get("/metrics")).text
    [value] = [line.split()[1] for line in scrape.splitlines() if line.split()[0] == name]
    return float(value)
