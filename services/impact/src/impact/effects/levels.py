"""What stands for a while, told as what changes: it comes on its first day and goes on the day after its last."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeVar

from contracts.event import DatedEvent
from impact.fold import Dimensions, Effect

E = TypeVar("E", bound=DatedEvent)

FOREVER = date.max


def standing(  # noqa: PLR0913, PLR0917 - an effect has as many parts, and a level has one day more
    contributor: str, person: str | None, first: date, until: date, amount: Decimal, dimensions: Dimensions
) -> Iterator[Effect]:
    """Yield what makes an amount stand from `first` until `until`, half-open; FOREVER is for good."""
    yield Effect(contributor, person, None, first, amount, dimensions)
    if until != FOREVER:
        yield Effect(contributor, person, None, until, -amount, dimensions)


def until_the_next(events: Sequence[E]) -> Iterator[tuple[E, date]]:
    """Each event with the day of the one after it, until which it holds."""
    return zip(events, [*(later.occurred_on for later in events[1:]), FOREVER], strict=False)
