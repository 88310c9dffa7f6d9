"""How a guide is followed: its blocks in order, on a copy of the sources."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^(?P<indent> *)```(?P<info>\w+[^\n]*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)


def copy_in(folder: Path) -> Path:
    """A copy of what is under version control, or would be, with the same interpreter and the same uv."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()  # noqa: S603
    for name in names:
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    for tools in (".boot", ".venv"):
        (folder / tools).symlink_to(ROOT / tools)
    return folder


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


def run(workplace: Path, command: str, *, on_its_sources: bool = True) -> None:
    """Run the commands of a block, on the copy's own sources or on what is installed."""
    sources = [str(path) for path in workplace.glob("**/src") if ".venv" not in path.parts]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"PYTHONPATH": os.pathsep.join(sources)} if on_its_sources else {}
    done = subprocess.run(  # noqa: S602 - the guides are ours
        command, shell=True, cwd=workplace, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def steps_of(guide: Path) -> Iterator[tuple[str, str, str]]:
    """Each block of a guide: its language, what is to be done with it, and its text."""
    for step in BLOCK.finditer(guide.read_text(encoding="utf-8")):
        language, _, instruction = step["info"].partition(" ")
        body = re.sub(f"^{step['indent']}", "", step["body"], flags=re.MULTILINE)
        yield language, instruction.removeprefix("put "), body
