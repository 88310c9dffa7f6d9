"""The doors from outside, on a running service with real PostgreSQL and NATS."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import nats
import pytest

from chassis.database import Pool
from contracts.catalogue import data_of
from contracts.envelope import Envelope
from flexjob_pool.doors.nouns import NOUNS
from local.nats import NatsServer
from local.waiting import until
from services.flexjob_pool.tests.caseworker import (
    APPLICATION,
    BUDGET,
    DAY,
    DOORS,
    END,
    FLEXJOB,
    GROUPS,
    HOURS,
    PERIOD,
    RULES,
    Caseworker,
    metric,
    stored,
)


async def test_a_whole_flexjob_reaches_the_stream_in_order(caseworker: Caseworker, nats_server: NatsServer) -> None:
    await caseworker.done("/v1/rules", RULES)
    await caseworker.done("/v1/budgets", BUDGET)
    approved = (await caseworker.done("/v1/applications", APPLICATION))["application_id"]
    await caseworker.done(f"/v1/applications/{approved}/approve", DAY)
    grant = await caseworker.done("/v1/grants", {**PERIOD, "occurred_on": "2026-01-21", "application_id": approved})
    placement = await caseworker.done("/v1/flexjobs", {**FLEXJOB, "grant_id": grant["grant_id"]})
    path = f"/v1/flexjobs/{placement['placement_id']}"
    await caseworker.done(f"{path}/hours-changes", HOURS)
    ended = await caseworker.done(f"{path}/end", END)

    async with await nats.connect(nats_server.url) as client:
        subscription = await client.jetstream().pull_subscribe_bind("impact", "EVENTS_621_FLEXJOB_POOL")
        envelopes: list[Envelope] = []
        while len(envelopes) < 9:
            fetched = await subscription.fetch(20, timeout=10)
            read = [Envelope.model_validate_json(message.data) for message in fetched]
            envelopes += [envelope for envelope in read if envelope.name != "service.heartbeat"]

    assert [envelope.name for envelope in envelopes] == [
        "pool.rules_adopted",
        "pool.budget_allocated",
        "application.submitted",
        "application.approved",
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


def test_every_door_of_a_noun_is_tried() -> None:
    there = [unnamed(noun.path + below) for noun in NOUNS for below in noun.asks]
    tried = [unnamed(path) for path, _ in DOORS.values() if not path.startswith("/v1/events/")]

    assert sorted(tried) == sorted(there)


def unnamed(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)


@pytest.mark.parametrize("group", GROUPS)
async def test_an_answer_is_the_resource_that_its_location_shows(caseworker: Caseworker, group: list[str]) -> None:
    for door in group:
        await caseworker.prepare()
        answer = await caseworker.post(*caseworker.at(door))
        assert answer.status_code == 201, answer.text

        shown = await caseworker.doors.get(answer.headers["location"])

        assert shown.status_code == 200
        assert {**shown.json(), "event_ids": answer.json()["event_ids"]} == answer.json()
        assert len(answer.json()["event_ids"]) == 1


@pytest.mark.parametrize(
    ("door", "field"),
    [
        ("budgets", "budget_id"),
        ("needs", "need_id"),
        ("applications", "application_id"),
        ("grants", "grant_id"),
        ("refunds", "refund_id"),
        ("flexjobs", "placement_id"),
        ("requests", "request_id"),
        ("sessions", "session_id"),
    ],
)
async def test_ids_are_minted_unless_given_and_given_once(caseworker: Caseworker, door: str, field: str) -> None:
    await caseworker.prepare()
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
    assert (counts["resource"], counts["event"], counts["outbox"], counts["idempotency_key"]) == (1, 1, 1, 1)


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


async def test_a_budget_is_adjusted_and_not_allocated_again(caseworker: Caseworker) -> None:
    await caseworker.prepare()
    budget_id = caseworker.known["budget"]
    path = f"/v1/budgets/{budget_id}/adjustments"

    assert (await caseworker.post("/v1/budgets", {**BUDGET, "budget_id": budget_id})).status_code == 409
    for amount, status in ((1000, 201), (1000, 409), (999, 409)):
        assert (await caseworker.post(path, {**DAY, "amount_ore": amount})).status_code == status
    year = (await caseworker.doors.get("/v1/fiscal-years/2026")).json()
    assert year == {"fiscal_year": 2026, "budget_ore": 1000, "drawn_ore": 1000, "free_ore": 0}
    assert (await caseworker.doors.get("/v1/fiscal-years/2050")).json()["free_ore"] == 0


async def test_rules_can_be_looked_at_before_they_are_adopted(caseworker: Caseworker, pool: Pool) -> None:
    await caseworker.prepare()
    first, last, *_ = [
        (await caseworker.done("/v1/applications", {**APPLICATION, "occurred_on": day}))["application_id"]
        for day in ("2026-01-01", "2026-12-31", "2025-12-31", "2027-01-01")
    ]
    before = await stored(pool)

    answer = await caseworker.post("/v1/rules/previews", {**RULES, "max_weekly_effective_hours": "7"})

    assert answer.status_code == 200
    excluded = answer.json()["newly_excluded"]["applications"]
    assert {one["application_id"] for one in excluded} == {
        *(caseworker.known[name] for name in ("submitted", "approved", "granted")),
        *(first, last),
    }
    assert {tuple(one["reject_codes"]) for one in excluded} == {("hours_above_maximum",)}
    assert await stored(pool) == before | {"idempotency_key": before["idempotency_key"] + 1}


async def test_the_clock_calls_for_reviews_and_the_metric_says_how_far(caseworker: Caseworker, clock: str) -> None:
    started = await caseworker.done("/v1/flexjobs", FLEXJOB)
    assert started["next_review_on"] == "2028-09-01"
    file = Path(clock.removeprefix("file:"))
    await asyncio.to_thread(file.write_text, "2028-06-03T08:00:00Z", encoding="utf-8")
    reached = datetime(2028, 6, 3, tzinfo=UTC).timestamp()

    async def is_swept() -> bool:
        return await metric(caseworker, "reviews_swept_until_timestamp_seconds") == reached

    await until(is_swept, message="the sweep does not come")
    [review] = (await caseworker.doors.get("/v1/reviews")).json()["items"]
    assert (review["called_on"], review["due_on"]) == ("2028-06-03", "2028-09-01")
    path = f"/v1/flexjobs/{started['placement_id']}/reviews"
    held = {"review_id": review["review_id"], "occurred_on": "2028-06-03", "review_kind": "m30"}
    assert (await caseworker.done(path, {**held, "outcome_code": "continues"}))["status"] == "held"


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
