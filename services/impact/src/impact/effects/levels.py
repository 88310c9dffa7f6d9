"""What stands from day to day, turned into what changes: each step is the new level minus the one before."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

from impact.fold import NOTHING, Dimensions, Effect

Cell = tuple[str, Dimensions]


def steps(levels: Iterable[tuple[date, Mapping[Cell, Decimal]]], *, of_persons: bool) -> Iterator[Effect]:
    """Yield the effects between levels in order of life; a cell is a contributor, perhaps a person, and dimensions."""
    before: Mapping[Cell, Decimal] = {}
    for day, after in levels:
        for contributor, dimensions in {**before, **after}:
            cell = (contributor, dimensions)
            amount = after.get(cell, NOTHING) - before.get(cell, NOTHING)
            if amount:
                yield Effect(contributor, contributor if of_persons else None, None, day, amount, dimensions)
        before = after
