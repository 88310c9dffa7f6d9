import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from nats.js.api import ConsumerConfig, DeliverPolicy

from chassis.bus import short_job
from chassis.calendar import calendar_of
from chassis.database import create_pool
from chassis.migrate import HTTP, migrate
from chassis.tests.command_line import call
from chassis.tokens import Principal, principal_of
from local.nats import NatsServer

ISSUE = ("tokens", "issue", "--service", "notes", "--scope", "read:notes", "--name", "payroll")


async def holder_of(dsn: str, token: str, now: datetime) -> Principal | None:
    async with await create_pool(dsn, name="test") as pool, pool.acquire() as db:
        return await principal_of(db, token, now=now)


def test_a_token_is_printed_once_and_opens_the_doors(
    app: typer.Typer, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(migrate(database_url, [HTTP], clock=calendar_of("system")))
    monkeypatch.setenv("NOTES_DATABASE_URL", database_url)

    assert call(app, monkeypatch, *ISSUE, "--scope", "write:notes", "--expires-days", "2") == 0

    token = capsys.readouterr().out.strip()
    now = datetime.now(UTC)
    holder = asyncio.run(holder_of(database_url, token, now))
    assert holder == Principal("payroll", "621", frozenset({"read:notes", "write:notes"}))
    assert asyncio.run(holder_of(database_url, token, now + timedelta(days=3))) is None


def test_a_database_that_is_not_migrated_is_told(
    app: typer.Typer, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NOTES_DATABASE_URL", database_url)

    assert call(app, monkeypatch, *ISSUE) == 1
    assert capsys.readouterr().err.startswith("The database is not migrated")


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        (None, "NOTES_DATABASE_URL is not set"),
        ("postgresql://u:hunter2@h:hunter2/x", "NOTES_DATABASE_URL: must look like"),
        ("postgresql://u:hunter2@127.0.0.1:99999/x", "NOTES_DATABASE_URL: must look like"),
        ("postgresql://u:hunter2@127.0.0.1:1/x", "The database does not answer"),
        ("postgresql://u:hunter2@127.0.0.1:1/x?sslmode=hunter2", "The database does not answer"),
    ],
)
def test_a_database_that_cannot_be_reached_is_told_without_its_password(
    app: typer.Typer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    dsn: str | None,
    said: str,
) -> None:
    monkeypatch.delenv("NOTES_DATABASE_URL", raising=False)
    if dsn:
        monkeypatch.setenv("NOTES_DATABASE_URL", dsn)

    assert call(app, monkeypatch, *ISSUE) == 1

    shown = capsys.readouterr()
    assert said in shown.err
    assert "hunter2" not in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    "wrong",
    [
        (*ISSUE, "--municipality", "62"),
        (*ISSUE, "--expires-days", "0"),
        (*ISSUE, "--scope", "read notes"),
        (*ISSUE, "--scope", "read:others"),
        (*ISSUE, "--scope", "figures:inexact"),
        (*ISSUE, "--service", "No-tes"),
        (*ISSUE, "--name", "two words"),
        ("tokens", "issue"),
        ("tokens", "revoke", "--service", "No-tes", "payroll"),
        ("tokens", "list", "--service", "No-tes"),
        ("provision", "--municipality", "Kolding"),
        ("provision", "--ack-wait-seconds", "0"),
        ("provision", "--json"),
        ("provision", "--check", "--max-gib", "5"),
        *(("provision", "--nats-url", url) for url in ("tls://hunter2", "wss://hunter2", "nonsense", "", "nats://h:p")),
    ],
)
def test_a_wrong_option_is_told_with_code_2(
    app: typer.Typer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wrong: tuple[str, ...],
) -> None:
    assert call(app, monkeypatch, *wrong) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "hunter2" not in said


