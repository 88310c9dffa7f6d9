"""Whatever befalls a town, its books are right: the short part of the table that `make chaos` carries out."""

import pytest

from tests.faults.fault import Fault
from tests.faults.table import FAULTS
from tests.faults.towns import Towns

# One town lives through it all, and after each every row is compared; processes take seconds to return.
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("faults"), pytest.mark.asyncio(loop_scope="module")]

SEED = 2031
SHORT = sorted((fault for fault in FAULTS if fault.short), key=lambda fault: fault.ground.proxied)


@pytest.mark.parametrize("fault", SHORT, ids=lambda fault: fault.name)
async def test_the_books_are_right_after(towns: Towns, fault: Fault) -> None:
    if reason := fault.lacking():
        pytest.skip(reason)
    await towns.suffer(fault, seed=SEED)
