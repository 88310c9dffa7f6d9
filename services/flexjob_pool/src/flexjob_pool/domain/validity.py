"""What holds for every registration by its date: how far it may reach, and which codes are in force."""

import calendar
from collections.abc import Iterator
from datetime import date

from contracts.codelists import codes_on
from contracts.event import DatedEvent
from contracts.reach import is_within_reach
from contracts.types import OfList
from flexjob_pool.domain.refusals import CodeNotInForce, DateOutOfReach, Refusal, refuse


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day when it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def check_reach(today: date, **days: date) -> None:
    """Refuse dates that no registration can be about: before 1990, or more than two years ahead."""
    refuse(DateOutOfReach(name) for name, day in days.items() if not is_within_reach(day, today))


def codes_out_of_force(asked: DatedEvent, *, new_case: bool = False) -> Iterator[Refusal]:
    """Every code of an event that is not in its code list on the event's date."""
    for name, field in type(asked).model_fields.items():
        for mark in field.metadata:
            if isinstance(mark, OfList) and getattr(asked, name) not in codes_on(
                mark.name, asked.occurred_on, new_case=new_case
            ):
                yield CodeNotInForce(name)