def test_every_wrong_option_of_a_token_is_told_at_once(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = ("--scope", "everything", "--name", "two words", "--municipality", "62")

    assert call(app, monkeypatch, "tokens", "issue", "--service", "notes", *wrong) == 2

    said = " ".join(capsys.readouterr().err.replace("│", " ").split())
    for reason in ("--name must look like payroll", "--municipality must look like 621", "--scope must be one of"):
        assert reason in said


def test_tokens_are_listed_without_themselves_and_a_revoked_one_opens_nothing(
    app: typer.Typer, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(migrate(database_url, [HTTP], clock=calendar_of("system")))
    monkeypatch.setenv("NOTES_DATABASE_URL", database_url)
    assert call(app, monkeypatch, *ISSUE) == 0
    token = capsys.readouterr().out.strip()
    assert call(app, monkeypatch, *ISSUE, "--name", "jobs", "--expires-days", "2") == 0
    capsys.readouterr()

    assert call(app, monkeypatch, "tokens", "revoke", "--service", "notes", "payroll") == 0
    assert call(app, monkeypatch, "tokens", "list", "--service", "notes") == 0

    now = datetime.now(UTC)
    assert capsys.readouterr().out.splitlines() == [
        "1 revoked",
        f"payroll  621  read:notes  revoked {now:%Y-%m-%d}",
        f"jobs  621  read:notes  valid until {now + timedelta(days=2):%Y-%m-%d}",
    ]
    assert asyncio.run(holder_of(database_url, token, now)) is None
    assert call(app, monkeypatch, "tokens", "revoke", "--service", "notes", "payroll") == 1
    assert "No token of that name is in force" in capsys.readouterr().err


def test_an_address_with_a_password_may_stand_in_a_file(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch, nats_server: NatsServer, tmp_path: Path
) -> None:
    (tmp_path / "url").write_text(f"{nats_server.url}\n")
    monkeypatch.setenv("NATS_URL_FILE", str(tmp_path / "url"))

    assert call(app, monkeypatch, "provision") == 0
    monkeypatch.setenv("NATS_URL_FILE", str(tmp_path / "gone"))
    assert call(app, monkeypatch, "provision") == 2


def test_provisioning_names_its_changes_and_may_be_repeated(
    app: typer.Typer, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NATS_URL", nats_server.url)

    assert call(app, monkeypatch, "provision") == 0
    assert "EVENTS_621_FLEXJOB_POOL made" in capsys.readouterr().out
    assert call(app, monkeypatch, "provision") == 0
    assert capsys.readouterr().out == ""


def test_the_wait_for_an_acknowledgement_is_30_seconds_unless_told(
    app: typer.Typer, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NATS_URL", nats_server.url)
    assert call(app, monkeypatch, "provision", "--ack-wait-seconds", "2") == 0
    capsys.readouterr()

    assert call(app, monkeypatch, "provision") == 0
    assert "EVENTS_621_FLEXJOB_POOL impact ack_wait set" in capsys.readouterr().out.splitlines()
    assert call(app, monkeypatch, "provision", "--ack-wait-seconds", "30") == 0
    assert capsys.readouterr().out == ""


def test_streams_are_given_more_room_when_told_to_and_a_server_without_it_is_told(
    app: typer.Typer, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NATS_URL", nats_server.url)
    assert call(app, monkeypatch, "provision") == 0
    capsys.readouterr()

    assert call(app, monkeypatch, "provision", "--max-gib", "5") == 0
    assert capsys.readouterr().out.splitlines() == [
        "EVENTS_621_FLEXJOB_POOL max_bytes set",
        "EVENTS_621_GATEWAY max_bytes set",
    ]
    assert call(app, monkeypatch, "provision", "--max-gib", "5000") == 1
    assert "insufficient storage" in capsys.readouterr().err


def test_a_check_tells_drift_with_code_1_and_changes_nothing(
    app: typer.Typer, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NATS_URL", nats_server.url)
    for _ in range(2):
        assert call(app, monkeypatch, "provision", "--check") == 1
        assert capsys.readouterr().out.splitlines() == [
            "EVENTS_621_FLEXJOB_POOL is missing",
            "EVENTS_621_GATEWAY is missing",
        ]

    assert call(app, monkeypatch, "provision") == 0
    capsys.readouterr()
    assert call(app, monkeypatch, "provision", "--check") == 0
    assert capsys.readouterr().out == ""
    assert call(app, monkeypatch, "provision", "--check", "--ack-wait-seconds", "2", "--json") == 1
    first, *_ = json.loads(capsys.readouterr().out)
    assert first == {
        "stream": "EVENTS_621_FLEXJOB_POOL",
        "consumer": "impact",
        "setting": "ack_wait",
        "present": 30.0,
        "wanted": 2.0,
        "for_good": False,
    }
    assert call(app, monkeypatch, "provision", "--check", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_nats_that_cannot_be_reached_is_told_once_without_its_password(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(app, monkeypatch, "provision", "--nats-url", "nats://u:hunter2@127.0.0.1:1") == 1

    [said] = capsys.readouterr().err.splitlines()
    assert said.startswith("NATS at 127.0.0.1:1 does not answer as it should: ")


def test_a_consumer_that_cannot_be_put_right_is_told(
    app: typer.Typer, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(app, monkeypatch, "provision", "--nats-url", nats_server.url) == 0
    asyncio.run(read_only_what_is_new(nats_server.url))

    assert call(app, monkeypatch, "provision", "--nats-url", nats_server.url) == 1
    assert "nats consumer rm EVENTS_621_FLEXJOB_POOL impact" in capsys.readouterr().err


async def read_only_what_is_new(url: str) -> None:
    async with short_job(url) as jetstream:
        await jetstream.delete_consumer("EVENTS_621_FLEXJOB_POOL", "impact")
        new = ConsumerConfig(durable_name="impact", deliver_policy=DeliverPolicy.NEW)
        await jetstream.add_consumer("EVENTS_621_FLEXJOB_POOL", new)
