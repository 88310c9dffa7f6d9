"""What a municipal system would send to the gateway, and what can be seen of it there."""

import copy
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import nats

from chassis.calendar import calendar_of
from chassis.database import Pool
from chassis.provision import provision
from local.nats import NatsServer

EXAMPLES = {
    file.stem: json.loads(file.read_text())
    for file in sorted((Path(__file__).parents[3] / "contracts/examples").glob("*.json"))
}
EVENT = EXAMPLES["payroll.working_time_changed.v1"]
SOURCE = EVENT["source"]
CPR = "010190-1234"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOW = calendar_of("system").now()

Issue = Callable[..., Awaitable[str]]


def event(name: str = "payroll.working_time_changed.v1", **attributes: Any) -> dict[str, Any]:
    message: dict[str, Any] = copy.deepcopy(EXAMPLES[name])
    return message | {"source": SOURCE} | attributes


def with_data(**data: Any) -> dict[str, Any]:
    return event(data=EVENT["data"] | data)


async def tell(doors: httpx.AsyncClient, message: Any, **headers: str) -> httpx.Response:
    told = {"Idempotency-Key": str(uuid4()), "Content-Type": "application/cloudevents+json"} | headers
    return await doors.post("/v1/events", content=json.dumps(message).encode(), headers=told)


async def rows(pool: Pool) -> list[Any]:
    query = (
        "SELECT source, event_id, subject, body FROM outbox WHERE source <> 'urn:kraftcenter:621:gateway' ORDER BY 2"
    )
    return await pool.fetch(query)


async def rejections(doors: httpx.AsyncClient, **asked: Any) -> list[dict[str, Any]]:
    answer = await doors.get("/v1/rejections", params=asked)
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def reasons_in(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(error["pointer"], error["detail"]) for error in answer.json()["errors"]]


async def provisioned(server: NatsServer) -> None:
    async with await nats.connect(server.url) as client:
        await provision(client.jetstream(), "621")
