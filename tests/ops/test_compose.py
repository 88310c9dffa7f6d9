"""`deploy/compose.yaml` is what the compose specification and our rules ask for; each rule notices its breach."""

import re
import subprocess
import sysconfig
import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.instances import KNOWN_PORTS
from tests.ops.cluster import ROOT, SERVICES
from tests.ops.composed import COMPLETED, FILE, HEALTHY, faults, interpolated

CHECK = Path(sysconfig.get_path("scripts")) / "check-jsonschema"


@pytest.fixture(scope="session")
def made(secrets: Path) -> set[str]:
    """The names of the files of secrets."""
    return {file.name for file in secrets.iterdir()}


def schema_says(text: str, tmp_path: Path) -> str:
    """What the compose specification says of a file, nothing if it is well."""
    (tmp_path / "compose.yaml").write_text(text)
    command: list[str | Path] = [CHECK, "--builtin-schema", "vendor.compose-spec", tmp_path / "compose.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_it_is_as_the_compose_specification_asks(tmp_path: Path) -> None:
    assert schema_says(FILE.read_text(), tmp_path) == ""
    assert "imagee" in schema_says(FILE.read_text().replace("image: postgres", "imagee: postgres"), tmp_path)


def test_it_is_as_our_rules_ask(compose: dict[str, Any], made: set[str]) -> None:
    assert faults(compose, FILE.parent, made) == []


@pytest.mark.parametrize(
    ("place", "value", "breach"),
    [
        ("services/postgres/image", "postgres:latest", "postgres: pinned image"),
        ("services/postgres/image", "postgres", "postgres: pinned image"),
        ("services/impact/pull_policy", ..., "impact: ours is never pulled"),
        ("services/gateway-migrate/pull_policy", "missing", "gateway-migrate: ours is never pulled"),
        ("services/nats/healthcheck", {}, "nats: healthcheck"),
        ("services/nats/restart", "always", "nats: starts again"),
        ("services/impact/read_only", False, "impact: read-only"),
        ("services/impact/cap_drop", [], "impact: no capabilities"),
        ("services/impact/cap_add", ["NET_ADMIN"], "impact: no capabilities"),
        ("services/impact/security_opt", [], "impact: no new privileges"),
        ("services/impact/user", "0:0", "impact: not root"),
        ("services/impact/user", None, "impact: not root"),
        ("services/impact/mem_limit", ..., "impact: limits"),
        ("services/impact/logging", {"driver": "json-file"}, "impact: logs end"),
        ("services/provision/logging", ..., "provision: logs end"),
        ("services/impact/ports", ["8604:8604"], "impact: published on this machine alone"),
        ("services/impact/networks", ["data"], "impact: what is published is in the open network"),
        ("services/nats/networks", ["data", "doors"], "nats: closed network"),
        ("services/postgres/networks", ["data", "watch"], "postgres: closed network"),
        (
            "services/impact/depends_on",
            {"postgres": {"condition": COMPLETED}},
            "impact: waits for what can be waited for",
        ),
        (
            "services/impact/depends_on",
            {"provision": {"condition": HEALTHY}},
            "impact: waits for what can be waited for",
        ),
        ("services/impact/depends_on", {"nats-exporter": {"condition": HEALTHY}}, "impact: waits for what can be"),
        ("services/postgres/environment", {"POSTGRES_PASSWORD": "postgres"}, "postgres: no secret in the open"),
        ("services/grafana/environment", {"GF_SECURITY_ADMIN_PASSWORD": "x"}, "grafana: no secret in the open"),
        ("services/impact/environment", {"IMPACT_DATABASE_URL": "x"}, "impact: no secret in the open"),
        ("services/impact/secrets", ["impact_nats_url"], "impact: no secret in the open"),
        ("services/nats/volumes", ["nats:/data", "./nats/gone.conf:/x:ro"], "nats: what it mounts is there"),
        ("services/nats/volumes", ["nats:/data", "./secrets/gone:/x:ro"], "nats: what it mounts is there"),
        ("services/nats/volumes", ["nats:/data", "./nats/nats.conf:/x"], "nats: mounts files read-only"),
        ("services/nats/volumes", ["other:/data"], "compose: each volume is declared and used"),
        ("services/grafana/secrets", [], "compose: each secret is declared and used"),
        ("secrets/grafana_password", {"file": "./other"}, "compose: each secret is one that is made"),
        ("networks/data", {}, "compose: closed networks"),
    ],
)
def test_each_rule_notices_its_breach(
    compose: dict[str, Any], made: set[str], place: str, value: object, breach: str
) -> None:
    broken = deepcopy(compose)
    *way, last = place.split("/")
    target = broken
    for step in way:
        target = target[step]
    target[last] = value
    if value is ...:
        del target[last]

    assert any(found.startswith(breach) for found in faults(broken, FILE.parent, made))


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_runs_as_its_package_says_with_its_own_role(compose: dict[str, Any], service: str) -> None:
    project = tomllib.loads((ROOT / "services" / service / "pyproject.toml").read_text())["project"]
    kept, job = compose["services"][service], compose["services"][f"{service}-migrate"]

    assert {kept["image"], job["image"]} == {f"kraftcenter/{service}:{project['version']}"}
    assert kept["build"] == {
        "context": "..",
        "dockerfile": f"services/{service}/Dockerfile",
        "args": {"VERSION": project["version"], "REVISION": "unknown"},
    }
    assert kept["ports"] == [f"127.0.0.1:{KNOWN_PORTS[service]}:{KNOWN_PORTS[service]}"]
    assert f"127.0.0.1:{KNOWN_PORTS[service]}/readyz" in kept["healthcheck"]["test"][-1]
    assert {*kept["secrets"]} == {f"{service}_database_url", f"{service}_nats_url"}
    assert {*job["secrets"]} == {f"{service}_owner_database_url", f"{service}_nats_url"}
    assert kept["depends_on"][f"{service}-migrate"] == {"condition": COMPLETED}


def test_another_version_of_one_service_is_one_variable() -> None:
    settings = {"KRAFTCENTER_UID": "1", "KRAFTCENTER_GID": "1", "IMPACT_VERSION": "9.9.9"}
    images = re.findall(r'image: "kraftcenter/(.*)"', interpolated(FILE.read_text(), settings))

    assert {image for image in images if image.endswith("9.9.9")} == {"impact:9.9.9"}


def test_without_secrets_it_says_what_to_do_first() -> None:
    assert "KRAFTCENTER_UID:?run deploy/make-secrets first" in FILE.read_text()
    with pytest.raises(KeyError):
        interpolated(FILE.read_text(), {})


def test_prometheus_finds_its_targets(compose: dict[str, Any]) -> None:
    for group in yaml.safe_load((ROOT / "deploy" / "prometheus" / "targets.yml").read_text()):
        for target in group["targets"]:
            name, port = target.split(":")
            assert "watch" in compose["services"][name]["networks"], target
            assert port == str(KNOWN_PORTS.get(name, port)), target
