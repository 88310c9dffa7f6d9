"""The page of faults tells of every fault as it is now, and what came of it when all were carried out."""

import re
from pathlib import Path

import pytest

from tests.faults import page
from tests.faults.page import PAGE, Outcome, Run, table
from tests.faults.table import FAULTS

RESULT = re.compile(r"(held \(\d+ s\)|not run: .+)")


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
