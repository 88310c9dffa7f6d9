"""The town that the faults of one module befall."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.faults.town import Town
from tests.faults.town import town as running_town

SEED = 2031
PEOPLE = 400


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A running town with a year before it."""
    async with running_town(tmp_path_factory.mktemp("town"), seed=SEED, people=PEOPLE) as running:
        yield running
