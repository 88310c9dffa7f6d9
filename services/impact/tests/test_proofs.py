"""Hand-checkable stories, and what the proofs make of them: of nothing, and of all that is not a job."""

from datetime import timedelta

import pytest

from chassis.database import Pool
from impact.catalogue import INDICATORS
from impact.verify.proofs import PROVEN, facts_in_force
from services.impact.tests.teller import WHOLE, Teller, cut, day, of


@pytest.mark.parametrize("indicator", sorted(PROVEN))
async def test_of_nothing_the_whole_stands_but_a_median_does_not(indicator: str, story: Teller) -> None:
    entry = next(each for each in INDICATORS if each.id == indicator)
    nothing = "0" if entry.denominator else str(entry.divisor)
    expected = {} if entry.reading == "median" else {WHOLE: of("0", nothing)}

    assert await story.cells(indicator, "2026-12-31") == expected


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


@pytest.mark.parametrize("usual", ["30s", "0"])
async def test_a_proof_may_take_minutes_and_what_comes_after_it_what_it_might_before(pool: Pool, usual: str) -> None:
    async with pool.acquire() as db, db.transaction():
        await db.execute(f"SET LOCAL statement_timeout = '{usual}'")
        async with facts_in_force(db, "621", 0):
            assert await db.fetchval("SHOW statement_timeout") == "5min"
            assert await db.fetchval("SHOW enable_nestloop") == "off"

        assert await db.fetchval("SHOW statement_timeout") == usual
        assert await db.fetchval("SHOW enable_nestloop") == "on"
