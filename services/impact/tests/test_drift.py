"""`verify` goes red: whatever is not what the ledger says is noticed by the second implementation, and named."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from chassis.calendar import Calendar, calendar_of
from chassis.database import Pool, create_pool
from chassis.migrate import HTTP, component_of
from chassis.wire import seal
from contracts.catalogue import BY_TYPE
from contracts.event import Event
from contracts.platform import Published, ServiceHeartbeat
from contracts.streams import Stream
from impact import metrics
from impact.catalogue import INDICATORS, measures_of
from impact.fold import Effect, Fact, Measure
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.releases import release_if_due
from impact.store.figures import BeyondLane, snapshot
from impact.store.verification import is_trusted, latest
from impact.verify.drift import Pair, Verification, verify
from impact.verify.watch import HORIZON, keep_verifying, verify_once
from local.fixtures import Templates
from local.postgres import Postgres, run_apart

EXAMPLES = Path(__file__).parents[3] / "contracts" / "examples"
LANE = Stream("621", "flexjob_pool")
MEASURES = measures_of(INDICATORS)
TODAY = date(2026, 6, 30)
REGISTERED = datetime(2026, 6, 1, tzinfo=UTC)
PEOPLE = ("Anna", "Bo", "Cilla", "Dorte", "Emil", "Frida")

Cells = set[tuple[str, str]]


def told(name: str, day: str, **data: object) -> Event:
    """An event as its published example has it, but for what is said here; names become ids."""
    message = json.loads((EXAMPLES / f"{name}.v1.json").read_text(encoding="utf-8"))
    ids = {key: str(uuid5(UUID(int=0), str(data[key]))) for key in data if key.endswith(("_id", "_ref"))}
    return BY_TYPE[message["type"]].model_validate({**message["data"], "occurred_on": day, **data, **ids})


def started(person: str, day: str, hours: str, department: str = "Senior") -> Event:
    job = {"person_ref": person, "placement_id": f"job of {person}", "need_id": f"need for {person}"}
    return told("flexjob.started", day, department=department, effective_hours_per_week=hours, **job)


def of(person: str) -> dict[str, str]:
    return {"person_ref": person, "placement_id": f"job of {person}"}


DRAWN = ({"fiscal_year": 2026, "amount_ore": 100},)
# Cilla began the year before; a review of Bo's lies ahead, and so does what is due after so many weeks.
LIFE = (
    told("workforce.snapshot_taken", "2026-01-01", department="Senior", headcount=100, trainee_headcount=4, fte="80"),
    told("pool.budget_allocated", "2026-01-02", budget_id="pool", fiscal_year=2026, amount_ore=10_000_000),
    told("need.reported", "2026-01-05", need_id="need for Anna", department="Senior"),
    told("job7.candidate_requested", "2026-01-19", request_id="request"),
    told("job7.candidate_placed", "2026-02-16", request_id="request"),
    told("grant.committed", "2026-02-01", grant_id="grant", amount_ore=100, allocations=DRAWN),
    started("Cilla", "2025-11-01", "4.00"),
    started("Anna", "2026-02-01", "4.00"),
    started("Bo", "2026-03-01", "6.00", "Teknik"),
    *(started(person, "2026-05-01", "8.00") for person in PEOPLE[3:]),
    told("flexjob.hours_changed", "2026-03-01", **of("Anna"), effective_hours_per_week="12.50", cause="capacity_up"),
    told("flexjob.hours_changed", "2026-06-01", **of("Bo"), effective_hours_per_week="5.00", cause="capacity_down"),
    told("flexjob.ended", "2026-05-01", **of("Cilla"), reason_code="ordinary_job"),
    told("flexjob.review_due", "2026-06-01", **of("Bo"), review_id="review", due_on="2027-09-01"),
    told("flexjob.review_held", "2027-09-01", **of("Bo"), review_id="review"),
)
FACTS = len(LIFE)


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> Calendar:
    """A calendar that stands still."""
    file = tmp_path_factory.mktemp("today") / "clock"
    file.write_text("2026-06-30T08:00:00Z", encoding="utf-8")
    return calendar_of(f"file:{file}")


async def bring_in(pool: Pool, calendar: Calendar, measures: Sequence[Measure] = MEASURES) -> None:
    batch = [Delivery(LANE.name, number, {}, sealed(event, f"e{number}")) for number, event in enumerate(LIFE, start=1)]
    await ingest(pool, LANE, batch, measures=measures, calendar=calendar)


def sealed(event: Event, event_id: str) -> bytes:
    return seal(event, municipality="621", producer="flexjob_pool", time=REGISTERED, id=event_id).body


@pytest.fixture(scope="module")
def lived(templates: Templates, today: Calendar) -> Iterator[str]:
    """A database to copy, in which that life was brought in."""

    async def live() -> None:
        async with await create_pool(dsn, name="test") as pool:
            await bring_in(pool, today)

    with templates.copied(HTTP, component_of("impact")) as dsn:
        run_apart(live())
        yield dsn


@pytest.fixture
async def life(postgres: Postgres, lived: str) -> AsyncIterator[Pool]:
    """Connections to a copy of it."""
    dsn = postgres.copy_of(lived)
    async with await create_pool(dsn, name="test") as pool:
        yield pool
    postgres.drop_database(dsn)


async def verified(pool: Pool, *pairs: Pair) -> Verification:
    async with snapshot(pool) as db:
        return await verify(db, "621", INDICATORS, pairs or (Pair(TODAY), Pair(HORIZON)))


def cells(found: Verification, *, read_from: str | None = None) -> Cells:
    """Which cells differ, by indicator; the whole is the empty text."""
    return {
        (drift.indicator, ",".join(f"{name}={value}" for name, value in drift.cell))
        for drift in found.drift
        if read_from in (None, drift.read_from)
    }


DELTA = "UPDATE delta SET amount = amount + 1 WHERE measure = '{}' AND dimensions ->> 'department' = 'Teknik'"
SUM = "UPDATE running_sum SET amount = amount + 1 WHERE measure = '{}' AND dimensions ->> 'department' = 'Teknik'"
PERSONS: Cells = {("F1", ""), ("F1", "department=Teknik"), ("F4", ""), ("F4", "department=Teknik")}
OF_SENIOR: Cells = {("E2", ""), ("E2", "department=Senior")}
HIRED: Cells = {("J1", ""), ("J1", "kind=flexjob"), ("J1", "origin=unknown"), ("J1", "partner=no")}


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


MOVED = {
    "cohort": "cohort - 31",
    "date": "date - 1",
    "dimensions": 'dimensions || \'{"weeks": "13"}\'',
}


@pytest.mark.parametrize("table", ["delta", "running_sum"])
@pytest.mark.parametrize("column", MOVED)
async def test_a_row_of_another_day_month_or_cell_is_noticed_at_once_by_its_account(
    life: Pool, today: Calendar, table: str, column: str
) -> None:
    await life.execute(f"UPDATE {table} SET {column} = {MOVED[column]} WHERE measure = 'jobs_due'")  # noqa: S608

    assert {"indicator": "ledger", "cell": {"account": "sums"}} in await differing(life, today)


@pytest.mark.parametrize("edit", ["time = time + interval '1 year'", "occurred_on = occurred_on + 1"])
async def test_a_column_that_the_body_contradicts_is_noticed(life: Pool, today: Calendar, edit: str) -> None:
    await life.execute(f"UPDATE ledger SET {edit} WHERE position = 8")  # noqa: S608 - our own

    assert {"indicator": "ledger", "cell": {"account": "ledger_columns"}} in await differing(life, today)


@pytest.mark.parametrize("time", ["2026-06-01T09:00:00.5+00:00", "2026-06-01T09:00:00.123456Z", "2026-06-01T09:00:00Z"])
async def test_an_instant_may_be_spelled_in_any_way_that_is_admitted(life: Pool, today: Calendar, time: str) -> None:
    raw = json.dumps(json.loads(sealed(started("Gerd", "2026-05-01", "8.00"), "late")) | {"time": time}).encode()
    await ingest(life, LANE, [Delivery(LANE.name, 50, {}, raw)], measures=MEASURES, calendar=today)
    assert await life.fetchval("SELECT parked IS NULL FROM ledger WHERE event_id = 'late'")

    assert await differing(life, today) == []


async def test_a_source_that_nobody_heard_of_is_no_drift(life: Pool, today: Calendar) -> None:
    beat = ServiceHeartbeat(
        producer="flexjob_pool", published=(Published(source="urn:kraftcenter:621:elsewhere", events=9),)
    )
    await ingest(life, LANE, [Delivery(LANE.name, 50, {}, sealed(beat, "b"))], measures=MEASURES, calendar=today)

    assert await differing(life, today) == []


OTHERWISE = {"person": "person || 'x'", "contributor": "contributor || 'x'", "key": "key || 'x'"}


@pytest.mark.parametrize("column", OTHERWISE)
async def test_what_neither_figure_nor_account_is_read_from_is_noticed_when_the_ledger_is_told_again(
    life: Pool, today: Calendar, column: str
) -> None:
    """Receipts and disclosure are read from these; proofs know only figures as they stand."""
    await life.execute(f"UPDATE delta SET {column} = {OTHERWISE[column]} WHERE measure = 'jobs_due'")  # noqa: S608

    assert await differing(life, today) == []
    assert await differing(life, today, retell=True) == [OF_DELTA]


OF_DELTA = {"indicator": "ledger", "cell": {"table": "delta"}}


async def test_deltas_that_cancel_and_are_gone_together_are_noticed_when_the_ledger_is_told_again(
    life: Pool, today: Calendar
) -> None:
    body = seal(
        started("Bo", "2026-03-01", "6.00", "Teknik").model_copy(
            update={"person_ref": UUID(int=7), "reason_code": "late_information"}
        ),
        municipality="621",
        producer="flexjob_pool",
        time=REGISTERED + timedelta(days=1),
        id="right",
        corrects="e9",
    ).body
    await ingest(life, LANE, [Delivery(LANE.name, 50, {}, body)], measures=MEASURES, calendar=today)
    pairs = "SELECT measure FROM delta WHERE position = 18 GROUP BY measure HAVING sum(amount) = 0"
    assert await life.execute(f"DELETE FROM delta WHERE position = 18 AND measure IN ({pairs})") != "DELETE 0"  # noqa: S608

    assert OF_DELTA in await differing(life, today, retell=True)


async def test_what_was_found_by_telling_again_stands_until_it_is_mended(life: Pool, today: Calendar) -> None:
    edit = "UPDATE delta SET person = {} WHERE measure = 'jobs_due'"
    await life.execute(edit.format("person || 'x'"))
    assert await differing(life, today, retell=True) == [OF_DELTA]
    assert await differing(life, today) == [OF_DELTA]
    assert not await is_trusted(life, "621", max_age=timedelta(hours=1))

    await life.execute(edit.format("rtrim(person, 'x')"))
    assert await differing(life, today) == []
    assert await is_trusted(life, "621", max_age=timedelta(hours=1))


async def test_the_timer_tells_again_once_its_interval_has_gone_by_and_not_before(life: Pool, today: Calendar) -> None:
    await life.execute("UPDATE delta SET person = person || 'x' WHERE measure = 'jobs_due'")
    rounds = "SELECT drift FROM verification ORDER BY at"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2.5):
            await keep_verifying(life, ["621"], today, INDICATORS, every=0.05, retell_every=1.0)

    drifts = [row["drift"] for row in await life.fetch(rounds)]
    assert (drifts[0], drifts[-1]) == (0, 1)


async def test_a_fact_that_was_forged_is_named_when_the_ledger_is_told_again(life: Pool, today: Calendar) -> None:
    await life.execute(FORGED, str(uuid5(UUID(int=0), "Frida")))

    assert {"indicator": "ledger", "cell": {"position": "12"}} in await differing(life, today, retell=True)


async def test_a_body_is_the_same_however_the_database_writes_its_numbers(life: Pool, today: Calendar) -> None:
    body = json.loads(sealed(started("Gerd", "2026-05-01", "8.00"), "odd"))
    body["data"]["newer"] = "NUMBERS"
    numbers = "[1e20, 1.50, -0.0, 0.1e-7, 9007199254740991, 9007199254740992.0, 1.7976931348623157e308, 5e-324, true]"
    raw = json.dumps(body).replace('"NUMBERS"', numbers).encode()
    await ingest(life, LANE, [Delivery(LANE.name, 50, {}, raw)], measures=MEASURES, calendar=today)
    assert await life.fetchval("SELECT parked FROM ledger WHERE event_id = 'odd'") is None

    assert await differing(life, today, retell=True) == []


async def test_a_review_due_in_a_far_future_is_proven_as_well(life: Pool, today: Calendar) -> None:
    far = told("flexjob.review_due", "2026-06-01", **of("Anna"), review_id="far", due_on="9999-12-30")
    await ingest(life, LANE, [Delivery(LANE.name, 50, {}, sealed(far, "far"))], measures=MEASURES, calendar=today)
    assert await differing(life, today) == []

    for table in ("delta", "running_sum"):
        await life.execute(f"UPDATE {table} SET amount = 7 WHERE date > '2300-01-01'")  # noqa: S608 - our own
    assert ("F7", "") in cells(await verified(life, Pair(HORIZON)))


async def differing(pool: Pool, calendar: Calendar, *, retell: bool = False) -> list[dict[str, Any]]:
    """What one round finds."""
    found = await verify_once(pool, "621", calendar, INDICATORS, retell=retell)
    assert found is not None
    return found.differing


FORGED = """
UPDATE ledger SET body = jsonb_set(body, '{data,effective_hours_per_week}', '"5.00"')
WHERE body #>> '{data,person_ref}' = $1
"""


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


async def test_a_round_is_kept_with_its_cells_and_told_as_metrics(life: Pool, today: Calendar) -> None:
    clean = await verify_once(life, "621", today, INDICATORS)
    await life.execute(SUM.format("persons_in_flexjob"))
    found = await verify_once(life, "621", today, INDICATORS)
    async with life.acquire() as db:
        kept = await latest(db, "621")

    assert clean
    assert found
    assert (clean.drift, clean.differing, kept) == (0, [], found)
    assert found.cells > found.drift == len(found.differing) > 0
    assert {"indicator": "F1", "as_of": "2026-06-30", "position": FACTS, "read_from": "sums", "cell": {}} in (
        found.differing
    )
    series = {
        (sample.name, sample.labels.get("indicator"), sample.labels.get("cell")): sample.value
        for family in await metrics.public(life, today, ["621"])
        for sample in family.samples
    }
    assert series["impact_drift_cells", None, None] == found.drift
    assert series["impact_verified_cells", None, None] == found.cells
    odd = {(indicator, cell) for name, indicator, cell in series if name == "impact_drift"}
    # The round's random pair of the past is read from deltas, which nobody touched.
    assert odd == PERSONS | {("ledger", "account=sums")}


async def test_figures_that_are_not_proven_are_not_released(life: Pool, today: Calendar) -> None:
    async def released() -> int | None:
        return await release_if_due(
            life, "621", today, INDICATORS, trusted=await is_trusted(life, "621", max_age=timedelta(hours=1))
        )

    assert await released() is None, "nothing was verified yet"
    await life.execute(SUM.format("persons_in_flexjob"))
    await verify_once(life, "621", today, INDICATORS)
    assert await released() is None
    assert await life.fetchval("SELECT count(*) FROM release") == 0

    await life.execute(SUM.format("persons_in_flexjob").replace("+", "-"))
    await verify_once(life, "621", today, INDICATORS)
    assert await released() == 1


async def test_rounds_that_found_nothing_are_forgotten_after_a_month_and_others_stay(
    life: Pool, today: Calendar
) -> None:
    old = "INSERT INTO verification (municipality, at, cells, drift, differing) VALUES ('621', $1, 1, $2, '[]')"
    for day, drift in ((1, 0), (2, 1)):
        await life.execute(old, datetime(2026, 1, day, tzinfo=UTC), drift)
    await verify_once(life, "621", today, INDICATORS)

    assert [row["drift"] for row in await life.fetch("SELECT drift FROM verification ORDER BY at")] == [1, 0]


@pytest.mark.parametrize(
    "newer",
    [
        "INSERT INTO definition (municipality, measure, version, in_force_from) VALUES ('621', 'of_tomorrow', 1, 0)",
        "UPDATE ledger SET type = 'dk.kraftcenter.of.tomorrow.v1' WHERE position = 1",
    ],
)
async def test_a_program_older_than_the_lane_gives_no_verdict(life: Pool, today: Calendar, newer: str) -> None:
    await life.execute(newer)

    assert await verify_once(life, "621", today, INDICATORS) is None
    assert await life.fetchval("SELECT count(*) FROM verification") == 0
