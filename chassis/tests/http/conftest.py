from collections.abc import AsyncIterator

import httpx
import pytest

from chassis.database import Pool
from chassis.tests.http.notes import build, client_of, issue


@pytest.fixture
async def pool(door_pool: Pool) -> Pool:
    await door_pool.execute("CREATE TABLE note (note_id uuid PRIMARY KEY, text text)")
    return door_pool


@pytest.fixture
async def token(pool: Pool) -> str:
    return await issue(pool, "write:notes", "read:notes")


@pytest.fixture
async def client(pool: Pool, token: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "k"}
    async with client_of(build(pool), headers) as client:
        yield client


@pytest.fixture
async def stranger(pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(build(pool)) as client:
        yield client
