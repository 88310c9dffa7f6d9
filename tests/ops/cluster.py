"""PostgreSQL as an installation has it, on a real server of our own: its secrets, databases and roles."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from local.postgres import OwnPostgres, postgres_binaries

ROOT = Path(__file__).parents[2]
SERVICES = ("flexjob_pool", "gateway", "impact")


@dataclass(frozen=True, slots=True)
class Cluster:
    """PostgreSQL as `deploy/postgres` sets it up, with the passwords of `deploy/make-secrets`."""

    server: OwnPostgres
    secrets: Path

    def dsn_of(self, role: str, *, database: str | None = None) -> str:
        """The DSN of a role of a service, at its own database unless another is named."""
        parts = urlsplit((self.secrets / f"{role}_database_url").read_text().strip())
        place = f"{parts.username}:{parts.password}@127.0.0.1:{self.server.port}"
        return parts._replace(netloc=place, path=f"/{database}" if database else parts.path).geturl()

    def set_up(self) -> None:
        """Run the script that the image of PostgreSQL runs."""
        superuser = urlsplit(self.server.dsn)
        told = {
            "PATH": f"{postgres_binaries()}{os.pathsep}{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.server.port),
            "PGPASSWORD": superuser.password or "",
            "SECRETS": str(self.secrets),
        }
        output_of([ROOT / "deploy" / "postgres" / "roles.sh"], told)

    def migrate(self, service: str) -> None:
        """Migrate the database of a service as its owner."""
        output_of([sys.executable, "-m", service, "migrate"], settings(service, self.dsn_of(f"{service}_owner")))


def settings(service: str, dsn: str, *, nats_url: str = "nats://127.0.0.1:1", port: int = 0) -> dict[str, str]:
    """The variables of a service."""
    told = {"DATABASE_URL": dsn, "NATS_URL": nats_url, "PORT": str(port)}
    return {f"{service.upper()}_{name}": value for name, value in told.items()}


def output_of(command: Sequence[str | Path], variables: dict[str, str] | None = None) -> str:
    """What a command of ours says; it must end well."""
    done = subprocess.run(command, env={**os.environ, **(variables or {})}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout
