"""Hand-checkable stories, written straight into a ledger as raw bodies, and what the proofs make of them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from chassis.database import Pool
from impact.catalogue import INDICATORS
from impact.verify.proofs import PROVEN, Asked, Cell, prove

RETRACTED = "event.retracted"
NEW_YEAR = date(2026, 1, 1)
WHOLE: Cell = ()
ROW = """
    INSERT INTO ledger (
        municipality, position, kind, source, event_id, type, time, occurred_on, body, body_hash, parked, recorded_at,
        stream, stream_sequence, concerns
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', $10, $7, 'none', $2, $11)
"""


def day(text: str) -> date:
    return date.fromisoformat(text)


def of(whole: str, parts: str) -> tuple[Decimal, Decimal]:
    """A numerator and a denominator."""
    return Decimal(whole), Decimal(parts)


@dataclass
class Teller:
    """Tells a municipality's story into the ledger, one position after the other."""

    pool: Pool
    municipality: str = "621"
    position: int = 0
    registered: datetime = datetime(2026, 1, 1, 9, tzinfo=UTC)
    bodies: dict[int, dict[str, Any]] = field(default_factory=dict)

    async def tell(self, name: str, on: str | None = None, **told: Any) -> str:
        """Tell a fact, by default each registered later than the one before; gives its id."""
        self.registered += timedelta(minutes=1)
        event_id = told.pop("id", f"e{self.position + 1}")
        source = f"urn:kraftcenter:{self.municipality}:{told.pop('source', 'flexjob_pool')}"
        time = told.pop("time", f"{self.registered:%Y-%m-%dT%H:%M:%SZ}")
        envelope = {"id": event_id, "source": source, "type": f"dk.kraftcenter.{name}.v1", "time": time}
        if corrects := told.pop("corrects", None):
            envelope["corrects"] = corrects
        parked = told.pop("parked", None)
        await self.enter("fact", {**envelope, "data": told | ({"occurred_on": on} if on else {})}, parked=parked)
        return str(event_id)

    async def enter(
        self, kind: str, body: dict[str, Any], *, parked: str | None = None, about: int | None = None
    ) -> None:
        """Make an entry of any kind."""
        self.position += 1
        self.bodies[self.position] = body
        known = (body["source"], body["id"], body["type"], datetime.fromisoformat(body["time"]))
        on = body["data"].get("occurred_on")
        where = (self.municipality, self.position)
        await self.pool.execute(ROW, *where, kind, *known, on and day(on), body, parked, about)

    async def flexjob(self, person: str, job: str, on: str, hours: str, **told: Any) -> str:
        told = {"department": "Senior", "effective_hours_per_week": hours} | told
        return await self.tell("flexjob.started", on, person_ref=person, placement_id=job, **told)

    async def placement(self, person: str, job: str, on: str, hours: str, **told: Any) -> str:
        usual = {"source": "partnerships", "employment_kind": "ordinary", "org_id": "mill", "origin_code": "education"}
        told = usual | {"effective_hours_per_week": hours} | told
        return await self.tell("placement.started", on, person_ref=person, placement_id=job, **told)

    async def hours(self, person: str, job: str, on: str, hours: str, **told: Any) -> str:
        told = {"effective_hours_per_week": hours, "cause": "capacity_up"} | told
        return await self.tell("flexjob.hours_changed", on, person_ref=person, placement_id=job, **told)

    async def end(self, person: str, job: str, on: str, noun: str = "flexjob", **told: Any) -> str:
        told = {"reason_code": "other"} | told
        return await self.tell(f"{noun}.ended", on, person_ref=person, placement_id=job, **told)

    async def retract(self, event_id: str, **told: Any) -> str:
        return await self.tell(RETRACTED, event_id=event_id, **told)

    async def cells(
        self, indicator: str, as_of: str, position: int | None = None
    ) -> dict[Cell, tuple[Decimal, Decimal]]:
        """Every figure of an indicator; a flow's since New Year."""
        known = self.position if position is None else position
        async with self.pool.acquire() as db:
            return await prove(db, indicator, Asked(self.municipality, known, NEW_YEAR, day(as_of)))

    async def whole(self, indicator: str, as_of: str, position: int | None = None) -> tuple[Decimal, Decimal]:
        return (await self.cells(indicator, as_of, position))[WHOLE]

    async def mean_hours(self, position: int | None = None) -> tuple[Decimal, Decimal]:
        """Hours and persons in flexjob at the end of 2026."""
        return await self.whole("F4", "2026-12-31", position)


@pytest.fixture
def story(pool: Pool) -> Teller:
    return Teller(pool)


def cut(cells: dict[Cell, tuple[Decimal, Decimal]], name: str) -> dict[str, tuple[str, str]]:
    """One cut of an indicator, as text."""
    return {
        cell[0][1]: (f"{numerator.normalize():f}", f"{denominator.normalize():f}")
        for cell, (numerator, denominator) in cells.items()
        if cell and cell[0][0] == name
    }


# Supersession


async def test_the_latest_correction_holds_by_time_and_then_by_id(story: Teller) -> None:
    root = await story.flexjob("anna", "a", "2026-02-01", "4")
    same = "2026-03-01T10:00:00Z"
    await story.flexjob("anna", "a", "2026-02-01", "8", corrects=root, id="b", time=same)
    await story.flexjob("anna", "a", "2026-02-01", "7", corrects=root, id="B", time=same)
    await story.flexjob("anna", "a", "2026-02-01", "6", corrects=root, id="z", time="2026-02-28T10:00:00Z")
    known = [await story.mean_hours(position) for position in range(5)]

    assert known == [of("0", "0"), of("4", "1"), of("8", "1"), of("8", "1"), of("8", "1")]


async def test_instants_are_compared_as_instants_and_not_as_text(story: Teller) -> None:
    root = await story.flexjob("anna", "a", "2026-02-01", "4")
    await story.flexjob("anna", "a", "2026-02-01", "9", corrects=root, time="2026-03-01T10:00:00.5Z")
    await story.flexjob("anna", "a", "2026-02-01", "8", corrects=root, time="2026-03-01T10:00:00Z")

    assert await story.mean_hours() == of("9", "1")


async def test_a_correction_of_a_correction_holds_though_it_is_told_earlier_than_its_root(story: Teller) -> None:
    root = await story.flexjob("anna", "a", "2026-02-01", "4")
    second = await story.flexjob("anna", "a", "2026-02-01", "5", corrects=root, time="2025-12-01T10:00:00Z")
    await story.flexjob("anna", "a", "2026-02-01", "6", corrects=second, time="2025-12-02T10:00:00Z")

    assert await story.mean_hours() == of("6", "1")


async def test_retracting_a_correction_restores_what_was_before_it_and_keeps_what_corrects_it(story: Teller) -> None:
    root = await story.flexjob("anna", "a", "2026-02-01", "4")
    first = await story.flexjob("anna", "a", "2026-02-01", "5", corrects=root)
    last = await story.flexjob("anna", "a", "2026-02-01", "6", corrects=first)
    await story.retract(first)
    gone = await story.retract(last)
    await story.retract(gone)
    known = [await story.mean_hours(position) for position in range(3, 7)]

    assert known == [of("6", "1"), of("6", "1"), of("4", "1"), of("4", "1")]


async def test_retracting_a_root_takes_its_corrections_with_it(story: Teller) -> None:
    root = await story.flexjob("anna", "a", "2026-02-01", "4")
    await story.flexjob("anna", "a", "2026-02-01", "5", corrects=root)
    await story.retract(root)

    assert await story.mean_hours() == of("0", "0")
    assert await story.mean_hours(2) == of("5", "1")


async def test_what_arrives_before_its_root_waits_for_it(story: Teller) -> None:
    await story.retract("r1")
    await story.flexjob("berit", "b", "2026-02-01", "5", corrects="r2")
    await story.flexjob("anna", "a", "2026-02-01", "4", id="r1")
    assert await story.mean_hours() == of("0", "0")

    await story.flexjob("berit", "b", "2026-02-01", "4", id="r2")
    assert await story.mean_hours() == of("5", "1")


async def test_a_correction_may_move_a_fact_to_another_day_and_another_person(story: Teller) -> None:
    root = await story.flexjob("anna", "a", "2026-02-01", "4")
    await story.flexjob("berit", "b", "2026-05-01", "6", corrects=root, department="Børn")

    assert await story.whole("F1", "2026-04-30") == of("0", "1")
    assert cut(await story.cells("F1", "2026-05-01"), "department") == {"Børn": ("1", "1")}


async def test_another_source_or_another_type_corrects_and_retracts_nothing(story: Teller) -> None:
    root = await story.flexjob("anna", "a", "2026-02-01", "4")
    await story.flexjob("anna", "a", "2026-02-01", "5", corrects=root, source="payroll")
    await story.hours("anna", "a", "2026-03-01", "6", corrects=root)
    await story.retract(root, source="payroll")

    assert await story.mean_hours() == of("4", "1")


async def test_corrections_in_a_ring_have_no_root(story: Teller) -> None:
    await story.flexjob("anna", "a", "2026-02-01", "4", id="x", corrects="y")
    await story.flexjob("anna", "a", "2026-02-01", "5", id="y", corrects="x")
    await story.flexjob("anna", "a", "2026-02-01", "6", id="z", corrects="z")

    assert await story.mean_hours() == of("0", "0")


# Positions, parking, openings, municipalities


async def test_every_order_of_arrival_ends_in_the_same_figure(pool: Pool) -> None:
    tales = (("a", "started"), ("b", "hours"), ("c", "corrected"), ("d", "ended"))
    for number, order in enumerate(itertools.permutations(tales)):
        story = Teller(pool, municipality=f"{100 + number}")
        for event_id, what in order:
            told = {"id": event_id, "time": f"2026-03-01T10:00:0{event_id.encode()[0] - 96}Z"}
            if what == "started":
                await story.flexjob("anna", "a", "2026-02-01", "4", **told)
            elif what == "ended":
                await story.end("anna", "a", "2027-01-01", **told)
            else:
                corrects = "b" if what == "corrected" else None
                await story.hours("anna", "a", "2026-03-01", "10.5" if corrects else "12.5", corrects=corrects, **told)
        assert await story.mean_hours() == of("10.5", "1")
        assert await story.whole("F1", "2027-01-01") == of("0", "1")


async def test_a_parked_fact_takes_effect_where_its_replay_succeeds_and_never_when_discarded(story: Teller) -> None:
    await story.flexjob("anna", "a", "2026-02-01", "4", parked="rule_error")
    await story.flexjob("berit", "b", "2026-02-01", "5", parked="rule_error")
    await story.enter("replay", story.bodies[1], parked="rule_error", about=1)
    await story.enter("replay", story.bodies[1], about=1)
    await story.enter("discard", story.bodies[2], about=2)
    known = [await story.mean_hours(position) for position in range(2, 6)]

    assert known == [of("0", "0"), of("0", "0"), of("4", "1"), of("4", "1")]


async def test_a_fact_without_its_opening_is_not_heard(story: Teller) -> None:
    await story.placement("anna", "a", "2026-02-01", "4", source="flexjob_pool")
    await story.hours("anna", "a", "2026-03-01", "9")
    await story.end("anna", "a", "2026-04-01")
    assert await story.whole("J3", "2026-03-15") == of("0", "1")
    assert await story.whole("J3", "2026-12-31") == of("0", "1")

    opening = await story.flexjob("berit", "a", "2026-11-01", "2")
    assert await story.whole("J3", "2026-03-15") == of("1", "1")
    assert await story.whole("J3", "2026-04-01") == of("0", "0")

    await story.retract(opening)
    assert await story.whole("J3", "2026-03-15") == of("0", "1")


async def test_two_municipalities_know_nothing_of_each_other(story: Teller) -> None:
    other = Teller(story.pool, municipality="630")
    await story.flexjob("anna", "a", "2026-02-01", "4", id="same")
    await other.flexjob("anna", "a", "2026-02-01", "9", id="same")
    await other.retract("nothing")

    assert await story.mean_hours(2) == of("4", "1")
    assert await other.mean_hours() == of("9", "1")


@pytest.mark.parametrize("indicator", sorted(PROVEN))
async def test_of_nothing_the_whole_stands_but_a_median_does_not(indicator: str, story: Teller) -> None:
    entry = next(each for each in INDICATORS if each.id == indicator)
    nothing = "0" if entry.denominator else str(entry.divisor)
    expected = {} if entry.reading == "median" else {WHOLE: of("0", nothing)}

    assert await story.cells(indicator, "2026-12-31") == expected


# Jobs


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


# Money, needs, reviews, exits, Job7, workforce


async def test_e11_the_pool_and_a_release(story: Teller) -> None:
    budget = {"budget_id": "pool", "fiscal_year": 2026}
    await story.tell("pool.budget_allocated", "2026-01-01", amount_ore=9_000_000, **budget)
    await story.tell("pool.budget_adjusted", "2026-01-02", amount_ore=10_000_000, **budget)
    for grant, on, drawn in (("a", "2026-01-05", 3_328_000), ("b", "2026-07-01", 2_600_000)):
        parts = [{"fiscal_year": 2026, "amount_ore": drawn}, {"fiscal_year": 2027, "amount_ore": 7}]
        await story.tell("grant.committed", on, grant_id=grant, allocations=parts)
    kept = [{"fiscal_year": 2026, "amount_ore": 1_300_000}]
    await story.tell("grant.released", "2026-09-30", grant_id="b", allocations=kept)
    await story.tell("grant.adjusted", "2026-10-01", grant_id="b", allocations=[])
    shares = [await story.whole("F5", as_of) for as_of in ("2026-01-01", "2026-07-01", "2026-12-31")]

    assert shares == [of("0", "9000000"), of("5928000", "10000000"), of("4628000", "10000000")]
    by_year = cut(await story.cells("F5", "2027-01-01"), "fiscal_year")
    assert by_year == {"2026": ("4628000", "10000000"), "2027": ("7", "0")}
    assert await story.whole("F5", "2027-01-01") == of("7", "0")


async def test_time_to_fill_is_the_middle_or_the_mean_of_the_two_in_the_middle(story: Teller) -> None:
    for number, days in enumerate((0, 10, 5, 30)):
        need = {"need_id": f"n{number}", "department": "By", "workplace_unit": f"u{number % 2}"}
        await story.tell("need.reported", "2026-02-01", **need)
        filled = str(day("2026-02-01") + timedelta(days))
        await story.flexjob(f"p{number}", f"j{number}", "2026-01-01", "4", need_id=f"n{number}")
        await story.flexjob(f"p{number}", f"k{number}", filled, "4", need_id=f"n{number}")
        await story.flexjob(f"p{number}", f"l{number}", "2026-03-20", "4", need_id=f"n{number}")
    cells = await story.cells("F6", "2026-12-31")

    assert cells[WHOLE] == of("7.5", "1")
    assert await story.whole("F6", "2026-02-11") == of("5", "1")
    assert cut(cells, "workplace_unit") == {"u0": ("2.5", "1"), "u1": ("20", "1")}


async def test_reviews_on_time_are_judged_on_the_day_they_are_due_while_the_flexjob_runs(story: Teller) -> None:
    for job, due, held in (
        ("a", "2026-05-01", "2026-05-01"),
        ("b", "2026-05-01", "2026-05-02"),
        ("c", "2026-05-01", None),
        ("ended", "2026-05-01", "2026-04-01"),
        ("coming", "2026-05-02", "2026-04-01"),
    ):
        await story.flexjob(job, job, "2026-01-01", "4")
        review = {"person_ref": job, "placement_id": job, "review_id": f"r{job}", "review_kind": "m30"}
        await story.tell("flexjob.review_due", "2026-03-01", due_on="2026-04-01", **review)
        await story.tell("flexjob.review_due", "2026-03-02", due_on=due, **review)
        if held:
            await story.tell("flexjob.review_held", held, **review)
    await story.end("ended", "ended", "2026-05-01")
    cells = await story.cells("F7", "2026-05-01")

    assert cells[WHOLE] == of("1", "3")
    assert cut(cells, "review_kind") == {"m30": ("1", "3")}
    assert await story.whole("F7", "2026-04-30") == of("0", "0")


async def test_exits_to_ordinary_jobs_among_the_flexjobs_that_ended(story: Teller) -> None:
    for job, finish, reason in (
        ("a", "2026-01-01", "ordinary_job"),
        ("b", "2026-12-31", "pension"),
        ("c", "2025-12-31", "ordinary_job"),
        ("d", "2027-01-01", "ordinary_job"),
    ):
        await story.flexjob(job, job, "2025-01-01", "4")
        await story.end(job, job, finish, reason_code=reason)
    await story.end("b", "b", "2026-12-31", reason_code="ordinary_job")

    assert await story.whole("F8", "2026-12-31") == of("1", "2")


async def test_job7_candidates_placed_within_90_days_of_our_own_requests(story: Teller) -> None:
    for request, asked, asker, placed in (
        ("a", "2026-01-01", "621", "2026-04-01"),
        ("b", "2026-01-01", "621", "2026-04-02"),
        ("c", "2026-01-01", "607", "2026-01-02"),
        ("d", "2026-01-02", "621", "2026-01-02"),
    ):
        known = {"request_id": request, "from_municipality": asker, "to_municipality": "630"}
        await story.tell("job7.candidate_requested", asked, **known)
        await story.tell("job7.candidate_placed", placed, person_ref="anna", placement_id="x", **known)
    cells = await story.cells("F9", "2026-04-01")

    assert cells[WHOLE] == of("1", "2")
    assert cut(cells, "to_municipality") == {"630": ("1", "2")}
    assert await story.whole("F9", "2026-03-31") == of("0", "0")


async def test_the_workforce_is_what_each_departments_last_snapshot_says(story: Teller) -> None:
    for department, on, headcount, fte, trainees in (
        ("Senior", "2026-01-31", 60, "50.00", 9),
        ("Senior", "2026-02-28", 50, "41.50", 7),
        ("Børn", "2026-01-31", 20, "18.25", 1),
    ):
        counts = {"headcount": headcount, "fte": fte, "trainee_headcount": trainees}
        await story.tell("workforce.snapshot_taken", on, department=department, **counts)
    await story.flexjob("anna", "a", "2026-02-28", "4", department="Senior")
    await story.flexjob("berit", "b", "2026-02-01", "4", department="Børn")
    await story.flexjob("carl", "c", "2026-02-01", "4", department="Teknik")

    assert await story.whole("E1", "2026-02-28") == of("70", "1")
    assert await story.whole("E1f", "2026-02-28") == of("59.75", "1")
    assert cut(await story.cells("E2", "2026-02-28"), "department") == {"Senior": ("7", "50"), "Børn": ("1", "20")}
    assert await story.whole("E1", "2026-02-27") == of("80", "1")
    assert cut(await story.cells("F2", "2026-12-31"), "department") == {"Senior": ("1", "50"), "Børn": ("0", "20")}
    assert await story.whole("F2", "2026-12-31") == of("1", "70")
