import subprocess
from pathlib import Path

import pytest


@pytest.mark.parametrize("program", ["prometheus", "promtool", "alertmanager", "amtool", "postgres_exporter"])
def test_every_program_that_operations_are_checked_with_runs(tools: Path, program: str) -> None:
    answer = subprocess.run([tools / program, "--version"], check=True, capture_output=True, text=True)

    assert f"{program}, version" in answer.stdout + answer.stderr
