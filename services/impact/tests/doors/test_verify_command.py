"""`kraftcenter verify` on a database: what is proven is counted, and what differs is named."""

import json

import pytest

from chassis.database import Pool
from impact.catalogue import INDICATORS
from services.impact.tests.doors.commandline import DAMAGED, FACTS, Kraftcenter, lines, one_message


@pytest.mark.usefixtures("life")
async def test_figures_that_are_proven_are_counted(kraftcenter: Kraftcenter) -> None:
    said = await kraftcenter("verify")

    assert said.code == 0
    number, rest = said.out.split(" ", 1)
    assert int(number) > len(INDICATORS) * 4
    assert rest == "cells proven.\n"


@pytest.mark.usefixtures("life")
async def test_pairs_of_day_and_position_may_be_named(kraftcenter: Kraftcenter) -> None:
    """Two ways to read a figure of now, one of the past: so its cells are counted twice, and once."""
    now = await kraftcenter("verify", "--at", "2026-06-30", "--json")
    same = await kraftcenter("verify", "--at", f"2026-06-30@{FACTS}", "--json")
    past = await kraftcenter("verify", "--at", f"2026-06-30@{FACTS - 1}", "--json")
    both = await kraftcenter("verify", "--at", "2026-06-30", "--at", f"2026-06-30@{FACTS - 1}", "--json")

    counted = [json.loads(said.out)["cells"] for said in (now, same, past, both)]
    assert counted[0] == counted[1] > counted[2] > 0
    assert counted[3] == counted[0] + counted[2]
    assert {json.dumps(json.loads(said.out)["drift"]) for said in (now, same, past, both)} == {"[]"}


@pytest.mark.usefixtures("life")
async def test_drift_names_the_cell_and_fails_the_command(kraftcenter: Kraftcenter, pool: Pool) -> None:
    await pool.execute(DAMAGED)
    said = await kraftcenter("verify", "--at", "2026-06-30")

    assert said.code == 1
    assert lines(said) == [
        ["F1", "2026-06-30", "9", "sums", "all", "6 / 1", "2 / 1"],
        ["F1", "2026-06-30", "9", "sums", "department=Teknik", "5 / 1", "1 / 1"],
        ["F4", "2026-06-30", "9", "sums", "all", "22 / 6", "22 / 2"],
        ["F4", "2026-06-30", "9", "sums", "department=Teknik", "19/2 / 5", "19/2 / 1"],
        ["ledger", "", "", "", "account=sums", "", ""],
    ]
    assert "cells are not what the ledger says" in said.err


@pytest.mark.usefixtures("life")
async def test_drift_as_json_has_both_values_of_each_cell(kraftcenter: Kraftcenter, pool: Pool) -> None:
    await pool.execute(DAMAGED)
    said = await kraftcenter("verify", "--at", "2026-06-30", "--json")

    assert said.code == 1
    drift = json.loads(said.out)["drift"]
    assert drift[4:] == [{"indicator": "ledger", "cell": {"account": "sums"}}]
    assert drift[1] == {
        "indicator": "F1",
        "as_of": "2026-06-30",
        "position": FACTS,
        "read_from": "sums",
        "cell": {"department": "Teknik"},
        "figure": "5 / 1",
        "proof": "1 / 1",
    }


@pytest.mark.usefixtures("life")
async def test_only_a_thorough_verification_reads_what_no_figure_is_read_from(
    kraftcenter: Kraftcenter, pool: Pool
) -> None:
    assert (await kraftcenter("verify", "--thorough")).code == 0
    await pool.execute("UPDATE delta SET person = 'x' WHERE measure = 'persons_in_flexjob'")

    assert (await kraftcenter("verify")).code == 0
    said = await kraftcenter("verify", "--thorough")
    assert said.code == 1
    assert lines(said) == [["ledger", "", "", "", "table=delta", "", ""]]
    assert "rows do not agree with it: table delta" in one_message(said)
