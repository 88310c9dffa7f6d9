"""A fault: what is done to a running town, and what must hold all the same."""

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from random import Random

from tests.faults import books
from tests.faults.town import PLAIN, Ground, Town

# What it found is told in the table.
Act = Callable[[Town, Random], Awaitable[str | None]]


def _nothing() -> None:
    """Every machine has what it takes."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table: the act is carried out while the town lives, and then the books are looked at.

    Faults of one group befall the same town in turn, as `ground` has it. A `short` one is part of `make test`; under a
    `quiet` one nothing is registered but by the act. `lacking` says why this machine cannot carry it out, None when it
    can.
    """

    name: str
    done: str
    holds: str
    act: Act
    group: str
    ground: Ground = PLAIN
    short: bool = False
    quiet: bool = False
    lacking: Callable[[], str | None] = field(default=_nothing)


async def befall(town: Town, fault: Fault, *, seed: int) -> str | None:
    """Let a fault befall a town, and look at its books; what the act found. Raises books.Wrong, and what it misses."""
    dice = Random(f"{seed} {fault.name}")  # noqa: S311 - repeatable faults, no secret
    async with nullcontext() if fault.quiet else town.busy():
        found = await fault.act(town, dice)
    await books.check(town)
    return found
