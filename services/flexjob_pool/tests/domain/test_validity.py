"""What holds for every request and every refusal."""

import pkgutil
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Any, get_args
from uuid import uuid4

import pytest

from contracts.catalogue import EVENTS
from contracts.types import OfList
from flexjob_pool.domain import refusals, rulebook
from flexjob_pool.domain.refusals.applications import HoursAboveMaximum
from flexjob_pool.domain.refusals.needs import HoursReversed
from flexjob_pool.domain.validity import check_reach, codes_out_of_force, months_after
from flexjob_pool.requests.ask import Ask
from flexjob_pool.requests.flexjobs import StartFlexjob
from flexjob_pool.requests.needs import ReportNeed, WithdrawNeed
from services.flexjob_pool.tests.domain.conftest import TODAY, UNIT, World, asked, reasons_of


def every_refusal() -> list[type[refusals.Refusal]]:
    modules = [
        refusals,
        *(
            import_module(found.name)
            for found in pkgutil.iter_modules(refusals.__path__, "flexjob_pool.domain.refusals.")
        ),
    ]
    return [
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, refusals.Refusal) and "danish" in vars(kind)
        if kind.__module__ == module.__name__
    ]


@pytest.mark.parametrize("kind", every_refusal())
def test_every_refusal_says_what_it_is_in_danish_and_english(kind: type[refusals.Refusal]) -> None:
    assert kind.__doc__
    assert kind.__doc__.endswith(".")
    assert kind.danish.endswith(".")
    assert kind.__doc__.count("{") == kind.danish.count("{")


def test_a_refusal_writes_numbers_as_each_language_does() -> None:
    refusal = HoursAboveMaximum(maximum=Decimal("12.50"))

    assert "12.50" in refusal.in_english
    assert "12,50" in refusal.in_danish


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2025, 9, 1), 30, date(2028, 3, 1)),
        (date(2025, 9, 1), 54, date(2030, 3, 1)),
        (date(2025, 8, 31), 30, date(2028, 2, 29)),
        (date(2025, 12, 31), 2, date(2026, 2, 28)),
        (date(2025, 12, 1), 12, date(2026, 12, 1)),
    ],
)
def test_calendar_months_are_clamped_to_the_end_of_the_month(day: date, months: int, later: date) -> None:
    assert months_after(day, months) == later


def test_dates_reach_from_1990_to_two_years_ahead() -> None:
    check_reach(TODAY, first=date(1990, 1, 1), last=date(2028, 3, 2))

    assert reasons_of(lambda: check_reach(TODAY, early=date(1989, 12, 31), late=date(2028, 3, 3))) == {
        refusals.DateOutOfReach
    }


def test_nothing_is_decided_about_a_day_out_of_reach() -> None:
    assert World().refused(uuid4(), WithdrawNeed, date(2028, 3, 3), reason_code="other") == {refusals.DateOutOfReach}


def lists_of(model: Any) -> dict[str, str]:
    """The code list of each field, also of codes within it."""
    return {
        name: mark.name
        for name, field in model.model_fields.items()
        for marks in (field.metadata, *(getattr(item, "__metadata__", ()) for item in get_args(field.annotation)))
        for mark in marks
        if isinstance(mark, OfList)
    }


@pytest.mark.parametrize("ask", rulebook.DECISIONS)
def test_a_code_is_asked_of_the_list_that_an_event_publishes_it_of(ask: type[Ask]) -> None:
    published = [lists_of(contract) for contract in EVENTS]

    for field, name in lists_of(ask).items():
        assert any(lists.get(field) == name for lists in published)


@pytest.mark.parametrize("ask", rulebook.DECISIONS)
def test_every_code_that_is_asked_names_its_list(ask: type[Ask]) -> None:
    coded = {name for name in ask.model_fields if name.endswith(("_code", "_codes", "_kind", "_municipality"))}

    assert coded - {"reason_code"} <= set(lists_of(ask))


def test_a_code_within_a_list_of_codes_is_pointed_at() -> None:
    hours = {"effective_hours_per_week_from": "9", "effective_hours_per_week_to": "8"}
    ask = asked(ReportNeed, TODAY, **UNIT, task_codes=["care", "magic", "office"], **hours)

    assert [reason.field for reason in codes_out_of_force(ask)] == ["task_codes/1"]
    assert reasons_of(lambda: World().do(uuid4(), ask)) == {refusals.CodeNotInForce, HoursReversed}


@pytest.mark.parametrize(("scheme", "day"), [("pre2013", date(2013, 1, 1)), ("post2013", date(2012, 12, 31))])
def test_the_scheme_follows_the_date_of_the_start(scheme: str, day: date) -> None:
    world = World()

    assert reasons_of(lambda: world.start(day, scheme=scheme, grant_term="permanent")) == {refusals.CodeNotInForce}


def test_what_is_asked_names_all_that_the_decision_begins_with() -> None:
    placement_id, grant_id, need_id = uuid4(), uuid4(), uuid4()
    job = {"attendance_hours_per_week": "12", "effective_hours_per_week": "8", "grant_term": "permanent"}
    ask = asked(
        StartFlexjob,
        TODAY,
        **UNIT,
        **job,
        person_ref=uuid4(),
        retention=False,
        scheme="post2013",
        grant_id=grant_id,
        need_id=need_id,
    )

    assert rulebook.needed(placement_id, ask) == {
        ("flexjob", str(placement_id)),
        ("grant", str(grant_id)),
        ("need", str(need_id)),
    }
