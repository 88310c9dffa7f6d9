"""Payroll from the gateway's stream to the flexjob's hours and the pool's own events, on real servers."""

from pathlib import Path
from uuid import uuid4

from chassis.calendar import calendar_of
from flexjob_pool.sweep import Sweep
from services.flexjob_pool.tests.payroll_system import (
    EMPLOYMENT,
    PLACEMENT,
    STREAM,
    PayrollSystem,
    ended,
    never,
    of,
    paid,
)


def set_clock(clock: str, instant: str) -> None:
    Path(clock.removeprefix("file:")).write_text(instant)


async def test_a_working_time_changes_hours_from_its_day_and_an_end_ends_the_flexjob(payroll: PayrollSystem) -> None:
    await payroll.start()
    await payroll.tell("up", paid("2026-02-01", "0.5"), at=1)
    await payroll.tell("end", ended("2026-06-01"), at=2)
    await payroll.told()

    assert await payroll.hours() == [("2026-01-01", "10.00"), ("2026-02-01", "18.50")]
    flexjob = await payroll.shown(f"/v1/flexjobs/{PLACEMENT}")
    assert (flexjob["ended_on"], flexjob["ended_by"], flexjob["reason_code"]) == (
        "2026-06-01",
        str(EMPLOYMENT),
        "not_stated",
    )
    changed, over = await payroll.emitted()
    assert of(changed) == ("flexjob.hours_changed", "2026-02-01", "18.50", "up")
    assert (changed["data"]["cause"], changed["data"]["attendance_hours_per_week"]) == ("not_stated", "18.50")
    assert "employment_ref" not in changed["data"]
    assert of(over) == ("flexjob.ended", "2026-06-01", None, "end")
    assert await payroll.why() == ("applied", [])


async def test_late_intervals_take_the_place_that_they_would_have_had_in_time(payroll: PayrollSystem) -> None:
    await payroll.start()
    await payroll.tell("new", paid("2026-02-15", "0.5"), at=2)
    await payroll.tell("old", paid("2026-02-01", "0.4"), at=1)
    await payroll.told()
    assert await payroll.hours() == [("2026-01-01", "10.00"), ("2026-02-01", "14.80"), ("2026-02-15", "18.50")]


async def test_a_repeated_message_changes_nothing_and_another_body_under_its_id_is_kept_as_a_conflict(
    payroll: PayrollSystem,
) -> None:
    await payroll.start()
    for rate in ("0.5", "0.5", "0.4"):
        await payroll.tell("same-id", paid("2026-02-01", rate), at=1)
    await payroll.told()
    assert await payroll.hours() == [("2026-01-01", "10.00"), ("2026-02-01", "18.50")]
    assert len(await payroll.emitted()) == 1
    metrics = (await payroll.doors.get("/metrics")).text
    for outcome, number in {"applied": 1, "duplicate": 1, "conflict": 1}.items():
        assert f'inbox_events{{outcome="{outcome}",stream="{STREAM}"}} {number}.0' in metrics


async def test_what_contradicts_the_flexjob_is_kept_and_shown_and_the_rest_holds(payroll: PayrollSystem) -> None:
    await payroll.start()
    await payroll.tell("right", paid("2026-02-01", "0.5"), at=1)
    await payroll.tell("wrong-person", paid("2026-03-01", "0.4", person_ref=uuid4()), at=2)
    await payroll.tell("before", paid("2025-12-01", "0.4", "2026-01-15"), at=3)
    await payroll.told()
    assert await payroll.hours() == [("2026-01-01", "10.00"), ("2026-02-01", "18.50")]
    status, why = await payroll.why()
    assert status == "differs"
    assert sorted(why) == [("another-person", "wrong-person"), ("outside-flexjob", "before")]
    differing = await payroll.shown("/v1/payroll/employments?status=differs")
    assert [item["employment_ref"] for item in differing["items"]] == [str(EMPLOYMENT)]
    assert "\npayroll_employments_unsettled 1.0" in (await payroll.doors.get("/metrics")).text


async def test_a_future_dated_interval_is_registered_at_once_and_its_end_lets_the_doors_hours_hold_again(
    payroll: PayrollSystem,
) -> None:
    await payroll.start()
    await payroll.tell("summer", paid("2026-07-01", "0.5", "2026-09-01"), at=1)
    await payroll.told()
    assert await payroll.hours() == [("2026-01-01", "10.00"), ("2026-07-01", "18.50"), ("2026-09-01", "10.00")]


async def test_what_is_too_far_ahead_waits_for_its_day(payroll: PayrollSystem, clock: str) -> None:
    await payroll.start()
    await payroll.tell("far", paid("2028-03-03", "0.5"), at=1)
    await payroll.told()
    assert await payroll.why() == ("differs", [("too-far-ahead", "far")])

    set_clock(clock, "2026-03-03T08:00:00Z")
    await Sweep("621", calendar_of(clock), every=1).sweep(payroll.pool)
    assert await payroll.hours() == [("2026-01-01", "10.00"), ("2028-03-03", "18.50")]
    assert await payroll.why() == ("applied", [])


async def test_a_correction_of_payroll_is_a_correction_of_the_pool(payroll: PayrollSystem) -> None:
    await payroll.start()
    await payroll.tell("root", paid("2026-02-01", "0.5"), at=1)
    await payroll.tell("better", paid("2026-02-01", "0.4"), at=2, corrects="root")
    await payroll.told()
    assert await payroll.hours() == [("2026-01-01", "10.00"), ("2026-02-01", "14.80")]
    first, second = await payroll.emitted()
    assert second["corrects"] == first["id"]
    assert of(second) == ("flexjob.hours_changed", "2026-02-01", "14.80", "better")
    assert second["data"]["reason_code"] == "late_information"
    shown = await payroll.employment()
    assert [(told["event_id"], told["standing"]) for told in shown["intervals"]] == [
        ("root", "superseded"),
        ("better", "in_force"),
    ]


async def test_a_retraction_that_comes_before_what_it_retracts_leaves_nothing(payroll: PayrollSystem) -> None:
    await payroll.start()
    await payroll.tell("gone", never("root"), at=2)
    await payroll.tell("root", paid("2026-02-01", "0.5"), at=1)
    await payroll.told()
    assert await payroll.hours() == [("2026-01-01", "10.00")]
    assert await payroll.emitted() == []
    assert await payroll.why() == ("not_in_force", [])


async def test_a_retraction_takes_back_what_was_registered(payroll: PayrollSystem) -> None:
    await payroll.start()
    await payroll.tell("root", paid("2026-02-01", "0.5"), at=1)
    await payroll.tell("end", ended("2026-06-01"), at=2)
    await payroll.tell("gone", never("root"), at=3)
    await payroll.tell("on", never("end"), at=4)
    await payroll.told()
    assert await payroll.hours() == [("2026-01-01", "10.00")]
    changed, over, *back = await payroll.emitted()
    assert [(event["data"]["event_id"], event["causationid"]) for event in back] == [
        (changed["id"], "gone"),
        (over["id"], "on"),
    ]
    assert (await payroll.shown(f"/v1/flexjobs/{PLACEMENT}"))["status"] == "running"
