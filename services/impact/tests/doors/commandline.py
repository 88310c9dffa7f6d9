"""What a command leaves behind, running doors for it, and the damage that `verify` and `rebuild` are tried on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import uvicorn
from fastapi import FastAPI

from local.waiting import until

FACTS = 9
DAMAGED = (
    "UPDATE running_sum SET amount = 5 WHERE measure = 'persons_in_flexjob' AND dimensions ->> 'department' = 'Teknik'"
)


class Said(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Kraftcenter = Callable[..., Awaitable[Said]]
Bearing = Callable[..., Awaitable[tuple[str, ...]]]


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The address of running doors, until the block ends."""
    config = uvicorn.Config(app, port=0, lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(config)
    # The signals of a test run are pytest's.
    serving = asyncio.create_task(server._serve())  # noqa: SLF001
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


def lines(said: Said) -> list[list[str]]:
    """The cells of each line of a table."""
    rows = [row for row in said.out.splitlines() if row.startswith("│")]
    return [[cell.strip() for cell in row.strip("│").split("│")] for row in rows]


def one_message(said: Said) -> str:
    """What stands on stderr, as one line; never a traceback."""
    assert "Traceback" not in said.err
    return " ".join(said.err.replace("│", " ").split())
