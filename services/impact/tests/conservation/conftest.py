"""A lane on which everything has happened that can happen to a delivery and to a fact."""

from collections.abc import AsyncIterator, Iterator

import pytest

from chassis.database import Pool
from local.fixtures import Templates
from services.impact.tests.conservation.deliveries import everything
from services.impact.tests.lived import copy_of, lived_through


@pytest.fixture(scope="session")
def lived(templates: Templates) -> Iterator[str]:
    """A database to copy, with that lane."""
    with lived_through(templates, everything) as dsn:
        yield dsn


@pytest.fixture
async def lane(templates: Templates, lived: str) -> AsyncIterator[Pool]:
    """Connections to a copy of it."""
    async with copy_of(lived, templates) as pool:
        yield pool
