"""The table of a run, and what it was measured with."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from rich.table import Table

from local.nats import nats_binary
from local.postgres import postgres_binaries
from tests.bench.keys import KEYS
from tests.bench.results import Results
from tests.bench.sizes import Sizes

FILE = Path("build/bench.json")
WIDTH = 140
LIBRARIES = ("nats-py", "asyncpg", "pydantic", "faststream", "fastapi", "uvloop")
SETTINGS = {"sync_interval": "always", "synchronous_commit": "on", "fsync": "on"}


def table(results: Results) -> Table:
    """Every key: what it is, what it came to, and whether that is enough."""
    shown = Table(title="make bench", title_justify="left")
    for name in ("key", "what"):
        shown.add_column(name, no_wrap=name == "key")
    for name in ("value", "low..high", "target", "stretch", "reached"):
        shown.add_column(name, justify="right", no_wrap=True)
    for key in KEYS:
        if key.name not in results.wanted:
            continue
        value, values = results.value(key.name), results.rounds.get(key.name, [])
        sign = "" if key.target is None else "≤ " if key.at_most else "≥ "
        shown.add_row(
            key.name,
            key.what if value is not None else f"{key.what}: {results.reason(key.name)}",
            number(value),
            f"{number(min(values))}..{number(max(values))}" if value is not None else "",
            f"{sign}{number(key.target)}" if sign else "",
            f"{sign}{number(key.stretch)}" if sign else "",
            key.reached(value),
        )
    return shown


def number(value: float | None) -> str:
    """Three digits that tell something."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write(results: Results, *, seed: int, sizes: Sizes, minutes: float, file: Path = FILE) -> dict[str, Any]:
    """Keep the run in a file, and return what was kept."""
    kept = results.written(_about(seed, sizes, minutes))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return kept


def _about(seed: int, sizes: Sizes, minutes: float) -> dict[str, Any]:
    return {
        "seed": seed,
        "events": sizes.whole,
        "slices": {"usual": sizes.slice, "naive": sizes.naive_slice},
        "rounds_run": sizes.rounds,
        "minutes": round(minutes, 1),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _told_by("git", "rev-parse", "--short=12", "HEAD"),
        "changed_since": bool(_told_by("git", "status", "--porcelain", "--untracked-files=no")),
        "machine": machine(),
        "versions": {
            "python": platform.python_version(),
            "nats-server": _told_by(str(nats_binary()), "--version"),
            "postgres": _told_by(str(postgres_binaries() / "postgres"), "--version"),
            **{name: version(name) for name in LIBRARIES},
        },
        "settings": SETTINGS,
    }


def machine() -> dict[str, Any]:
    """What it ran on."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    models = [line.partition(":")[2].strip() for line in cpu.splitlines() if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "load_before": os.getloadavg()[0],
        "system": platform.platform(),
    }


def _told_by(*command: str) -> str:
    told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - own argv
    return told.stdout.strip()
