"""Corrections and retractions, one by one: what is put right, what stands in the way, and what is left as it was."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from flexjob_pool.domain import refusals
from flexjob_pool.domain.refusals import story
from flexjob_pool.requests.flexjobs import ChangeHours, EndFlexjob, PayHours, Transfer
from flexjob_pool.requests.grants import PostRefund
from flexjob_pool.requests.workforce import TakeSnapshot
from flexjob_pool.undo import correct, retract

FIRST = date(2026, 7, 1)
DAY = timedelta(days=1)


def hours(day: date, effective: int) -> ChangeHours:
    attendance, effective_hours = Decimal(20), Decimal(effective)
    return ChangeHours(
        occurred_on=day,
        attendance_hours_per_week=attendance,
        effective_hours_per_week=effective_hours,
        cause="capacity_up",
    )


def end(day: date) -> EndFlexjob:
    return EndFlexjob(occurred_on=day, reason_code="pension")


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("dk.kraftcenter.").removesuffix(".v1") for event in events]


async def state(office: Any, noun: str, key: object) -> dict[str, Any]:
    found = await office.pool.fetchval("SELECT state FROM resource WHERE noun = $1 AND key = $2", noun, str(key))
    return dict(found)


async def test_a_correction_of_the_start_corrects_everything_that_tells_of_the_person(office: Any) -> None:
    placement_id, _ = await office.running_flexjob()
    await office.ask(placement_id, hours(FIRST + 30 * DAY, 10))
    await office.ask(placement_id, end(FIRST + 60 * DAY))
    before = await office.told()
    [started] = [event for event in before if "person_ref" in event["data"]][:1]
    person = str(uuid4())

    ids = await office.correct(started["id"], person_ref=person)

    corrections = (await office.told())[len(before) :]
    assert [event["id"] for event in corrections] == ids
    assert names(corrections) == ["flexjob.started", "flexjob.hours_changed", "flexjob.ended"]
    by_id = {event["id"]: event for event in before}
    for event in corrections:
        assert event["type"] == by_id[event["corrects"]]["type"]
        assert event["data"]["person_ref"] == person
        assert event["data"] == by_id[event["corrects"]]["data"] | {"person_ref": person} | (
            {} if "ended" in event["type"] else {"reason_code": "registration_error"}
        )
    assert "causationid" not in corrections[0]
    assert {event["causationid"] for event in corrections[1:]} == {ids[0]}
    assert (await state(office, "flexjob", placement_id))["person_ref"] == person


async def test_an_end_moved_is_another_release_and_taken_back_it_is_the_first_again(office: Any) -> None:
    placement_id, grant_id = await office.running_flexjob()
    ended = await office.ask(placement_id, end(FIRST + 10 * DAY))
    assert (await state(office, "grant", grant_id))["amount_ore"] == 100

    ids = await office.correct(ended.event_ids[0], occurred_on=str(FIRST + 40 * DAY))
    assert (await state(office, "grant", grant_id))["amount_ore"] == 400
    assert names((await office.told())[-2:]) == ["flexjob.ended", "grant.released"]

    await office.retract(ids[0])
    assert (await state(office, "grant", grant_id))["amount_ore"] == 100
    retraction, release = (await office.told())[-2:]
    assert retraction["data"] == {"event_id": ids[0], "reason_code": "never_happened"}
    assert release["data"]["amount_ore"] == 100
    assert release["causationid"] == retraction["id"]


async def test_what_no_longer_follows_is_retracted_and_what_follows_again_is_registered_anew(office: Any) -> None:
    placement_id, grant_id = await office.running_flexjob()
    ended = await office.ask(placement_id, end(FIRST + 10 * DAY))
    whole = FIRST + 100 * DAY

    await office.correct(ended.event_ids[0], occurred_on=str(whole))
    correction, retraction = (await office.told())[-2:]
    assert correction["corrects"] == ended.event_ids[0]
    assert retraction["data"] == {"event_id": ended.event_ids[1], "reason_code": "never_happened"}
    assert (await state(office, "grant", grant_id))["status"] == "committed"

    await office.correct(ended.event_ids[0], occurred_on=str(whole - DAY))
    _, release = (await office.told())[-2:]
    assert release["type"].endswith("grant.released.v1")
    assert "corrects" not in release
    assert (await state(office, "grant", grant_id))["amount_ore"] == 990


async def test_a_retracted_end_lets_the_flexjob_run_on_and_its_grant_draw(office: Any) -> None:
    placement_id, grant_id = await office.running_flexjob()
    before = [await state(office, "flexjob", placement_id), await state(office, "grant", grant_id)]
    ended = await office.ask(placement_id, end(FIRST + 10 * DAY))

    await office.retract(ended.event_ids[0])

    assert [await state(office, "flexjob", placement_id), await state(office, "grant", grant_id)] == before
    assert [event["data"]["event_id"] for event in await office.told("retracted")] == ended.event_ids
    await office.ask(placement_id, end(FIRST + 20 * DAY))


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


async def test_a_flexjob_that_never_was_takes_the_reviews_with_it_that_the_calendar_called_for(office: Any) -> None:
    placement_id = uuid4()
    started = await office.ask(placement_id, office.start(date(2023, 10, 1)))
    assert len(started.event_ids) == 2

    await office.retract(started.event_ids[0])

    gone = [event["data"]["event_id"] for event in await office.told("retracted")]
    assert gone == started.event_ids
    assert not await office.pool.fetch("SELECT FROM resource WHERE noun IN ('flexjob', 'review')")


async def test_a_review_lapses_with_the_end_of_its_flexjob_and_is_awaited_again_without(office: Any) -> None:
    placement_id = uuid4()
    await office.ask(placement_id, office.start(date(2023, 10, 1)))

    async def reviews() -> list[str]:
        rows = await office.pool.fetch("SELECT state FROM resource WHERE noun = 'review'")
        return [row["state"]["status"] for row in rows]

    assert await reviews() == ["due"]
    ended = await office.ask(placement_id, end(date(2026, 3, 1)))
    assert await reviews() == ["lapsed"]
    await office.retract(ended.event_ids[0])
    assert await reviews() == ["due"]


async def test_a_start_moved_moves_the_due_day_of_its_review(office: Any) -> None:
    started = await office.ask(uuid4(), office.start(date(2023, 10, 1)))

    await office.correct(started.event_ids[0], occurred_on="2023-11-01")
    assert (await office.told())[-1]["corrects"] == started.event_ids[1]
    assert (await office.told())[-1]["data"]["due_on"] == "2026-05-01"

    # Two and a half years from the new start lie before the registration, so the second of them is the first.
    await office.correct(started.event_ids[0], occurred_on="2023-01-01")
    assert (await office.told())[-1]["data"]["due_on"] == "2028-01-01"
    assert (await state(office, "flexjob", started.resource.key))["next_review_on"] is None


async def test_a_start_moved_back_calls_for_its_review_at_once(office: Any) -> None:
    started = await office.ask(uuid4(), office.start(date(2025, 1, 1)))
    assert len(started.event_ids) == 1

    ids = await office.correct(started.event_ids[0], occurred_on="2023-10-01")

    assert names((await office.told())[-2:]) == ["flexjob.started", "flexjob.review_due"]
    assert [event["id"] for event in (await office.told())[-2:]] == ids


async def test_a_corrected_application_is_granted_as_much_as_its_correction_says(office: Any) -> None:
    _, grant_id = await office.running_flexjob(1000)
    [submitted] = await office.told("application.submitted")

    await office.correct(submitted["id"], amount_ore=800)

    assert names((await office.told())[-3:]) == ["application.submitted", "application.approved", "grant.committed"]
    assert (await state(office, "grant", grant_id))["amount_ore"] == 800
    moved = "SELECT sum(amount_ore)::bigint FROM movement WHERE fiscal_year = 2026"
    assert await office.pool.fetchval(moved) == 200


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
