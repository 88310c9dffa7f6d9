"""A database in which the life was brought in, on a day that stands still."""

from collections.abc import AsyncIterator, Iterator

import pytest

from chassis.calendar import Calendar, calendar_of
from chassis.database import Pool
from local.fixtures import Templates
from services.impact.tests.drift.life import bring_in
from services.impact.tests.lived import copy_of, lived_through


@pytest.fixture(scope="session")
def today(tmp_path_factory: pytest.TempPathFactory) -> Calendar:
    """A calendar that stands still."""
    file = tmp_path_factory.mktemp("today") / "clock"
    file.write_text("2026-06-30T08:00:00Z", encoding="utf-8")
    return calendar_of(f"file:{file}")


@pytest.fixture(scope="session")
def lived(templates: Templates, today: Calendar) -> Iterator[str]:
    """A database to copy, in which that life was brought in."""
    with lived_through(templates, lambda pool: bring_in(pool, today)) as dsn:
        yield dsn


@pytest.fixture
async def life(templates: Templates, lived: str) -> AsyncIterator[Pool]:
    """Connections to a copy of it."""
    async with copy_of(lived, templates) as pool:
        yield pool
