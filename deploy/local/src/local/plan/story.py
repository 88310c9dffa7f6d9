"""A year as it is told: what must be there first each day, and the cases that run beside each other."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import groupby

from local.actions.action import Action
from local.plan.chance import LAST_DAY
from local.plan.towns import Town

Story = tuple[Action, ...]


@dataclass(frozen=True)
class Year:
    """A municipality's year: its office decides on rules and budgets, and each case keeps an order of its own."""

    town: Town
    office: Story
    cases: tuple[Story, ...]

    @cached_property
    def actions(self) -> Story:
        """Everything, by the day of its registration; each case in its order."""
        return in_order(action for case in (self.office, *self.cases) for action in case)

    @cached_property
    def agenda(self) -> dict[date, list[Story]]:
        """What is to be registered in the cases on a day."""
        days: dict[date, list[Story]] = defaultdict(list)
        for case in self.cases:
            for day, today in groupby(case, key=lambda action: action.registered_on):
                days[day].append(tuple(today))
        return days


def in_order(told: Iterable[Action]) -> Story:
    """What is registered within the year, by day; what one day holds stays in the order in which it is told."""
    return tuple(sorted((each for each in told if each.registered_on <= LAST_DAY), key=lambda each: each.registered_on))
