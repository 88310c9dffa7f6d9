"""`make chaos`: every fault of the table, each held against the books in the end; writes docs/faults.md."""

import asyncio
import logging
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import groupby
from pathlib import Path
from random import Random
from time import monotonic
from typing import Annotated

import structlog
import typer
from rich.console import Console

from local.plan.chance import DAYS
from tests.faults import books, page
from tests.faults.fault import Fault
from tests.faults.page import Outcome, Run
from tests.faults.table import FAULTS
from tests.faults.town import Town
from tests.faults.town import town as running_town

PEOPLE = 1500
MINUTES = 25.0
# A town with less of its year before it could run out of things to register under the next fault.
DAYS_NEEDED = 120

console = Console(stderr=True, highlight=False)


def chaos(
    *,
    seed: Annotated[int | None, typer.Option(help="The same seed makes the same choices; a fresh one if none.")] = None,
    minutes: Annotated[float, typer.Option(help="No fault is begun after so long.")] = MINUTES,
    only: Annotated[list[str] | None, typer.Option(help="Only faults with this in their name; repeat.")] = None,
) -> None:
    """Carry out all faults, or some; 1 when one of them left the books wrong. All of them are written to the page."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    faults = [fault for fault in FAULTS if not only or any(word in fault.name for word in only)]
    if not faults:
        raise typer.BadParameter(f"no fault has that in its name; there are: {', '.join(f.name for f in FAULTS)}")
    run = Run(seed if seed is not None else secrets.randbelow(10**6))
    console.print(f"Seed {run.seed}: `make chaos SEED={run.seed}` makes the same choices again.")
    asyncio.run(_carry_out(run, faults, deadline=monotonic() + 60 * minutes))
    console.print(f"{run.kills} kills; {run.summary()}")
    if not only:
        console.print(f"Written: {page.write(run)}")
    sys.exit(bool(run.wrong))


async def _carry_out(run: Run, faults: Iterable[Fault], *, deadline: float) -> None:
    for group, members in groupby(faults, key=lambda fault: fault.group):
        async with _towns(f"{run.seed} {group}") as towns:
            for fault in members:
                reason = fault.lacking() or ("out of time" if monotonic() > deadline else None)
                outcome = Outcome.not_run(reason) if reason else await _befall(run, fault, towns)
                run.outcomes[fault] = outcome
                console.print(f"{outcome.mark} {fault.name}: {outcome.text}", markup=False)


async def _befall(run: Run, fault: Fault, towns: "Towns") -> Outcome:
    """Let a fault befall a town; one whose books are wrong after it is left as it is, for whoever looks into it."""
    began = monotonic()
    town = await towns.one_with(DAYS_NEEDED)
    before = town.kills
    try:
        async with town.busy():
            await fault.act(town, Random(f"{run.seed} {fault.name}"))  # noqa: S311 - repeatable faults, no secret
        await books.check(town)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this fault's result
        outcome = Outcome.wrong(f"{_first_of(error)}; logs in {town.stack.folder}")
        await towns.give_up()
    else:
        outcome = Outcome.held(monotonic() - began)
    run.kills += town.kills - before
    return outcome


def _first_of(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


class Towns:
    """The towns of one group, one after the other: each until its year is over, or its books are wrong."""

    def __init__(self, name: str) -> None:
        self._dice = Random(name)  # noqa: S311 - repeatable towns, no secret
        self._town: Town | None = None
        self._running = AsyncExitStack()

    async def one_with(self, days: int) -> Town:
        """A town with so many days of its year before it."""
        if self._town is None or len(DAYS) - self._town.lived < days:
            await self.give_up()
            folder, seed = Path(tempfile.mkdtemp(prefix="kraftcenter-chaos-")), self._dice.randrange(10**6)
            self._town = await self._running.enter_async_context(running_town(folder, seed=seed, people=PEOPLE))
        return self._town

    async def give_up(self) -> None:
        """End the present town, if any."""
        await self._running.aclose()
        self._town = None


@asynccontextmanager
async def _towns(name: str) -> AsyncIterator[Towns]:
    towns = Towns(name)
    try:
        yield towns
    finally:
        await towns.give_up()


if __name__ == "__main__":
    typer.run(chaos)
