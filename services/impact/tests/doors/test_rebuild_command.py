"""`kraftcenter rebuild` on a database: what differs is put right, and nothing is that cannot be."""

import json

import pytest

from chassis.database import Pool
from impact.catalogue import INDICATORS, measures_of
from impact.store.replay import COLUMNS
from services.impact.tests.doors.commandline import DAMAGED, FACTS, Kraftcenter, lines, one_message

FORGED = "UPDATE ledger SET body = jsonb_set(body, '{data,effective_hours_per_week}', '\"1.00\"') WHERE position = $1"
BROKEN = "UPDATE ledger SET body = jsonb_set(body, '{data,occurred_on}', '\"soon\"') WHERE position = 5"


@pytest.mark.usefixtures("life")
async def test_a_rebuild_of_what_is_right_replaces_nothing(kraftcenter: Kraftcenter) -> None:
    for option in ((), ("--check",)):
        said = await kraftcenter("rebuild", *option)

        assert said.code == 0
        assert lines(said) == [[table, "0"] for table in COLUMNS]
        assert f"Told again up to position {FACTS}." in said.err


@pytest.mark.usefixtures("life")
async def test_a_check_that_finds_rows_fails_and_a_rebuild_puts_them_right(
    kraftcenter: Kraftcenter, pool: Pool
) -> None:
    await pool.execute(DAMAGED)

    checked = await kraftcenter("rebuild", "--check")
    assert checked.code == 1
    assert ["running_sum", "2"] in lines(checked), "the one that stands, and the one that should"
    assert "puts them right" in checked.err
    assert await pool.fetchval("SELECT max(amount) FROM running_sum WHERE measure = 'persons_in_flexjob'") == 5

    rebuilt = await kraftcenter("rebuild", "--json")
    assert rebuilt.code == 0
    expected = {table: 2 if table == "running_sum" else 0 for table in COLUMNS}
    assert json.loads(rebuilt.out) == {"position": FACTS, "differences": expected}
    assert (await kraftcenter("rebuild", "--check")).code == 0
    assert (await kraftcenter("verify")).code == 0


@pytest.mark.usefixtures("life")
async def test_a_check_as_json_fails_too(kraftcenter: Kraftcenter, pool: Pool) -> None:
    await pool.execute("DELETE FROM outcome WHERE position = 1")
    said = await kraftcenter("rebuild", "--check", "--json")

    assert said.code == 1
    assert json.loads(said.out)["differences"]["outcome"] == 1


@pytest.mark.usefixtures("life")
async def test_a_fact_that_cannot_be_read_any_more_is_named_and_nothing_is_replaced(
    kraftcenter: Kraftcenter, pool: Pool
) -> None:
    await pool.execute(BROKEN)

    for arguments in (("rebuild",), ("rebuild", "--check")):
        said = await kraftcenter(*arguments)
        assert (said.code, said.out) == (1, "")
        assert "the fact at position 5" in one_message(said)
    assert (await kraftcenter("verify")).code == 1


@pytest.mark.usefixtures("life")
async def test_a_fact_that_was_forged_is_named_and_does_not_become_the_figures(
    kraftcenter: Kraftcenter, pool: Pool
) -> None:
    position = await pool.fetchval("SELECT min(position) FROM ledger WHERE type LIKE '%flexjob.started%'")
    await pool.execute(FORGED, position)

    for arguments in (("rebuild",), ("rebuild", "--check")):
        said = await kraftcenter(*arguments)
        assert (said.code, said.out) == (1, "")
        assert f"the fact at position {position} is not as it was admitted" in one_message(said)
    said = await kraftcenter("verify", "--thorough", "--json")
    assert said.code == 1
    assert {"indicator": "ledger", "cell": {"position": str(position)}} in json.loads(said.out)["drift"]


@pytest.mark.usefixtures("life")
async def test_a_lane_of_a_newer_program_is_left_to_it(kraftcenter: Kraftcenter, pool: Pool) -> None:
    await pool.execute("INSERT INTO definition VALUES ('621', 'persons_in_flexjob', 2, 10)")

    for arguments in (("rebuild",), ("rebuild", "--check")):
        said = await kraftcenter(*arguments)
        assert (said.code, said.out) == (1, "")
        assert "persons_in_flexjob/2" in one_message(said)


@pytest.mark.usefixtures("life")
async def test_facts_that_are_not_counted_yet_cannot_be_verified_and_a_rebuild_counts_them(
    kraftcenter: Kraftcenter, pool: Pool
) -> None:
    await pool.execute(f"TRUNCATE definition, {', '.join(COLUMNS)}")
    said = await kraftcenter("verify")
    assert (said.code, said.out) == (1, "")
    assert "not counted yet" in one_message(said)

    assert (await kraftcenter("rebuild")).code == 0

    assert (await kraftcenter("verify")).code == 0
    assert await pool.fetchval("SELECT count(*) FROM definition") == len(measures_of(INDICATORS))
