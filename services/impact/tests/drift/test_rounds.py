"""A round of verifying: what its accounts notice at once, and what becomes of what it found."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.calendar import Calendar
from chassis.database import Pool
from contracts.platform import Published, ServiceHeartbeat
from impact import metrics
from impact.catalogue import INDICATORS
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.releases import release_if_due
from impact.store.figures import snapshot
from impact.store.verification import latest
from impact.verify import watch
from impact.verify.drift import Pair, Verification, verify
from impact.verify.watch import HORIZON, pairs_of, verify_once
from services.impact.tests.drift.life import (
    FACTS,
    LANE,
    MEASURES,
    PERSONS,
    SUM,
    differing,
    sealed,
    started,
    trusted,
)

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
    assert 0 < found.seconds < (found.at - clean.at).total_seconds()
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
    assert series["impact_verification_seconds", None, None] == found.seconds
    odd = {(indicator, cell) for name, indicator, cell in series if name == "impact_drift"}
    # The round's random pair of the past is read from deltas, which nobody touched.
    assert odd == PERSONS | {("ledger", "account=sums")}


async def test_figures_that_are_not_proven_are_not_released(life: Pool, today: Calendar) -> None:
    async def released() -> int | None:
        return await release_if_due(life, "621", today, INDICATORS, trusted=await trusted(life))

    assert await released() is None, "nothing was verified yet"
    await life.execute(SUM.format("persons_in_flexjob"))
    await verify_once(life, "621", today, INDICATORS)
    assert await released() is None
    assert await life.fetchval("SELECT count(*) FROM release") == 0

    await life.execute(SUM.format("persons_in_flexjob").replace("+", "-"))
    await verify_once(life, "621", today, INDICATORS)
    assert await released() == 1


async def test_each_pair_is_compared_as_the_lane_stands_when_its_turn_comes(
    life: Pool, today: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One snapshot for a round that takes half an hour would keep the database from cleaning up for as long."""
    edits = iter([SUM, SUM.replace("+", "-")])

    async def damaged_while_the_second_is_compared(*asked: Any) -> Verification:
        found = await verify(*asked)
        if edit := next(edits, None):
            await life.execute(edit.format("persons_in_flexjob"))
        return found

    monkeypatch.setattr(watch, "verify", damaged_while_the_second_is_compared)

    assert {row["as_of"] for row in await differing(life, today)} == {"9999-12-30"}


async def test_the_facts_of_a_pair_are_told_once_for_all_its_proofs(life: Pool, today: Calendar) -> None:
    pairs = [Pair(today.today()), Pair(HORIZON), Pair(today.today(), 3)]
    asked: list[str] = []
    async with snapshot(life, readonly=False) as db:
        with db.query_logger(lambda query: asked.append(query.query)):
            compared = (await verify(db, "621", INDICATORS, pairs)).cells

    assert compared
    assert sum("INSERT INTO pg_temp.fact" in query for query in asked) == len(pairs)
    assert not [query for query in asked if "FROM ledger" in query and "numerator" in query]


async def fails_after_the_first_pair(life: Pool, today: Calendar) -> None:
    """A round that compares one pair, and then finds no database."""
    compared = 0

    async def first_alone(*asked: Any) -> Verification:
        nonlocal compared
        compared += 1
        if compared > 1:
            raise ConnectionRefusedError
        return await verify(*asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch, "verify", first_alone)
        with pytest.raises(ConnectionRefusedError):
            await verify_once(life, "621", today, INDICATORS)


async def test_drift_is_kept_as_soon_as_it_is_found_though_the_round_never_ends(life: Pool, today: Calendar) -> None:
    await verify_once(life, "621", today, INDICATORS)
    await life.execute(SUM.format("persons_in_flexjob"))

    await fails_after_the_first_pair(life, today)

    assert not await trusted(life)


async def test_what_telling_again_found_is_not_forgotten_by_a_round_that_finds_drift_and_fails(
    life: Pool, today: Calendar
) -> None:
    await life.execute("UPDATE delta SET person = person || 'x' WHERE measure = 'jobs_due'")
    told_again = await differing(life, today, retell=True)
    await life.execute(SUM.format("persons_in_flexjob"))
    await fails_after_the_first_pair(life, today)
    await life.execute(SUM.replace("+", "-").format("persons_in_flexjob"))

    assert await differing(life, today) == told_again
    assert not await trusted(life)


async def test_a_lane_that_goes_back_within_a_round_is_judged_by_the_next(
    life: Pool, today: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def goes_back(*asked: Any) -> Verification:
        await life.execute("UPDATE lane SET position = 1")
        return await verify(*asked)

    monkeypatch.setattr(watch, "verify", goes_back)
    monkeypatch.setattr("impact.verify.watch.random.randint", lambda _, last: last)

    assert await verify_once(life, "621", today, INDICATORS) is None


async def test_a_lane_that_a_newer_program_goes_on_with_within_a_round_is_left_to_that_program(
    life: Pool, today: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = 0

    async def brings_its_own_into_force_at_the_end(*asked: Any) -> Verification:
        nonlocal compared
        compared += 1
        found = await verify(*asked)
        if compared == len(await pairs_of(asked[0], "621", today.today())):
            await life.execute(NEWER)
        return found

    monkeypatch.setattr(watch, "verify", brings_its_own_into_force_at_the_end)

    assert await verify_once(life, "621", today, INDICATORS, retell=True) is None
    assert compared
    assert await life.fetchval("SELECT count(*) FROM verification") == 0


NEWER = "INSERT INTO definition (municipality, measure, version, in_force_from) VALUES ('621', 'of_tomorrow', 1, 0)"
ROUND = """
INSERT INTO verification (municipality, at, cells, drift, differing, seconds) VALUES ($1, $2, 1, 0, '[]', $3)
"""


@pytest.mark.parametrize(
    ("seconds", "minutes_ago", "is_trusted"),
    [
        (0, 14, True),
        (0, 16, False),
        (2400, 130, True),
        (2400, 140, False),
        (40_000, 24 * 60 - 1, True),
        (40_000, 24 * 60 + 1, False),
    ],
)
async def test_trust_lasts_three_rounds_as_long_as_the_last_one_took_but_no_longer_than_a_day(
    life: Pool, seconds: float, minutes_ago: float, is_trusted: bool
) -> None:
    await life.execute(ROUND, "621", datetime.now(UTC) - timedelta(minutes=minutes_ago), seconds)

    assert await trusted(life) is is_trusted


async def test_trust_lasts_while_the_rounds_of_others_are_waited_for(life: Pool) -> None:
    now = datetime.now(UTC)
    await life.execute(ROUND, "621", now - timedelta(minutes=60), 60)
    await life.execute(ROUND, "630", now - timedelta(minutes=1), 2400)

    assert await trusted(life, "630", "751")
    assert not await trusted(life, "751")


async def test_a_round_of_a_clock_that_was_fast_proves_nothing(life: Pool, today: Calendar) -> None:
    fast = "INSERT INTO verification (municipality, at, cells, drift, differing) VALUES ('621', $1, 1, 0, '[]')"
    await life.execute(fast, datetime.now(UTC) + timedelta(days=3650))
    assert not await trusted(life)

    await life.execute(SUM.format("persons_in_flexjob"))
    await verify_once(life, "621", today, INDICATORS)
    assert not await trusted(life)


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
