"""The doors from outside, on a running service with real PostgreSQL and NATS."""

import asyncio
import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
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
from flexjob_pool.doors.nouns import NOUNS
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
NEED = {
    "occurred_on": "2026-01-02",
    "department": "Senior",
    "workplace_unit": "Plejecenter-Åhaven",
    "task_codes": ["care", "kitchen"],
    "effective_hours_per_week_from": "4",
    "effective_hours_per_week_to": "8",
}
REQUEST = {"occurred_on": "2026-01-05", "from_municipality": "621", "to_municipality": "630"}
SNAPSHOT = {
    "occurred_on": "2026-01-31",
    "department": "Børn",
    "headcount": 20,
    "fte": "17.5",
    "trainee_headcount": 2,
    "wage_subsidy_headcount": 1,
}
DAY = {"occurred_on": "2026-01-20"}
PERIOD = {"period_from": "2026-03-01", "period_to": "2026-12-01"}
UNIT = {"department": "Teknik", "workplace_unit": "Vej"}
DOORS: dict[str, tuple[str, dict[str, Any]]] = {
    "rules": ("/v1/rules", RULES),
    "budgets": ("/v1/budgets", BUDGET),
    "adjust-budget": ("/v1/budgets/{budget}/adjustments", {**DAY, "amount_ore": 200_000}),
    "needs": ("/v1/needs", NEED),
    "withdraw-need": ("/v1/needs/{need}/withdraw", {**DAY, "reason_code": "tasks_gone"}),
    "candidates": ("/v1/needs/{need}/candidates", {**DAY, "person_ref": PERSON}),
    "applications": ("/v1/applications", APPLICATION),
    "approve": ("/v1/applications/{submitted}/approve", DAY),
    "reject": ("/v1/applications/{submitted}/reject", {**DAY, "reject_code": "no_match"}),
    "withdraw-application": ("/v1/applications/{submitted}/withdraw", DAY),
    "annul": ("/v1/applications/{approved}/annul-approval", {**DAY, "reason_code": "not_used"}),
    "grants": ("/v1/grants", {"occurred_on": "2026-01-21", "application_id": "{approved}", **PERIOD}),
    "adjust-grant": ("/v1/grants/{grant}/adjustments", {"occurred_on": "2026-02-01", "amount_ore": 900, **PERIOD}),
    "release": ("/v1/grants/{grant}/release", {"occurred_on": "2026-02-01"}),
    "refunds": (
        "/v1/refunds",
        {"occurred_on": "2026-04-01", "grant_id": "{grant}", "payroll_month": "2026-03", "wage_ore": 801},
    ),
    "reverse": ("/v1/refunds/{refund}/reverse", {"occurred_on": "2026-05-01", "reason_code": "posted_twice"}),
    "flexjobs": ("/v1/flexjobs", FLEXJOB),
    "hours-changes": ("/v1/flexjobs/{placement}/hours-changes", HOURS),
    "transfers": ("/v1/flexjobs/{placement}/transfers", {"occurred_on": "2026-04-01", **UNIT}),
    "steps": (
        "/v1/flexjobs/{placement}/development-steps",
        {"occurred_on": "2026-04-01", "step_code": "course", "hours": "7.5"},
    ),
    "reviews": (
        "/v1/flexjobs/{placement}/reviews",
        {"occurred_on": "2026-04-01", "review_kind": "early", "outcome_code": "continues"},
    ),
    "ordinary": (
        "/v1/flexjobs/{placement}/ordinary-employment",
        {"occurred_on": "2026-05-01", "effective_hours_per_week": "20"},
    ),
    "end": ("/v1/flexjobs/{placement}/end", END),
    "requests": ("/v1/job7-requests", REQUEST),
    "offers": ("/v1/job7-requests/{request}/offers", {**DAY, "person_ref": PERSON}),
    "placements": (
        "/v1/job7-requests/{offered}/placements",
        {"occurred_on": "2026-03-01", "person_ref": PERSON, "placement_id": "{placement}"},
    ),
    "sessions": ("/v1/awareness-sessions", {**DAY, "workplaces": [UNIT], "managers": 7}),
    "snapshots": ("/v1/workforce-snapshots", SNAPSHOT),
    "correct": (
        "/v1/events/{event}/corrections",
        {"reason_code": "late_information", "values": {"workplace_unit": "Havn", "need_id": None}},
    ),
    "retract": ("/v1/events/{event}/retraction", {"reason_code": "never_happened"}),
}
# A service takes longer to start than many a door to try, so several doors are tried at each.
GROUPS = [[*DOORS][first::4] for first in range(4)]


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
        """Of every noun something that can be decided on."""
        await self.done("/v1/rules", RULES)
        self.known["budget"] = (await self.done("/v1/budgets", BUDGET))["budget_id"]
        self.known["need"] = (await self.done("/v1/needs", NEED))["need_id"]
        for name in ("submitted", "approved", "granted"):
            asked = APPLICATION if name != "granted" else {**APPLICATION, "amount_ore": 1000}
            self.known[name] = (await self.done("/v1/applications", asked))["application_id"]
        for name in ("approved", "granted"):
            await self.done(f"/v1/applications/{self.known[name]}/approve", DAY)
        grant = {"occurred_on": "2026-01-21", "application_id": self.known["granted"], **PERIOD}
        self.known["grant"] = (await self.done("/v1/grants", grant))["grant_id"]
        refund = {"occurred_on": "2026-03-01", "grant_id": self.known["grant"], "payroll_month": "2026-06"}
        self.known["refund"] = (await self.done("/v1/refunds", {**refund, "wage_ore": 100}))["refund_id"]
        self.known["placement"] = (await self.done("/v1/flexjobs", FLEXJOB))["placement_id"]
        self.known["event"] = (await self.done("/v1/flexjobs", FLEXJOB))["event_ids"][0]
        for name in ("request", "offered"):
            self.known[name] = (await self.done("/v1/job7-requests", REQUEST))["request_id"]
        offer = {"occurred_on": "2026-01-06", "person_ref": PERSON}
        await self.done(f"/v1/job7-requests/{self.known['offered']}/offers", offer)

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
    tables = ("decision", "event", "resource", "movement", "idempotency_key")
    counts = {table: await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables}  # noqa: S608 - above
    counts["outbox"] = await pool.fetchval("SELECT count(*) FROM outbox WHERE type NOT LIKE '%heartbeat%'")
    return counts


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
    before = await stored(pool)

    answer = await caseworker.post("/v1/rules/previews", {**RULES, "max_weekly_effective_hours": "7"})

    assert answer.status_code == 200
    excluded = answer.json()["newly_excluded"]["applications"]
    assert {one["application_id"] for one in excluded} == {
        caseworker.known[name] for name in ("submitted", "approved", "granted")
    }
    assert {tuple(one["reject_codes"]) for one in excluded} == {("hours_above_maximum",)}
    assert await stored(pool) == before | {"idempotency_key": before["idempotency_key"] + 1}


