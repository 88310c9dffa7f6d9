"""What the pages for alerts say, as far as it can be checked: headings, commands, queries."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from typer.main import get_command

from chassis.cli import GROUP, add, new_app

HEADINGS = ("Meaning", "Are figures wrong, or only late?", "First checks", "Safe actions", "Unsafe actions")
FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"kraftcenter [a-z][^`\n]*")


@dataclass(frozen=True, slots=True)
class Runbook:
    """One page."""

    name: str
    text: str

    @property
    def headings(self) -> tuple[str, ...]:
        """Its second-level headings, in their order."""
        return tuple(re.findall(r"^## (.+)$", self.text, re.MULTILINE))

    @property
    def commands(self) -> list[str]:
        """Every `kraftcenter …`, in a block or between words."""
        return [found.strip() for found in COMMAND.findall(self.text)]

    def blocks(self, info: str) -> list[str]:
        """The bodies of all blocks of a kind, as `promql` or `sql impact`."""
        return [block["body"].strip() for block in FENCE.finditer(self.text) if block["info"] == info]


def runbooks_in(folder: Path) -> list[Runbook]:
    """Every page."""
    return [Runbook(page.stem, page.read_text(encoding="utf-8")) for page in sorted(folder.glob("*.md"))]


def faults_of(page: Runbook) -> Iterator[str]:
    """What is missing on a page, and commands that do not exist."""
    if page.headings != HEADINGS:
        yield f"{page.name}: its headings are {page.headings}"
    sections = re.split(r"^## .+$", page.text, flags=re.MULTILINE)[1:]
    yield from (
        f"{page.name}: nothing stands under {head}"
        for head, text in zip(page.headings, sections, strict=True)
        if not text.strip()
    )
    yield from (f"{page.name}: {fault}" for command in page.commands if (fault := misunderstood(command)))


def misunderstood(line: str) -> str | None:
    """Why `kraftcenter` would not take a command line; None when it has such a command with such options."""
    _, *words = line.split()
    at: Any = get_command(_everything())
    while words and hasattr(at, "commands"):
        name = words.pop(0)
        if name not in at.commands:
            return f"`{line}`: there is no command {name}"
        at = at.commands[name]
    known = {option for parameter in at.params for option in parameter.opts}
    unknown = [word for word in words if word.startswith("--") and word not in known]
    return f"`{line}`: it has no {', '.join(unknown)}" if unknown else None


def _everything() -> Any:
    app = new_app("Every command.")
    for entry in entry_points(group=GROUP):
        add(app, entry)
    return app
