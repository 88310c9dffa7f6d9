"""Whatever befalls a town, its books are right: the short part of the table that `make chaos` carries out."""

from random import Random

import pytest

from tests.faults import books
from tests.faults.fault import Fault
from tests.faults.table import FAULTS
from tests.faults.town import Town

# One town lives through it all, and after each every row is compared; processes take seconds to return.
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("faults"), pytest.mark.asyncio(loop_scope="module")]

SEED = 2031
SHORT = [fault for fault in FAULTS if fault.short]


@pytest.mark.parametrize("fault", SHORT, ids=lambda fault: fault.name)
async def test_the_books_are_right_after(town: Town, fault: Fault) -> None:
    if reason := fault.lacking():
        pytest.skip(reason)
    async with town.busy():
        await fault.act(town, Random(f"{SEED} {fault.name}"))  # noqa: S311 - repeatable faults, no secret

    await books.check(town)
