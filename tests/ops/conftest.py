"""Where the programs are that operations are checked with, and an installation to check."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.postgres import OwnPostgres
from tests.ops.cluster import ROOT, SERVICES, Cluster, output_of
from tests.ops.composed import FILE, interpolated


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of prometheus, promtool, alertmanager, amtool and postgres_exporter."""
    programs = ROOT / "build" / "tools" / "bin"
    if not (programs / "promtool").exists():
        pytest.fail("Prometheus and its like are missing: run `make ops-check`, or deploy/tools/fetch alone.")
    return programs


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of secrets of one installation."""
    folder = tmp_path_factory.mktemp("deploy")
    output_of([ROOT / "deploy" / "make-secrets", folder])
    return folder / "secrets"


@pytest.fixture
def compose(secrets: Path) -> dict[str, Any]:
    """What `deploy/compose.yaml` says with the settings of that installation."""
    settings = dict(line.split("=") for line in (secrets.parent / ".env").read_text().split())
    found: dict[str, Any] = yaml.safe_load(interpolated(FILE.read_text(), settings))
    return found


@pytest.fixture(scope="session")
def cluster(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """PostgreSQL with a migrated database for each service."""
    server = OwnPostgres(tmp_path_factory.mktemp("cluster"))
    server.start()
    cluster = Cluster(server, secrets)
    cluster.set_up()
    for service in SERVICES:
        cluster.migrate(service)
    yield cluster
    server.stop()
