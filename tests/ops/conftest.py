"""Where the programs are that operations are checked with."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of prometheus, promtool, alertmanager, amtool and postgres_exporter."""
    programs = ROOT / "build" / "tools" / "bin"
    if not (programs / "promtool").exists():
        pytest.fail("Prometheus and its like are missing: run `make ops-check`, or deploy/tools/fetch alone.")
    return programs
