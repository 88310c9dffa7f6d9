"""Prometheus, its exporters and an Alertmanager on a local stack, as deploy/prometheus has them but for the places."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import yaml

from local.nats import NatsServer
from local.postgres import Postgres
from local.processes import LOOPBACK, Server, free_ports, require_free, tethered
from local.stack import Stack
from local.supervisor import supervised

TOOLS = Path("build/tools/bin")
PROGRAMS = ("prometheus", "alertmanager", "postgres_exporter")
TEMPLATES = Path("build/tools/share/alertmanager")
# Debian's Alertmanager looks for its templates in one place of the machine; they are put there for its eyes alone.
AS_INSTALLED = (
    "mount -t tmpfs none /usr/share && mkdir /usr/share/prometheus && "
    'cp -r "$0" /usr/share/prometheus/alertmanager && exec "$@"'
)
CONFIGURATION = Path("deploy/prometheus")
RUNBOOKS = Path("docs/runbooks")
PORTS = {"prometheus": 8690, "alertmanager": 8691, "nats": 8692, "postgres": 8693}
# Nobody is woken by what happens on a machine of one's own; its page shows what would have been sent.
QUIET = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}


class NoPrometheus(Exception):
    """Prometheus cannot watch here; the text says what is missing and how to get it."""


class Tool(Server):
    """A program that answers HTTP on a loopback port; what stands `apart` is run first, and becomes the program."""

    def __init__(  # noqa: PLR0913 - what it takes to run a program
        self,
        name: str,
        folder: Path,
        *,
        port: int,
        command: Sequence[str | Path],
        apart: Sequence[str | Path] = (),
        ready: str = "/metrics",
        env: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(name, folder)
        self.port = port
        self._command = [*apart, *tethered(command)]
        self._ready = ready
        self.env = {**os.environ, **(env or {})}

    @property
    def job(self) -> str:
        """Under which name Prometheus knows what it tells."""
        return self.name.removesuffix("_exporter")

    def start(self) -> None:
        """Return once it answers; PortTaken or StartFailed else."""
        require_free({self.name: self.port})
        self._launch(self._command, self.folder / f"{self.name}.log", self._answers)

    def _answers(self) -> bool:
        door = HTTPConnection(LOOPBACK, self.port, timeout=1)
        try:
            door.request("GET", self._ready)
            return door.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            door.close()


@asynccontextmanager
async def watched(
    stack: Stack, *, ports: Mapping[str, int] | None = None, every: str | None = None
) -> AsyncIterator[str]:
    """Have a Prometheus watch a stack while the block runs, and yield where it answers.

    `ports` are as in PORTS, free ones if none are given; `every` has it scrape and evaluate that often instead of as it
    is configured to. Raises NoPrometheus, PortTaken or StartFailed.
    """
    _require_programs()
    at = ports or dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    folder = stack.folder / "prometheus"
    role = f"exporter_{at['postgres']}"
    exporters = _exporters(stack, folder, at, _monitor(stack.postgres, role))
    tools = [*exporters, *alertmanager_in(folder, at["alertmanager"]), _prometheus(folder, at["prometheus"])]
    places = _services(stack) | {tool.job: [f"{LOOPBACK}:{tool.port}"] for tool in tools}
    configure(folder, places, every=every)
    with ExitStack() as running:
        running.callback(stack.postgres.execute, f"DROP ROLE IF EXISTS {role}")
        for tool in tools:
            tool.wait_for_predecessor()
            running.callback(tool.stop)
            tool.start()
        async with supervised(tools):
            yield f"http://{LOOPBACK}:{at['prometheus']}"


def configure(folder: Path, places: Mapping[str, Sequence[str]], *, every: str | None = None) -> None:
    """Lay the configuration of deploy/prometheus into a folder, with the targets of each job where they are here."""
    shutil.rmtree(folder / "rules", ignore_errors=True)
    shutil.copytree(CONFIGURATION / "rules", folder / "rules")
    configuration = _read(CONFIGURATION / "prometheus.yml")
    if every:
        often = {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every}
        configuration["global"] |= often
        for file in (folder / "rules").iterdir():
            rules = _read(file)
            rules["groups"] = [{**group, "interval": every} for group in rules["groups"]]
            _write(file, rules)
    _write(folder / "prometheus.yml", configuration)
    _write(folder / "targets.yml", [{"labels": {"job": job}, "targets": [*at]} for job, at in places.items()])
    _write(folder / "alertmanager.yml", QUIET)


def _services(stack: Stack) -> dict[str, list[str]]:
    """Where every instance of each service answers."""
    places: dict[str, list[str]] = {}
    for instance in stack.instances:
        url = stack.url_of(instance.service, instance.municipalities[0])
        places.setdefault(instance.service, []).append(urlsplit(url).netloc)
    return places


def _require_programs() -> None:
    if not CONFIGURATION.exists():
        raise NoPrometheus(f"{CONFIGURATION} is not here: start it in the folder of the project")
    if missing := [name for name in PROGRAMS if not (TOOLS / name).exists()]:
        raise NoPrometheus(f"{', '.join(missing)}: not in {TOOLS}; deploy/tools/fetch gets them there")


def _monitor(postgres: Postgres, role: str) -> str:
    """The DSN of a role that may look at everything of a server and at nobody's rows."""
    password = secrets.token_urlsafe(24)
    with suppress(asyncpg.DuplicateObjectError):
        postgres.execute(f"CREATE ROLE {role} LOGIN")
    postgres.execute(
        # The exporter refuses a password that is checked as quickly as those of a stack which does not last.
        "SELECT set_config(name, boot_val, false) FROM pg_settings WHERE name = 'scram_iterations'",
        f"ALTER ROLE {role} PASSWORD '{password}'",
        f"GRANT pg_monitor TO {role}",
    )
    dsn = postgres.dsn_of("postgres", user=role, password=password)
    return urlsplit(dsn)._replace(query="sslmode=disable").geturl()


