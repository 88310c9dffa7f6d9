"""Who works for the municipality, by the last count of each department, and how many of them are in flexjobs."""

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal

from local.actions.action import Dated
from local.actions.workplaces import TakeSnapshot
from local.expected.days import each_day
from local.expected.flexjobs import hours_by_department
from local.expected.lives import Lives
from local.expected.value import Figure, amount, cells, ratio

Counts = dict[str, TakeSnapshot]


def last_counts(known: Iterable[Dated], as_of: date) -> Counts:
    """Each department's latest snapshot at the end of a day."""
    snapshots = (action for action in known if isinstance(action, TakeSnapshot))
    return {taken.department: taken for _, today in each_day(snapshots, as_of) for taken in today}  # type: ignore[attr-defined,misc]


def headcount(counts: Counts) -> Figure:
    """E1: persons employed."""
    return _summed(counts, lambda count: Decimal(count.headcount))


def full_time_equivalents(counts: Counts) -> Figure:
    """E1f: as payroll states them."""
    return _summed(counts, lambda count: count.fte)


def trainees(counts: Counts) -> Figure:
    """E2: trainees among those employed."""
    parts = {name: (count.trainee_headcount, count.headcount) for name, count in counts.items()}
    return _shares(parts)


def flexjobs_of_staff(counts: Counts, lives: Lives) -> Figure:
    """F2: persons in flexjobs among those employed, in each department on the day of its last count."""
    there = {day: hours_by_department(lives, day) for day in {count.occurred_on for count in counts.values()}}
    parts = {name: (len(there[c.occurred_on].get(name, ())), c.headcount) for name, c in counts.items()}
    return _shares(parts)


def _summed(counts: Counts, of: Callable[[TakeSnapshot], Decimal]) -> Figure:
    parts = {name: of(count) for name, count in counts.items()}
    whole = amount(sum(parts.values(), Decimal()))
    return Figure(whole, {"department": cells({name: amount(part) for name, part in parts.items()})})


def _shares(parts: dict[str, tuple[int, int]]) -> Figure:
    over, under = sum(over for over, _ in parts.values()), sum(under for _, under in parts.values())
    return Figure(ratio(over, under), {"department": cells({name: ratio(*part) for name, part in parts.items()})})
