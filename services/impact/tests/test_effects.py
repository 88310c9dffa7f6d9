"""The boundary cases of every rule over a person's jobs, each as a life that can be checked by hand."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from contracts.catalogue import BY_TYPE
from impact.catalogue import INDICATORS, measures_of
from impact.entries import flexjobs, jobs
from impact.fold import Delta, Fact, Fold, Measure

EXAMPLES = Path(__file__).parents[3] / "contracts" / "examples"
REGISTERED = datetime(2026, 1, 1, tzinfo=UTC)
JAN, FEB, MARCH, APRIL, MAY = (f"2026-{month:02}-01" for month in range(1, 6))
AT_LAST = "2027-12-31"


def ref(name: str) -> str:
    return str(uuid5(UUID(int=0), name))


def told(name: str, day: str, job: str = "job", *, source: str = "flexjob_pool", **data: Any) -> Fact:
    """An event of Ane's as its published example has it, but for what the story says; names become ids."""
    message = json.loads((EXAMPLES / f"{name}.v1.json").read_text(encoding="utf-8"))
    said = {"placement_id": job, "person_ref": "Ane", **data}
    ids = {key: ref(str(value)) for key, value in said.items() if key.endswith(("_id", "_ref")) and value}
    event = BY_TYPE[message["type"]].model_validate({**message["data"], "occurred_on": day, **said, **ids})
    return Fact(0, f"urn:kraftcenter:621:{source}", "", message["type"], REGISTERED, event)


def flexjob(day: str, hours: str, job: str = "job", department: str = "Senior", source: str = "flexjob_pool") -> Fact:
    return told("flexjob.started", day, job, source=source, effective_hours_per_week=hours, department=department)


def changed(day: str, hours: str, job: str = "job", cause: str = "capacity_up") -> Fact:
    return told("flexjob.hours_changed", day, job, effective_hours_per_week=hours, cause=cause)


def ended(day: str, job: str = "job", reason: str = "pension") -> Fact:
    return told("flexjob.ended", day, job, reason_code=reason)


def placement(day: str, kind: str = "ordinary", hours: str = "10.00", job: str = "job", **data: Any) -> Fact:
    return told("placement.started", day, job, employment_kind=kind, effective_hours_per_week=hours, **data)


def becomes(day: str, kind: str, job: str = "job") -> Fact:
    return told("placement.kind_changed", day, job, employment_kind=kind)


def left(day: str, job: str = "job") -> Fact:
    return told("placement.ended", day, job)


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


