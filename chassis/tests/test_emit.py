"""Sending to a door that is scripted: busy, gone, or no gateway at all. The gateway's tests send to the real one."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from chassis import cli, emitting, event_commands
from chassis.emitting import Receipts, Result, Sending
from local.waiting import wait_until

EXAMPLE = json.loads((Path(__file__).parents[2] / "contracts/examples/payroll.employment_ended.v1.json").read_text())
ACCEPTED = {"outcome": "accepted", "received_at": "2026-11-02T08:00:00Z"}
Told = tuple[int, dict[str, str], bytes]


def answer(status: int, body: Any, **headers: str) -> Told:
    return status, headers, json.dumps(body).encode()


def problem(status: int, slug: str, *reasons: tuple[str, str]) -> Told:
    errors = [{"pointer": place, "detail": said} for place, said in reasons]
    body = {
        "type": f"urn:kraftcenter:problem:{slug}",
        "title": "No",
        "status": status,
        "detail": "Why.",
        "errors": errors,
    }
    return answer(status, body)


class Door:
    """A server that answers as the script says, and with 202 once the script is at its end."""

    def __init__(self) -> None:
        self.script: list[Told] = []
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                door.headers.append({name.lower(): value for name, value in self.headers.items()})
                door.received.append((self.headers["idempotency-key"], body))
                status, headers, said = door.script.pop(0) if door.script else answer(202, ACCEPTED)
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(said))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def ids(self) -> list[str]:
        return [body["id"] for _, body in self.received]

    @property
    def keys(self) -> list[str]:
        return [key for key, _ in self.received]


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    thread = Thread(target=door.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield door
    door.server.shutdown()
    thread.join()
    door.server.server_close()


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emitting, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(emitting, "LONGEST_PAUSE_SECONDS", 0.01)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def emit(tmp_path: Path, door: Door, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    (tmp_path / "token").write_text("kc_secret")

    def call(*options: str, file: str | None = None, url: str | None = None) -> int:
        app = cli.new_app("Test.")
        app.command(name="emit")(event_commands.emit)
        told = [file or str(tmp_path / "events"), "--url", url or door.url, "--token-file", str(tmp_path / "token")]
        monkeypatch.setattr(sys, "argv", ["kraftcenter", "emit", *told, *options])
        with pytest.raises(SystemExit) as exit_:
            cli.run(app, "kraftcenter")
        code: int = exit_.value.code  # type: ignore[assignment]
        return code

    return call


Emit = Callable[..., int]


def write(tmp_path: Path, *ids: str, source: str = EXAMPLE["source"]) -> None:
    with (tmp_path / "events").open("a") as file:
        file.writelines(json.dumps(EXAMPLE | {"id": id_, "source": source}) + "\n" for id_ in ids)


def receipts_in(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "events.receipts.jsonl").read_text().splitlines() if line]


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


def test_what_has_a_receipt_is_not_sent_again(
    emit: Emit, door: Door, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "a", "b")
    assert emit() == 0
    write(tmp_path, "c")
    capsys.readouterr()

    assert emit("--json") == 0

    assert door.ids == ["a", "b", "c"]
    assert json.loads(capsys.readouterr().out) == {"accepted": 1, "duplicate": 0, "sent_before": 2, "refused": []}


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


def test_a_receipt_of_another_gateway_is_none(emit: Emit, door: Door, tmp_path: Path) -> None:
    write(tmp_path, "a")
    assert emit() == 0

    assert emit(url=door.url.replace("127.0.0.1", "localhost")) == 0
    assert door.ids == ["a", "a"]


def test_a_receipt_that_a_crash_cut_short_is_none_and_spoils_no_other(emit: Emit, door: Door, tmp_path: Path) -> None:
    write(tmp_path, "a", "b")
    assert emit() == 0
    file = tmp_path / "events.receipts.jsonl"
    file.write_bytes(file.read_bytes()[:-20])

    assert emit() == 0
    assert emit() == 0

    assert door.ids == ["a", "b", "b"]


@pytest.mark.parametrize("line", ["[]", '{"source": "s"}', '{"gateway": %s, "source": [], "id": {}, "body_hash": "0"}'])
def test_a_line_that_is_no_receipt_is_passed_over(emit: Emit, door: Door, tmp_path: Path, line: str) -> None:
    write(tmp_path, "a")
    (tmp_path / "events.receipts.jsonl").write_text(line.replace("%s", json.dumps(door.url)) + "\n")

    assert emit() == 0

    assert door.ids == ["a"]


@pytest.mark.parametrize("answered", [0, 3])
def test_a_sender_that_is_killed_goes_on_where_it_was_and_no_event_gets_another_key(
    emit: Emit, door: Door, tmp_path: Path, answered: int
) -> None:
    ids = [*"abcdefgh"]
    write(tmp_path, *ids)
    # The next one gets no good answer, so the process is there to be killed.
    door.script = [*[answer(202, ACCEPTED)] * answered, *[answer(503, {})] * 1000]
    where = [str(tmp_path / "events"), "--url", door.url, "--token-file", str(tmp_path / "token")]
    command = [str(Path(sys.executable).with_name("kraftcenter")), "emit", *where]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    wait_until(lambda: len(door.received) > answered, seconds=60, message="nothing was sent")
    process.kill()
    process.wait()
    door.script = []

    assert emit() == 0

    assert list(dict.fromkeys(door.ids)) == ids
    assert [door.ids.count(id_) for id_ in ids[:answered]] == [1] * answered
    assert [one["id"] for one in receipts_in(tmp_path)] == ids
    assert len({*door.keys}) == len(ids)


@pytest.mark.parametrize(
    "busy",
    [
        answer(503, {}),
        answer(429, {}, **{"retry-after": "0"}),
        answer(500, {}),
        answer(502, {}, **{"retry-after": "nonsense"}),
        answer(503, {}, **{"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        (503, {}, b"<html>"),
    ],
)
def test_a_busy_gateway_is_asked_again_with_the_same_key(emit: Emit, door: Door, tmp_path: Path, busy: Told) -> None:
    write(tmp_path, "a", "b")
    door.script = [busy, busy, answer(202, ACCEPTED)]

    assert emit() == 0

    assert door.ids == ["a", "a", "a", "b"]
    assert len({key for key, _ in door.received[:3]}) == 1


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [("120", 120), ("0", 1), (None, 1), ("x", 1), ("Wed, 21 Oct 2015 07:28:00 GMT", 1), ("Wed, 21 Oct 2015", 1)],
)
def test_the_wait_that_the_gateway_asks_for_is_kept(asked: str | None, seconds: float) -> None:
    assert emitting._retry_after(asked, default=1) == seconds  # noqa: SLF001 - a wait of two minutes


def test_a_gateway_that_asks_for_more_patience_than_we_have_is_given_up(
    emit: Emit, door: Door, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "a", "b")
    door.script = [answer(202, ACCEPTED), answer(503, {}, **{"retry-after": "3600"})]

    assert emit("--patience", "5") == 1

    shown = capsys.readouterr()
    assert shown.out.startswith("1 accepted")
    assert "No answer from" in shown.err
    assert [one["id"] for one in receipts_in(tmp_path)] == ["a"]


def test_a_gateway_that_is_not_there_is_waited_for(
    emit: Emit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "a")

    assert emit("--patience", "0.05", url="http://127.0.0.1:1") == 1
    assert "Is the gateway running?" in capsys.readouterr().err


def test_what_is_refused_is_told_with_its_reasons_and_sending_goes_on(
    emit: Emit, door: Door, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "a", "b", "c")
    door.script = [problem(422, "invalid-event", ("/data", "is odd"), ("", "has a field that is not known here"))]

    assert emit("--json") == 1

    shown = capsys.readouterr()
    assert shown.err.splitlines() == [
        "line 1: refused",
        "  /data: is odd",
        "  (whole): has a field that is not known here",
    ]
    reasons = [
        {"pointer": "/data", "detail": "is odd"},
        {"pointer": "", "detail": "has a field that is not known here"},
    ]
    assert json.loads(shown.out) == {
        "accepted": 2,
        "duplicate": 0,
        "sent_before": 0,
        "refused": [{"place": "line 1", "status": 422, "reasons": reasons}],
    }
    assert [one["id"] for one in receipts_in(tmp_path)] == ["b", "c"]


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


def test_sending_stops_at_the_first_refusal_if_told_so(
    emit: Emit, door: Door, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "a", "b", "c")
    door.script = [answer(202, ACCEPTED), problem(409, "event-conflict", ("/id", "was used"))]

    assert emit("--stop-on-refusal") == 1

    assert door.ids == ["a", "b"]
    assert "Stopped at the first refusal." in capsys.readouterr().err


@pytest.mark.parametrize(
    "case",
    [
        (problem(401, "unauthorised"), "No. Why."),
        (problem(403, "missing-scope"), "No. Why."),
        (problem(403, "other-municipality"), "No. Why."),
        (problem(404, "not-found"), "No. Why."),
        (answer(404, {}), "not as a gateway"),
        (answer(200, {}), "not as a gateway"),
        (answer(202, []), "not as a gateway"),
        (answer(302, {}, location="/elsewhere"), "not as a gateway"),
        ((200, {}, b"<html>"), "not as a gateway"),
        ((403, {}, b"\xff"), "not as a gateway"),
    ],
)
def test_sending_stops_where_no_other_event_would_fare_better(
    emit: Emit, door: Door, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: tuple[Told, str]
) -> None:
    hopeless, said = case
    write(tmp_path, "a", "b")
    door.script = [hopeless]

    assert emit() == 1

    shown = capsys.readouterr().err
    assert said in shown
    assert "Traceback" not in shown
    assert door.ids == ["a"]


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


def test_ctrl_c_leaves_cleanly_with_the_receipts_of_what_was_accepted(door: Door, tmp_path: Path) -> None:
    write(tmp_path, "a", "b")
    (tmp_path / "token").write_text("kc_secret")
    door.script = [answer(202, ACCEPTED), *[answer(503, {})] * 1000]
    where = [str(tmp_path / "events"), "--url", door.url, "--token-file", str(tmp_path / "token")]
    command = [str(Path(sys.executable).with_name("kraftcenter")), "emit", *where]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
    wait_until(lambda: len(door.received) >= 2, seconds=30, message="nothing was sent")

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert out == "1 accepted, 0 duplicates, 0 sent before, 0 refused.\n"
    assert err == "Interrupted: run the same command again to go on.\n"
    assert [one["id"] for one in receipts_in(tmp_path)] == ["a"]


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


def test_receipts_without_a_file_remember_nothing() -> None:
    sending = Sending("line 1", "s", "i", b"{}", "00")
    with Receipts(None, "http://x") as receipts:
        receipts.add(Result(sending, "accepted", 202), "now")
        assert not receipts.holds(sending)
