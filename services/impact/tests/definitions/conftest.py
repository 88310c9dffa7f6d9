"""A lane that has taken in a small life."""

import pytest

from chassis.database import Pool
from services.impact.tests.definitions.second_version import LIFE, MEASURES, bring_in


@pytest.fixture
async def life(pool: Pool) -> Pool:
    """A snapshot of the staff, and two persons who start."""
    await bring_in(pool, LIFE, MEASURES)
    return pool
