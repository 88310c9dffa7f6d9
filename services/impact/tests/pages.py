"""How many entries are told at once when a lane is told again."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from impact.store import replay


@contextmanager
def pages_of(entries: int) -> Iterator[None]:
    """So many, while the block runs; what a page touches is recalled from what the pages before it have written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "PAGE", entries)
        yield
