"""A municipality in memory, where what is asked is decided and takes effect at once."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest

from contracts.event import DatedEvent
from flexjob_pool.domain import rulebook
from flexjob_pool.domain.case import Case, Key, Resource
from flexjob_pool.domain.refusals import NothingChanges, Refusal
from flexjob_pool.requests.applications import Apply, Approve
from flexjob_pool.requests.ask import Ask
from flexjob_pool.requests.flexjobs import EndFlexjob, StartFlexjob
from flexjob_pool.requests.grants import CommitGrant
from flexjob_pool.requests.needs import ReportNeed
from flexjob_pool.requests.rules import AdoptRules

DAY = timedelta(days=1)
TODAY = date(2026, 3, 2)
UNIT = {"department": "Senior", "workplace_unit": "Aahaven"}
FIRST, END = date(2026, 7, 1), date(2027, 7, 1)

A = TypeVar("A", bound=Ask)
R = TypeVar("R", bound=Resource)


def asked(kind: type[A], occurred_on: date, **values: Any) -> A:
    """What somebody asks, as it comes through a door."""
    return kind.model_validate({"occurred_on": occurred_on, **values})


def hours(attendance: str, effective: str) -> dict[str, Any]:
    """Hours per week, as they are asked for."""
    return {"attendance_hours_per_week": attendance, "effective_hours_per_week": effective}


def reasons_of(decide: Callable[[], object]) -> set[type[Refusal]]:
    """The kinds of everything that a decision was refused for."""
    with pytest.raises(Refusal) as refused:
        decide()
    return {type(reason) for reason in refused.value.reasons}


def names(events: list[DatedEvent]) -> list[str]:
    """What happened."""
    return [event.contract.name for event in events]


class World:
    """Everything that is registered. The verbs have what is asked for most often as their defaults."""

    def __init__(self, today: date = TODAY) -> None:
        self.case = Case(municipality="621", today=today)

    def do(self, about: Key, ask: Ask) -> list[DatedEvent]:
        """Decide what is asked as a new registration, and let it take effect."""
        events = rulebook.decide(about, ask, self.case)
        if rulebook.idle(about, ask, self.case):
            raise NothingChanges
        for event in events:
            rulebook.evolve(event, self.case)
        return events

    def ask(self, about: Key, kind: type[Ask], day: date, **values: Any) -> list[DatedEvent]:
        """Ask and do."""
        return self.do(about, asked(kind, day, **values))

    def refused(self, about: Key, kind: type[Ask], day: date, **values: Any) -> set[type[Refusal]]:
        """Why it is refused."""
        return reasons_of(lambda: self.ask(about, kind, day, **values))

    def one(self, kind: type[R], key: Key) -> R:
        """A resource as it stands."""
        return self.case.known(kind, key)

    def adopt(self, day: date = date(2026, 1, 1), **values: Any) -> None:
        """Rules of 50 %, at most 20 hours and 12 months, for the department."""
        basis = {"refund_share": "0.5", "max_weekly_effective_hours": "20", "max_months": 12}
        self.ask("", AdoptRules, day, **{**basis, "eligible_units": ["Senior"], **values})

    def need(self, day: date = date(2026, 1, 5), **values: Any) -> UUID:
        """A need for four to twelve hours of care."""
        hours = {"effective_hours_per_week_from": "4", "effective_hours_per_week_to": "12"}
        self.ask(need_id := uuid4(), ReportNeed, day, **{**UNIT, "task_codes": ["care"], **hours, **values})
        return need_id

    def apply(self, day: date = date(2026, 1, 10), **values: Any) -> UUID:
        """An application for 12.5 hours, 12 months and 26,000 kroner."""
        wish = {"effective_hours_per_week": "12.50", "months": 12, "amount_ore": 2_600_000}
        self.ask(application_id := uuid4(), Apply, day, **{**UNIT, **wish, **values})
        return application_id

    def approve(self, day: date = date(2026, 1, 20), **values: Any) -> UUID:
        """An approved application, under rules."""
        if not self.case.rules:
            self.adopt()
        application_id = self.apply(**values)
        self.ask(application_id, Approve, day)
        return application_id

    def commit(self, first: date = FIRST, end: date = END, *, day: date = date(2026, 2, 1), **values: Any) -> UUID:
        """A grant for a year from July."""
        application_id = self.approve(**values)
        self.ask(grant_id := uuid4(), CommitGrant, day, application_id=application_id, period_from=first, period_to=end)
        return grant_id

    def start(self, day: date = FIRST, **values: Any) -> UUID:
        """A flexjob of 12 hours' attendance and 8 effective hours."""
        job = {"attendance_hours_per_week": "12", "effective_hours_per_week": "8", "grant_term": "temporary_5y"}
        person = {"person_ref": uuid4(), "retention": False, "scheme": "post2013"}
        self.ask(placement_id := uuid4(), StartFlexjob, day, **{**UNIT, **job, **person, **values})
        return placement_id


def ended(world: World, placement_id: UUID, day: date) -> UUID:
    """A flexjob that has ended."""
    world.ask(placement_id, EndFlexjob, day, reason_code="resigned")
    return placement_id
