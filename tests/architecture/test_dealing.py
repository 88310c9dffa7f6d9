"""The root's conftest deals the tests out to the workers: none is lost, whatever is asked for, by however many."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st


@dataclass(frozen=True)
class Item:
    """A test, as far as its dealing looks at it."""

    nodeid: str
    marks: tuple[tuple[str, object], ...]

    def get_closest_marker(self, name: str) -> SimpleNamespace | None:
        return next((SimpleNamespace(args=[value]) for known, value in self.marks if known == name), None)


TIMES = st.sampled_from([(), (("timeout", 60),), (("timeout", 300), ("xdist_group", "together"))])


@given(kinds=st.lists(TIMES, max_size=12), workers=st.integers(1, 5))
def test_every_test_is_dealt_once_and_what_shares_a_stack_stays_together(
    pytestconfig: pytest.Config, kinds: list[Any], workers: int
) -> None:
    [deal] = [
        plugin.pytest_collection_modifyitems
        for plugin in pytestconfig.pluginmanager.get_plugins()
        if hasattr(plugin, "_longest_first")
    ]
    items = [Item(str(number), marks) for number, marks in enumerate(kinds)]
    dealt = list(items)

    deal(SimpleNamespace(workerinput={"workercount": workers}), dealt)

    assert sorted(dealt, key=str) == sorted(items, key=str)
    places = [place for place, item in enumerate(dealt) if item.get_closest_marker("xdist_group")]
    assert places == list(range(places[0], places[-1] + 1) if places else [])
