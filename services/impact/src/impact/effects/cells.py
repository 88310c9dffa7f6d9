"""Where an effect is counted: its dimensions, whose values are text, and the month of its cohort."""

from datetime import date
from functools import lru_cache

from contracts.codelists import CODE_LISTS
from impact.fold import Dimensions

UNKNOWN = "unknown"


def cell(**values: str) -> Dimensions:
    """The dimensions of an effect, sorted by name."""
    return _sorted(tuple(values.items()))


# There are few cells, and each is counted in over and over.
@lru_cache(maxsize=1024)
def _sorted(dimensions: Dimensions) -> Dimensions:
    return tuple(sorted(dimensions))


def known_code(name: str, code: str) -> str:
    """A code of a list, whenever it was in force, or `unknown`."""
    return code if any(entry.code == code for entry in CODE_LISTS[name]) else UNKNOWN


def month_of(day: date) -> date:
    """The cohort of a day: the first of its month."""
    return day.replace(day=1)