async def test_a_correction_points_at_the_values_that_are_wrong(caseworker: Caseworker) -> None:
    await caseworker.prepare()
    path = f"/v1/events/{caseworker.known['event']}/corrections"
    for values, reason, pointer in (
        ({"person_ref": "x"}, "late_information", "/values/person_ref"),
        ({"occurred_on": None}, "late_information", "/values/occurred_on"),
        ({"foreign": CPR}, "late_information", "/values"),
        ({"placement_id": str(uuid4())}, "late_information", "/values"),
        ({"occurred_on": "1980-01-01"}, "late_information", "/values/occurred_on"),
        ({"grant_term": "for_ever"}, "late_information", "/values/grant_term"),
        ({"retention": True}, "double_entry", "/reason_code"),
    ):
        answer = await caseworker.post(path, {"reason_code": reason, "values": values})
        await check_refused(answer)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_the_events_of_a_resource_are_shown_in_every_version(caseworker: Caseworker) -> None:
    await caseworker.prepare()
    placement_id = caseworker.known["placement"]
    changed = await caseworker.done(f"/v1/flexjobs/{placement_id}/hours-changes", HOURS)
    corrected = await caseworker.done(
        f"/v1/events/{changed['event_ids'][0]}/corrections",
        {"reason_code": "late_information", "values": {"cause": "task_match"}},
    )
    await caseworker.done(f"/v1/events/{corrected['event_ids'][0]}/retraction", {"reason_code": "wrong_person"})

    seen: list[dict[str, Any]] = []
    cursor: str | None = "0"
    while cursor:
        asked = {"resource": f"flexjobs/{placement_id}", "limit": "1", "cursor": cursor}
        page = (await caseworker.doors.get("/v1/events", params=asked)).json()
        seen, cursor = seen + page["items"], page["next_cursor"]

    assert [(one["kind"], one["in_force"], one["why"], one["retracted_why"]) for one in seen] == [
        ("StartFlexjob", True, None, None),
        ("ChangeHours", True, None, None),
        ("ChangeHours", False, "late_information", "wrong_person"),
    ]
    shown = (await caseworker.doors.get(f"/v1/events/{corrected['event_ids'][0]}")).json()
    assert shown["versions"] == seen[1:]
    assert (await caseworker.doors.get("/v1/events", params={"resource": f"flexjobs/{uuid4()}"})).json()["items"] == []
    for wrong in ("", "?resource=", "?resource=jobs/1", "?resource=flexjobs", f"?resource=flexjobs/{uuid4()}&cursor=x"):
        await check_refused(await caseworker.doors.get(f"/v1/events{wrong}"))


