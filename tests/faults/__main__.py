"""`make chaos`: every fault of the table, each held against the books in the end; writes docs/faults.md."""

import asyncio
import logging
import secrets
import sys
from collections.abc import Iterable
from itertools import groupby
from time import monotonic
from typing import Annotated

import structlog
import typer
from rich.console import Console

from tests.faults import page
from tests.faults.fault import Fault
from tests.faults.page import Outcome, Run
from tests.faults.table import FAULTS
from tests.faults.towns import Towns

PEOPLE = 1500
MINUTES = 25.0

console = Console(stderr=True, highlight=False)


def chaos(
    *,
    seed: Annotated[int | None, typer.Option(help="The same seed makes the same choices; a fresh one if none.")] = None,
    minutes: Annotated[float, typer.Option(help="No fault is begun after so long.")] = MINUTES,
    only: Annotated[list[str] | None, typer.Option(help="Only faults with this in their name; repeat.")] = None,
) -> None:
    """Carry out all faults, or some; 1 when it showed less than it must. All of them are written to the page."""
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
    failings = run.failings(whole=not only)
    for failing in failings:
        console.print(f"{page.WRONG} {failing}", markup=False)
    sys.exit(bool(failings))


async def _carry_out(run: Run, faults: Iterable[Fault], *, deadline: float) -> None:
    for group, members in groupby(faults, key=lambda fault: fault.group):
        towns = Towns(f"{run.seed} {group}", people=PEOPLE)
        try:
            for fault in members:
                reason = fault.lacking() or (page.OUT_OF_TIME if monotonic() > deadline else None)
                outcome = Outcome.not_run(reason) if reason else await _outcome(towns, fault, seed=run.seed)
                run.outcomes[fault] = outcome
                console.print(f"{outcome.mark} {fault.name}: {outcome.text}", markup=False)
        finally:
            run.kills += towns.kills
            await towns.end()


async def _outcome(towns: Towns, fault: Fault, *, seed: int) -> Outcome:
    began = monotonic()
    try:
        found = await towns.suffer(fault, seed=seed)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this fault's result
        return Outcome.wrong(_told(error))
    return Outcome.held(monotonic() - began, found)


def _told(error: BaseException) -> str:
    notes = getattr(error, "__notes__", [])
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return "; ".join([f"{type(error).__name__}: {error}", *notes])


if __name__ == "__main__":
    typer.run(chaos)
