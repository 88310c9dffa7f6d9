"""The demo as a whole, on real servers and services, with a few people instead of fifteen hundred."""

import tempfile
from pathlib import Path

import pytest

from local import demo, simulator
from local.expected.answers import calculated
from local.plan.chance import DAYS, LAST_DAY

JOBS = ("J1", "J2", "J3", "J3r", "J4", "J4e")
FLEXJOBS = ("F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9")
INDICATORS = (*JOBS, *FLEXJOBS, "E1", "E1f", "E2")


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


# A year has 365 days however few people live through it, and each waits for seven processes.
@pytest.mark.timeout(300)
def test_a_year_of_a_few_people_in_two_municipalities_agrees_and_leaves_nothing_behind(
    folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "PAIRS", demo.PAIRS[-5:])
    assert demo.run(seed=1, people=24) == 0

    tables = capsys.readouterr().out
    assert "Kolding" in tables
    assert "Vejle" in tables
    assert all(tables.count(f"\n{indicator} ") == 2 for indicator in INDICATORS)
    assert "✗" not in tables
    assert max(map(len, tables.splitlines())) <= 120
    assert list(folders.iterdir()) == []


@pytest.mark.timeout(180)
def test_a_demo_whose_figures_are_others_than_expected_fails_and_keeps_what_it_had(
    folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    day = DAYS[9]
    monkeypatch.setattr(simulator, "DAYS", DAYS[:10])
    monkeypatch.setattr(demo, "PAIRS", ((day, day),))
    monkeypatch.setattr(demo, "LAST_DAY", day)
    monkeypatch.setattr(demo, "calculated", lambda seed, people, pairs: calculated(seed + 1, people, pairs))

    assert demo.run(seed=1, people=12) == 1

    said = capsys.readouterr()
    assert "Disagreement" in said.err
    [kept] = folders.iterdir()
    assert str(kept) in "".join(said.err.split("\n"))


def test_the_demo_looks_at_the_years_end_and_at_ten_earlier_pairs() -> None:
    *earlier, end = demo.PAIRS

    assert end == (LAST_DAY, LAST_DAY)
    assert len({*earlier}) == 10
    assert all(pair < end for pair in earlier)
    assert any(as_of < known_on for as_of, known_on in earlier)
