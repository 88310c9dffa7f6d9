import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chassis import cli, event_commands

EXAMPLE = json.loads((Path(__file__).parents[2] / "contracts/examples/payroll.employment_ended.v1.json").read_text())
CPR = "010190-1234"


@pytest.fixture(autouse=True)
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clock").write_text("2026-11-02T08:00:00Z")
    monkeypatch.setenv("CLOCK", f"file:{tmp_path / 'clock'}")
    monkeypatch.setenv("COLUMNS", "200")


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    app = cli.new_app("Test.")
    app.command(name="check")(event_commands.check)
    monkeypatch.setattr(sys, "argv", ["kraftcenter", "check", *arguments])
    with pytest.raises(SystemExit) as exit_:
        cli.run(app, "kraftcenter")
    code: int = exit_.value.code  # type: ignore[assignment]
    return code


def event(**changes: Any) -> dict[str, Any]:
    return {**EXAMPLE, **changes}


def in_lines(*events: Any) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in events)


def written(tmp_path: Path, content: bytes) -> str:
    file = tmp_path / "events"
    file.write_bytes(content)
    return str(file)


def test_every_line_is_judged_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content = in_lines(event(), event(id="sd-2", subject=f"x/{CPR}", extra=1)) + b"\n{broken\n" + in_lines([])

    assert call(monkeypatch, written(tmp_path, content)) == 1

    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        "line 1: ok",
        "line 2: refused",
        "  /subject: holds a personal number (CPR); use a person_ref instead",
        "  (whole): has a field that is not known here",
        "line 4: refused",
        "  (whole): It is not valid JSON in UTF-8 (line 1, column 2).",
        "line 5: refused",
        "  (whole): must be a JSON object",
    ]
    assert shown.err == "1 ok, 3 refused.\n"
    assert CPR not in shown.out


@pytest.mark.parametrize(
    ("content", "places"),
    [
        (json.dumps(EXAMPLE, indent=2).encode(), ["line 1"]),
        (b"\xef\xbb\xbf" + json.dumps([EXAMPLE, EXAMPLE], indent=2).encode(), ["item 1", "item 2"]),
        (in_lines(EXAMPLE, EXAMPLE).replace(b"\n", b"\r\n"), ["line 1", "line 2"]),
        (b"", []),
        (b" \n\n", []),
    ],
)
def test_a_file_has_lines_or_one_document(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: bytes,
    places: list[str],
) -> None:
    assert call(monkeypatch, written(tmp_path, content), "--json") == 0

    items = json.loads(capsys.readouterr().out)["items"]
    assert items == [{"place": place, "ok": True, "reasons": []} for place in places]


@pytest.mark.parametrize(
    "content", [b"hello", b'{"a": 1', b"[1, 2", b"\xff\xfe", b"\x00" * 9, b"NaN", b"[" * 9999, b'"x"']
)
def test_what_is_no_event_is_told_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    assert call(monkeypatch, written(tmp_path, content)) == 1
    assert capsys.readouterr().err == "0 ok, 1 refused.\n"


def test_json_has_reasons_in_both_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = event()
    del message["source"]

    assert call(monkeypatch, written(tmp_path, in_lines(message)), "--json") == 1

    reasons = [{"pointer": "/source", "detail": {"da": "mangler", "en": "is missing"}}]
    assert json.loads(capsys.readouterr().out) == {"items": [{"place": "line 1", "ok": False, "reasons": reasons}]}


def test_one_id_with_two_bodies_is_told_and_a_copy_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content = in_lines(event(), event(), event(correlationid="other"))

    assert call(monkeypatch, written(tmp_path, content)) == 1

    assert capsys.readouterr().out.splitlines() == [
        "line 1: ok",
        "line 2: ok",
        "line 3: refused",
        "  /id: is the same source and id as line 1, with another content",
    ]


def test_events_may_come_from_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(in_lines(EXAMPLE))))

    assert call(monkeypatch, "-") == 0
    assert capsys.readouterr().out == "line 1: ok\n"


def test_dates_are_judged_by_the_calendar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clock").write_text("2023-01-01T08:00:00Z")

    assert call(monkeypatch, written(tmp_path, in_lines(EXAMPLE))) == 1
    assert "must lie between 1 January 1990 and two years from today" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "clock", "said"),
    [
        ((), None, "Missing argument"),
        (("nowhere.jsonl",), None, "cannot read nowhere.jsonl: No such file or directory"),
        (("/",), None, "cannot read /: Is a directory"),
        (("a\0b",), None, "its name cannot be one"),
        (("-", "--today", "2026-01-01"), None, "No such option"),
        (("-", "-"), None, "unexpected extra argument"),
        (("/dev/null",), "tomorrow", "CLOCK: must be `system` or `file:PATH`"),
        (("/dev/null",), "file:/nowhere", "CLOCK: the clock file /nowhere cannot be read"),
    ],
)
def test_a_wrong_command_line_is_told_with_code_2(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    clock: str | None,
    said: str,
) -> None:
    if clock:
        monkeypatch.setenv("CLOCK", clock)

    assert call(monkeypatch, *arguments) == 2

    shown = capsys.readouterr().err
    assert said in shown
    assert "Traceback" not in shown
