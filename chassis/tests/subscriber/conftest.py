from collections.abc import AsyncIterator

import pytest

from chassis import subscriber
from chassis.bus import Bus
from chassis.database import Pool, create_pool
from chassis.tests.subscriber.reader import Reader, prepare, reader_of


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter pauses: waiting longer proves nothing more."""
    monkeypatch.setattr(subscriber, "PAUSE_SECONDS", (0.01, 0.05))


@pytest.fixture
async def inbox_url(database_url: str) -> str:
    await prepare(database_url)
    return database_url


@pytest.fixture
async def pool(inbox_url: str) -> AsyncIterator[Pool]:
    async with await create_pool(inbox_url, name="test") as pool:
        yield pool


@pytest.fixture
async def reader(pool: Pool, bus: Bus) -> Reader:
    return await reader_of(pool, bus, "621")
