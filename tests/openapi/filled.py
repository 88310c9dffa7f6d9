"""Something to ask each service about, and what is then known of it: values by their place in a request."""

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Self

import asyncpg
import httpx

from chassis.bus import short_job
from chassis.calendar import calendar_of
from contracts.codelists import CODE_LISTS
from gateway import store
from local.instances import MUNICIPALITY
from local.stack import Stack
from local.waiting import until
from tests.openapi import pool

EXAMPLES = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[2] / "contracts" / "examples").glob("*.json"))
]
PAYROLL = [event for event in EXAMPLES if ".payroll." in event["type"]]
# How a stack names its own token.
OF_STACK = "local"

# "path.position", or for one operation alone "POST /v1/refunds body.reason_code".
Known = Mapping[str, list[Any]]


class Caller:
    """Who may do everything at a service of a stack."""

    def __init__(self, stack: Stack, service: str) -> None:
        headers = {"Authorization": f"Bearer {stack.token}"}
        self._client = httpx.AsyncClient(base_url=stack.url_of(service), headers=headers)
        self._actions = 0

    async def __aenter__(self) -> Self:
        """Go there."""
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave."""
        await self._client.aclose()

    async def get(self, path: str) -> dict[str, Any]:
        """What is there."""
        found: dict[str, Any] = (await self._client.get(path)).raise_for_status().json()
        return found

    async def post(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """Do something, under a key of its own."""
        self._actions += 1
        return await self._client.post(path, json=body, headers={"Idempotency-Key": f"filling-{self._actions}"})


async def fill_impact(stack: Stack) -> Known:
    """Thirty facts of a type that nobody knows, then every example of the contracts, and one that waits."""
    start = next(each for each in EXAMPLES if each["type"].endswith("flexjob.started.v1"))
    unknown = [start | {"id": f"parked-{n}", "type": "dk.kraftcenter.flexjob.vanished.v1"} for n in range(30)]
    waiting = start | {"id": "waiting", "corrects": "nobody", "data": start["data"] | {"reason_code": "late"}}
    async with short_job(stack.nats_url) as jetstream:
        for event in (*unknown, *EXAMPLES, waiting):
            await jetstream.publish(f"events.{MUNICIPALITY}.flexjob_pool.any.v1", json.dumps(event).encode())
    async with Caller(stack, "impact") as caller:

        async def admitted() -> bool:
            facts = (await caller.get("/v1/ledger/waiting"))["items"]
            return any(fact["event_id"] == waiting["id"] for fact in facts)

        await until(admitted, message="the last event does not arrive")
        return {
            "path.indicator_id": [each["id"] for each in (await caller.get("/v1/indicators"))["items"]],
            "path.position": [fact["position"] for fact in (await caller.get("/v1/ledger/parked"))["items"]],
            "path.source": [start["source"]],
            "path.event_id": [each["id"] for each in (start, waiting, unknown[0])],
        }


async def fill_gateway(stack: Stack) -> Known:
    """Payroll, registered with its events; some of them, and some that are turned away."""
    source, kinds = PAYROLL[0]["source"], [event["type"] for event in PAYROLL]
    db = await asyncpg.connect(stack.database_urls["gateway"])
    await store.register(db, source, kinds, token_name=OF_STACK, now=calendar_of("system").now())
    await db.close()
    async with Caller(stack, "gateway") as caller:
        for event in (*PAYROLL, {"id": "no-event"}, {"source": source}):
            await caller.post("/v1/events", event)
        return {
            "path.source": [source],
            "path.event_id": [event["id"] for event in PAYROLL],
            "path.rejection_id": [each["rejection_id"] for each in (await caller.get("/v1/rejections"))["items"]],
        }


async def fill_flexjob_pool(stack: Stack) -> Known:
    """A pool that has lived for some years, and what may be said about it today."""
    async with Caller(stack, "flexjob_pool") as caller:
        events: list[str] = []
        for path, body in pool.story():
            answer = await caller.post(f"/v1/{path}", body)
            assert answer.is_success, (path, answer.text)
            events += answer.json()["event_ids"]

        async def due() -> list[dict[str, Any]]:
            reviews: list[dict[str, Any]] = (await caller.get("/v1/reviews?status=due"))["items"]
            return reviews

        async def paid() -> list[dict[str, Any]]:
            employments: list[dict[str, Any]] = (await caller.get("/v1/payroll/employments"))["items"]
            return employments

        reviews = await until(due, message="no review falls due")
        async with short_job(stack.nats_url) as jetstream:
            told = PAYROLL[0] | {"data": PAYROLL[0]["data"] | pool.PAID}
            await jetstream.publish(f"events.{MUNICIPALITY}.gateway.any.v1", json.dumps(told).encode())
        employments = await until(paid, message="payroll is not heard")
        document = await caller.get("/openapi.json")
    return {
        "path.need_id": pool.NEEDS,
        "path.application_id": pool.APPLICATIONS[pool.SUBMITTED],
        "path.grant_id": pool.GRANTS,
        "path.placement_id": pool.FLEXJOBS,
        "path.refund_id": pool.REFUNDS,
        "path.budget_id": pool.BUDGETS,
        "path.request_id": pool.JOB7,
        "path.session_id": pool.SESSIONS,
        "path.review_id": [review["review_id"] for review in reviews],
        "path.event_id": events,
        "path.employment_ref": [each["employment_ref"] for each in employments],
        "path.rules_version": [1],
        "path.department": [pool.UNIT["department"]],
        "path.occurred_on": [pool.SNAPSHOT_ON],
        "query.resource": [f"flexjobs/{pool.FLEXJOBS[0]}", f"grants/{pool.GRANTS[0]}"],
        "body.need_id": pool.NEEDS,
        "body.grant_id": pool.GRANTS[:6],
        "body.application_id": pool.APPLICATIONS[pool.APPROVED],
        "body.person_ref": pool.PERSONS,
        **{f"body.{name}": [unit] for name, unit in pool.UNIT.items()},
        "body.attendance_hours_per_week": ["20.00", "37"],
        "body.effective_hours_per_week": ["4.00", "12.5"],
        "body.occurred_on": ["2026-04-01", "2026-06-01", "2026-06-15"],
        "body.period_from": ["2026-07-01"],
        "body.period_to": ["2026-12-01", "2027-03-01"],
        "body.payroll_month": ["2026-03", "2026-04", "2026-05"],
        "POST /v1/applications/{application_id}/annul-approval path.application_id": pool.APPLICATIONS[pool.APPROVED],
        # Whatever is adopted meanwhile leaves the rules of today alone.
        "POST /v1/rules body.occurred_on": ["2027-01-01", "2028-01-01"],
        "POST /v1/flexjobs/{placement_id}/transfers body.workplace_unit": ["Havehuset", "Aahaven"],
        "POST /v1/payroll/employments/{employment_ref}/match body.placement_id": pool.FLEXJOBS[:1],
        "POST /v1/needs body.need_id": pool.FREE,
        "POST /v1/applications body.application_id": pool.FREE,
        "POST /v1/grants body.grant_id": pool.FREE,
        "POST /v1/refunds body.refund_id": pool.FREE,
        "POST /v1/flexjobs body.placement_id": pool.FREE,
        "POST /v1/flexjobs body.grant_id": pool.GRANTS[6:],
        "POST /v1/flexjobs/{placement_id}/reviews body.review_id": pool.FREE,
        **codes_in(document),
        "POST /v1/flexjobs/{placement_id}/reviews body.review_kind": ["early"],
        "POST /v1/flexjobs body.scheme": ["post2013"],
    }


def codes_in(document: Any) -> dict[str, list[str]]:
    """The codes that the fields of each operation's body may hold, by the lists that the document names."""
    found = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            asked = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            schema = document["components"]["schemas"].get(asked.get("$ref", "").rpartition("/")[2], {})
            for name, field in schema.get("properties", {}).items():
                for place, told in ((f"body.{name}", field), (f"body.{name}[*]", field.get("items", {}))):
                    if codes := CODE_LISTS.get(told.get("x-codelist")):
                        found[f"{method.upper()} {path} {place}"] = [entry.code for entry in codes]
    return found


FILLED: dict[str, Callable[[Stack], Awaitable[Known]]] = {
    "flexjob_pool": fill_flexjob_pool,
    "gateway": fill_gateway,
    "impact": fill_impact,
}
