"""A service as a process of its own on real servers, with something in it to ask about, and callers of every kind."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from chassis import tokens
from chassis.bus import short_job
from chassis.database import Connection
from local.stack import MUNICIPALITY, SCOPES, Stack, running_stack
from local.waiting import until

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "contracts" / "examples"
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
TODAY = "2026-06-15"
NEIGHBOUR = "630"

Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Service:
    """A running service, a caller who may do everything, and by name those who may not."""

    url: str
    insider: Headers
    strangers: Mapping[str, Headers]


async def examine(url: str, headers: Headers, *options: str) -> tuple[bool, str]:
    """Whether all answers to a caller with these headers are as the service's document says, and the report."""
    sent = [f"--header={name}: {value}" for name, value in headers.items()]
    examination = await asyncio.create_subprocess_exec(
        SCHEMATHESIS,
        *("--no-color", "run", f"{url}/openapi.json", *sent, *options),
        cwd=HERE,
        # Some of what is drawn comes out of sets.
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    report, _ = await examination.communicate()
    return examination.returncode == 0, report.decode()


async def fill_impact(stack: Stack) -> None:
    """Thirty facts of a type that nobody knows, then every example of the contracts, and one that waits."""
    examples = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(EXAMPLES.glob("*.json"))]
    start = next(each for each in examples if each["type"].endswith("flexjob.started.v1"))
    unknown = [start | {"id": f"parked-{n}", "type": "dk.kraftcenter.flexjob.vanished.v1"} for n in range(30)]
    waiting = start | {"id": "waiting", "corrects": "nobody", "data": start["data"] | {"reason_code": "late"}}
    async with short_job(stack.nats_url) as jetstream:
        for event in (*unknown, *examples, waiting):
            await jetstream.publish(f"events.{MUNICIPALITY}.flexjob_pool.any.v1", json.dumps(event).encode())
    headers = {"Authorization": f"Bearer {stack.token}"}
    async with httpx.AsyncClient(base_url=stack.url_of("impact"), headers=headers) as client:

        async def admitted() -> bool:
            found: dict[str, Any] = (await client.get("/v1/ledger/waiting")).raise_for_status().json()
            return any(fact["event_id"] == waiting["id"] for fact in found["items"])

        await until(admitted, message="the last event does not arrive")


FILLED: dict[str, Callable[[Stack], Awaitable[None]]] = {"impact": fill_impact}


@pytest.fixture(params=FILLED)
async def service(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Service]:
    """Each service in turn, filled."""
    name = request.param
    clock = tmp_path / "clock"
    clock.write_text(f"{TODAY}T10:00:00Z", encoding="utf-8")
    async with running_stack(tmp_path / "stack", services=[name], settings={"CLOCK": f"file:{clock}"}) as stack:
        await FILLED[name](stack)
        db = await asyncpg.connect(stack.database_urls[name])
        every = (f"read:{name}", f"write:{name}", *SCOPES)
        strangers = {
            "nobody": {},
            "somebody without a scope": await _with_token(db, MUNICIPALITY),
            "a neighbour": await _with_token(db, NEIGHBOUR, *every),
        }
        await db.close()
        yield Service(stack.url_of(name), {"Authorization": f"Bearer {stack.token}"}, strangers)


async def _with_token(db: Connection, municipality: str, *scopes: str) -> Headers:
    now = datetime.now(UTC)
    token = await tokens.issue(db, name=municipality, municipality=municipality, scopes=scopes, now=now)
    return {"Authorization": f"Bearer {token}"}
