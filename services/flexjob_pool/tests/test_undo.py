"""Corrections and retractions, one by one or at once: what is put right, and what is left as it was."""

import json
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from flexjob_pool.domain import refusals
from flexjob_pool.domain.refusals import story
from flexjob_pool.requests.flexjobs import PayHours, Transfer
from flexjob_pool.requests.workforce import TakeSnapshot
from flexjob_pool.undo import correct, retract
from services.flexjob_pool.tests.acts import FIRST, hours, state
from services.flexjob_pool.tests.conftest import DAY


async def test_the_last_of_several_corrections_holds_and_each_may_be_taken_back(office: Any) -> None:
    placement_id = uuid4()
    started = await office.ask(placement_id, office.start(FIRST))
    root = started.event_ids[0]
    first = (await office.correct(root, workplace_unit="Bakken"))[0]
    second = (await office.correct(first, attendance_hours_per_week="20"))[0]

    async def shown() -> tuple[str, str]:
        flexjob = await state(office, "flexjob", placement_id)
        return flexjob["workplace_unit"], flexjob["hours"][0]["attendance_hours_per_week"]

    assert await shown() == ("Bakken", "20.00")
    await office.retract(first)  # the second said all of it again
    assert await shown() == ("Bakken", "20.00")
    await office.retract(second)
    assert await shown() == ("Aahaven", "12.00")
    with pytest.raises(story.Retracted):
        await office.retract(second)
    with pytest.raises(story.Retracted):
        await office.correct(second, workplace_unit="Bakken")


async def test_a_correction_may_give_the_flexjob_another_grant_that_was_known_then(office: Any) -> None:
    placement_id, others = uuid4(), [uuid4(), uuid4(), uuid4()]
    await office.rules()
    await office.budget(2026, 1500)
    for grant_id in others[:2]:
        await office.ask(grant_id, office.commitment(await office.approved(500), FIRST, FIRST + 50 * DAY))
    started = await office.ask(placement_id, office.start(FIRST, grant_id=others[0]))
    await office.ask(others[2], office.commitment(await office.approved(500), FIRST, FIRST + 50 * DAY))

    await office.correct(started.event_ids[0], grant_id=str(others[1]))

    paid = [(await state(office, "grant", grant_id))["placement_id"] for grant_id in others]
    assert paid == [None, str(placement_id), None]
    # It was committed since: nobody could have named it.
    with pytest.raises(refusals.Refusal):
        await office.correct(started.event_ids[0], grant_id=str(others[2]))
    await office.correct(started.event_ids[0], grant_id=None)
    assert (await state(office, "grant", others[1]))["placement_id"] is None
    assert (await state(office, "flexjob", placement_id))["grant_id"] is None


async def test_a_retracted_correction_names_again_what_the_version_before_it_named(office: Any) -> None:
    placement_id, first, other = uuid4(), uuid4(), uuid4()
    await office.rules()
    await office.budget(2026, 1000)
    for grant_id in (first, other):
        await office.ask(grant_id, office.commitment(await office.approved(500), FIRST, FIRST + 50 * DAY))
    started = await office.ask(placement_id, office.start(FIRST, grant_id=first))

    ids = await office.correct(started.event_ids[0], grant_id=str(other))
    await office.retract(ids[0])

    paid = [(await state(office, "grant", grant_id))["placement_id"] for grant_id in (first, other)]
    assert paid == [str(placement_id), None]
    assert (await state(office, "flexjob", placement_id))["grant_id"] == str(first)


async def test_what_payroll_told_gives_way_and_may_be_stated_better(office: Any) -> None:
    placement_id = uuid4()
    started = await office.ask(placement_id, office.start(FIRST))
    paid = PayHours(
        occurred_on=FIRST + DAY,
        employment_ref=uuid4(),
        attendance_hours_per_week=Decimal(20),
        effective_hours_per_week=Decimal(10),
    )
    told = await office.ask(placement_id, paid)

    await office.correct(told.event_ids[0], cause="capacity_up")
    [first, second] = (await state(office, "flexjob", placement_id))["hours"]
    assert (second["cause"], second["employment_ref"]) == ("capacity_up", str(paid.employment_ref))

    await office.correct(started.event_ids[0], occurred_on=str(FIRST + 10 * DAY))
    [only] = (await state(office, "flexjob", placement_id))["hours"]
    assert only | {"occurred_on": str(FIRST)} == first
    assert (await office.told())[-1]["data"]["event_id"] == told.event_ids[0]


async def test_a_snapshot_is_corrected_but_stays_of_its_department_and_day(office: Any) -> None:
    taken = TakeSnapshot(
        occurred_on=date(2026, 1, 31),
        department="Senior",
        headcount=10,
        fte=Decimal("9.5"),
        trainee_headcount=1,
        wage_subsidy_headcount=0,
    )
    snapshot = await office.ask("Senior/2026-01-31", taken)

    await office.correct(snapshot.event_ids[0], headcount=11)

    assert (await state(office, "snapshot", "Senior/2026-01-31"))["headcount"] == 11
    with pytest.raises(refusals.Refusal):
        await office.correct(snapshot.event_ids[0], department="Teknik")


async def test_of_retractions_that_race_one_takes_effect(office: Any) -> None:
    started = await office.ask(uuid4(), office.start(FIRST))
    event_id = UUID(started.event_ids[0])

    outcomes = await office.race(*[lambda desk: retract(desk, event_id, "double_entry")] * 4)

    assert [type(one) for one in outcomes if isinstance(one, refusals.Refusal)] == [story.Retracted] * 3
    assert len(await office.told("retracted")) == 1


async def test_corrections_that_race_each_tell_the_story_whole(office: Any) -> None:
    placement_id = uuid4()
    started = await office.ask(placement_id, office.start(FIRST))
    changed = await office.ask(placement_id, hours(FIRST + DAY, 10))
    event_id = UUID(started.event_ids[0])
    people = [str(uuid4()) for _ in range(4)]

    await office.race(
        *(lambda desk, p=p: correct(desk, event_id, "late_information", {"person_ref": p}) for p in people),
        lambda desk: correct(desk, event_id, "late_information", {"workplace_unit": "Bakken"}),
        lambda desk: correct(desk, UUID(changed.event_ids[0]), "late_information", {"cause": "task_match"}),
    )

    flexjob = await state(office, "flexjob", placement_id)
    assert flexjob["workplace_unit"] == "Bakken"
    assert flexjob["hours"][1]["cause"] == "task_match"
    chain = [event for event in await office.told() if event["type"] == "dk.kraftcenter.flexjob.hours_changed.v1"]
    assert chain[-1]["data"]["person_ref"] == flexjob["person_ref"]
    assert len({json.dumps(event["data"], sort_keys=True) for event in chain}) == len(chain)


async def test_a_transfer_that_is_corrected_splits_no_spell(office: Any) -> None:
    placement_id = uuid4()
    await office.ask(placement_id, office.start(FIRST))
    moved = Transfer(occurred_on=FIRST + DAY, department="Teknik", workplace_unit="Vej")
    transferred = await office.ask(placement_id, moved)

    await office.correct(transferred.event_ids[0], workplace_unit="Havn")

    flexjob = await state(office, "flexjob", placement_id)
    assert [stay["workplace_unit"] for stay in flexjob["stays"]] == ["Aahaven", "Havn"]
    assert len(await office.told("flexjob.started")) == 1
