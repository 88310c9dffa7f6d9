"""What a run of all faults came to, and the page that says so."""

import platform
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Self

from local.nats import nats_binary
from local.postgres import postgres_binaries
from tests.faults.fault import Fault

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"
HEAD = """# Faults

What was done to a running town, and what came of it. `make chaos` carries all of it out on real servers and real
processes, through signals, sockets and disks, while a simulated year is registered at the doors, and writes this page;
`make test` carries out the rows marked ●. No code of the product knows of it. A relay is no process of its own: one
lives in flexjob_pool and one in gateway, and all that is done to these is done to it.

After each fault the same questions are asked, and the fault held when every answer is right:

- every event that a caller was told of is in an outbox, and no other is, but what a producer tells by itself;
- each outbox is its stream, body by body, and nothing waits or is parked;
- what is on the gateway's stream has had its effect in the pool, once;
- every body on a stream is one fact in the ledger, or evidence, and nothing else is; positions have no gap;
- every account of deliveries and facts closes, and all that producers say they sent has arrived;
- SQL from the raw bodies finds the same figures, and the rows are what a rebuild gives;
- every figure and every cell is what the simulator calculates for what it registered.
"""
CARRIED_OUT = ("chassis", "contracts", "services", "deploy", "tests/faults")
DIRTY = "-dirty"
HELD, WRONG, NOT_RUN = "✓", "✗", "○"
OUT_OF_TIME = "out of time"
ENOUGH_KILLS = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one fault."""

    mark: str
    text: str

    @classmethod
    def held(cls, seconds: float, found: str | None = None) -> Self:
        """All that must hold did; `found` is what the act has to tell."""
        return cls(HELD, f"held ({seconds:.0f} s{f'; {found}' if found else ''})")

    @classmethod
    def wrong(cls, how: str) -> Self:
        """Something did not."""
        return cls(WRONG, f"wrong: {how}")

    @classmethod
    def not_run(cls, reason: str) -> Self:
        """It was not carried out."""
        return cls(NOT_RUN, f"not run: {reason}")


@dataclass(slots=True)
class Run:
    """All faults of one run, and how many processes were killed in it."""

    seed: int
    outcomes: dict[Fault, Outcome] = field(default_factory=dict)
    kills: int = 0

    @property
    def wrong(self) -> list[Fault]:
        """The faults that left something wrong."""
        return [fault for fault, outcome in self.outcomes.items() if outcome.mark == WRONG]

    def failings(self, *, whole: bool) -> list[str]:
        """Why the run shows less than it must; empty when it does not. Of a whole one so many kills are asked too."""
        unreached = [fault for fault, outcome in self.outcomes.items() if outcome == Outcome.not_run(OUT_OF_TIME)]
        found = {
            f"{len(self.wrong)} faults left something wrong": self.wrong,
            f"{len(unreached)} faults were not run, since time was out: give more with MINUTES=n": unreached,
            f"{self.kills} processes were killed, and it must be {ENOUGH_KILLS}": whole and self.kills < ENOUGH_KILLS,
        }
        return [failing for failing, is_so in found.items() if is_so]

    def summary(self) -> str:
        """How many faults came to what."""
        marks = Counter(outcome.mark for outcome in self.outcomes.values())
        return f"{marks[HELD]} faults held, {marks[WRONG]} left something wrong, {marks[NOT_RUN]} were not run"


def write(run: Run) -> Path:
    """Write the page of a run, and say where."""
    PAGE.write_text(f"{HEAD}\n{_said_of(run)}\n\n{table({f: o.text for f, o in run.outcomes.items()})}")
    return PAGE


def table(results: Mapping[Fault, str]) -> str:
    """One line for each fault."""
    lines = ["| | Fault | What was done | What must hold | Result |", "|---|---|---|---|---|"]
    lines += [
        f"| {'●' if fault.short else ''} | {fault.name} | {fault.done} | {fault.holds} | {result} |"
        for fault, result in results.items()
    ]
    return "\n".join([*lines, ""])


def _said_of(run: Run) -> str:
    when, since = f"{datetime.now(UTC):%Y-%m-%d}", "Git could not name the commit: run it in a clone, where git is."
    if commit := _commit():
        when += f" at commit {commit}"
        since = (
            f"What has changed since: `git log --oneline {commit.removesuffix(DIRTY)}.. -- {' '.join(CARRIED_OUT)}`."
        )
    how = f"{when}, seed {run.seed}, on {_machine()}"
    return f"Last run: {how}. {run.kills} processes were killed; {run.summary()}{_lost(run)}. {since}"


def _lost(run: Run) -> str:
    """That nothing was lost is known of what held, and of nothing else."""
    held = sum(outcome.mark == HELD for outcome in run.outcomes.values())
    if not held:
        return ""
    return "; 0 events lost and 0 counted twice" + ("" if held == len(run.outcomes) else f" by the {held} that held")


def _machine() -> str:
    servers = [
        _first_line([binary, "--version"]) or "unknown" for binary in (nats_binary(), postgres_binaries() / "postgres")
    ]
    python = f"Python {platform.python_version()}, nats-py {version('nats-py')}"
    return ", ".join([f"{platform.system()} {platform.machine()}", python, *servers])


def _commit() -> str:
    """The commit that is run, and whether more is run than what is committed; empty without git."""
    git = shutil.which("git")
    commit = _first_line([git, "-C", ROOT, "rev-parse", "--short", "HEAD"]) if git else ""
    changed = _first_line([git, "-C", ROOT, "status", "--porcelain", "--", *CARRIED_OUT]) if git and commit else ""
    return f"{commit}{DIRTY}" if changed else commit


def _first_line(command: list[str | Path]) -> str:
    """What a command says; empty when it says nothing."""
    told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - own argv
    return told.stdout.partition("\n")[0].strip()
