"""Versions of the rules, and what new ones would do."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexjob_pool.domain.adoption import Group, preview
from flexjob_pool.domain.applications import Application
from flexjob_pool.domain.refusals.applications import NoRulesInForce
from flexjob_pool.domain.rules import Rules, next_version, rules_on, version
from flexjob_pool.requests.applications import AnnulApproval, Approve, Reject, WithdrawApplication
from flexjob_pool.requests.rules import AdoptRules
from services.flexjob_pool.tests.domain.conftest import TODAY, World, asked, names, reasons_of

RULES = Rules(1, date(2026, 1, 1), Decimal("0.5"), Decimal("20.00"), 12, ("Senior",))
NEW = {"refund_share": "0.5", "eligible_units": ["Senior", "Teknik"], "max_weekly_effective_hours": "10"}


@given(
    starts=st.lists(st.dates(date(2013, 1, 1), date(2034, 12, 31)), max_size=8),
    day=st.dates(date(2013, 1, 1), date(2034, 12, 31)),
)
def test_the_rules_of_a_day_are_the_latest_begun_and_of_these_the_highest_version(
    starts: list[date], day: date
) -> None:
    versions = [replace(RULES, rules_version=number, occurred_on=start) for number, start in enumerate(starts, start=1)]
    begun = [rules for rules in versions if rules.occurred_on <= day]

    if begun:
        found = rules_on(versions, day)
        assert all(found.occurred_on >= rules.occurred_on for rules in begun)
        assert all(found.rules_version >= r.rules_version for r in begun if r.occurred_on == found.occurred_on)
        assert found in begun
    else:
        assert reasons_of(lambda: rules_on(versions, day)) == {NoRulesInForce}


def test_versions_are_numbered_from_one_and_never_edited() -> None:
    world = World()
    for share in ("0.5", "0.4", "0.6"):
        world.adopt(refund_share=share)

    assert [(rules.rules_version, str(rules.refund_share)) for rules in world.case.rules] == [
        (1, "0.5"),
        (2, "0.4"),
        (3, "0.6"),
    ]
    assert next_version(world.case.rules) == 4
    assert world.one(Rules, "2") == version(world.case.rules, 2)


def test_an_unknown_version_has_no_rules() -> None:
    with pytest.raises(NoRulesInForce):
        version([RULES], 2)


def ids_of(group: Group) -> set[UUID]:
    return {one.application_id for one in group.applications}


def test_a_preview_tells_what_new_rules_would_do_to_the_applications_of_their_year() -> None:
    world = World()
    world.adopt()
    excluded, small, elsewhere, no_match, withdrawn = (
        world.approve(),
        world.apply(effective_hours_per_week="10"),
        world.apply(department="Teknik", effective_hours_per_week="8", amount_ore=100),
        world.apply(effective_hours_per_week="8"),
        world.apply(),
    )
    world.apply(date(2025, 12, 31))
    world.ask(no_match, Reject, date(2026, 2, 1), reject_code="no_match")
    world.ask(withdrawn, WithdrawApplication, date(2026, 2, 1))
    ids = {place[1] for place in world.case.changed if place[0] == "application"}

    found = preview(
        asked(AdoptRules, date(2026, 6, 1), **NEW),
        [world.one(Application, key) for key in ids],
        world.case.rules,
        TODAY,
    )

    assert ids_of(found.newly_excluded) == {excluded}
    assert found.newly_excluded.applications[0].reject_codes == ("hours_above_maximum",)
    assert found.newly_excluded.amount_ore == 2_600_000
    assert ids_of(found.newly_admitted) == {elsewhere}
    assert found.newly_admitted.amount_ore == 100
    assert ids_of(found.unchanged) == {small, no_match}
    assert found.unchanged.amount_ore == 5_200_000


def test_a_preview_holds_a_decided_application_against_the_rules_of_its_decision() -> None:
    world = World()
    world.adopt()
    approved = world.approve()
    world.ask(approved, AnnulApproval, date(2026, 2, 1), reason_code="not_used")
    too_many = world.apply(effective_hours_per_week="30")
    world.ask(too_many, Reject, date(2026, 2, 1), reject_code="hours_above_maximum")
    world.adopt(date(2026, 2, 15), max_weekly_effective_hours=None)
    applications = [world.one(Application, key) for key in (approved, too_many)]

    same = preview(
        asked(AdoptRules, date(2026, 6, 1), **{**NEW, "max_weekly_effective_hours": "20"}),
        applications,
        world.case.rules,
        TODAY,
    )
    wider = preview(
        asked(AdoptRules, date(2026, 6, 1), **{**NEW, "max_weekly_effective_hours": None}),
        applications,
        world.case.rules,
        TODAY,
    )

    assert ids_of(same.unchanged) == {approved, too_many}
    assert ids_of(wider.newly_admitted) == {too_many}
    assert ids_of(wider.unchanged) == {approved}


def test_without_rules_a_preview_admits_what_the_first_ones_would() -> None:
    world = World()
    application_id = world.apply(effective_hours_per_week="8")

    found = preview(asked(AdoptRules, date(2026, 6, 1), **NEW), [world.one(Application, application_id)], [], TODAY)

    assert ids_of(found.newly_admitted) == {application_id}


def test_what_a_preview_admits_is_what_would_be_approved_were_the_rules_adopted() -> None:
    world = World()
    world.adopt(date(2026, 1, 1), max_weekly_effective_hours="4")
    wishes = [world.apply(effective_hours_per_week=str(hours)) for hours in (8, 10, 12)]
    ask = asked(AdoptRules, date(2026, 2, 1), **NEW)

    found = preview(ask, [world.one(Application, key) for key in wishes], world.case.rules, TODAY)
    world.do("", ask)

    for application_id in wishes:
        if application_id in ids_of(found.newly_admitted):
            assert names(world.ask(application_id, Approve, date(2026, 2, 1))) == ["application.approved"]
        else:
            assert world.refused(application_id, Approve, date(2026, 2, 1))
