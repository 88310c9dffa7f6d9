"""The how-to guides are followed, step by step, on a copy of the sources: what they say works, or this goes red."""

from pathlib import Path

import pytest

from tests.docs.following import ROOT, copy_in, put, run, steps_of


@pytest.mark.parametrize("guide", ["add-an-event.md", "add-an-indicator.md"])
def test_following_the_guide_to_the_letter_works(guide: str, tmp_path: Path) -> None:
    workplace = copy_in(tmp_path)
    steps = list(steps_of(ROOT / "docs" / guide))
    assert len(steps) > 3

    for language, instruction, body in steps:
        if language == "sh":
            run(workplace, body)
        else:
            put(workplace, instruction, body)

    run(workplace, ".venv/bin/ruff check contracts services && .venv/bin/ruff format --check contracts services")


@pytest.mark.parametrize("guide", ["add-an-event.md", "add-an-indicator.md"])
def test_a_guide_fits_on_a_page(guide: str) -> None:
    assert len((ROOT / "docs" / guide).read_text(encoding="utf-8").splitlines()) < 120
