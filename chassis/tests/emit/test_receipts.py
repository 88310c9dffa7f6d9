"""What has a receipt is not sent again, wherever a sender was cut off."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.emitting import Receipts, Result, Sending
from chassis.tests.emit.door import ACCEPTED, Door, Emit, answer, receipts_in, write
from local.waiting import wait_until


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


def test_receipts_without_a_file_remember_nothing() -> None:
    sending = Sending("line 1", "s", "i", b"{}", "00")
    with Receipts(None, "http://x") as receipts:
        receipts.add(Result(sending, "accepted", 202), "now")
        assert not receipts.holds(sending)
