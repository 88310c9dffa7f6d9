"""What a Dockerfile must say, and how each way to say it wrong is noticed; `deploy/images/build` builds them."""

import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from local.instances import KNOWN_PORTS, SERVICES
from tests.ops.cluster import ROOT

HADOLINT = Path(sysconfig.get_path("scripts")) / "hadolint"
BROUGHT_BY_THE_BASE = (
    "/usr/local/bin/pip*",
    "/usr/local/bin/wheel",
    "/usr/local/lib/python3.*/*-packages",
    "/usr/local/lib/python3.*/ensurepip",
)
UV = re.search(r"UV_VERSION := (\S+)", (ROOT / "Makefile").read_text())


def dockerfile(service: str) -> str:
    return (ROOT / "services" / service / "Dockerfile").read_text(encoding="utf-8")


def linted(text: str) -> str:
    """What hadolint says."""
    done = subprocess.run([HADOLINT, "-"], input=text, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def faults(service: str, text: str) -> list[str]:
    """Which rules of this house a Dockerfile breaks."""
    build, _, image = text.partition("\n\nFROM ")
    prefix, name = service.upper(), service.replace("_", "-")
    assert UV
    rules = {
        "pinned base": len(re.findall(r"^FROM python:3\.\d+\.\d+-slim-\w+( AS build)?$", text, re.MULTILINE)) == 2,
        "one base": len(set(re.findall(r"python:\S+", text))) == 1,
        "the project's uv": f"uv=={UV[1]}" in build,
        "frozen lock": build.count(f"uv sync --frozen --no-dev --no-install-workspace --package kraftcenter-{name}")
        == 1,
        "dependencies first": build.find("--no-install-workspace") < build.find("COPY contracts") != -1,
        "no editable install": f"uv sync --frozen --no-dev --no-editable --package kraftcenter-{name}" in build,
        "compiled": "UV_COMPILE_BYTECODE=1" in build and "PYTHONDONTWRITEBYTECODE=1" in image,
        "nothing of a neighbour": {*re.findall(r"COPY services/(\w+)", text)} == {service},
        "only the environment": re.findall(r"^(?:COPY|ADD) .*", image, re.MULTILINE)
        == ["COPY --from=build /app/.venv /app/.venv"],
        "nothing installed at the end": re.findall("^RUN (.*)", image, re.MULTILINE)
        == [f"rm -rf {' '.join(BROUGHT_BY_THE_BASE)}"],
        "says what it is": all(
            f'org.opencontainers.image.{label}="{said}"' in image
            for label, said in (("title", f"kraftcenter-{name}"), ("version", "$VERSION"), ("revision", "$REVISION"))
        ),
        "a number for a user": bool(re.search(r"^USER [1-9]\d*:[1-9]\d*$", image, re.MULTILINE)),
        "its port": f"{prefix}_PORT={KNOWN_PORTS[service]}" in image and f"EXPOSE {KNOWN_PORTS[service]}" in image,
        "healthcheck": f"os.environ['{prefix}_PORT'] + '/livez'" in image.partition("HEALTHCHECK ")[2],
        "serves": image.endswith(f'CMD ["python", "-m", "{service}", "serve"]\n'),
    }
    return [rule for rule, holds in rules.items() if not holds]


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_has_an_image_that_is_as_it_should_be(service: str) -> None:
    assert linted(dockerfile(service)) == ""
    assert faults(service, dockerfile(service)) == []


@pytest.mark.parametrize(
    ("written", "instead", "rule"),
    [
        ("FROM python:3.11.15-slim-bookworm AS build", "FROM python AS build", "DL3006"),
        ("pip install --no-cache-dir", "pip install", "DL3042"),
        ("uv==0.13.9", "uv", "DL3013"),
        ("WORKDIR /app", "WORKDIR app", "DL3000"),
    ],
)
def test_hadolint_catches_what_a_dockerfile_should_not_say(written: str, instead: str, rule: str) -> None:
    assert written in dockerfile("impact")
    assert rule in linted(dockerfile("impact").replace(written, instead, 1))


@pytest.mark.parametrize(
    ("written", "instead", "rule"),
    [
        ("FROM python:3.11.15-slim-bookworm\n", "FROM python:3.11-slim\n", "pinned base"),
        ("FROM python:3.11.15-slim-bookworm\n", "FROM python:3.12.1-slim-bookworm\n", "one base"),
        ("uv==0.13.9", "uv==0.13.8", "the project's uv"),
        ("--frozen --no-dev --no-install-workspace", "--no-dev --no-install-workspace", "frozen lock"),
        ("COPY pyproject.toml", "COPY contracts contracts\nCOPY pyproject.toml", "dependencies first"),
        ("--no-editable ", "", "no editable install"),
        ("UV_COMPILE_BYTECODE=1", "", "compiled"),
        ("COPY services/impact services/impact", "COPY services/gateway services/gateway", "nothing of a neighbour"),
        ("COPY --from=build /app/.venv /app/.venv", "COPY --from=build / /", "only the environment"),
        ("USER 10001:10001", "RUN apt-get update\nUSER 10001:10001", "nothing installed at the end"),
        ("RUN rm -rf /usr/local/bin/pip*", "RUN ls", "nothing installed at the end"),
        ('revision="$REVISION"', 'revision="1"', "says what it is"),
        ("USER 10001:10001", "USER 0:0", "a number for a user"),
        ("USER 10001:10001", "USER app", "a number for a user"),
        ("IMPACT_PORT=8604", "IMPACT_PORT=8600", "its port"),
        ("/livez", "/readyz", "healthcheck"),
        ('"serve"]', '"migrate"]', "serves"),
    ],
)
def test_each_rule_of_the_house_is_broken_by_something(written: str, instead: str, rule: str) -> None:
    assert written in dockerfile("impact")
    assert rule in faults("impact", dockerfile("impact").replace(written, instead, 1))


def test_what_is_no_part_of_an_image_is_not_sent_to_its_build() -> None:
    first, *kept = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]

    assert first == "*"
    assert {line.removeprefix("!") for line in kept if line.startswith("!")} == {
        "pyproject.toml",
        "uv.lock",
        "contracts",
        "chassis",
        "services",
    }
