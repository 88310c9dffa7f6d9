"""`kraftcenter verify` and `kraftcenter rebuild`: where the database is named, and a mistake is one message."""

from pathlib import Path

import pytest

from chassis.database import Pool
from local.postgres import Postgres
from services.impact.tests.doors.commandline import Kraftcenter, one_message


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
