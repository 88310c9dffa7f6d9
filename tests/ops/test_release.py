"""docs/release.md is followed to the letter on a copy: what it says of numbers, wheels, migrations and the way back."""

import re
from pathlib import Path

import asyncpg
import pytest
import yaml

from tests.docs.following import copy_in, put, run, steps_of
from tests.ops.cluster import ROOT, Cluster, output_of

PAGE = ROOT / "docs" / "release.md"
INSTALLED = "build/gateway"
NOTE = "0003_note.sql"
NUMBER = "SELECT count(*) FROM migration WHERE component = 'gateway' AND name = $1"

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def workplace(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sources with the secrets of an installation."""
    copy = copy_in(tmp_path)
    (copy / "deploy" / "secrets").mkdir()
    for role in ("gateway", "gateway_owner"):
        (copy / "deploy" / "secrets" / f"{role}_database_url").write_text(cluster.dsn_of(role))
    monkeypatch.setenv("GATEWAY_NATS_URL", "nats://127.0.0.1:1")
    monkeypatch.setenv("GATEWAY_PORT", "0")
    return copy


async def test_following_the_page_to_the_letter_releases_a_service(workplace: Path, cluster: Cluster) -> None:
    for language, instruction, body in steps_of(PAGE):
        if language == "sh":
            # There `.venv` is of the working copy itself; here it is the one of the checkout that is tested.
            run(workplace, body, on_its_sources=".venv/" in body)
        elif language == "sql":
            put(workplace, instruction, body)

    assert NOTE in migrations_of(workplace, "0.2.0")
    assert NOTE not in migrations_of(workplace, "0.1.0")
    assert f"{INSTALLED}-0.1.0/bin/python -m gateway migrate" in PAGE.read_text().partition("Go back")[2]
    assert "## [0.2.0] - 20" in (workplace / "services" / "gateway" / "CHANGELOG.md").read_text()
    numbers = re.findall(r"GATEWAY_VERSION:-([\d.]+)", (workplace / "deploy" / "compose.yaml").read_text())
    assert {*numbers} == {"0.2.0"}
    db = await asyncpg.connect(cluster.dsn_of("gateway"))
    assert await db.fetchval(NUMBER, NOTE) == 1
    await db.close()


def migrations_of(workplace: Path, version: str) -> str:
    """Which migrations come with a version, as it was installed from its wheel and nowhere else."""
    home = workplace / f"{INSTALLED}-{version}"
    say = (
        "import gateway, importlib.metadata, pathlib;"
        "print(importlib.metadata.version('kraftcenter-gateway'), gateway.__file__,"
        " *pathlib.Path(gateway.__file__).parent.glob('migrations/*.sql'))"
    )
    number, place, *migrations = output_of([home / "bin" / "python", "-c", say]).split()
    assert number == version
    assert Path(place).is_relative_to(home)
    return " ".join(migrations)


def test_what_it_has_docker_do_is_about_what_is_there() -> None:
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]
    console = "\n".join(body for language, _, body in steps_of(PAGE) if language == "console")

    assert (ROOT / re.findall(r"docker build .*--file (\S+)", console)[0]).exists()
    named = re.findall(r"docker compose --file deploy/compose.yaml .*?([\w-]+)$", console, re.MULTILINE)
    assert len(named) == 4
    assert {*named} <= {*services}


def test_the_page_fits_on_two() -> None:
    assert len(PAGE.read_text().splitlines()) < 160
