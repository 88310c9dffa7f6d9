"""The list of phantoms, and what somebody decides about them."""

import asyncio
import io
import re
import sys
from datetime import UTC, datetime

import pytest
import typer

from chassis import phantoms
from chassis.calendar import calendar_of
from chassis.database import create_pool
from chassis.migrate import OUTBOX, migrate
from chassis.outbox import Stored
from chassis.tests.command_line import call


@pytest.fixture
def forgetful(app: typer.Typer, database_url: str, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """The commands beside an outbox that forgot some events of a stream."""
    now = datetime(2026, 3, 5, 9, tzinfo=UTC)
    strangers = [Stored(7 + number, now, message_id, NOTE) for number, message_id in enumerate(FORGOTTEN)]

    async def forget() -> None:
        await migrate(database_url, [OUTBOX], clock=calendar_of("system"))
        async with await create_pool(database_url, name="test") as pool, pool.acquire() as db:
            await phantoms.note(db, strangers, after=6, now=now)

    asyncio.run(forget())
    monkeypatch.setenv("NOTES_DATABASE_URL", database_url)
    return app


NOTE = "events.621.notes.note.taken.v1"
FORGOTTEN = (
    "urn:kraftcenter:621:notes#the#id#0123456789abcdef",
    "",
    "urn:kraftcenter:621:notes#shared#0123456789abcdef",
    "urn:kraftcenter:621:payroll#shared#0123456789abcdef",
)
WHEN = "stored 2026-03-05T09:00:00Z, found 2026-03-05T09:00:00Z"
RETRACT = ("phantoms", "retract", "--service", "notes", "--reason-code", "double_entry", "--yes")
LIST = ("phantoms", "list", "--service", "notes")


def test_phantoms_are_listed_by_id_and_source(
    forgetful: typer.Typer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(forgetful, monkeypatch, *LIST) == 0

    assert capsys.readouterr().out.splitlines() == [
        f"the#id  urn:kraftcenter:621:notes  {NOTE}  sequence 7  {WHEN}",
        f"(no id)  {NOTE}  sequence 8  {WHEN}",
        f"shared  urn:kraftcenter:621:notes  {NOTE}  sequence 9  {WHEN}",
        f"shared  urn:kraftcenter:621:payroll  {NOTE}  sequence 10  {WHEN}",
    ]


def test_what_was_decided_about_phantoms_is_listed_and_they_are_open_no_more(
    forgetful: typer.Typer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(forgetful, monkeypatch, *RETRACT, "the#id") == 0
    assert call(forgetful, monkeypatch, *RETRACT, "shared", "--source", "urn:kraftcenter:621:payroll") == 0
    keep = ("phantoms", "keep", "--service", "notes", "shared", "--source", "urn:kraftcenter:621:notes")
    assert call(forgetful, monkeypatch, *keep) == 0
    assert capsys.readouterr().out.splitlines() == ["1 retracted", "1 retracted", "1 kept"]

    assert call(forgetful, monkeypatch, *LIST, "--open") == 0
    assert capsys.readouterr().out.splitlines() == [f"(no id)  {NOTE}  sequence 8  {WHEN}"]
    assert call(forgetful, monkeypatch, *LIST) == 0
    ours, _, kept, theirs = capsys.readouterr().out.splitlines()
    retracted = r", retracted 20[0-9-]{8}T[0-9:]{8}Z by [0-9a-f-]{36} \(double_entry\)"
    assert re.fullmatch(rf"the#id  .*{WHEN}{retracted}", ours)
    assert re.fullmatch(rf"shared  .*payroll  .*{WHEN}{retracted}", theirs)
    assert re.fullmatch(rf"shared  .*notes  .*{WHEN}, kept 20[0-9-]{{8}}T[0-9:]{{8}}Z", kept)


def test_ids_that_cannot_be_retracted_are_all_told_and_nothing_is_done(
    forgetful: typer.Typer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(forgetful, monkeypatch, *RETRACT, "the#id", "hunter2", "shared") == 1

    assert capsys.readouterr().err.splitlines() == [
        "No phantom has id 2 of those given: the list shows all that there are.",
        "shared: several sources have used it; say whose it is with --source.",
        "Nothing was done.",
    ]
    assert call(forgetful, monkeypatch, *RETRACT, "the#id") == 0
    assert call(forgetful, monkeypatch, *RETRACT, "the#id") == 1
    assert re.match(r"the#id: was retracted on 20[0-9-]{8}, by [0-9a-f-]{36}\.\n", capsys.readouterr().err)


def test_a_retraction_is_asked_about_first_and_needs_a_reason_of_the_code_list(
    forgetful: typer.Typer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert call(forgetful, monkeypatch, *RETRACT[:-1], "the#id") == 1
    assert call(forgetful, monkeypatch, *RETRACT, "the#id", "--reason-code", "hunter2") == 2
    assert call(forgetful, monkeypatch, *RETRACT) == 2
    said = capsys.readouterr()
    assert "Retract 1 of the events of notes for good?" in said.err
    assert "must be one of double_entry, never_happened, wrong_person" in " ".join(said.err.replace("│", " ").split())
    assert "hunter2" not in said.out + said.err

    assert call(forgetful, monkeypatch, *LIST, "--open") == 0
    assert len(capsys.readouterr().out.splitlines()) == len(FORGOTTEN)
