"""A service as a process of its own on real servers, with something in it to ask about, and callers of every kind."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import asyncpg
import pytest

from chassis import tokens
from chassis.database import Connection
from local.instances import MUNICIPALITY
from local.stack import SCOPES, running_stack
from tests.openapi.filled import FILLED, Known

HERE = Path(__file__).parent
SETTINGS = HERE / "schemathesis.toml"
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
TODAY = "2026-06-15"
NEIGHBOUR = "630"
OFTEN = 0.9

Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Service:
    """A running service, how it is examined, a caller who may do everything, and by name those who may not."""

    url: str
    settings: Path
    insider: Headers
    strangers: Mapping[str, Headers]


async def examine(url: str, headers: Headers, *options: str, settings: Path = SETTINGS) -> tuple[bool, str]:
    """Whether all answers to a caller with these headers are as the service's document says, and the report."""
    sent = [f"--header={name}: {value}" for name, value in headers.items()]
    examination = await asyncio.create_subprocess_exec(
        SCHEMATHESIS,
        *("--no-color", f"--config-file={settings}", "run", f"{url}/openapi.json", *sent, *options),
        cwd=HERE,
        # Some of what is drawn comes out of sets.
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    report, _ = await examination.communicate()
    return examination.returncode == 0, report.decode()


def settings_with(known: Known) -> str:
    """The settings, so that most of what is asked is about what is there."""
    dictionaries = [f'[dictionaries."{name}"]\nvalues = {json.dumps(values)}' for name, values in known.items()]
    bound: dict[str, list[str]] = {"": ["[parameters]"]}
    for name in known:
        operation, _, place = name.rpartition(" ")
        of_one = [f'[[operations]]\ninclude-name = "{operation}"\n[operations.parameters]']
        bound.setdefault(operation, of_one).append(f'"{place}" = {{ dictionary = "{name}", probability = {OFTEN} }}')
    return "\n".join([SETTINGS.read_text(encoding="utf-8"), *dictionaries, *chain(*bound.values())])


@pytest.fixture(params=FILLED)
async def service(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Service]:
    """Each service in turn, filled."""
    name = request.param
    clock = tmp_path / "clock"
    clock.write_text(f"{TODAY}T10:00:00Z", encoding="utf-8")
    told = {"CLOCK": f"file:{clock}", "FLEXJOB_POOL_SWEEP_SECONDS": "0.2"}
    async with running_stack(tmp_path / "stack", services=[name], settings=told) as stack:
        settings = tmp_path / "schemathesis.toml"
        settings.write_text(settings_with(await FILLED[name](stack)), encoding="utf-8")
        db = await asyncpg.connect(stack.database_urls[name])
        every = (f"read:{name}", f"write:{name}", *SCOPES)
        strangers = {
            "nobody": {},
            "somebody without a scope": await _with_token(db, MUNICIPALITY),
            "a neighbour": await _with_token(db, NEIGHBOUR, *every),
        }
        await db.close()
        yield Service(stack.url_of(name), settings, {"Authorization": f"Bearer {stack.token}"}, strangers)


async def _with_token(db: Connection, municipality: str, *scopes: str) -> Headers:
    now = datetime.now(UTC)
    token = await tokens.issue(db, name=municipality, municipality=municipality, scopes=scopes, now=now)
    return {"Authorization": f"Bearer {token}"}
