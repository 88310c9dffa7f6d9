"""Lanes whose releases are made by hand."""

import pytest

from chassis.database import Pool
from impact.catalogue import INDICATORS, measures_of
from services.impact.tests.releases.handwritten import DayCalendar, Lane, LaneOf

DEFINITION = "INSERT INTO definition (municipality, measure, version, in_force_from) VALUES ($1, $2, $3, 0)"


@pytest.fixture
async def lane_of(pool: Pool) -> LaneOf:
    """Lanes of two municipalities that keep every measure of the catalogue."""
    calendar = DayCalendar()
    async with pool.acquire() as db:
        rows = [(code, measure.id, measure.version) for code in ("621", "607") for measure in measures_of(INDICATORS)]
        await db.executemany(DEFINITION, rows)
    return lambda municipality: Lane(pool, calendar, municipality)


@pytest.fixture
def lane(lane_of: LaneOf) -> Lane:
    return lane_of("621")
