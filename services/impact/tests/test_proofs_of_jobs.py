"""Hand-checkable stories of jobs, and what the proofs make of them: started, with more hours, sustained."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from services.impact.tests.teller import WHOLE, Teller, cut, of


async def test_jobs_started_are_counted_on_their_first_eligible_day(story: Teller) -> None:
    await story.placement("anna", "a", "2026-01-10", "0", employment_kind="work_trial", partnership_id="p")
    kind = {"person_ref": "anna", "placement_id": "a", "employment_kind": "ordinary", "source": "partnerships"}
    await story.tell("placement.kind_changed", "2026-03-01", **kind)
    more = {"person_ref": "anna", "placement_id": "a", "effective_hours_per_week": "20", "source": "partnerships"}
    await story.tell("placement.hours_changed", "2026-03-01", **more)
    await story.placement("carl", "c", "2026-02-01", "0", employment_kind="work_trial")
    await story.placement("dora", "d", "2026-02-01", "3", employment_kind="of_the_future")
    await story.placement("erik", "e", "2026-02-01", "3", employment_kind="small_job")
    await story.flexjob("finn", "f", "2025-12-31", "30")
    cells = await story.cells("J1", "2026-03-01")

    assert cells[WHOLE] == of("2", "1")
    assert cut(cells, "kind") == {"ordinary": ("1", "1"), "small_job": ("1", "1")}
    assert cut(cells, "partner") == {"yes": ("1", "1"), "no": ("1", "1")}
    assert cut(cells, "origin") == {"education": ("2", "1")}
    assert await story.whole("J1", "2026-02-28") == of("1", "1")
    assert cut(await story.cells("J2", "2026-03-01"), "kind") == {"ordinary": ("20", "37"), "small_job": ("3", "37")}


async def test_e2_hours_are_the_effective_ones(story: Teller) -> None:
    await story.flexjob("anna", "a", "2026-02-01", "8", attendance_hours_per_week="12")

    assert await story.whole("J2", "2026-12-31") == of("8", "37")


async def test_a_free_card_from_before_the_law_is_no_eligible_job(story: Teller) -> None:
    await story.placement("anna", "a", "2018-12-31", "5", employment_kind="social_free_card")
    await story.placement("berit", "b", "2019-01-01", "5", employment_kind="social_free_card")

    assert await story.whole("J3", "2026-12-31") == of("0", "1")


async def test_a_job_that_ends_on_its_first_day_is_none_and_a_second_start_of_it_is_ignored(story: Teller) -> None:
    await story.flexjob("anna", "a", "2026-02-01", "4")
    await story.end("anna", "a", "2026-02-01")
    await story.flexjob("berit", "b", "2026-02-01", "5")
    await story.flexjob("berit", "b", "2026-03-01", "9", department="Børn")

    assert await story.mean_hours() == of("5", "1")
    assert await story.whole("J1", "2026-12-31") == of("1", "1")


async def test_a_job_told_by_two_sources_counts_once_and_two_of_one_source_are_two(story: Teller) -> None:
    await story.flexjob("anna", "a1", "2026-02-01", "4")
    await story.flexjob("anna", "a2", "2026-03-01", "4", source="payroll")
    await story.placement("berit", "b1", "2026-02-01", "5")
    await story.placement("berit", "b2", "2026-02-01", "5", source="job_cases", org_id="bakery")
    await story.placement("berit", "b3", "2026-02-01", "5")
    await story.end("berit", "b3", "2026-04-01", "placement", source="partnerships")
    await story.placement("berit", "b4", "2026-04-01", "5", source="job_cases", employment_kind="small_job")

    assert await story.mean_hours() == of("4", "1")
    assert await story.whole("J1", "2026-12-31") == of("5", "1")


async def test_e20_one_person_in_two_flexjobs_is_one_person_with_eleven_hours(story: Teller) -> None:
    await story.flexjob("anna", "a1", "2026-02-01", "6", department="Senior")
    await story.flexjob("anna", "a2", "2026-02-01", "5", department="Børn")

    assert await story.whole("F1", "2026-12-31") == of("1", "1")
    assert await story.whole("J2", "2026-12-31") == of("11", "37")
    assert cut(await story.cells("F4", "2026-12-31"), "department") == {"Senior": ("11", "1")}


async def test_a_person_belongs_where_most_hours_are_then_the_earliest_start_then_the_lowest_id(story: Teller) -> None:
    await story.flexjob("anna", "b", "2026-02-01", "6", department="Senior")
    await story.flexjob("anna", "a", "2026-02-01", "6", department="Teknik")
    await story.flexjob("berit", "c", "2026-02-02", "5", department="Børn")
    await story.flexjob("berit", "d", "2026-02-01", "5", department="By")
    known = {"person_ref": "berit", "placement_id": "d", "department": "Kultur"}
    await story.tell("flexjob.transferred", "2026-05-01", **known)

    assert cut(await story.cells("F1", "2026-04-30"), "department") == {"Teknik": ("1", "1"), "By": ("1", "1")}
    assert cut(await story.cells("F1", "2026-05-01"), "department") == {"Teknik": ("1", "1"), "Kultur": ("1", "1")}


async def test_e13_persons_in_flexjob_by_department(story: Teller) -> None:
    for department, persons in {"Senior": 12, "Børn": 3, "Teknik": 9}.items():
        for number in range(persons):
            await story.flexjob(
                f"{department}{number}", f"{department}{number}", "2026-02-01", "4", department=department
            )
    cells = await story.cells("F1", "2026-02-01")

    assert cells[WHOLE] == of("24", "1")
    assert cut(cells, "department") == {"Senior": ("12", "1"), "Børn": ("3", "1"), "Teknik": ("9", "1")}
    assert await story.whole("F1", "2026-01-31") == of("0", "1")


async def test_e7_the_last_day_of_a_month_shows_what_holds_then(story: Teller) -> None:
    await story.flexjob("anna", "a", "2026-03-01", "12.50")
    await story.hours("anna", "a", "2026-03-16", "20.00")
    await story.end("anna", "a", "2026-04-01")

    assert await story.whole("F4", "2026-03-15") == of("12.5", "1")
    assert await story.whole("F4", "2026-03-31") == of("20", "1")
    assert await story.whole("F4", "2026-04-01") == of("0", "0")


# Progress


async def test_e3_progression_of_five_persons(story: Teller) -> None:
    for person, (then, now, cause) in {
        "p1": ("4", "12.5", "capacity_up"),
        "p2": ("6", "9.5", "task_match"),
        "p3": ("10", "7", "capacity_down"),
        "p4": ("5", "5", "organisational"),
        "p5": ("8", "8", "whim"),
    }.items():
        await story.flexjob(person, person, "2026-02-01", then)
        await story.hours(person, person, "2026-03-01", now, cause=cause)
    gains = await story.cells("F3", "2026-03-01")

    assert gains[WHOLE] == of("9", "1")
    assert {cause: gain for cause, (gain, _) in cut(gains, "cause").items() if Decimal(gain)} == {
        "capacity_up": "8.5",
        "task_match": "3.5",
        "capacity_down": "-3",
    }
    assert await story.whole("J3", "2026-03-01") == of("2", "5")
    assert await story.whole("J3r", "2026-03-01") == of("1", "5")
    assert await story.whole("J3", "2026-02-28") == of("0", "5")


async def test_e5_a_correction_after_the_report_changes_what_is_known_now_alone(story: Teller) -> None:
    await story.flexjob("anna", "a", "2026-01-01", "4")
    changed = await story.hours("anna", "a", "2026-03-01", "12.5")
    await story.hours("anna", "a", "2026-03-01", "10.5", corrects=changed)

    assert await story.whole("F3", "2026-03-31", 2) == of("8.5", "1")
    assert await story.whole("F3", "2026-03-31") == of("6.5", "1")
    assert await story.whole("F3", "2026-04-30") == of("6.5", "1")


@pytest.mark.parametrize(("back", "gain"), [("2026-03-29", "4"), ("2026-03-30", "0")])
async def test_a_gap_of_28_days_keeps_the_baseline_and_one_of_29_makes_a_new_one(
    back: str, gain: str, story: Teller
) -> None:
    await story.flexjob("anna", "a", "2026-02-01", "4")
    await story.end("anna", "a", "2026-03-01")
    await story.flexjob("anna", "b", back, "8")
    gains = await story.cells("F3", back)

    assert gains[WHOLE] == of(gain, "1")
    assert cut(gains, "cause")["other_job"] == (gain, "1")
    assert await story.whole("J3", back) == of("1" if gain == "4" else "0", "1")
    assert await story.whole("F3", "2026-03-15") == of("0", "1")


async def test_what_no_change_of_hours_explains_came_with_another_job(story: Teller) -> None:
    await story.flexjob("anna", "a", "2026-02-01", "4")
    await story.hours("anna", "a", "2026-02-01", "5")
    await story.flexjob("anna", "b", "2026-03-01", "2")
    await story.hours("anna", "b", "2026-03-01", "3")
    await story.hours("anna", "b", "2026-04-01", "3.5", cause="task_match")
    await story.end("anna", "b", "2026-05-01")
    await story.placement("anna", "c", "2026-02-15", "9")

    assert cut(await story.cells("F3", "2026-04-01"), "cause") == {"task_match": ("0.5", "1"), "other_job": ("3", "1")}
    assert cut(await story.cells("F3", "2026-05-01"), "cause") == {
        "task_match": ("0.5", "1"),
        "other_job": ("-0.5", "1"),
    }
    assert cut(await story.cells("J3", "2026-05-01"), "kind") == {"ordinary": ("1", "1")}


# Sustained jobs


async def e4(story: Teller, first: Sequence[str] = ("j1", "j2", "j3", "j4", "j5")) -> None:
    for job in (*first, "moved", "less", "ended"):
        await story.placement(job, job, "2025-09-01", "10")
    await story.end("moved", "moved", "2025-11-01", "placement", source="partnerships")
    await story.placement("moved", "next", "2025-11-11", "10", org_id="bakery")
    less = {"person_ref": "less", "placement_id": "less", "effective_hours_per_week": "8", "source": "partnerships"}
    await story.tell("placement.hours_changed", "2025-12-01", **less)
    await story.end("ended", "ended", "2025-12-10", "placement", source="partnerships")
    await story.placement("young", "young", "2025-11-01", "10")


async def test_e4_sustained_jobs_and_still_employed(story: Teller) -> None:
    await e4(story)
    sustained = await story.cells("J4", "2026-03-31")

    assert sustained[WHOLE] == of("6", "8")
    assert cut(sustained, "kind") == {"ordinary": ("6", "8")}
    assert cut(sustained, "origin") == {"education": ("6", "8")}
    assert cut(sustained, "weeks") == {"13": ("9", "10"), "26": ("6", "8")}
    assert await story.whole("J4e", "2026-03-31") == of("7", "8")


async def test_e6_a_double_entry_found_in_may_leaves_february_and_the_cohort(story: Teller) -> None:
    for number in range(11):
        await story.placement(f"p{number}", f"j{number}", "2026-02-01", "10")
    double = await story.placement("p0", "again", "2026-02-01", "10")
    assert await story.whole("J1", "2026-02-28") == of("12", "1")
    assert await story.whole("J4", "2026-08-02") == of("12", "12")

    await story.retract(double, source="partnerships")
    assert await story.whole("J1", "2026-02-28") == of("11", "1")
    assert await story.whole("J4", "2026-08-02") == of("11", "11")
    assert await story.whole("J1", "2026-02-28", 12) == of("12", "1")


async def test_e18_the_due_day_is_counted_in_weeks_and_included(story: Teller) -> None:
    await story.placement("anna", "a", "2025-09-01", "10")
    await story.end("anna", "a", "2026-08-31", "placement", source="partnerships")
    reached = {
        as_of: cut(await story.cells("J4", as_of), "weeks")
        for as_of in ("2025-11-30", "2025-12-01", "2026-03-01", "2026-03-02", "2026-08-30", "2026-08-31")
    }
    first, second, third = {"13": ("1", "1")}, {"26": ("1", "1")}, {"52": ("0", "1")}

    assert list(reached.values()) == [{}, first, first, first | second, first | second, first | second | third]


@pytest.mark.parametrize(("back", "sustained"), [("2025-12-08", "1"), ("2025-12-09", "0")])
async def test_gaps_may_add_up_to_28_days(back: str, sustained: str, story: Teller) -> None:
    ends = {"noun": "placement", "source": "partnerships"}
    await story.placement("anna", "a", "2025-09-01", "10")
    await story.end("anna", "a", "2025-10-01", **ends)
    await story.placement("anna", "b", "2025-10-11", "10")
    await story.end("anna", "b", "2025-11-20", **ends)
    await story.placement("anna", "c", back, "10")

    assert cut(await story.cells("J4e", "2026-03-02"), "weeks")["26"] == (sustained, "1")
