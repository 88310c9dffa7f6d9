"""Each package is a wheel that installs and imports alone: nobody needs a neighbour's sources or dependencies."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "kraftcenter-contracts": ("contracts", {"contracts"}),
    "kraftcenter-chassis": ("chassis", {"contracts", "chassis"}),
    "kraftcenter-flexjob-pool": ("flexjob_pool", {"contracts", "chassis", "flexjob_pool"}),
    "kraftcenter-gateway": ("gateway", {"contracts", "chassis", "gateway"}),
    "kraftcenter-impact": ("impact", {"contracts", "chassis", "impact"}),
    "kraftcenter-dashboards": ("dashboards", {"contracts", "chassis", "impact", "dashboards"}),
    "kraftcenter-local": ("local", {"contracts", "chassis", "local"}),
}
OURS = {"contracts", "chassis", "flexjob_pool", "gateway", "impact", "local", "dashboards"}
IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not module.name.endswith("__main__") and module.name != "local.fixtures":
        importlib.import_module(module.name)
"""


def uv(*arguments: str) -> None:
    """Run the pinned uv of the project."""
    bundled = ROOT / ".boot" / "bin" / "uv"
    program = str(bundled) if bundled.exists() else shutil.which("uv")
    assert program, "uv is missing: run the tests with `make test`"
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run([program, *arguments], check=True, cwd=ROOT, env=environment, capture_output=True, text=True)  # noqa: S603 - fixed arguments


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel of every package, and the locked versions of everything else."""
    folder = tmp_path_factory.mktemp("wheels")
    uv("build", "--all-packages", "--wheel", "--out-dir", str(folder))
    export = ["export", "--frozen", "--all-packages", "--no-dev", "--no-hashes", "--no-emit-workspace", "--quiet"]
    uv(*export, "--output-file", str(folder / "locked.txt"))
    return folder


@pytest.mark.parametrize("distribution", PACKAGES)
def test_a_package_installs_from_its_wheel_and_imports_alone(distribution: str, wheels: Path, tmp_path: Path) -> None:
    package, expected = PACKAGES[distribution]
    venv = tmp_path / "venv"
    python = venv / "bin" / "python"
    uv("venv", "--quiet", "--python", sys.executable, str(venv))
    source = ["--find-links", str(wheels), "--constraints", str(wheels / "locked.txt")]
    uv("pip", "install", "--quiet", "--python", str(python), *source, distribution)

    run = subprocess.run(  # noqa: S603 - our own interpreter and script
        [python, "-c", IMPORT_EVERYTHING, package], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    installed = {path.name for path in next((venv / "lib").iterdir()).joinpath("site-packages").iterdir()}

    assert run.returncode == 0, run.stderr
    assert installed & OURS == expected
