"""What follows from something is corrected, retracted or registered anew with it."""

from datetime import date
from typing import Any
from uuid import uuid4

from services.flexjob_pool.tests.acts import FIRST, end, hours, names, state
from services.flexjob_pool.tests.conftest import DAY


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
