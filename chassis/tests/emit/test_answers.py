"""What a gateway may answer: a busy one is asked again, a refusal is told, and what is hopeless ends the sending."""

import json
from pathlib import Path

import pytest

from chassis import emitting
from chassis.tests.emit.door import ACCEPTED, Door, Emit, Told, answer, problem, receipts_in, write


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
