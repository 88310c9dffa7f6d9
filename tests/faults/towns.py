"""The towns that faults befall, one after the other: each until its year is over, or its books are wrong."""

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

from local.plan.chance import DAYS
from tests.faults.town import Ground, Town, town

# A town with less of its year before it could run out of things to register under the next fault.
DAYS_NEEDED = 120


class Towns:
    """Opens a town when one is needed, in a folder of its own, and ends it when another is."""

    def __init__(self, seed: str, *, people: int) -> None:
        self._dice = Random(seed)  # noqa: S311 - repeatable towns, no secret
        self._people = people
        self._town: Town | None = None
        self._ground: Ground | None = None
        self._running = AsyncExitStack()

    async def one_on(self, ground: Ground) -> Town:
        """A town on such a ground with enough of its year before it."""
        if self._town is None or self._ground != ground or len(DAYS) - self._town.lived < DAYS_NEEDED:
            await self.give_up()
            folder, seed = Path(tempfile.mkdtemp(prefix="kraftcenter-faults-")), self._dice.randrange(10**6)
            opening = town(folder, seed=seed, people=self._people, ground=ground)
            self._town, self._ground = await self._running.enter_async_context(opening), ground
        return self._town

    async def give_up(self) -> None:
        """End the present town, if any."""
        self._town = None
        await self._running.aclose()
