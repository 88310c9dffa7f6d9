"""The boundary cases of the rules over grants, needs, reviews, requests and snapshots, to be checked by hand."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid5

from contracts.catalogue import BY_TYPE
from impact.catalogue import INDICATORS, measures_of
from impact.entries.flexjobs import PERSONS_IN_FLEXJOB
from impact.entries.job7 import JOB7_PLACED, JOB7_REQUESTS
from impact.entries.needs import DAYS_TO_FILL, NEEDS_FILLED
from impact.entries.pool import POOL_ALLOCATED, POOL_DRAWN
from impact.entries.reviews import REVIEWS_DUE, REVIEWS_ON_TIME
from impact.entries.workforce import FTE, HEADCOUNT, SNAPSHOTS_TAKEN, TRAINEES
from impact.fold import Delta, Fact, Fold, Measure

EXAMPLES = Path(__file__).parents[3] / "contracts" / "examples"
REGISTERED = datetime(2026, 1, 1, tzinfo=UTC)
MARCH, APRIL, MAY, JUNE = (f"2026-{month:02}-01" for month in range(3, 7))
AT_LAST = "2028-12-31"


def ref(name: object) -> str:
    return str(uuid5(UUID(int=0), str(name)))


def told(name: str, day: str, **data: object) -> Fact:
    """An event as its published example has it, but for what the story says; names become ids."""
    message = json.loads((EXAMPLES / f"{name}.v1.json").read_text(encoding="utf-8"))
    ids = {key: ref(value) for key, value in data.items() if key.endswith(("_id", "_ref"))}
    event = BY_TYPE[message["type"]].model_validate({**message["data"], "occurred_on": day, **data, **ids})
    return Fact(0, "urn:kraftcenter:621:flexjob_pool", "", message["type"], REGISTERED, event)


def grant(verb: str, day: str, draws: dict[int, int], name: str = "A") -> Fact:
    parts = [{"fiscal_year": year, "amount_ore": amount} for year, amount in draws.items()]
    return told(f"grant.{verb}", day, grant_id=name, amount_ore=sum(draws.values()), allocations=parts)


def budget(verb: str, day: str, amount_ore: int, name: str = "budget") -> Fact:
    return told(f"pool.budget_{verb}", day, budget_id=name, fiscal_year=2026, amount_ore=amount_ore)


def need(day: str, department: str = "Senior") -> Fact:
    return told("need.reported", day, need_id="need", department=department, workplace_unit="Bakkebo")


def flexjob(day: str, job: str = "job", person: str = "Ane") -> Fact:
    return told("flexjob.started", day, need_id="need", placement_id=job, person_ref=person, department="Senior")


def ended(day: str) -> Fact:
    return told("flexjob.ended", day, placement_id="job", person_ref="Ane")


def due(day: str, due_on: str, kind: str = "m30") -> Fact:
    return told(
        "flexjob.review_due", day, placement_id="job", person_ref="Ane", review_id="R", review_kind=kind, due_on=due_on
    )


def held(day: str, review: str = "R") -> Fact:
    return told("flexjob.review_held", day, placement_id="job", person_ref="Ane", review_id=review, review_kind="m30")


def asked(day: str, *, by: str = "621", whom: str = "630") -> Fact:
    return told("job7.candidate_requested", day, request_id="Q", from_municipality=by, to_municipality=whom)


def placed(day: str) -> Fact:
    return told("job7.candidate_placed", day, request_id="Q", person_ref="Bo", placement_id="elsewhere")


def snapshot(day: str, headcount: int, trainees: int = 0, fte: str = "1.00", department: str = "Senior") -> Fact:
    counted = {"headcount": headcount, "trainee_headcount": trainees, "fte": fte}
    return told("workforce.snapshot_taken", day, department=department, **counted)


def deltas_of(*facts: Fact) -> list[Delta]:
    """What the facts amount to, registered in this order."""
    numbered = (
        Fact(position, fact.source, f"{position:03}", fact.type, fact.time, fact.event)
        for position, fact in enumerate(facts, start=1)
    )
    return Fold(measures_of(INDICATORS)).exchange([], list(numbered))


def at(measure: Measure, deltas: Iterable[Delta], day: str = AT_LAST, **cell: str) -> Decimal:
    """What all that is dated up to the end of a day adds up to, in all cells or in some."""
    until = date.fromisoformat(day)
    counted = [delta for delta in deltas if delta.measure == measure.id and delta.date <= until]
    return sum((delta.amount for delta in counted if cell.items() <= dict(delta.dimensions).items()), Decimal(0))


def of(measure: Measure, deltas: Sequence[Delta]) -> list[Delta]:
    return [delta for delta in deltas if delta.measure == measure.id]


# F5


def test_f5_a_grant_over_new_year_draws_on_two_budgets() -> None:
    story = deltas_of(
        grant("committed", "2026-10-01", {2026: 700, 2027: 300}),
        grant("released", "2027-02-01", {2026: 700, 2027: 100}),
    )

    assert at(POOL_DRAWN, story, "2027-01-31", fiscal_year="2027") == 300
    assert at(POOL_DRAWN, story, fiscal_year="2026") == 700
    assert at(POOL_DRAWN, story, fiscal_year="2027") == 100
    assert {delta.contributor for delta in story} == {f"{ref('A')}/2026", f"{ref('A')}/2027"}
    assert {delta.person for delta in story} == {None}


def test_f5_a_year_that_a_release_or_an_adjustment_does_not_name_is_not_drawn_on_any_more() -> None:
    for verb in ("adjusted", "released"):
        story = deltas_of(grant("committed", MARCH, {2026: 700, 2027: 300}), grant(verb, APRIL, {2026: 600}))

        assert at(POOL_DRAWN, story, "2026-03-31") == 1000
        assert at(POOL_DRAWN, story) == 600


def test_f5_a_release_is_final_and_what_is_dated_before_the_commitment_changes_nothing() -> None:
    story = deltas_of(
        grant("adjusted", MARCH, {2026: 5}),
        grant("committed", APRIL, {2026: 700}),
        grant("released", MAY, {2026: 100}),
        grant("adjusted", JUNE, {2026: 900}),
    )

    assert [at(POOL_DRAWN, story, day) for day in (MARCH, APRIL, MAY, JUNE)] == [0, 700, 100, 100]
    assert deltas_of(grant("released", MARCH, {2026: 100})) == []


def test_f5_a_budget_is_what_was_last_decided_and_two_budgets_of_a_year_add_up() -> None:
    story = deltas_of(
        budget("allocated", MARCH, 1000), budget("adjusted", APRIL, 400), budget("allocated", APRIL, 50, "extra")
    )

    assert at(POOL_ALLOCATED, story, MARCH) == 1000
    assert at(POOL_ALLOCATED, story, APRIL, fiscal_year="2026") == 450


# F6


def test_f6_days_run_from_the_first_report_to_the_first_flexjob_on_that_day_or_later() -> None:
    story = deltas_of(
        need("2026-03-10"),
        need(APRIL, "Teknik"),
        flexjob(MARCH, "too early", "Per"),
        flexjob("2026-04-09", "first", "Ane"),
        flexjob(MAY, "second", "Bo"),
    )
    (filled,), (days,) = of(NEEDS_FILLED, story), of(DAYS_TO_FILL, story)

    assert filled.amount == 1
    assert days.amount == 30
    for delta in (filled, days):
        assert (delta.contributor, delta.person) == (ref("need"), ref("Ane"))
        assert (delta.cohort, delta.date) == (date(2026, 3, 1), date(2026, 4, 9))
        assert delta.dimensions == (("department", "Senior"), ("workplace_unit", "Bakkebo"))


def test_f6_a_need_filled_on_its_own_day_is_filled_after_no_days() -> None:
    story = deltas_of(need(MARCH), flexjob(MARCH))

    assert at(NEEDS_FILLED, story) == 1
    assert at(DAYS_TO_FILL, story) == 0


def test_f6_a_need_that_nobody_fills_counts_nowhere() -> None:
    assert of(NEEDS_FILLED, deltas_of(need(APRIL), flexjob(MARCH))) == []


# F7


def test_f7_a_review_held_on_its_due_day_is_on_time_and_one_held_a_day_later_is_not() -> None:
    for day, on_time in (("2026-05-01", 1), ("2026-05-02", 0)):
        story = deltas_of(flexjob(MARCH), due(APRIL, MAY), held(day), held(APRIL, "another review"))

        assert at(REVIEWS_DUE, story, "2026-04-30") == 0
        assert at(REVIEWS_DUE, story, MAY, review_kind="m30") == 1
        assert at(REVIEWS_ON_TIME, story) == on_time


def test_f7_the_latest_call_for_a_review_says_when_it_is_due() -> None:
    story = deltas_of(flexjob(MARCH), due(APRIL, MAY), due("2026-04-20", JUNE, "made_up"), held("2026-05-20"))
    (fell_due,) = of(REVIEWS_DUE, story)

    assert (fell_due.date, fell_due.cohort, fell_due.person) == (date(2026, 6, 1), date(2026, 6, 1), ref("Ane"))
    assert fell_due.dimensions == (("review_kind", "unknown"),)
    assert at(REVIEWS_ON_TIME, story) == 1


def test_f7_a_review_that_falls_due_when_the_flexjob_does_not_run_is_not_counted() -> None:
    for fell_due, end in ((1, "2026-05-02"), (0, "2026-05-01"), (0, "2026-04-30")):
        assert at(REVIEWS_DUE, deltas_of(flexjob(MARCH), due(APRIL, MAY), ended(end))) == fell_due
    assert at(REVIEWS_DUE, deltas_of(flexjob(MAY), due(MARCH, APRIL))) == 0


# F9


def test_f9_a_candidate_placed_on_day_90_counts_on_that_day_and_one_placed_on_day_91_does_not() -> None:
    for day, won in (("2026-05-30", 1), ("2026-05-31", 0)):
        story = deltas_of(asked(MARCH), placed(day))

        assert at(JOB7_REQUESTS, story, "2026-05-29") == at(JOB7_PLACED, story, "2026-05-29") == 0
        assert at(JOB7_REQUESTS, story, "2026-05-30", to_municipality="630") == 1
        assert at(JOB7_PLACED, story) == won


def test_f9_names_the_person_that_was_placed_and_the_month_of_the_request() -> None:
    story = deltas_of(asked(MARCH, whom="999"), placed(APRIL))
    (request,), (success,) = of(JOB7_REQUESTS, story), of(JOB7_PLACED, story)

    assert (request.person, success.person) == (None, ref("Bo"))
    assert request.cohort == success.cohort == date(2026, 3, 1)
    assert request.dimensions == success.dimensions == (("to_municipality", "unknown"),)


def test_f9_what_another_municipality_asks_for_does_not_count_here() -> None:
    assert deltas_of(asked(MARCH, by="630", whom="621"), placed(APRIL)) == []


# E1, E1f, E2 and F2


def test_e1_and_e2_a_snapshot_stands_until_the_next_of_its_department() -> None:
    story = deltas_of(
        snapshot(MARCH, 100, 8, "80.50"), snapshot(MAY, 90, 9, "75.25"), snapshot(APRIL, 10, 1, "9.00", "Teknik")
    )

    assert [at(HEADCOUNT, story, day) for day in (MARCH, APRIL, MAY)] == [100, 110, 100]
    assert at(FTE, story, MAY, department="Senior") == Decimal("75.25")
    assert at(TRAINEES, story, APRIL) == 9
    assert {delta.person for delta in story} == {None}


def test_e1_of_two_snapshots_on_a_day_the_one_registered_last_holds() -> None:
    assert at(HEADCOUNT, deltas_of(snapshot(MARCH, 100), snapshot(MARCH, 101))) == 101


def test_f2_a_department_moves_on_the_days_of_its_snapshots_and_both_parts_are_read_there() -> None:
    story = deltas_of(flexjob(MARCH), snapshot(APRIL, 50), flexjob(MAY, "later", "Bo"))
    days = {
        delta.date.isoformat() for delta in of(SNAPSHOTS_TAKEN, story) if ("department", "Senior") in delta.dimensions
    }

    assert days == {APRIL}
    assert at(PERSONS_IN_FLEXJOB, story, APRIL, department="Senior") == 1
    assert at(HEADCOUNT, story, APRIL, department="Senior") == 50


# The catalogue


def test_every_delta_has_exactly_the_dimensions_that_the_indicators_of_its_measure_promise() -> None:
    story = deltas_of(
        flexjob(MARCH), need(MARCH), due(MARCH, APRIL), held(MARCH), ended(MAY), asked(MARCH), placed(APRIL),
        snapshot(MARCH, 5, 1), budget("allocated", MARCH, 9), grant("committed", MARCH, {2026: 5}),
    )  # fmt: skip
    promised = {(measure.id, indicator.dimensions) for indicator in INDICATORS for measure in indicator.measures}

    for delta in story:
        names = tuple(name for name, _ in delta.dimensions)
        assert delta.measure == SNAPSHOTS_TAKEN.id or (delta.measure, names) in promised
        assert all(value and isinstance(value, str) for _, value in delta.dimensions)
    assert len({delta.measure for delta in story}) > 17


def test_every_indicator_says_in_two_languages_what_it_counts_and_what_it_is_worth() -> None:
    assert len({indicator.id for indicator in INDICATORS}) == len(INDICATORS)
    assert len({indicator.name for indicator in INDICATORS}) == len(INDICATORS)
    assert len({measure.id for measure in measures_of(INDICATORS)}) == len(measures_of(INDICATORS))

    for indicator in INDICATORS:
        texts = (*indicator.title, *indicator.definition, indicator.owner, *indicator.mapping)
        assert all(text.strip() == text != "" for text in texts)
        assert indicator.mapping
        assert {name for name, _ in indicator.held} <= set(indicator.dimensions)
        assert all(text.endswith(".") for text in indicator.definition)
