"""`kraftcenter verify` and `kraftcenter rebuild` on a database: what differs is named, and a mistake is one message."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from structlog.testing import capture_logs

from chassis.cli import new_app, run
from chassis.database import Pool
from impact.catalogue import INDICATORS, measures_of
from impact.lane_commands import rebuild_lane, verify_figures
from impact.store.replay import COLUMNS
from local.postgres import Postgres

Admit = Callable[..., Awaitable[int]]
FACTS = 9
DAMAGED = (
    "UPDATE running_sum SET amount = 5 WHERE measure = 'persons_in_flexjob' AND dimensions ->> 'department' = 'Teknik'"
)
FORGED = "UPDATE ledger SET body = jsonb_set(body, '{data,effective_hours_per_week}', '\"1.00\"') WHERE position = $1"
BROKEN = "UPDATE ledger SET body = jsonb_set(body, '{data,occurred_on}', '\"soon\"') WHERE position = 5"


class Said(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Kraftcenter = Callable[..., Awaitable[Said]]


@pytest.fixture
def kraftcenter(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str) -> Kraftcenter:
    """Run a command as somebody who operates the database."""
    monkeypatch.setenv("IMPACT_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")

    def command(arguments: tuple[str, ...]) -> int:
        app = new_app("Kraftcenter.")
        app.command(name="verify")(verify_figures)
        app.command(name="rebuild")(rebuild_lane)
        monkeypatch.setattr("sys.argv", ["kraftcenter", *arguments])
        with pytest.raises(SystemExit) as left:
            run(app, "kraftcenter")
        return int(left.value.code or 0)

    async def kraftcenter(*arguments: str) -> Said:
        capsys.readouterr()
        with capture_logs():
            code = await asyncio.to_thread(command, arguments)
        return Said(code, *capsys.readouterr())

    return kraftcenter


def lines(said: Said) -> list[list[str]]:
    """The cells of each line of a table."""
    rows = [row for row in said.out.splitlines() if row.startswith("│")]
    return [[cell.strip() for cell in row.strip("│").split("│")] for row in rows]


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


def one_message(said: Said) -> str:
    """What stands on stderr, as one line; never a traceback."""
    assert "Traceback" not in said.err
    return " ".join(said.err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("verify", "--at", "yesterday"), 2, "must look like 2026-03-31"),
        (("verify", "--at", "2026-02-30"), 2, "must look like 2026-03-31"),
        (("verify", "--at", "2026-03-31@"), 2, "must look like 2026-03-31"),
        (("verify", "--at", "2026-03-31@soon"), 2, "must look like 2026-03-31"),
        (("verify", "--at", "@5"), 2, "must look like 2026-03-31"),
        (("verify", "--at", ""), 2, "must look like 2026-03-31"),
        (("verify", "--at", "2026-03-31@-1"), 2, "from 0 on"),
        (("verify", "--at", "0001-01-01"), 2, "must be from 1990-01-01"),
        (("verify", "--at", "9999-12-31"), 2, "must be from 1990-01-01"),
        (("verify", "--at", "2026-03-31@10"), 1, "ends at position 9"),
        (("verify", "--at", f"2026-03-31@{10**30}"), 1, "ends at position 9"),
        (("verify", "--municipality", "630"), 1, "no facts of '630'"),
        (("verify", "--municipality", "Kolding"), 1, "no facts of 'Kolding'"),
        (("verify", "--municipality", ""), 1, "no facts of ''"),
        (("verify", "--municipality", "\udcff"), 1, "no facts of"),
        (("verify", "--municipality", "6\0"), 1, "no facts of"),
        (("rebuild", "--municipality", "630"), 1, "no facts of '630'"),
        (("rebuild", "--check", "--municipality", "630"), 1, "no facts of '630'"),
        (("rebuild", "--at", "2026-03-31"), 2, "No such option"),
        (("verify", "621"), 2, "unexpected extra argument"),
    ],
)
@pytest.mark.usefixtures("life")
async def test_a_wrong_command_ends_as_one_message(
    kraftcenter: Kraftcenter, pool: Pool, arguments: tuple[str, ...], code: int, message: str
) -> None:
    said = await kraftcenter(*arguments)

    assert (said.code, said.out) == (code, "")
    assert message in one_message(said)
    assert await pool.fetchval("SELECT count(*) FROM lane") == 1, "no lane is made by asking for it"


NOWHERE = "postgresql://somebody:secret@127.0.0.1:9/none"


@pytest.mark.parametrize("command", [("verify",), ("rebuild",), ("rebuild", "--check")])
@pytest.mark.parametrize(
    ("dsn", "message"),
    [
        (None, "IMPACT_DATABASE_URL is not set"),
        ("nowhere", "IMPACT_DATABASE_URL: must look like postgresql://"),
        (NOWHERE, "The database does not answer"),
    ],
)
async def test_a_database_that_is_not_there_ends_as_one_message(
    kraftcenter: Kraftcenter,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    dsn: str | None,
    message: str,
) -> None:
    monkeypatch.delenv("IMPACT_DATABASE_URL")
    if dsn:
        monkeypatch.setenv("IMPACT_DATABASE_URL", dsn)
    said = await kraftcenter(*command)

    assert (said.code, said.out) == (1, "")
    assert message in one_message(said)
    assert "secret" not in said.err


@pytest.mark.parametrize("command", ["verify", "rebuild"])
async def test_a_database_without_tables_ends_as_one_message(
    kraftcenter: Kraftcenter, monkeypatch: pytest.MonkeyPatch, postgres: Postgres, command: str
) -> None:
    dsn = postgres.create_database()
    monkeypatch.setenv("IMPACT_DATABASE_URL", dsn)
    said = await kraftcenter(command)
    postgres.drop_database(dsn)

    assert (said.code, said.out) == (1, "")
    assert "not migrated" in one_message(said)


@pytest.mark.usefixtures("life")
async def test_the_database_may_be_named_in_a_file(
    kraftcenter: Kraftcenter, monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "dsn"
    file.write_text(f"{database_url}\n")
    monkeypatch.delenv("IMPACT_DATABASE_URL")
    monkeypatch.setenv("IMPACT_DATABASE_URL_FILE", str(file))

    assert (await kraftcenter("verify")).code == 0


@pytest.mark.parametrize("command", ["verify", "rebuild"])
async def test_help_shows_examples(kraftcenter: Kraftcenter, command: str) -> None:
    said = await kraftcenter(command, "--help")

    assert said.code == 0
    assert f"kraftcenter {command} --" in " ".join(said.out.split())
