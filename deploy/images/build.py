"""Builds each image for real where no registry can be reached, and starts it once: `make images`, as root on Debian.

The Dockerfiles are used unchanged; what they build on is a stand-in, Debian's own Python of the same minor version.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from deploy.images.engine import ROOT, STORE, Refused, prepare, run
from local.instances import SERVICES
from local.nats import NatsServer
from local.postgres import OwnPostgres
from local.processes import LOOPBACK, free_ports
from local.waiting import wait_until

CERTIFICATES = "/etc/ssl/certs:/etc/ssl/certs:ro"
# As deploy/compose.yaml has them.
HARDENED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", "--security-opt", "no-new-privileges")  # noqa: S108
LOOK_AROUND = """\
id -u
for tool in uv pip gcc make; do command -v $tool; done
python -m pip --version 2>/dev/null
python -m ensurepip --version 2>/dev/null
touch /app/x 2>&1 || true
"""
SECONDS = 120


@dataclass(frozen=True, slots=True)
class Built:
    """An image: how large it is, what of that is not its base's, and whether other people's code is built once."""

    service: str
    megabytes: float
    own_megabytes: float
    keeps_dependencies: bool

    def __str__(self) -> str:
        """In words."""
        kept = "kept" if self.keeps_dependencies else "BUILT AGAIN"
        sizes = f"{self.megabytes:.0f} MB, of which {self.own_megabytes:.0f} MB its own"
        return f"{self.service}: {sizes}; migrated, served, lived; after a change of code dependencies were {kept}"


def main() -> int:
    """Build and start all images; 0 when every one answered."""
    try:
        base = prepare()
        with _servers() as (postgres, nats):
            for service in SERVICES:
                built = build(service, base)
                start(service, postgres, nats)
                print(built, flush=True)
    except Refused as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


def build(service: str, base: str) -> Built:
    """Build the image of a service from what is under version control, and again with a line of code more."""
    with tempfile.TemporaryDirectory(dir=STORE) as folder:
        context = Path(folder)
        for name in run("git", "-C", ROOT, "ls-files").splitlines():
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, context / name)
        _build(service, context)
        size = _size(image_of(service))
        with (context / "services" / service / "src" / service / "__init__.py").open("a") as module:
            module.write("\n")
        steps = re.split(r"^.*STEP ", _build(service, context), flags=re.MULTILINE)
    [dependencies] = [step for step in steps if "--no-install-workspace" in step]
    return Built(service, size / 10**6, (size - _size(base)) / 10**6, "Using cache" in dependencies)


def start(service: str, postgres: OwnPostgres, nats: NatsServer) -> None:
    """Have the image migrate a database and serve, on a read-only root as nobody, until it says that it lives."""
    (port,) = free_ports(1)
    told = {"DATABASE_URL": postgres.create_database(), "NATS_URL": nats.url, "PORT": str(port)}
    variables = [f"--env={service.upper()}_{name}={value}" for name, value in told.items()]
    common = ("podman", "run", "--network", "host", *HARDENED, *variables)
    run(*common, "--rm", image_of(service), "python", "-m", service, "migrate")
    run(*common, "--detach", "--name", service, image_of(service))
    try:
        wait_until(lambda: _lives(port), seconds=SECONDS, message=f"{service} does not answer")
        run("podman", "healthcheck", "run", service)
        seen = run("podman", "exec", service, "sh", "-c", LOOK_AROUND)
        if not re.fullmatch(r"10001\n.*Read-only.*\n", seen):
            raise Refused(f"{service}: it is not nobody, has tools that it needs for nothing, or can write:\n{seen}")
        run("podman", "stop", service)
        if (code := run("podman", "inspect", "--format", "{{.State.ExitCode}}", service).strip()) != "0":
            raise Refused(f"{service}: told to stop, it ends with {code}")
    finally:
        run("podman", "rm", "--force", service)


def image_of(service: str) -> str:
    """The name of a service's image, as deploy/compose.yaml has it, without its version."""
    return f"docker.io/kraftcenter/{service}:built"


def _lives(port: int) -> bool:
    try:
        with urlopen(f"http://{LOOPBACK}:{port}/livez", timeout=2) as answer:
            return b"ok" in answer.read()
    except (URLError, OSError):
        return False


@contextmanager
def _servers() -> Iterator[tuple[OwnPostgres, NatsServer]]:
    with tempfile.TemporaryDirectory(dir=STORE) as folder:
        postgres, nats = OwnPostgres(Path(folder) / "postgres"), NatsServer(Path(folder) / "nats")
        for server in (postgres, nats):
            server.start()
        try:
            yield postgres, nats
        finally:
            for server in (nats, postgres):
                server.stop()


def _build(service: str, context: Path) -> str:
    """What buildah said."""
    # A machine behind a proxy with a CA of its own trusts it here too; elsewhere this changes nothing.
    uv = STORE / "uv.toml"
    uv.write_text("system-certs = true\n")
    kept = ("--layers", "--format", "docker", "--pull-never", "--isolation", "chroot", "--network", "host")
    trusted = ("--volume", CERTIFICATES, "--volume", f"{uv}:/etc/uv/uv.toml:ro")
    file = ("--file", context / "services" / service / "Dockerfile", "--ignorefile", context / ".dockerignore")
    return run("buildah", "bud", *kept, *trusted, *file, "--tag", image_of(service), context)


def _size(image: str) -> int:
    return int(run("podman", "image", "inspect", "--format", "{{.Size}}", image))


if __name__ == "__main__":
    sys.exit(main())
