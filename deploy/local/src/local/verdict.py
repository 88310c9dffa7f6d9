"""What must hold at the year's end; a rule that finds otherwise raises Disagreement, which says where."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from local.actions.payroll import Message
from local.comparison import Line
from local.plan.story import Year

SHOWN_DIFFERENCES = 40
# With fewer, it may well be that nobody does some of the things that are counted.
ENOUGH_CASES = 200


class Disagreement(Exception):
    """Something is not what it must be, or says nothing."""


def all_agree(lines: Sequence[Line]) -> None:
    """Every value is what it must be."""
    if differing := [f"✗ {line}" for line in lines if not line.agrees]:
        raise Disagreement("\n".join([f"{len(differing)} values, the first of them:", *differing[:SHOWN_DIFFERENCES]]))


def none_is_silent(year: Year, lines: Sequence[Line], last_day: date) -> None:
    """Every figure of a municipality with enough to tell has come to something by the last day."""
    if len(year.cases) < ENOUGH_CASES:
        return
    mine = [line for line in lines if line.municipality == year.town.municipality and not line.cut]
    last = [line for line in mine if line.as_of == line.known_on == last_day]
    if silent := [line for line in last if not line.answered.value]:
        raise Disagreement("\n".join(["figures that say nothing at the year's end:", *map(str, silent)]))


def account_closes(account: Mapping[str, Any]) -> None:
    """Whatever a municipality told has arrived, was understood, and is counted in one place."""
    kept = account["facts"]["total"] | account["deliveries"]["total"]
    left = [f"{kept[name]} {name}" for name in ("parked", "waiting", "conflicts", "unreadable") if kept[name]]
    left += [f"{each['account']} of {each['of'] or 'the lane'} does not close" for each in account["open"]]
    if left:
        raise Disagreement(f"the account of {account['municipality']}: {', '.join(left)}")


def copies_are_known(year: Year, recognised: int) -> None:
    """The gateway took every second copy of a message for one."""
    sent = [action.message_id for action in year.actions if isinstance(action, Message)]
    if recognised != (copies := len(sent) - len({*sent})):
        raise Disagreement(
            f"payroll of {year.town.name} sent {copies} messages again, and the gateway knew {recognised} of them"
        )
