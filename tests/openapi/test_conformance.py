"""Every service answers as its OpenAPI document says, whatever is asked, and whoever asks."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import pytest
import uvicorn
from fastapi import FastAPI, Response, Security
from fastapi.security import HTTPBearer

from local.processes import LOOPBACK, free_ports
from local.waiting import until
from tests.openapi.conftest import Service, examine

# What else a stranger might send is of no account: he comes no further than the door.
AT_THE_DOOR = (
    "--phases=coverage",
    "--mode=positive",
    "--generation-with-security-parameters=false",
    "--warnings=off",
    "--exclude-checks=shape_as_promised",
)


@pytest.mark.timeout(600)
async def test_no_answer_is_undocumented_and_none_is_a_failure(service: Service, subtests: pytest.Subtests) -> None:
    with subtests.test("a caller who may do everything"):
        options = ("--exclude-checks=turned_away",)
        well, report = await examine(service.url, service.insider, *options, settings=service.settings)
        assert well, report
    for name, headers in service.strangers.items():
        with subtests.test(name):
            well, report = await examine(service.url, headers, *AT_THE_DOOR, settings=service.settings)
            assert well, report


careless = FastAPI(title="Careless")


@careless.get("/bug")
def fail() -> None:
    raise ZeroDivisionError


@careless.get("/undocumented")
def answer_otherwise() -> Response:
    return Response(status_code=418)


@careless.get("/untrue")
def answer_untruly() -> int:
    return Response('"many"', media_type="application/json")  # type: ignore[return-value]


@careless.get("/ajar")
def let_everybody_in(_: Annotated[object, Security(HTTPBearer(auto_error=False), scopes=["secret"])]) -> None:
    """Ask for a token, and never look at it."""


@pytest.fixture
async def careless_url() -> AsyncIterator[str]:
    (port,) = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(careless, host=LOOPBACK, port=port, log_config=None))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield f"http://{LOOPBACK}:{port}"
    server.should_exit = True
    await serving


async def test_a_careless_service_is_found_out(careless_url: str) -> None:
    well, report = await examine(careless_url, {"Authorization": "Bearer x"})

    assert not well
    for path, found in {
        "/bug": "Server error",
        "/undocumented": "Undocumented status code",
        "/untrue": "Response violates schema",
        "/ajar": "turned_away",
    }.items():
        assert found in report.partition(f" GET {path} ")[2].partition(" GET ")[0], report
