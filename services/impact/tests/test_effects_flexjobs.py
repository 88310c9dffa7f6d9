"""The boundary cases of the rules over flexjobs at municipal workplaces, each as a life that can be checked by hand."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid5

from contracts.catalogue import BY_TYPE
from impact.catalogue import INDICATORS, measures_of
from impact.entries.flexjobs import (
    EFFECTIVE_HOURS,
    EXITS_TO_ORDINARY_JOB,
    FLEXJOBS_ENDED,
    NET_HOURS_CHANGE,
    PERSONS_IN_FLEXJOB,
)
from impact.fold import Delta, Fact, Fold, Measure

EXAMPLES = Path(__file__).parents[3] / "contracts" / "examples"
REGISTERED = datetime(2026, 1, 1, tzinfo=UTC)
MARCH, APRIL, MAY, JUNE = (f"2026-{month:02}-01" for month in range(3, 7))
AT_LAST = "2027-12-31"


def ref(name: str) -> str:
    return str(uuid5(UUID(int=0), name))


def told(name: str, day: str, job: str = "job", **data: object) -> Fact:
    """An event of Ane's as its published example has it, but for what the story says."""
    message = json.loads((EXAMPLES / f"{name}.v1.json").read_text(encoding="utf-8"))
    said = {"occurred_on": day, "placement_id": ref(job), "person_ref": ref("Ane"), **data}
    event = BY_TYPE[message["type"]].model_validate(message["data"] | said)
    return Fact(0, "urn:kraftcenter:621:flexjob_pool", "", message["type"], REGISTERED, event)


def flexjob(day: str, hours: str, job: str = "job", department: str = "Senior") -> Fact:
    return told("flexjob.started", day, job, effective_hours_per_week=hours, department=department)


def changed(day: str, hours: str, job: str = "job", cause: str = "capacity_up") -> Fact:
    return told("flexjob.hours_changed", day, job, effective_hours_per_week=hours, cause=cause)


def transferred(day: str, department: str, job: str = "job") -> Fact:
    return told("flexjob.transferred", day, job, department=department)


def ended(day: str, job: str = "job", reason: str = "pension") -> Fact:
    return told("flexjob.ended", day, job, reason_code=reason)


def placement(day: str, job: str, hours: str) -> Fact:
    return told("placement.started", day, job, employment_kind="flexjob", effective_hours_per_week=hours)


def life(*facts: Fact) -> list[Delta]:
    """What the facts amount to, registered in this order."""
    numbered = (
        Fact(position, fact.source, f"{position:03}", fact.type, fact.time, fact.event)
        for position, fact in enumerate(facts, start=1)
    )
    return Fold(measures_of(INDICATORS)).exchange([], list(numbered))


def at(measure: Measure, deltas: Sequence[Delta], day: str = AT_LAST, **cell: str) -> Decimal:
    """What all that is dated up to the end of a day adds up to, in all cells or in some."""
    until = date.fromisoformat(day)
    counted = [delta for delta in deltas if delta.measure == measure.id and delta.date <= until]
    return sum((delta.amount for delta in counted if cell.items() <= dict(delta.dimensions).items()), Decimal(0))


# F1 and F4


def test_f1_a_flexjob_ends_on_the_day_after_its_last() -> None:
    story = life(flexjob(MARCH, "6.00"), ended(APRIL))

    assert at(PERSONS_IN_FLEXJOB, story, "2026-03-31") == 1
    assert at(PERSONS_IN_FLEXJOB, story, APRIL) == 0
    assert at(EFFECTIVE_HOURS, story, APRIL) == 0


def test_f1_a_flexjob_of_no_hours_is_a_flexjob_and_one_with_another_employer_is_none_of_ours() -> None:
    assert at(PERSONS_IN_FLEXJOB, life(flexjob(MARCH, "0.00"))) == 1
    assert at(PERSONS_IN_FLEXJOB, life(placement(MARCH, "elsewhere", "10.00"))) == 0


def test_f1_a_person_in_two_departments_sits_whole_in_the_one_with_most_hours() -> None:
    story = life(
        flexjob(MARCH, "6.00", "first", "Senior"), flexjob(APRIL, "9.00", "second", "Teknik"), ended(MAY, "second")
    )

    for day, department, hours in ((MARCH, "Senior", 6), (APRIL, "Teknik", 15), (MAY, "Senior", 6)):
        other = {"Senior": "Teknik", "Teknik": "Senior"}[department]
        assert at(PERSONS_IN_FLEXJOB, story, day, department=department) == 1
        assert at(PERSONS_IN_FLEXJOB, story, day, department=other) == 0
        assert at(EFFECTIVE_HOURS, story, day, department=department) == hours


def test_f1_two_small_jobs_in_a_department_outweigh_a_greater_one_in_another() -> None:
    story = life(
        flexjob(MARCH, "6.00", "a", "Senior"),
        flexjob(MARCH, "4.00", "b", "Teknik"),
        flexjob(MARCH, "4.00", "c", "Teknik"),
    )

    assert at(PERSONS_IN_FLEXJOB, story, department="Teknik") == 1


