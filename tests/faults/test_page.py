"""The page of faults tells of every fault as it is now, and what came of it when all were carried out."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import page
from tests.faults.page import CARRIED_OUT, ENOUGH_KILLS, OUT_OF_TIME, PAGE, ROOT, Outcome, Run, table
from tests.faults.table import FAULTS

RESULT = re.compile(r"(held \(\d+ s(; [^|]+)?\)|not run: (?!out of time).+)")


def test_every_fault_has_a_name_of_its_own() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(names) == len({*names})


def test_the_page_tells_of_every_fault_and_that_it_held_or_was_not_run_and_why() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    head, line, *rows = table(dict.fromkeys(FAULTS, "RESULT")).splitlines()

    told = lines[lines.index(head) :]

    assert told[:2] == [head, line]
    for expected, row in zip(rows, told[2:], strict=True):
        shape = re.escape(expected).replace("RESULT", RESULT.pattern)
        assert re.fullmatch(shape, row), f"docs/faults.md tells of another table, `make chaos` writes it: {row}"


def test_what_an_act_has_to_tell_stands_beside_how_long_it_took() -> None:
    told = [Outcome.held(3).text, Outcome.held(3, "the town waited for 0.2 s").text]

    assert told == ["held (3 s)", "held (3 s; the town waited for 0.2 s)"]
    assert all(RESULT.fullmatch(text) for text in told)


@pytest.mark.parametrize(("outcome", "is_wrong"), [(Outcome.held(3), False), (Outcome.wrong("1 missing"), True)])
def test_a_run_with_a_fault_that_left_something_wrong_is_wrong(outcome: Outcome, is_wrong: bool) -> None:
    run = Run(1, {FAULTS[0]: outcome, FAULTS[1]: Outcome.not_run("no root")})

    assert bool(run.wrong) is is_wrong
    assert run.summary() == f"{1 - is_wrong} faults held, {is_wrong + 0} left something wrong, 1 were not run"


def test_without_git_the_page_names_no_commit_and_gives_no_command_that_needs_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "PAGE", tmp_path / "faults.md")
    monkeypatch.setenv("PATH", "")

    said = page.write(Run(1)).read_text(encoding="utf-8")

    assert "Git could not name the commit" in said
    assert not re.search("at commit|git log|unknown", said)


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ([Outcome.held(3), Outcome.held(4)], "not run; 0 events lost and 0 counted twice. "),
        (
            [Outcome.held(3), Outcome.wrong("1 missing")],
            "not run; 0 events lost and 0 counted twice by the 1 that held.",
        ),
        (
            [Outcome.held(3), Outcome.not_run("no root")],
            "not run; 0 events lost and 0 counted twice by the 1 that held.",
        ),
        ([Outcome.wrong("1 missing"), Outcome.not_run(OUT_OF_TIME)], "1 were not run. "),
        ([], "0 were not run. "),
    ],
)
def test_that_nothing_is_lost_is_said_of_what_held_alone(
    outcomes: list[Outcome], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "PAGE", tmp_path / "faults.md")

    assert told in page.write(Run(1, dict(zip(FAULTS, outcomes, strict=False)))).read_text(encoding="utf-8")


def test_a_run_shows_enough_only_when_all_that_can_be_run_held_and_enough_was_killed() -> None:
    held, lacking = {FAULTS[0]: Outcome.held(3)}, {FAULTS[1]: Outcome.not_run("no root")}
    late, wrong = {FAULTS[2]: Outcome.not_run(OUT_OF_TIME)}, {FAULTS[3]: Outcome.wrong("1 missing")}

    assert not Run(1, held | lacking, ENOUGH_KILLS).failings(whole=True)
    assert not Run(1, held, ENOUGH_KILLS - 1).failings(whole=False)
    assert "59 processes were killed" in " ".join(Run(1, held, ENOUGH_KILLS - 1).failings(whole=True))
    assert len(Run(1, held | late | wrong, ENOUGH_KILLS).failings(whole=True)) == 2


def test_a_run_that_is_out_of_time_fails_and_says_so() -> None:
    command = [sys.executable, "-m", "tests.faults", "--minutes", "0", "--only", "impact is killed"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - own argv

    assert told.returncode == 1
    assert "1 faults were not run, since time was out" in told.stderr


def test_a_commit_that_is_not_all_that_was_run_is_called_dirty_and_can_still_be_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-C", tmp_path, *words], check=True, capture_output=True)  # noqa: S603, S607 - own argv

    def said() -> str:
        return page.write(Run(1)).read_text(encoding="utf-8")

    git("init")
    git("-c", "user.name=-", "-c", "user.email=-", "commit", "--allow-empty", "--message", "First.")
    monkeypatch.setattr(page, "ROOT", tmp_path)
    monkeypatch.setattr(page, "PAGE", tmp_path / "faults.md")
    assert re.search(r"at commit [0-9a-f]+, seed", said())

    (tmp_path / CARRIED_OUT[-1]).mkdir(parents=True)
    (tmp_path / CARRIED_OUT[-1] / "fault.py").touch()

    assert re.search(r"at commit ([0-9a-f]+)-dirty, seed .* --oneline \1\.\. -- .*tests/faults`", said())