def after(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def of(measure: Measure, deltas: Sequence[Delta]) -> list[Delta]:
    return [delta for delta in deltas if delta.measure == measure.id]


# Which jobs there are.


@pytest.mark.parametrize("end", [MARCH, APRIL])
def test_a_job_that_ends_on_or_before_the_day_it_begins_is_no_job(end: str) -> None:
    assert life(flexjob(APRIL, "6.00"), ended(end)) == []


def test_hours_after_the_end_and_a_second_start_of_the_same_placement_change_nothing() -> None:
    once = life(flexjob(MARCH, "6.00"), ended(APRIL))
    more = life(
        flexjob(MARCH, "6.00"),
        ended(APRIL),
        changed(APRIL, "20.00"),
        flexjob(MAY, "9.00", department="Teknik"),
        ended(MAY),
    )

    assert more == once


def test_changes_dated_before_the_start_change_nothing_and_those_on_its_day_hold_from_the_first_day() -> None:
    story = life(flexjob(MARCH, "6.00"), changed(FEB, "20.00"), changed(MARCH, "8.00"))

    assert at(jobs.HOURS_STARTED, story, MARCH) == 8
    assert at(flexjobs.EFFECTIVE_HOURS, story, MARCH) == 8
    assert at(flexjobs.NET_HOURS_CHANGE, story) == 0


def test_the_same_job_told_by_two_sources_counts_once_with_the_hours_of_the_one_begun_first() -> None:
    story = life(flexjob(MARCH, "6.00", "ours"), flexjob(APRIL, "7.00", "theirs", source="payroll"))

    assert at(jobs.PLACEMENTS_STARTED, story) == 1
    assert at(flexjobs.EFFECTIVE_HOURS, story) == 6


@pytest.mark.parametrize(
    "other",
    [
        placement(APRIL, job="other", org_id="employer"),
        placement(APRIL, job="other", org_id="another employer", source="payroll"),
        placement(APRIL, "small_job", job="other", org_id="employer", source="payroll"),
        placement(MAY, job="other", org_id="employer", source="payroll"),
    ],
    ids=["same source", "another employer", "another kind", "after its end"],
)
def test_jobs_that_are_not_the_same_count_beside_each_other(other: Fact) -> None:
    story = life(placement(MARCH, org_id="employer"), left(MAY), other)

    assert at(jobs.PLACEMENTS_STARTED, story) == 2


# J1 and J2


def test_j1_a_work_trial_counts_from_the_day_on_which_it_becomes_a_job() -> None:
    story = life(placement(MARCH, "work_trial", "0.00"), becomes(APRIL, "small_job"), becomes(MAY, "ordinary"))

    (begun,) = of(jobs.PLACEMENTS_STARTED, story)
    assert begun.date == date(2026, 4, 1)
    assert begun.dimensions == (("kind", "small_job"), ("origin", "cash_benefit"), ("partner", "yes"))
    assert life(placement(MARCH, "wage_subsidy")) == life(placement(MARCH, "unheard_of")) == []


def test_j1_a_social_free_card_counts_if_the_law_knew_it_when_the_job_became_one() -> None:
    assert life(placement("2018-12-31", "social_free_card")) == []
    assert at(jobs.PLACEMENTS_STARTED, life(placement("2019-01-01", "social_free_card"))) == 1


def test_j1_tells_partners_and_origins_apart_and_counts_what_nobody_knows_as_unknown() -> None:
    story = life(placement(MARCH, origin_code="from_the_moon", partnership_id=None), flexjob(MARCH, "6.00", "flex"))

    assert at(jobs.PLACEMENTS_STARTED, story, origin="unknown", partner="no") == 2
    assert at(jobs.PLACEMENTS_STARTED, story, kind="ordinary") == 1


def test_j2_hours_are_those_at_the_end_of_the_first_eligible_day() -> None:
    hours = told("placement.hours_changed", APRIL, effective_hours_per_week="12.50")
    story = life(placement(MARCH, "work_trial", "0.00"), becomes(APRIL, "ordinary"), hours)

    assert at(jobs.HOURS_STARTED, story, MARCH) == 0
    assert at(jobs.HOURS_STARTED, story, APRIL, kind="ordinary") == Decimal("12.5")


# J3 and J3r


@pytest.mark.parametrize(("pause", "progressed"), [(28, 1), (29, 0)])
def test_j3_a_pause_of_28_days_leaves_the_baseline_and_one_of_29_begins_anew(pause: int, progressed: int) -> None:
    again = after(APRIL, pause)
    story = life(placement(MARCH, hours="6.00"), left(APRIL), placement(again, hours="9.00", job="next"))

    assert at(jobs.PERSONS_EMPLOYED, story, after(again, -1)) == 0
    assert at(jobs.PERSONS_EMPLOYED, story, again) == 1
    assert at(jobs.PERSONS_PROGRESSED, story, again) == progressed


def test_j3_and_j3r_compare_all_hours_of_all_eligible_jobs() -> None:
    story = life(
        placement(MARCH, hours="10.00"),
        flexjob(APRIL, "3.00", "flex"),
        placement(APRIL, "work_trial", "30.00", "trial"),
        left(MAY),
    )

    assert [at(jobs.PERSONS_PROGRESSED, story, day) for day in (MARCH, APRIL, MAY)] == [0, 1, 0]
    assert [at(jobs.PERSONS_REGRESSED, story, day) for day in (MARCH, APRIL, MAY)] == [0, 0, 1]
    assert [at(jobs.PERSONS_EMPLOYED, story, day) for day in (MARCH, APRIL, MAY)] == [1, 1, 1]


def test_j3_a_person_counts_under_the_kind_with_most_hours_of_all_jobs_of_that_kind() -> None:
    story = life(
        placement(MARCH, "ordinary", "10.00", "a"),
        placement(MARCH, "small_job", "6.00", "b"),
        placement(APRIL, "small_job", "6.00", "c"),
    )

    assert at(jobs.PERSONS_EMPLOYED, story, MARCH, kind="ordinary") == 1
    assert at(jobs.PERSONS_EMPLOYED, story, APRIL, kind="ordinary") == 0
    assert at(jobs.PERSONS_EMPLOYED, story, APRIL, kind="small_job") == 1


# J4 and J4e


@pytest.mark.parametrize(("pause", "employed"), [(28, 1), (29, 0)])
def test_j4e_counts_a_person_with_pauses_of_28_days_in_all_and_none_with_29(pause: int, employed: int) -> None:
    again = [after(APRIL, 14), after(MAY, pause - 14)]
    story = life(
        placement(MARCH, job="first"), left(APRIL, "first"),
        placement(again[0], job="second"), left(MAY, "second"),
        placement(again[1], job="third"),
    )  # fmt: skip
    of_the_first = [d for d in of(jobs.JOBS_STILL_EMPLOYED, story) if d.contributor == f"{ref('first')}/26"]

    assert len(of_the_first) == employed


def test_j4_asks_for_the_hours_of_all_jobs_together_on_the_due_day() -> None:
    due = after(MARCH, 91)
    less = told("placement.hours_changed", due, effective_hours_per_week="8.00")
    alone = life(placement(MARCH), less)
    helped = life(placement(MARCH), less, flexjob(due, "2.00", "flex"))

    for story, sustained in ((alone, 0), (helped, 1)):
        assert at(jobs.JOBS_DUE, story, due, weeks="13") == at(jobs.JOBS_STILL_EMPLOYED, story, due, weeks="13") == 1
        assert at(jobs.JOBS_SUSTAINED, story, due, weeks="13") == sustained


def test_j4e_a_job_that_ends_on_the_due_day_is_not_kept_and_stays_below_the_line() -> None:
    due = after(MARCH, 91)
    ends_then, ends_after = life(placement(MARCH), left(due)), life(placement(MARCH), left(after(due, 1)))

    assert at(jobs.JOBS_STILL_EMPLOYED, ends_then, due) == 0
    assert at(jobs.JOBS_STILL_EMPLOYED, ends_after, due) == 1
    assert at(jobs.JOBS_DUE, ends_then, due) == at(jobs.JOBS_DUE, ends_after, due) == 1


def test_j4_is_counted_from_the_first_eligible_day_in_the_cohort_of_its_month() -> None:
    story = life(placement(MARCH, "work_trial"), becomes("2026-04-15", "small_job"), becomes(MAY, "ordinary"))
    (due, *_) = of(jobs.JOBS_DUE, story)

    assert (due.cohort, due.date) == (date(2026, 4, 1), date(2026, 7, 15))
    assert (due.contributor, due.person) == (f"{ref('job')}/13", ref("Ane"))
    assert due.dimensions == (("kind", "small_job"), ("origin", "cash_benefit"), ("weeks", "13"))
