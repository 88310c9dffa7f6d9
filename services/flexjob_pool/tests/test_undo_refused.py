"""What stands in the way of a correction or a retraction, and that nothing changes then."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from flexjob_pool.domain import refusals
from flexjob_pool.domain.refusals import story
from flexjob_pool.requests.grants import PostRefund
from services.flexjob_pool.tests.acts import FIRST, end, hours, state
from services.flexjob_pool.tests.conftest import DAY


async def test_what_others_rest_on_is_not_retracted_and_they_are_named(office: Any) -> None:
    placement_id, grant_id = await office.running_flexjob()
    changed = await office.ask(placement_id, hours(FIRST + DAY, 10))
    [started] = await office.told("flexjob.started")
    [committed] = await office.told("grant.committed")
    before = await office.told()

    for event, follower in ((started, changed.event_ids[0]), (committed, started["id"])):
        with pytest.raises(story.StandsInTheWay) as refusal:
            await office.retract(event["id"])
        assert follower in refusal.value.in_english
        assert follower in refusal.value.in_danish

    assert await office.told() == before
    await office.retract(changed.event_ids[0])
    await office.retract(started["id"])
    await office.retract(committed["id"])
    assert not await office.pool.fetch("SELECT FROM movement WHERE noun = 'grant'")
    assert not await office.pool.fetch("SELECT FROM resource WHERE key = ANY ($1)", [str(placement_id), str(grant_id)])


async def test_a_correction_is_told_by_the_reasons_of_the_rules_and_changes_nothing_then(office: Any) -> None:
    placement_id, grant_id = await office.running_flexjob(1000)
    refund = PostRefund(occurred_on=FIRST + 40 * DAY, grant_id=grant_id, payroll_month="2026-07", wage_ore=400)
    posted = await office.ask(uuid4(), refund)
    [started] = await office.told("flexjob.started")
    before = await office.told()

    with pytest.raises(refusals.Refusal):
        await office.correct(started["id"], effective_hours_per_week="13")  # above attendance
    with pytest.raises(refusals.Refusal):
        await office.correct(posted.event_ids[0], wage_ore=10_000)
    with pytest.raises(refusals.NothingChanges):
        await office.correct(started["id"], department="Senior")
    with pytest.raises(refusals.NotRegistered):
        await office.correct(str(uuid4()), department="Senior")
    for values in ({"placement_id": str(uuid4())}, {"retention": "yes"}, {"occurred_on": None}):
        with pytest.raises(ValidationError):
            await office.correct(started["id"], **values)
    assert await office.told() == before
    assert (await state(office, "flexjob", placement_id))["department"] == "Senior"


async def test_what_only_follows_is_put_right_where_it_comes_from(office: Any) -> None:
    placement_id, _ = await office.running_flexjob()
    ended = await office.ask(placement_id, end(FIRST + 10 * DAY))
    called = await office.ask(uuid4(), office.start(date(2023, 10, 1)))
    [adopted] = await office.told("rules_adopted")

    for event_id, reason in (
        (ended.event_ids[1], story.FollowsFromAnother),
        (called.event_ids[1], story.FollowsFromTheCalendar),
        (adopted["id"], story.RulesStand),
    ):
        with pytest.raises(reason):
            await office.retract(event_id)
        with pytest.raises(reason):
            await office.correct(event_id, occurred_on="2026-01-02")
