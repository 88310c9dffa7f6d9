"""What is sent, in which order, and what is told of a wrong input."""

import json
import os
import sys
from pathlib import Path

import pytest

from chassis.tests.emit.door import EXAMPLE, Door, Emit, receipts_in, write


def test_events_are_sent_in_order_and_each_gets_a_receipt(
    emit: Emit, door: Door, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "a", "b", "c")

    assert emit() == 0

    assert door.ids == ["a", "b", "c"]
    assert {headers["authorization"] for headers in door.headers} == {"Bearer kc_secret"}
    assert {headers["content-type"] for headers in door.headers} == {"application/cloudevents+json"}
    assert len({key for key, _ in door.received}) == 3
    assert [(one["id"], one["outcome"]) for one in receipts_in(tmp_path)] == [(id_, "accepted") for id_ in "abc"]
    assert capsys.readouterr().out == "3 accepted, 0 duplicates, 0 sent before, 0 refused.\n"


def test_the_same_event_has_the_same_key_and_another_body_another(emit: Emit, door: Door, tmp_path: Path) -> None:
    write(tmp_path, "a")
    assert emit() == 0
    (tmp_path / "events.receipts.jsonl").unlink()
    (tmp_path / "events").write_text(json.dumps(EXAMPLE | {"id": "a"}, indent=2))
    assert emit() == 0
    (tmp_path / "events").write_text(json.dumps(EXAMPLE | {"id": "a", "correlationid": "x"}))
    assert emit() == 0

    first, second, third = (key for key, _ in door.received)
    assert first == second != third


def test_what_cannot_be_sent_is_refused_here(
    emit: Emit, door: Door, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "a")
    with (tmp_path / "events").open("a") as file:
        file.write('{broken\n[]\n{"a": 12345678901234567890}\n{"a": "\\u0000"}\n')

    assert emit() == 1

    assert door.ids == ["a"]
    assert [line for line in capsys.readouterr().err.splitlines() if "refused" in line] == [
        f"line {number}: refused" for number in (2, 3, 4, 5)
    ]


def test_sources_are_sent_side_by_side_and_each_in_its_order(emit: Emit, door: Door, tmp_path: Path) -> None:
    systems = [f"urn:kraftcenter:621:system_{number}" for number in range(6)]
    for number in range(5):
        for system in systems:
            write(tmp_path, f"{number}", source=system)

    assert emit("--at-once", "3") == 0

    for system in systems:
        assert [body["id"] for _, body in door.received if body["source"] == system] == [*"01234"]


def test_stdin_is_sent_without_receipts(emit: Emit, door: Door, tmp_path: Path) -> None:
    read, write_end = os.pipe()
    os.write(write_end, json.dumps(EXAMPLE).encode())
    os.close(write_end)
    with os.fdopen(read) as stdin, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", stdin)
        assert emit(file="-") == 0
    assert not (tmp_path / "-.receipts.jsonl").exists()
    assert len(door.ids) == 1


def test_who_looks_on_sees_how_far_it_is_and_a_log_does_not(
    emit: Emit, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a", "b", "c")
    # How rich is told that it writes to a terminal.
    for told, is_shown in (("1", True), ("0", False)):
        monkeypatch.setenv("TTY_COMPATIBLE", told)
        (tmp_path / "events.receipts.jsonl").unlink(missing_ok=True)

        assert emit() == 0
        assert ("3/3" in capsys.readouterr().err) == is_shown


@pytest.mark.parametrize(
    "case",
    [
        (("--url", "gateway:8600"), None, "--url must look like", 2),
        (("--url", "ftp://x"), None, "--url must look like", 2),
        (("--url", "http://"), None, "--url must look like", 2),
        (("--url", "http://u:hunter2@x"), None, "--url must look like", 2),
        (("--at-once", "0"), None, "--at-once", 2),
        (("--patience", "soon"), None, "--patience", 2),
        ((), "nowhere.jsonl", "cannot read nowhere.jsonl", 2),
        ((), "/", "cannot read /", 2),
        (("--token-file", "nowhere"), None, "Cannot read the token file nowhere", 1),
        (("--token-file", "/dev/null"), None, "holds no token", 1),
        (("--receipts", "/nowhere/receipts"), None, "Cannot keep receipts in /nowhere/receipts", 1),
        (("--receipts", "/"), None, "Cannot keep receipts in /", 1),
    ],
)
def test_a_wrong_input_is_told_without_a_traceback(
    emit: Emit,
    door: Door,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    case: tuple[tuple[str, ...], str | None, str, int],
) -> None:
    options, file, said, code = case
    write(tmp_path, "a")

    assert emit(*options, file=file) == code

    shown = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert said in shown
    assert "Traceback" not in shown
    assert "hunter2" not in shown
    assert door.ids == []
