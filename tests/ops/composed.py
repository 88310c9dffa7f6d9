"""What `deploy/compose.yaml` must say beside what the compose specification asks of it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.ops.cluster import ROOT

Service = Mapping[str, Any]

FILE = ROOT / "deploy" / "compose.yaml"
# Its image holds one program and nothing to ask it with.
WITHOUT_HEALTHCHECK = {"nats-exporter"}
SECRET_NAME = re.compile(r"PASS|SECRET|TOKEN|KEY|_URL")
PINNED = re.compile(r"[\w./-]+:v?\d[\w.-]*")
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
COMPLETED, HEALTHY = "service_completed_successfully", "service_healthy"


def interpolated(text: str, settings: Mapping[str, str]) -> str:
    """The file with its variables filled in. Raises KeyError for one that has no value."""

    def value(found: re.Match[str]) -> str:
        name, how, default = found.groups()
        return settings[name] if how != "-" else settings.get(name, default)

    return VARIABLE.sub(value, text)


def is_job(service: Service) -> bool:
    """Whether it is to end by itself."""
    return service.get("restart") == "no"


def faults(compose: Mapping[str, Any], folder: Path, made: set[str]) -> list[str]:
    """Which rules the file breaks, as `service: rule`; `made` are the names of the files of secrets."""
    services: Mapping[str, Service] = compose["services"]
    found = [f"{name}: {rule}" for name in services for rule in _broken(name, compose, folder, made)]
    used = {secret for service in services.values() for secret in service.get("secrets", ())}
    kept = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", ())}
    whole = {
        "each secret is declared and used": used == {*compose["secrets"]},
        "each secret is one that is made": all(
            secret == {"file": f"./secrets/{name}"} and name in made for name, secret in compose["secrets"].items()
        ),
        "each volume is declared and used": {name for name in kept if "/" not in name} == {*compose["volumes"]},
        "closed networks": {name for name, network in compose["networks"].items() if network.get("internal")}
        == {"data", "watch"},
    }
    return found + [f"compose: {rule}" for rule, holds in whole.items() if not holds]


def _broken(name: str, compose: Mapping[str, Any], folder: Path, made: set[str]) -> list[str]:
    service, services = compose["services"][name], compose["services"]
    job, ports = is_job(service), service.get("ports", ())
    networks = {*service.get("networks", ())}
    ours = service["image"].startswith("kraftcenter/")
    needed = service.get("depends_on", {})
    rules = {
        "pinned image": bool(PINNED.fullmatch(service["image"])),
        "ours is never pulled": not ours or service.get("pull_policy") == "never",
        "healthcheck": job or name in WITHOUT_HEALTHCHECK or "test" in service.get("healthcheck", {}),
        "starts again": job or service.get("restart") == "unless-stopped",
        "read-only": service.get("read_only") is True,
        "no capabilities": service.get("cap_drop") == ["ALL"] and (name == "volumes" or "cap_add" not in service),
        "no new privileges": service.get("security_opt") == ["no-new-privileges:true"],
        "not root": name == "volumes" or bool(re.fullmatch(r"[1-9]\d*:[1-9]\d*", str(service.get("user")))),
        "limits": "mem_limit" in service and "pids_limit" in service,
        "logs end": {*service.get("logging", {}).get("options", ())} == {"max-size", "max-file"},
        "published on this machine alone": all(str(port).startswith("127.0.0.1:") for port in ports),
        "what is published is in the open network": bool(ports) <= ("doors" in networks),
        "closed network": name not in {"postgres", "nats"} or networks == {"data"},
        "waits for what can be waited for": all(
            (condition == COMPLETED) == is_job(services[other])
            and (condition == COMPLETED or "test" in services[other].get("healthcheck", {}))
            for other, condition in ((other, each["condition"]) for other, each in needed.items())
        ),
        "no secret in the open": all(
            _is_hidden(variable, value, service) for variable, value in service.get("environment", {}).items()
        ),
        "what it mounts is there": all(_is_there(volume, folder, made) for volume in service.get("volumes", ())),
        "mounts files read-only": all(
            volume.endswith(":ro") for volume in service.get("volumes", ()) if volume.startswith(".")
        ),
    }
    return [rule for rule, holds in rules.items() if not holds]


def _is_hidden(name: str, value: str, service: Service) -> bool:
    """Whether a variable names the file of a secret that the service is given, if it is about one."""
    if not SECRET_NAME.search(name):
        return True
    return name.endswith("_FILE") and value.removeprefix("/run/secrets/") in service.get("secrets", ())


def _is_there(volume: str, folder: Path, made: set[str]) -> bool:
    source = volume.split(":", maxsplit=1)[0]
    if source.startswith("./secrets/"):
        return source.removeprefix("./secrets/") in made
    return not source.startswith(".") or (folder / source).exists()
