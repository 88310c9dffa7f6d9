"""What was known at the end of a day: registrations in their last version, less those taken back, plus payroll's."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from local.actions.action import Action, Dated
from local.actions.undo import Correct, Retract
from local.expected.payroll import registered_from_payroll


def known_at_the_end_of(day: date, actions: Iterable[Action]) -> list[Dated]:
    """Everything that held by the end of a day, in the order in which it was first registered."""
    heard = [action for action in actions if action.registered_on <= day]
    registered = _in_force(heard)
    return [*registered, *registered_from_payroll(heard, registered)]


def _in_force(heard: Iterable[Action]) -> list[Dated]:
    """Each registration as last corrected; what was retracted is gone, be it the registration or a correction of it."""
    gone = {action.action for action in heard if isinstance(action, Retract)}
    last: dict[Dated, Dated] = {action: action for action in heard if isinstance(action, Dated)}
    for action in heard:
        if isinstance(action, Correct) and action not in gone:
            first = _first_version(action)
            new: dict[str, Any] = dict(action.values)
            last[first] = replace(first, **new)
    return [version for first, version in last.items() if first not in gone]


def _first_version(correction: Correct) -> Dated:
    action: Action = correction
    while isinstance(action, Correct):
        action = action.action
    if not isinstance(action, Dated):
        raise TypeError(f"{type(action).__name__} cannot be corrected")
    return action
