import asyncio
import json
import sys

import asyncpg
import pytest
import typer

from chassis import cli
from gateway.commands import sources
from local.postgres import Postgres

ADD = ("add", "sd_loen", "--type", "payroll.working_time_changed.v1", "--token-name", "payroll")
SOURCE = "urn:kraftcenter:621:sd_loen"


@pytest.fixture
def app(database_url: str, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setenv("GATEWAY_DATABASE_URL", database_url)
    return sources_alone()


def sources_alone() -> typer.Typer:
    app = cli.new_app("Test.")
    app.add_typer(sources, name="sources")
    return app


def call(app: typer.Typer, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["kraftcenter", "sources", *arguments])
    with pytest.raises(SystemExit) as exit_:
        cli.run(app, "kraftcenter")
    code: int = exit_.value.code  # type: ignore[assignment]
    return code


async def execute(dsn: str, statement: str) -> None:
    db = await asyncpg.connect(dsn)
    await db.execute(statement)
    await db.close()


def listed(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[dict[str, object]]:
    capsys.readouterr()
    assert call(app, monkeypatch, "list", "--json") == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_a_source_is_registered_and_a_missing_token_is_told(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(app, monkeypatch, *ADD, "--type", "dk.kraftcenter.payroll.employment_ended.v1") == 0

    shown = capsys.readouterr()
    types = "payroll.employment_ended.v1, payroll.working_time_changed.v1"
    assert shown.out == f"{SOURCE} may send {types} with payroll\n"
    assert "kraftcenter tokens issue --service gateway --scope write:gateway --name payroll" in shown.err


def test_a_source_with_a_token_needs_nothing_more(
    app: typer.Typer, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = "INSERT INTO token VALUES (sha256('x'), 'payroll', '621', '{write:gateway}', '2026-01-01')"  # noqa: S105
    asyncio.run(execute(database_url, token))

    assert call(app, monkeypatch, *ADD) == 0
    assert capsys.readouterr().err == ""


def test_adding_again_widens_and_a_revoked_source_begins_anew(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = ("add", "sd_loen", "--type", "payroll.employment_ended.v1", "--token-name", "payroll2")
    assert call(app, monkeypatch, *ADD) == 0
    assert call(app, monkeypatch, *ended) == 0
    [widened] = listed(app, monkeypatch, capsys)
    assert call(app, monkeypatch, "revoke", "sd_loen") == 0
    [revoked] = listed(app, monkeypatch, capsys)
    assert call(app, monkeypatch, "revoke", "sd_loen") == 1
    assert call(app, monkeypatch, *ended) == 0
    [anew] = listed(app, monkeypatch, capsys)

    both = [f"dk.kraftcenter.payroll.{verb}.v1" for verb in ("employment_ended", "working_time_changed")]
    assert (widened["types"], widened["token_name"]) == (both, "payroll2")
    assert revoked["revoked_at"]
    assert (anew["types"], anew["revoked_at"], anew["last_event_at"]) == (both[:1], None, None)


def test_sources_are_listed_for_people_too(
    app: typer.Typer, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(app, monkeypatch, "list") == 0
    assert capsys.readouterr().err == "No source is registered.\n"
    assert call(app, monkeypatch, *ADD) == 0
    came = f"INSERT INTO admitted VALUES ('{SOURCE}', 'sd-1', 'payroll', '2026-03-01T08:00:00Z')"  # noqa: S608
    asyncio.run(execute(database_url, came))
    monkeypatch.setenv("COLUMNS", "200")
    capsys.readouterr()

    assert call(app, monkeypatch, "list") == 0
    shown = capsys.readouterr().out
    for text in (SOURCE, "payroll.working_time_changed.v1", "2026-03-01T08:00:00Z", "may send"):
        assert text in shown


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("add", "SD-Løn", *ADD[2:]), "SYSTEM must look like sd_loen"),
        (("add", "p_010190_1234", *ADD[2:]), "SYSTEM must look like sd_loen"),
        (("add", "flexjob_pool", *ADD[2:]), "SYSTEM must not be one of our own services"),
        (("add", "gateway", *ADD[2:]), "SYSTEM must not be one of our own services"),
        ((*ADD, "--type", "payroll.paid.v1"), "--type must be an event type of the contract"),
        ((*ADD, "--type", "payroll.working_time_changed"), "--type must be an event type of the contract"),
        ((*ADD, "--type", "service.heartbeat.v1"), "--type must not be event.retracted"),
        ((*ADD, "--type", "event.retracted.v1"), "--type must not be event.retracted"),
        ((*ADD, "--municipality", "Kolding"), "--municipality must look like 621"),
        ((*ADD[:-1], "two words"), "--token-name must look like payroll"),
        (("add", "sd_loen", "--token-name", "payroll"), "Missing option"),
        (("revoke", "SD-Løn"), "SYSTEM must look like sd_loen"),
        (("revoke",), "Missing argument"),
        (("list", "sd_loen"), "unexpected extra argument"),
    ],
)
def test_a_wrong_command_line_is_told_with_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: tuple[str, ...], said: str
) -> None:
    monkeypatch.setenv("COLUMNS", "200")

    assert call(sources_alone(), monkeypatch, *wrong) == 2

    shown = " ".join(capsys.readouterr().err.split())
    assert said in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        (None, "GATEWAY_DATABASE_URL is not set"),
        ("postgresql://u:hunter2@127.0.0.1:1/x", "The database does not answer"),
        ("postgresql://u:hunter2@h:hunter2/x", "GATEWAY_DATABASE_URL: must look like"),
    ],
)
def test_a_database_that_cannot_be_reached_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], dsn: str | None, said: str
) -> None:
    monkeypatch.delenv("GATEWAY_DATABASE_URL", raising=False)
    if dsn:
        monkeypatch.setenv("GATEWAY_DATABASE_URL", dsn)

    assert call(sources_alone(), monkeypatch, *ADD) == 1
    shown = capsys.readouterr().err
    assert said in shown
    assert "hunter2" not in shown


def test_a_database_without_our_tables_is_told(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GATEWAY_DATABASE_URL", postgres.dsn)

    assert call(sources_alone(), monkeypatch, "list") == 1
    assert capsys.readouterr().err.startswith("The database is not migrated")


def test_revoking_a_source_that_is_unknown_is_told(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(app, monkeypatch, "revoke", "nobody") == 1
    assert "No such source may send" in capsys.readouterr().err