async def test_lists_are_narrowed_by_what_resources_say(caseworker: Caseworker) -> None:
    await caseworker.prepare()
    known = caseworker.known
    old = await caseworker.done("/v1/flexjobs", {**FLEXJOB, "occurred_on": "2023-10-01"})
    for query, count in {
        "budgets?fiscal_year=2026": 1,
        "budgets?fiscal_year=2027": 0,
        "needs?status=open&department=Senior": 1,
        "needs?status=filled": 0,
        "applications?status=approved": 2,
        f"applications?need_id={known['need']}": 0,
        f"grants?application_id={known['granted']}&status=committed": 1,
        "grants?status=released": 0,
        f"refunds?grant_id={known['grant']}&payroll_month=2026-06&status=posted": 1,
        f"flexjobs?person_ref={PERSON}": 3,
        "flexjobs?workplace_unit=Vej": 0,
        f"reviews?status=due&placement_id={old['placement_id']}": 1,
        "reviews?status=due&due_before=2026-04-01": 0,
        "reviews?status=due&due_before=2026-04-02": 1,
        "job7-requests?status=offered&to_municipality=630": 1,
        "awareness-sessions": 0,
        "workforce-snapshots?department=Senior": 0,
    }.items():
        answer = await caseworker.doors.get(f"/v1/{query}")
        assert (answer.status_code, len(answer.json()["items"])) == (200, count), query
    for wrong in ("needs?status=gone", "flexjobs?person_ref=x", "reviews?due_before=x", "refunds?payroll_month=2026"):
        await check_refused(await caseworker.doors.get(f"/v1/{wrong}"))


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


async def test_pages_of_a_list_show_everything_once(caseworker: Caseworker) -> None:
    for number in range(12):
        await caseworker.done("/v1/rules", RULES)
        await caseworker.done("/v1/budgets", {**BUDGET, "amount_ore": number})
        await caseworker.done("/v1/workforce-snapshots", {**SNAPSHOT, "department": f"Å{number}"})
    for noun, key in (("rules", "rules_version"), ("budgets", "budget_id"), ("workforce-snapshots", "department")):
        seen, cursor, pages = [], None, 0
        while pages == 0 or cursor is not None:
            asked = {"limit": 5} | ({"cursor": cursor} if cursor is not None else {})
            page = (await caseworker.doors.get(f"/v1/{noun}", params=asked)).json()
            seen += [item[key] for item in page["items"]]
            cursor, pages = page["next_cursor"], pages + 1
        assert (len(set(seen)), len(seen), pages) == (12, 12, 3)
        if noun == "rules":
            assert seen == list(range(1, 13))


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
OPTIONAL = {"max_weekly_effective_hours", "max_months", "hours"}


async def check_refused(answer: httpx.Response) -> None:
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert CPR not in answer.text
    assert answer.json()["detail"]


@pytest.mark.parametrize("group", GROUPS)
async def test_a_wrong_body_is_refused_and_leaves_nothing(caseworker: Caseworker, pool: Pool, group: list[str]) -> None:
    for door in group:
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


@pytest.mark.parametrize("group", GROUPS)
async def test_a_wrong_request_is_refused_and_leaves_nothing(
    caseworker: Caseworker, pool: Pool, group: list[str]
) -> None:
    for door in group:
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


@pytest.mark.parametrize("group", GROUPS)
async def test_a_wrong_id_in_the_path_is_refused(caseworker: Caseworker, pool: Pool, group: list[str]) -> None:
    for door in group:
        await caseworker.prepare()
        _, good = caseworker.at(door)
        path, _ = DOORS[door]
        if "{" not in path:
            continue
        before = await stored(pool)

        for wrong in (str(uuid4()), str(uuid4()).upper(), "1", "x" * 5000, "%00", "..%2f..", "é", CPR):
            known = dict.fromkeys(caseworker.known, wrong)
            await check_refused(await caseworker.post(path.format_map(known), good))

        assert await stored(pool) == before


@pytest.mark.parametrize(
    "noun", [noun.path for noun in NOUNS if noun.path != "/v1/workforce-snapshots"] + ["/v1/events"]
)
async def test_what_is_not_registered_is_not_found(caseworker: Caseworker, noun: str) -> None:
    missing = "7" if noun == "/v1/rules" else str(uuid4())

    assert (await caseworker.doors.get(f"{noun}/{missing}")).status_code == 404
    for wrong in ("0", "-1", "99999999999999999999", "x", "%00", CPR):
        await check_refused(await caseworker.doors.get(f"{noun}/{wrong}"))


@pytest.mark.parametrize("noun", [noun.path for noun in NOUNS])
async def test_a_list_takes_a_sane_limit_and_cursor(caseworker: Caseworker, noun: str) -> None:
    for query in ("limit=0", "limit=501", "limit=x", "limit=1e9", "cursor=x", "cursor=-1", "cursor=%00"):
        await check_refused(await caseworker.doors.get(f"{noun}?{query}"))


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
