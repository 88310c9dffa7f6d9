"""The worked examples of the domain, told as stories: every number can be checked by hand."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from uuid import UUID, uuid5

import pytest

from chassis.calendar import FileCalendar
from contracts.catalogue import BY_TYPE
from impact.catalogue import INDICATORS, measures_of
from impact.chronicle import Chronicle
from impact.entries.flexjobs import EFFECTIVE_HOURS, NET_HOURS_CHANGE, PERSONS_IN_FLEXJOB
from impact.entries.jobs import (
    HOURS_STARTED,
    JOBS_DUE,
    JOBS_STILL_EMPLOYED,
    JOBS_SUSTAINED,
    PERSONS_EMPLOYED,
    PERSONS_PROGRESSED,
    PERSONS_REGRESSED,
    PLACEMENTS_STARTED,
)
from impact.entries.pool import POOL_ALLOCATED, POOL_DRAWN
from impact.fold import Delta, Fact, Measure

EXAMPLES = Path(__file__).parents[3] / "contracts" / "examples"
REGISTERED = datetime(2026, 1, 1, tzinfo=UTC)


def told(name: str, day: str, **data: object) -> Fact:
    """An event as its published example has it, but for what the story says; names become ids."""
    message = json.loads((EXAMPLES / f"{name}.v1.json").read_text(encoding="utf-8"))
    said = {"placement_id": "job", "person_ref": "Ane", **data}
    ids = {key: str(uuid5(UUID(int=0), str(said[key]))) for key in said if key.endswith(("_id", "_ref"))}
    event = BY_TYPE[message["type"]].model_validate({**message["data"], "occurred_on": day, **said, **ids})
    return Fact(0, "urn:kraftcenter:621:flexjob_pool", "", message["type"], REGISTERED, event)


def started(day: str, hours: str, job: str = "job", person: str = "Ane", **data: object) -> Fact:
    terms = {"effective_hours_per_week": hours, **data}
    return told("flexjob.started", day, placement_id=job, person_ref=person, **terms)


def changed(day: str, hours: str, job: str = "job", person: str = "Ane") -> Fact:
    return told("flexjob.hours_changed", day, placement_id=job, person_ref=person, effective_hours_per_week=hours)


def ended(day: str, job: str = "job", person: str = "Ane") -> Fact:
    return told("flexjob.ended", day, placement_id=job, person_ref=person)


def grant(verb: str, day: str, name: str, amount_ore: int) -> Fact:
    parts = [{"fiscal_year": 2026, "amount_ore": amount_ore}]
    return told(f"grant.{verb}", day, grant_id=name, amount_ore=amount_ore, allocations=parts)


def placed(day: str, person: str, job: str = "job") -> Fact:
    terms = {"employment_kind": "ordinary", "effective_hours_per_week": "10.00"}
    return told("placement.started", day, placement_id=f"{job} of {person}", person_ref=person, **terms)


def shrunk(day: str, person: str) -> Fact:
    return of_job("placement.hours_changed", day, person, effective_hours_per_week="8.00")


def left(day: str, person: str) -> Fact:
    return of_job("placement.ended", day, person)


def of_job(name: str, day: str, person: str, **data: object) -> Fact:
    return told(name, day, placement_id=f"job of {person}", person_ref=person, **data)


def deltas_of(facts: Iterable[Fact]) -> list[Delta]:
    """What the facts change, told one by one in this order of arrival."""
    chronicle = Chronicle(measures_of(INDICATORS))
    return [
        delta
        for position, fact in enumerate(facts, start=1)
        for delta in chronicle.tell(
            Fact(position, fact.source, f"{position:03}", fact.type, fact.time, fact.event)
        ).deltas
    ]


def at(measure: Measure, deltas: Sequence[Delta], day: str, **cell: str) -> Decimal:
    """What all that is dated up to the end of a day adds up to, in all cells or in some."""
    until = date.fromisoformat(day)
    counted = [delta for delta in deltas if delta.measure == measure.id and delta.date <= until]
    return sum((delta.amount for delta in counted if cell.items() <= dict(delta.dimensions).items()), Decimal(0))


def average(measure: Measure, deltas: Sequence[Delta], first: str, days: int) -> Decimal:
    """What stood at the end of each of so many days, on average."""
    dates = [date.fromisoformat(first) + timedelta(days=number) for number in range(days)]
    return sum((at(measure, deltas, day.isoformat()) for day in dates), Decimal(0)) / days


def fte(hours: Decimal) -> Decimal:
    return round(hours / 37, 4)


def test_e1_hours_that_rise_from_4_to_12_and_a_half() -> None:
    story = deltas_of([started("2026-02-01", "4.00"), changed("2026-03-01", "12.50")])

    assert at(EFFECTIVE_HOURS, story, "2026-02-28") == 4
    assert at(EFFECTIVE_HOURS, story, "2026-03-01") == Decimal("12.5")
    gained = at(NET_HOURS_CHANGE, story, "2026-03-01")
    assert gained == Decimal("8.5")
    assert fte(gained) == Decimal("0.2297")
    assert gained * 52 == 442
    assert at(HOURS_STARTED, story, "2026-03-01") == 4, "what the job began with stays what it was"


def test_e2_effective_hours_count_not_the_hours_of_attendance() -> None:
    story = deltas_of([started("2026-03-01", "8.00", attendance_hours_per_week="12.00")])

    assert at(EFFECTIVE_HOURS, story, "2026-03-01") == 8
    assert fte(at(HOURS_STARTED, story, "2026-03-01")) == Decimal("0.2162"), "and not 0.3243"


def test_e3_two_of_five_rise_one_falls_and_nine_hours_are_won() -> None:
    hours = {"P1": ("4.00", "12.50"), "P2": ("6.00", "9.50"), "P3": ("10.00", "7.00"), "P4": ("5.00", "5.00")}
    story = deltas_of(
        [
            *(started("2026-01-01", before, job=f"of {name}", person=name) for name, (before, _) in hours.items()),
            *(changed("2026-03-01", after, job=f"of {name}", person=name) for name, (_, after) in hours.items()),
            started("2026-01-01", "8.00", job="of P5", person="P5"),
        ]
    )
    day = "2026-03-31"

    net = at(NET_HOURS_CHANGE, story, day)
    assert net == 9
    assert fte(net) == Decimal("0.2432")
    assert at(PERSONS_PROGRESSED, story, day) / at(PERSONS_EMPLOYED, story, day) == Decimal("0.4")
    assert at(PERSONS_REGRESSED, story, day) / at(PERSONS_EMPLOYED, story, day) == Decimal("0.2")
    each = [Decimal(after) - Decimal(before) for before, after in hours.values()]
    assert {d.amount for d in story if d.measure == NET_HOURS_CHANGE.id} == {gain for gain in each if gain}
    assert (sum(gain for gain in each if gain > 0), sum(gain for gain in each if gain < 0)) == (12, -3)
    assert net / at(PERSONS_EMPLOYED, story, day) == Decimal("1.8")


def test_e4_six_of_eight_jobs_are_sustained_after_26_weeks_and_seven_persons_still_employed() -> None:
    stayers = [placed("2025-09-01", name) for name in ("P1", "P2", "P3", "P4", "P5")]
    with_a_gap = [placed("2025-09-01", "P6"), left("2025-12-01", "P6"), placed("2025-12-11", "P6", job="next")]
    shrinking = [placed("2025-09-01", "P7"), shrunk("2026-01-01", "P7")]
    leaving = [placed("2025-09-01", "P8"), left("2025-12-10", "P8")]
    too_young = [placed("2025-10-01", "P9"), placed("2026-01-05", "P10")]
    story = deltas_of([*stayers, *with_a_gap, *shrinking, *leaving, *too_young])
    day, half_a_year = "2026-03-31", {"weeks": "26"}

    due = at(JOBS_DUE, story, day, **half_a_year)
    assert due == 8, "and not 11: two placements, and the one after the gap, are younger"
    assert at(JOBS_SUSTAINED, story, day, **half_a_year) / due == Decimal("0.75")
    assert at(JOBS_STILL_EMPLOYED, story, day, **half_a_year) / due == Decimal("0.875")


def test_e7_the_average_of_a_month_is_not_what_stands_at_its_end() -> None:
    story = deltas_of([started("2026-03-01", "12.50"), changed("2026-03-16", "20.00")])

    march = average(EFFECTIVE_HOURS, story, "2026-03-01", 31)
    assert round(march, 4) == Decimal("16.3710")
    assert fte(march) == Decimal("0.4425")
    assert fte(at(EFFECTIVE_HOURS, story, "2026-03-31")) == Decimal("0.5405")


def test_e11_the_pool_is_used_by_what_is_committed_and_given_back_what_is_released() -> None:
    story = deltas_of(
        [
            told("pool.budget_allocated", "2026-01-01", budget_id="pool", fiscal_year=2026, amount_ore=10_000_000),
            grant("committed", "2026-01-01", "A", 3_328_000),
            grant("committed", "2026-07-01", "B", 2_600_000),
            grant("released", "2026-09-30", "B", 1_300_000),
        ]
    )

    def used(day: str) -> Decimal:
        return at(POOL_DRAWN, story, day, fiscal_year="2026") / at(POOL_ALLOCATED, story, day, fiscal_year="2026")

    assert used("2026-07-01") == Decimal("0.5928")
    assert used("2026-09-29") == Decimal("0.5928")
    assert used("2026-09-30") == Decimal("0.4628")


@pytest.mark.parametrize("arrival", list(permutations(range(3))))
def test_e17_any_order_of_arrival_ends_in_the_same_numbers(arrival: tuple[int, ...]) -> None:
    life = [started("2026-01-01", "4.00"), changed("2026-02-01", "12.50"), ended("2026-04-01")]
    story = deltas_of(life[place] for place in arrival)

    assert at(EFFECTIVE_HOURS, story, "2026-01-31") == 4
    assert at(EFFECTIVE_HOURS, story, "2026-03-31") == Decimal("12.5"), "the last hours"
    assert at(EFFECTIVE_HOURS, story, "2026-04-01") == 0
    assert at(PERSONS_PROGRESSED, story, "2026-03-31") == at(PERSONS_EMPLOYED, story, "2026-03-31") == 1
    assert at(PERSONS_PROGRESSED, story, "2026-04-01") == at(PERSONS_EMPLOYED, story, "2026-04-01") == 0


def test_e17_what_comes_before_the_start_waits_without_effect() -> None:
    assert deltas_of([changed("2026-02-01", "12.50"), ended("2026-04-01")]) == []


def test_e18_weeks_are_seven_days_so_52_of_them_end_a_day_before_the_year() -> None:
    story = deltas_of([started("2025-09-01", "8.00")])
    due = {dict(delta.dimensions)["weeks"]: delta.date for delta in story if delta.measure == JOBS_DUE.id}

    assert due == {"13": date(2025, 12, 1), "26": date(2026, 3, 2), "52": date(2026, 8, 31)}


def test_e19_half_an_hour_after_midnight_in_denmark_belongs_to_april(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("2026-03-31T22:30:00Z", encoding="utf-8")
    story = deltas_of([started(FileCalendar(clock).today().isoformat(), "8.00")])

    assert at(PLACEMENTS_STARTED, story, "2026-03-31") == 0
    assert at(PLACEMENTS_STARTED, story, "2026-04-01") == 1


def test_e20_one_person_in_two_flexjobs_is_one_person_two_placements_and_eleven_hours() -> None:
    day = "2026-03-01"
    story = deltas_of([started(day, "6.00", job="first"), started(day, "5.00", job="second")])

    assert at(PERSONS_IN_FLEXJOB, story, day) == 1
    assert at(PLACEMENTS_STARTED, story, day, kind="flexjob") == 2
    assert at(EFFECTIVE_HOURS, story, day) == 11
    assert fte(at(EFFECTIVE_HOURS, story, day)) == fte(at(HOURS_STARTED, story, day)) == Decimal("0.2973")
