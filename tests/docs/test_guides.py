"""The how-to guides are followed, step by step, on a copy of the sources: what they say works, or this goes red."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^(?P<indent> *)```(?P<info>\w+[^\n]*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A copy of what is under version control, or would be, with the same interpreter."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()  # noqa: S603
    for name in names:
        if (ROOT / name).exists():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


def put(workplace: Path, instruction: str, body: str) -> None:
    """Do what a block says: put its text at the end of a file, or before, after or instead of a line."""
    name, how, anchor = [*instruction.split(" ", 2), ""][:3]
    path = workplace / name
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if how == "at-end":
        path.write_text(f"{text}\n\n{body}" if text else body, encoding="utf-8")
        return
    assert text.count(f"{anchor}\n") == 1, f"{name} has no single line ending in {anchor!r}"
    before, after = text.split(f"{anchor}\n")
    placed = {
        "before": f"{body}{anchor}\n",
        "after": f"{anchor}\n{body}",
        "instead-of": body,
    }[how]
    path.write_text(before + placed + after, encoding="utf-8")


def run(workplace: Path, command: str) -> None:
    """Run the commands of a block on the copy's own sources."""
    sources = [str(path) for path in workplace.glob("**/src") if ".venv" not in path.parts]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sources), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(  # noqa: S602 - the guides are ours
        command, shell=True, cwd=workplace, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("guide", ["add-an-event.md", "add-an-indicator.md"])
def test_following_the_guide_to_the_letter_works(guide: str, workplace: Path) -> None:
    steps = list(BLOCK.finditer((ROOT / "docs" / guide).read_text(encoding="utf-8")))
    assert len(steps) > 3

    for step in steps:
        language, _, instruction = step["info"].partition(" ")
        body = re.sub(f"^{step['indent']}", "", step["body"], flags=re.MULTILINE)
        if language == "sh":
            run(workplace, body)
        else:
            put(workplace, instruction.removeprefix("put "), body)

    run(workplace, ".venv/bin/ruff check contracts services && .venv/bin/ruff format --check contracts services")


@pytest.mark.parametrize("guide", ["add-an-event.md", "add-an-indicator.md"])
def test_a_guide_fits_on_a_page(guide: str) -> None:
    assert len((ROOT / "docs" / guide).read_text(encoding="utf-8").splitlines()) < 120
