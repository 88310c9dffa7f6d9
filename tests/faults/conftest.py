"""The towns that the short faults befall."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.faults.towns import Towns

SEED = 2031
PEOPLE = 400


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def towns() -> AsyncIterator[Towns]:
    """A town for each ground, once one is asked for."""
    towns = Towns(str(SEED), people=PEOPLE)
    yield towns
    await towns.end()
