"""What holds for every registration by its date: how far it may reach, and which codes are in force."""

import calendar
from collections.abc import Iterator
from datetime import date, timedelta
from typing import get_args

from contracts.codelists import codes_on
from contracts.reach import is_within_reach
from contracts.types import OfList
from flexjob_pool.domain.refusals import CodeNotInForce, DateOutOfReach, Refusal, refuse
from flexjob_pool.requests.ask import Ask

DAY = timedelta(days=1)


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day when it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def check_reach(today: date, **days: date) -> None:
    """Refuse dates that no registration can be about: before 1990, or more than two years ahead."""
    refuse(DateOutOfReach().at(name) for name, day in days.items() if not is_within_reach(day, today))


def codes_out_of_force(ask: Ask, *, new_case: bool = False) -> Iterator[Refusal]:
    """Every code that is asked and not in its code list on the day that is asked about."""
    for place, name, code in _codes(ask):
        if code not in codes_on(name, ask.occurred_on, new_case=new_case):
            yield CodeNotInForce().at(place)


def _codes(ask: Ask) -> Iterator[tuple[str, str, str]]:
    """Where each code stands, the name of its list, and itself."""
    for name, field in type(ask).model_fields.items():
        value = getattr(ask, name)
        yield from ((name, of.name, value) for of in field.metadata if isinstance(of, OfList))
        for item in get_args(field.annotation):
            lists = [of for of in getattr(item, "__metadata__", ()) if isinstance(of, OfList)]
            yield from ((f"{name}/{place}", of.name, code) for of in lists for place, code in enumerate(value))
