"""`verify` goes red: whatever is not what the ledger says is noticed by the second implementation, and named."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from uuid import UUID, uuid5

import pytest

from chassis.calendar import Calendar
from chassis.database import Pool
from impact.catalogue import INDICATORS
from impact.fold import Effect, Fact, Measure
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.store.figures import BeyondLane
from impact.verify.drift import Pair
from impact.verify.watch import HORIZON
from services.impact.tests.drift.life import (
    DELTA,
    FACTS,
    FORGED,
    HIRED,
    LANE,
    MEASURES,
    OF_SENIOR,
    PERSONS,
    SUM,
    TODAY,
    Cells,
    bring_in,
    cells,
    differing,
    of,
    sealed,
    told,
    verified,
)


async def test_a_ledger_that_nobody_touched_is_proven_in_every_cell(life: Pool) -> None:
    found = await verified(life, Pair(TODAY), Pair(HORIZON), Pair(TODAY, 6), Pair(date(2026, 2, 28), 0))

    assert found.drift == ()
    assert found.cells > len(INDICATORS) * 6


async def test_a_delta_that_was_edited_is_noticed_where_the_past_is_read_from(life: Pool) -> None:
    await life.execute(DELTA.format("persons_in_flexjob"))
    found = await verified(life)

    assert cells(found) == PERSONS
    assert cells(found, read_from="sums") == set()
    wholes = [drift for drift in found.drift if (drift.indicator, drift.as_of, drift.cell) == ("F1", TODAY, ())]
    assert [(drift.position, drift.figure, drift.proof) for drift in wholes] == [
        (FACTS, (Fraction(6), Fraction(1)), (Fraction(5), Fraction(1)))
    ]
    assert cells(await verified(life, Pair(TODAY, FACTS - 1))) == PERSONS
    assert cells(await verified(life, Pair(TODAY, 6))) == set(), "Bo had not come yet"


async def test_a_sum_that_was_edited_is_noticed_where_now_is_read_from(life: Pool) -> None:
    await life.execute(SUM.format("persons_in_flexjob"))
    found = await verified(life)

    assert cells(found, read_from="sums") == PERSONS
    assert cells(found, read_from="deltas") == set()


@pytest.mark.parametrize("table", ["delta", "running_sum"])
@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("trainees", OF_SENIOR),
        ("reviews_due", {("F7", ""), ("F7", "review_kind=m30")}),
        ("flexjobs_ended", {("F8", "")}),
        ("job7_requests", {("F9", ""), ("F9", "to_municipality=630")}),
        ("pool_allocated", {("F5", "fiscal_year=2026")}),
    ],
)
async def test_a_row_that_is_gone_is_noticed(life: Pool, table: str, measure: str, expected: Cells) -> None:
    await life.execute(f"DELETE FROM {table} WHERE measure = $1", measure)  # noqa: S608 - names of our own

    assert expected <= cells(await verified(life))


async def test_a_median_is_proven_by_deltas_since_nothing_else_is_read(life: Pool) -> None:
    await life.execute("DELETE FROM running_sum WHERE measure = 'days_to_fill'")
    assert cells(await verified(life)) == set()
    await life.execute("UPDATE delta SET amount = amount + 1 WHERE measure = 'days_to_fill'")

    found = await verified(life)

    of_need = {("F6", ""), ("F6", "department=Senior"), ("F6", "workplace_unit=Plejecenter_Olivenhaven")}
    assert cells(found, read_from="sums") == cells(found, read_from="deltas") == of_need


async def test_a_delta_to_come_is_noticed_today(life: Pool) -> None:
    await life.execute("UPDATE delta SET amount = 2 WHERE measure = 'jobs_due' AND date > $1", TODAY)

    assert cells(await verified(life, Pair(TODAY))) == set()
    assert ("J4", "weeks=52") in cells(await verified(life))


@pytest.mark.parametrize("table", ["delta", "running_sum"])
async def test_what_moved_before_the_usual_period_of_a_flow_is_noticed(life: Pool, table: str) -> None:
    await life.execute(
        f"UPDATE {table} SET amount = 2 WHERE measure = 'placements_started' AND date < '2026-01-01'"  # noqa: S608
    )

    assert cells(await verified(life, Pair(TODAY))) == HIRED


@pytest.mark.parametrize("table", ["delta", "running_sum"])
async def test_a_row_moved_to_another_cell_is_noticed_though_the_whole_is_the_same(life: Pool, table: str) -> None:
    await life.execute(
        f'UPDATE {table} SET dimensions = \'{{"department": "Kultur"}}\' '  # noqa: S608 - names of our own
        "WHERE measure = 'persons_in_flexjob' AND dimensions ->> 'department' = 'Teknik'"
    )

    f1 = {cell for indicator, cell in cells(await verified(life)) if indicator == "F1"}
    assert f1 == {"department=Kultur", "department=Teknik"}


async def test_a_review_due_in_a_far_future_is_proven_as_well(life: Pool, today: Calendar) -> None:
    far = told("flexjob.review_due", "2026-06-01", **of("Anna"), review_id="far", due_on="9999-12-30")
    await ingest(life, LANE, [Delivery(LANE.name, 50, {}, sealed(far, "far"))], measures=MEASURES, calendar=today)
    assert await differing(life, today) == []

    for table in ("delta", "running_sum"):
        await life.execute(f"UPDATE {table} SET amount = 7 WHERE date > '2300-01-01'")  # noqa: S608 - our own
    assert ("F7", "") in cells(await verified(life, Pair(HORIZON)))


async def test_a_body_that_was_edited_is_noticed_in_both_ways_to_read(life: Pool) -> None:
    await life.execute(FORGED, str(uuid5(UUID(int=0), "Frida")))
    found = await verified(life)

    hours = {("J2", ""), ("J2", "kind=flexjob"), ("F4", ""), ("F4", "department=Senior")}
    assert cells(found, read_from="sums") == cells(found, read_from="deltas") == hours


async def test_a_body_that_cannot_be_read_any_more_proves_nothing(life: Pool, today: Calendar) -> None:
    await life.execute("UPDATE ledger SET body = jsonb_set(body, '{data,occurred_on}', '\"soon\"') WHERE position = 5")

    assert {indicator for indicator, _ in cells(await verified(life))} >= {"J1", "F1", "F5", "E1"}
    assert len(await differing(life, today)) > len(INDICATORS)


async def test_a_fact_that_is_gone_from_the_ledger_is_noticed(life: Pool) -> None:
    await life.execute("DELETE FROM ledger WHERE body #>> '{data,department}' = 'Teknik'")

    assert cells(await verified(life)) >= PERSONS | HIRED


def twice(measure: Measure) -> Measure:
    """The same measure by a rule that counts everything twice."""

    def rule(facts: Sequence[Fact]) -> Iterable[Effect]:
        return [effect._replace(amount=2 * effect.amount) for effect in measure.rule(facts)]

    return replace(measure, rule=rule)


def blind(measure: Measure) -> Measure:
    """The same measure by a rule that sees nothing."""
    return replace(measure, rule=lambda _: ())


# A median does not depend on how often a contributor counts, nor a day on how often it was told.
INDIFFERENT = {"needs_filled", "snapshots_taken"}


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.id)
async def test_a_rule_that_is_broken_is_noticed_in_every_indicator_that_it_serves(
    pool: Pool, today: Calendar, measure: Measure
) -> None:
    broken = blind(measure) if measure.id in INDIFFERENT else twice(measure)
    await bring_in(pool, today, [broken if each is measure else each for each in MEASURES])

    found = {indicator for indicator, _ in cells(await verified(pool))}

    assert found == {each.id for each in INDICATORS if measure in (*each.measures, each.evaluated_at)}


async def test_a_position_that_the_lane_has_not_come_to_cannot_be_verified(life: Pool) -> None:
    with pytest.raises(BeyondLane):
        await verified(life, Pair(TODAY, FACTS + 1))