def test_f1_with_as_many_hours_in_both_the_earliest_start_decides_then_the_lowest_placement_id() -> None:
    one, two = sorted(("one", "two"), key=ref)
    earlier = life(flexjob(APRIL, "6.00", one, "Børn"), flexjob(MARCH, "6.00", two, "Teknik"))
    together = life(flexjob(MARCH, "6.00", two, "Børn"), flexjob(MARCH, "6.00", one, "Teknik"))

    assert at(PERSONS_IN_FLEXJOB, earlier, department="Teknik") == 1
    assert at(PERSONS_IN_FLEXJOB, together, department="Teknik") == 1


def test_f1_and_f4_a_transfer_moves_person_and_hours_and_splits_no_spell() -> None:
    story = life(flexjob(MARCH, "6.00"), changed(APRIL, "8.00"), transferred(MAY, "Teknik"))

    assert at(PERSONS_IN_FLEXJOB, story, "2026-04-30", department="Senior") == 1
    assert at(EFFECTIVE_HOURS, story, MAY, department="Teknik") == 8
    assert at(EFFECTIVE_HOURS, story, MAY, department="Senior") == 0
    assert at(NET_HOURS_CHANGE, story, MAY) == 2


# F3


def test_f3_tells_what_moved_the_hours_apart_by_cause() -> None:
    story = life(
        flexjob(MARCH, "6.00"),
        changed(APRIL, "10.00", cause="capacity_up"),
        changed(APRIL, "9.00", cause="organisational"),
        changed(MAY, "5.00", cause="struck_by_lightning"),
        flexjob(MAY, "3.00", "second"),
    )
    causes = {"capacity_up": 4, "organisational": -1, "unknown": -4, "other_job": 3}

    assert {cause: at(NET_HOURS_CHANGE, story, cause=cause) for cause in causes} == causes
    assert at(NET_HOURS_CHANGE, story, "2026-04-30") == 3
    assert at(NET_HOURS_CHANGE, story) == at(EFFECTIVE_HOURS, story) - 6


def test_f3_counts_a_job_that_comes_or_goes_as_another_job_with_what_was_changed_on_its_first_day() -> None:
    story = life(
        flexjob(MARCH, "6.00"), changed(MARCH, "7.00"),
        flexjob(APRIL, "3.00", "second"), changed(APRIL, "4.00", "second"),
        changed(MAY, "5.00", "second"), ended(JUNE, "second"),
    )  # fmt: skip

    assert at(NET_HOURS_CHANGE, story, MARCH) == 0
    assert at(NET_HOURS_CHANGE, story, APRIL, cause="other_job") == at(NET_HOURS_CHANGE, story, APRIL) == 4
    assert at(NET_HOURS_CHANGE, story, MAY, cause="capacity_up") == 1
    assert at(NET_HOURS_CHANGE, story, JUNE, cause="capacity_up") == 1
    assert at(NET_HOURS_CHANGE, story, JUNE, cause="other_job") == -1
    assert at(NET_HOURS_CHANGE, story, JUNE) == 0


def test_f3_leaves_out_who_is_in_no_flexjob_and_what_was_before_a_longer_pause() -> None:
    first = [flexjob(MARCH, "6.00"), changed("2026-03-10", "9.00"), ended(APRIL)]
    after_28_days = life(*first, flexjob("2026-04-29", "8.00", "next"))
    after_29_days = life(*first, flexjob("2026-04-30", "8.00", "next"))

    assert at(NET_HOURS_CHANGE, after_28_days, APRIL) == 0
    assert at(NET_HOURS_CHANGE, after_28_days) == 2
    assert at(NET_HOURS_CHANGE, after_28_days, cause="other_job") == -1
    assert at(NET_HOURS_CHANGE, after_29_days) == 0


def test_f3_contributors_are_a_person_and_a_cause() -> None:
    story = [d for d in life(flexjob(MARCH, "6.00"), changed(APRIL, "8.00")) if d.measure == NET_HOURS_CHANGE.id]

    assert [(delta.contributor, delta.person) for delta in story] == [(f"{ref('Ane')}/capacity_up", ref("Ane"))]


# F8


def test_f8_counts_each_flexjob_that_ends_by_the_reason_of_its_earliest_end() -> None:
    story = life(
        flexjob(MARCH, "6.00", "first"), ended(MAY, "first", "ordinary_job"), ended(JUNE, "first", "pension"),
        flexjob(MARCH, "6.00", "second"), ended(MAY, "second", "other_flexjob"),
        flexjob(MARCH, "6.00", "third"),
        placement(MARCH, "elsewhere", "6.00"), told("placement.ended", MAY, "elsewhere", reason_code="resigned"),
    )  # fmt: skip

    assert at(FLEXJOBS_ENDED, story, "2026-04-30") == 0
    assert at(FLEXJOBS_ENDED, story, MAY) == at(FLEXJOBS_ENDED, story) == 2
    assert at(EXITS_TO_ORDINARY_JOB, story, MAY) == at(EXITS_TO_ORDINARY_JOB, story) == 1
