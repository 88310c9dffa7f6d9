"""What holds for all tests: packages before folders of the same name, the longest first, properties that repeat."""

import os
from collections.abc import Iterable
from itertools import islice

import pytest
from hypothesis import settings

# Loaded before pytest names a test after its folder: `contracts/` would hide the package of that name. Within the
# packages, `contracts.tests` and `chassis.tests` are then the folders of tests, which share what stands beside them.
import chassis  # noqa: F401
import contracts  # noqa: F401

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", print_blob=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes long, dealt out to all workers: each gets an equal part of the list, in its order."""
    workers: int = getattr(config, "workerinput", {}).get("workercount", 1)
    hands: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for together in _longest_first(items):
        min(hands, key=_time_of).extend(together)
    others = iter([item for item in items if not _time_of([item])])
    ends = [len(items) * (worker + 1) // workers for worker in range(workers)]
    dealt: list[pytest.Item] = []
    for hand, end in zip(hands, ends, strict=True):
        dealt += hand
        dealt += islice(others, max(0, end - len(dealt)))
    items[:] = dealt


def _longest_first(items: Iterable[pytest.Item]) -> list[list[pytest.Item]]:
    """The tests that ask for time; those that share a stack stay together, and begin on one worker."""
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        if _time_of([item]):
            group = item.get_closest_marker("xdist_group")
            groups.setdefault(group.args[0] if group else item.nodeid, []).append(item)
    return sorted(groups.values(), key=_time_of, reverse=True)


def _time_of(items: Iterable[pytest.Item]) -> float:
    """How many seconds tests ask for that take longer than usual."""
    asked = [item.get_closest_marker("timeout") for item in items]
    return sum(float(each.args[0]) for each in asked if each)
