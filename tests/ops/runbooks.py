"""What the pages for alerts say, as far as it can be checked: headings, commands, queries."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from itertools import pairwise
from pathlib import Path
from typing import Any

from typer.main import get_command

from chassis.cli import GROUP, add, new_app
from local.instances import KNOWN_PORTS

HEADINGS = ("Meaning", "Are figures wrong, or only late?", "First checks", "Safe actions", "Unsafe actions")
FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"kraftcenter [a-z][^`\n]*")
WHOLE = re.compile(
    r"docker compose (?:(?:ps|logs)(?: --all| --tail \d+)*|(?:exec|run --rm)(?P<options>(?: -T| --no-deps)*))"
    r"(?: (?P<service>[\w-]+))?(?: (?P<rest>.+))?"
)
# What the images of others hold, beside what their healthchecks ask with.
PROGRAMS = {"nats": {"df", "wget"}, "postgres": {"df", "pg_isready", "psql"}}
OURS = {"kraftcenter", "python"}


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

    @property
    def lines(self) -> list[str]:
        """Every line that is to be typed as it stands."""
        return [line for block in self.blocks("sh") for line in block.splitlines()]

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
    shown = {word for line in page.lines for word in re.findall(r" kraftcenter ([a-z]+)", line)}
    named = {command.split()[1] for command in page.commands}
    yield from (f"{page.name}: no line says where `kraftcenter {name}` is run" for name in sorted(named - shown))


@dataclass(frozen=True, slots=True)
class Typed:
    """A line for one container: its service, and the words that run there; none when Docker itself is asked.

    `hears` says whether the program can read what the line gives it: a terminal would be in the way.
    """

    service: str
    words: tuple[str, ...]
    hears: bool


def typed(line: str) -> Typed | None:
    """A line in its parts; None for one that is no whole line of `docker compose`."""
    if not (found := WHOLE.fullmatch(line)):
        return None
    given, service, rest = found["options"] or "", found["service"] or "", shlex.split(found["rest"] or "")
    words = tuple(word for word in rest if word[0] not in "<>")
    return Typed(service, words, hears="-T" in given and any(word[0] == "<" for word in rest))


def misplaced(line: str, services: Mapping[str, Any]) -> str | None:
    """Why a line cannot be run on what `compose.yaml` describes; None when its container has what it needs."""
    fault = next(_misplaced(typed(line), services), None)
    return f"`{line}`: {fault}" if fault else None


def _misplaced(line: Typed | None, services: Mapping[str, Any]) -> Iterator[str]:
    if not line:
        yield "it does not say in which container"
    elif line.service and line.service not in services:
        yield f"there is no service {line.service}"
    elif line.words:
        program, *words = line.words
        image = services[line.service]["image"]
        ours = image.startswith("kraftcenter/")
        if program not in (OURS if ours else PROGRAMS.get(line.service, ())):
            yield f"{image} has no {program}"
        elif program == "kraftcenter":
            yield from _lacking(line, words, package=re.split("[/:]", image)[1])


def _lacking(line: Typed, words: list[str], *, package: str) -> Iterator[str]:
    holder = {entry.name: entry.dist.name for entry in entry_points(group=GROUP) if entry.dist}.get(words[0])
    if holder not in {"kraftcenter-chassis", f"kraftcenter-{package.replace('_', '-')}"}:
        yield f"the image of {package} has no command {words[0]}"
        return
    wants = {option: parameter for parameter in command_of(words).params for option in parameter.opts}
    if "--url" in wants and wants["--url"].default != f"http://127.0.0.1:{KNOWN_PORTS[line.service]}":
        yield f"{line.service} does not answer at {wants['--url'].default}"
    if "--token-file" in wants and ("--token-file", "-") not in pairwise(words):
        yield "no container has a token"
    if "-" in words and not line.hears:
        yield "it reads what it is not given, or a terminal is in the way"


def misunderstood(line: str) -> str | None:
    """Why `kraftcenter` would not take a command line; None when it has such a command with such options."""
    _, *words = line.split()
    try:
        known = {option for parameter in command_of(words).params for option in parameter.opts}
    except KeyError as unknown:
        return f"`{line}`: there is no command {unknown.args[0]}"
    strange = [word for word in words if word.startswith("--") and word not in known]
    return f"`{line}`: it has no {', '.join(strange)}" if strange else None


def command_of(words: list[str]) -> Any:
    """The command that words name, as Click has it. Raises KeyError."""
    at: Any = everything()
    for name in words:
        if not hasattr(at, "commands"):
            break
        at = at.commands[name]
    return at


@cache
def everything() -> Any:
    """`kraftcenter` with the commands of all packages."""
    app = new_app("Every command.")
    for entry in entry_points(group=GROUP):
        add(app, entry)
    return get_command(app)
