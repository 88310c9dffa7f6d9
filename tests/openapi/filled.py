"""Something to ask each service about, and what is then known of it: values by their place in a request."""

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Self

import asyncpg
import httpx

from chassis.bus import short_job
from chassis.calendar import calendar_of
from gateway import store
from local.stack import MUNICIPALITY, Stack
from local.waiting import until

EXAMPLES = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[2] / "contracts" / "examples").glob("*.json"))
]
PAYROLL = [event for event in EXAMPLES if ".payroll." in event["type"]]
# How a stack names its own token.
OF_STACK = "local"

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


FILLED: dict[str, Callable[[Stack], Awaitable[Known]]] = {
    "gateway": fill_gateway,
    "impact": fill_impact,
}
