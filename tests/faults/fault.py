"""A fault: what is done to a running town, and what must hold all the same."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from tests.faults.town import Town

Act = Callable[[Town, Random], Awaitable[None]]


def _nothing() -> None:
    """Every machine has what it takes."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table: the act is carried out while the town lives, and then the books are looked at.

    `group` names the town that it befalls: faults of one group befall the same town in turn. A `short` one is part of
    `make test`. `lacking` says why this machine cannot carry it out, None when it can.
    """

    name: str
    done: str
    holds: str
    act: Act
    group: str
    short: bool = False
    lacking: Callable[[], str | None] = field(default=_nothing)
