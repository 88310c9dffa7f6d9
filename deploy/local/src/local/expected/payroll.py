"""What payroll's messages become in the flexjob pool: changes of hours and ends, for reasons that nobody stated.

An employment is told in intervals of days. On each day the interval that payroll told last holds.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import chain
from typing import TypeVar
from uuid import UUID

from local.actions.action import Action, Dated
from local.actions.flexjobs import ChangeHours, EndFlexjob, StartFlexjob
from local.actions.payroll import (
    ChangeWorkingTime,
    EmploymentMessage,
    EndEmployment,
    MatchEmployment,
    Message,
    TakeBack,
)
from local.expected.days import DAY, days_between

FULL_TIME = 37
CENT = Decimal("0.01")
NOT_STATED = "not_stated"

M = TypeVar("M", bound=EmploymentMessage)


def registered_from_payroll(heard: Iterable[Action], registered: Iterable[Dated]) -> list[ChangeHours | EndFlexjob]:
    """What the pool registers by itself, given all that was heard, and all that was registered at its doors."""
    heard = list(heard)
    lives: dict[UUID, list[StartFlexjob | ChangeHours | EndFlexjob]] = defaultdict(list)
    for action in registered:
        if isinstance(action, StartFlexjob | ChangeHours | EndFlexjob):
            lives[action.placement_id].append(action)
    matches = {action.employment_ref: action.placement_id for action in heard if isinstance(action, MatchEmployment)}
    made: list[ChangeHours | EndFlexjob] = []
    for employment, messages in _messages_in_force(heard).items():
        life = lives.get(matches.get(employment, messages[0].placement_id), [])
        if any(isinstance(action, StartFlexjob) for action in life):
            made += _made_of(messages, life)
    return made


def _messages_in_force(heard: Iterable[Action]) -> dict[UUID, list[EmploymentMessage]]:
    """By employment, in the order in which payroll told them; a second copy of a message says nothing new."""
    messages = sorted((each for each in heard if isinstance(each, Message)), key=_told)
    copies: dict[UUID, EmploymentMessage] = {}
    roots: dict[UUID, UUID] = {}
    gone = {each.taken_back for each in messages if isinstance(each, TakeBack)}
    for each in messages:
        if isinstance(each, EmploymentMessage) and each.message_id not in gone:
            roots[each.message_id] = roots.get(each.corrects, each.corrects) if each.corrects else each.message_id
            copies[roots[each.message_id]] = each
    employments: dict[UUID, list[EmploymentMessage]] = defaultdict(list)
    for root, each in copies.items():
        if root not in gone:
            employments[each.employment_ref].append(each)
    return employments


def _told(message: Message) -> tuple[object, str]:
    return message.time, str(message.message_id)


def _made_of(
    messages: Sequence[EmploymentMessage], life: Sequence[StartFlexjob | ChangeHours | EndFlexjob]
) -> Iterator[ChangeHours | EndFlexjob]:
    ends = _of(EndEmployment, messages)
    # An end that a caseworker registered stands, whatever payroll says.
    if ends and not any(isinstance(action, EndFlexjob) for action in life):
        end = ends[-1]
        yield EndFlexjob(
            registered_on=end.registered_on,
            occurred_on=end.occurred_on,
            placement_id=life[0].placement_id,
            reason_code=NOT_STATED,
        )
    # Before 2013 people were paid for more hours than they worked: pay says nothing of effective hours.
    if not any(isinstance(action, StartFlexjob) and action.scheme == "pre2013" for action in life):
        yield from _changes(messages, life)


def _of(kind: type[M], messages: Iterable[EmploymentMessage]) -> list[M]:
    return [message for message in messages if isinstance(message, kind)]


def _changes(
    messages: Sequence[EmploymentMessage], life: Sequence[StartFlexjob | ChangeHours | EndFlexjob]
) -> Iterator[ChangeHours]:
    """A change on each day on which another interval holds than the day before, and brings other hours.

    What a caseworker registered for that very day stands; where no interval holds, the caseworkers' hours do again.
    """
    intervals, ends = _of(ChangeWorkingTime, messages), _of(EndEmployment, messages)
    over = ends[-1].occurred_on if ends else None
    registered = {each.occurred_on: each.effective_hours_per_week for each in life if not isinstance(each, EndFlexjob)}
    bounds = [over, *chain.from_iterable((each.occurred_on, each.ends_on) for each in intervals)]
    current = before = None
    for day in days_between(min(registered), max(filter(None, [*bounds, *registered])) + DAY):
        current = registered.get(day, current)
        holds = None if over and day >= over else _interval_on(day, intervals)
        if holds != before and day not in registered:
            wanted = _paid(holds) if holds else registered[max(since for since in registered if since <= day)]
            if wanted != current:
                current = wanted
                yield _change(day, wanted, life[0])
        before = holds


def _paid(interval: ChangeWorkingTime) -> Decimal:
    return (interval.occupation_rate * FULL_TIME).quantize(CENT, ROUND_HALF_UP)


def _interval_on(day: date, intervals: Iterable[ChangeWorkingTime]) -> ChangeWorkingTime | None:
    there = [each for each in intervals if each.occurred_on <= day and (each.ends_on is None or day < each.ends_on)]
    return there[-1] if there else None


def _change(day: date, hours: Decimal, of: StartFlexjob | ChangeHours | EndFlexjob) -> ChangeHours:
    return ChangeHours(
        registered_on=of.registered_on,
        occurred_on=day,
        placement_id=of.placement_id,
        attendance_hours_per_week=hours,
        effective_hours_per_week=hours,
        cause=NOT_STATED,
    )
