"""What holds for all tests: packages before folders of the same name, the longest first, properties that repeat."""

import os
from itertools import islice

import pytest
from hypothesis import settings

# Loaded before pytest names a test after its folder: `contracts/` would hide the package of that name.
import chassis  # noqa: F401
import contracts  # noqa: F401

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", print_blob=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes long, dealt out to all workers: each gets an equal part of the list, in its order."""
    workers: int = getattr(config, "workerinput", {}).get("workercount", 1)
    longest = sorted((item for item in items if _has_time(item)), key=_has_time, reverse=True)
    others = iter([item for item in items if not _has_time(item)])
    ends = [len(items) * (worker + 1) // workers for worker in range(workers)]
    dealt: list[pytest.Item] = []
    for worker, end in enumerate(ends):
        dealt += longest[worker::workers]
        dealt += islice(others, end - len(dealt))
    items[:] = dealt


def _has_time(item: pytest.Item) -> float:
    """How many seconds a test asks for that takes longer than usual, else 0."""
    asks = item.get_closest_marker("timeout")
    return float(asks.args[0]) if asks else 0.0