def _exporters(stack: Stack, folder: Path, at: Mapping[str, int], dsn: str) -> Iterator[Tool]:
    """One for PostgreSQL, and one for NATS unless others run that, for its monitor is then unknown."""
    listen = f"--web.listen-address={LOOPBACK}:{at['postgres']}"
    # Debian's is older than PostgreSQL 17, which has other names for what this collector reads.
    command = (TOOLS / "postgres_exporter", listen, "--log.level=warn", "--no-collector.bgwriter")
    yield Tool("postgres_exporter", folder, port=at["postgres"], command=command, env={"DATA_SOURCE_NAME": dsn})
    if isinstance(stack.nats, NatsServer):
        stand_in = (sys.executable, "-m", "local.nats_exporter", str(at["nats"]), stack.nats.monitor_url)
        yield Tool("nats_exporter", folder, port=at["nats"], command=stand_in)


def alertmanager_in(folder: Path, port: int) -> Iterator[Tool]:
    """One that reads the folder's alertmanager.yml; none where Debian's cannot be had without installing it."""
    apart = _as_if_installed() if TEMPLATES.exists() else ()
    if apart is not None:
        own = (f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'alerts'}")
        alone = ("--cluster.listen-address=", f"--web.listen-address={LOOPBACK}:{port}", "--log.level=warn")
        command = (TOOLS / "alertmanager", *own, *alone)
        yield Tool("alertmanager", folder, port=port, command=command, apart=apart, ready="/-/ready")


def _as_if_installed() -> tuple[str | Path, ...] | None:
    """What shows a program the templates where it looks for them; None where that is denied."""
    unshare = ("unshare", *(() if os.geteuid() == 0 else ("--user", "--map-root-user")), "--mount")
    with suppress(OSError, subprocess.CalledProcessError):
        subprocess.run([*unshare, "true"], check=True, capture_output=True)  # noqa: S603 - nothing of it is from outside
        return (*unshare, "sh", "-c", AS_INSTALLED, TEMPLATES)
    return None


def _prometheus(folder: Path, port: int) -> Tool:
    own = (f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'series'}", "--log.level=warn")
    kept = ("--storage.tsdb.retention.time=400d", f"--web.user-assets={RUNBOOKS}")
    command = (TOOLS / "prometheus", *own, *kept, f"--web.listen-address={LOOPBACK}:{port}")
    return Tool("prometheus", folder, port=port, command=command, ready="/-/ready")


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def _write(file: Path, content: object) -> None:
    file.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
