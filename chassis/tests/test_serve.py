import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from chassis.serve import OBJECTS_BETWEEN_COLLECTIONS
from local.waiting import until

PROGRAM = """
import asyncio
import gc
import sys
from contextlib import asynccontextmanager

from fastapi import APIRouter
from prometheus_client import CollectorRegistry
from pydantic_settings import SettingsConfigDict

from chassis.calendar import calendar_of
from chassis.database import create_pool
from chassis.health import Health
from chassis.http import build_api
from chassis.migrate import HTTP
from chassis.serve import run_service
from chassis.settings import ServiceSettings

router = APIRouter()


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="NOTES_")


@router.get("/slow")
async def slow() -> dict[str, str]:
    print("asked", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    return {"status": "finished"}


@router.get("/collector")
async def collector() -> dict[str, int]:
    return {"passes_over": gc.get_freeze_count(), "looks_after": gc.get_threshold()[0]}


def build(settings):
    @asynccontextmanager
    async def lifespan(app):
        async with await create_pool(settings.database_url.get_secret_value(), name="notes") as app.state.pool:
            yield
        print("stopped", flush=True)

    return build_api(
        title="Notes", version="1", settings=settings, calendar=calendar_of(settings.clock), lifespan=lifespan,
        routers=[router], health=Health(), registry=CollectorRegistry(),
    )


run_service("notes", settings=Settings, components=[HTTP], wiring="__main__:build")
"""


@pytest.fixture
def environment(database_url: str, unused_tcp_port: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "NOTES_DATABASE_URL": database_url,
        "NOTES_NATS_URL": "nats://127.0.0.1:1",
        "NOTES_PORT": str(unused_tcp_port),
    }


def run(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM, *command.split()],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@asynccontextmanager
async def serving(environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        "serve",
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def closed(client: httpx.AsyncClient) -> bool:
    return not await alive(client)


async def alive(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/livez")).is_success
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_a_service_finishes_what_is_under_way_and_exits_with_0(
    environment: dict[str, str], stop: signal.Signals
) -> None:
    assert (await asyncio.to_thread(run, "migrate", environment)).stdout == "chassis.http/0001_doors.sql\n"
    base_url = f"http://127.0.0.1:{environment['NOTES_PORT']}"

    async with serving(environment) as process, httpx.AsyncClient(base_url=base_url) as client:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        await until(lambda: alive(client), seconds=20)
        asked = asyncio.create_task(client.get("/slow"))
        assert await process.stdout.readline() == b"asked\n"
        process.send_signal(stop)
        await until(lambda: closed(client))
        process.stdin.write(b"go on\n")

        assert (await asked).json() == {"status": "finished"}
        assert await process.stdout.readline() == b"stopped\n"
        assert await process.wait() == 0
        logged = [json.loads(line) for line in (await process.stderr.read()).splitlines()]
        assert "request_answered" in [line["event"] for line in logged]


async def test_the_garbage_collector_passes_over_what_a_service_began_with(environment: dict[str, str]) -> None:
    await asyncio.to_thread(run, "migrate", environment)
    base_url = f"http://127.0.0.1:{environment['NOTES_PORT']}"

    async with serving(environment), httpx.AsyncClient(base_url=base_url) as client:
        await until(lambda: alive(client), seconds=20)
        collector = (await client.get("/collector")).json()

    assert collector["passes_over"] > collector["looks_after"], "all that was imported, and the doors"
    assert collector["looks_after"] == OBJECTS_BETWEEN_COLLECTIONS


def test_a_database_that_is_not_migrated_is_refused(environment: dict[str, str]) -> None:
    done = run("serve", environment)

    assert done.returncode == 1
    assert "the database lacks chassis.http/0001_doors.sql: run `migrate` first" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_database_that_does_not_answer_is_a_message(environment: dict[str, str], command: str) -> None:
    environment["NOTES_DATABASE_URL"] = "postgresql://u:hunter2@127.0.0.1:1/x"

    done = run(command, environment)

    assert done.returncode == 1
    assert "The database does not answer" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_missing_settings_are_a_message(environment: dict[str, str], command: str) -> None:
    del environment["NOTES_DATABASE_URL"]
    environment["NOTES_PORT"] = "eighty"

    done = run(command, environment)

    assert done.returncode == 2
    assert {line.partition(":")[0] for line in done.stderr.splitlines()} == {"NOTES_DATABASE_URL", "NOTES_PORT"}


def test_a_port_that_is_taken_is_a_message_and_not_code_0(environment: dict[str, str]) -> None:
    run("migrate", environment)
    with socket.create_server(("127.0.0.1", int(environment["NOTES_PORT"]))):
        done = run("serve", environment)

    assert done.returncode not in {0, 2}
    assert "address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_command_is_refused(environment: dict[str, str]) -> None:
    done = run("server", environment)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_clock_file_that_is_missing_is_a_message(environment: dict[str, str], tmp_path: Path) -> None:
    environment["CLOCK"] = f"file:{tmp_path / 'none'}"

    done = run("migrate", environment)

    assert done.returncode == 2
    assert done.stderr.startswith("CLOCK: the clock file")
