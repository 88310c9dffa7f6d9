"""pytest fixtures on the code that runs the local stack: real servers, fresh for each session or test."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chassis.calendar import SystemCalendar
from chassis.migrate import Component, migrate
from local.nats import NatsServer
from local.postgres import Postgres, postgres_for, run_apart
from local.processes import kraftcenter
from local.waiting import wait_until


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """PostgreSQL for the session; `create_database()` gives the DSN of a fresh database."""
    server = postgres_for(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.stop()


class Templates:
    """Migrated databases to copy: to migrate one takes longer than most tests."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._made: dict[tuple[Component, ...], str] = {}

    @contextmanager
    def copied(self, *components: Component) -> Iterator[str]:
        """The DSN of a fresh database with the tables of these components, dropped at the end."""
        if components not in self._made:
            made = self._postgres.create_database()
            run_apart(migrate(made, components, clock=SystemCalendar()))
            self._made[components] = made
        with self.copy_of(self._made[components]) as dsn:
            yield dsn

    @contextmanager
    def copy_of(self, template: str) -> Iterator[str]:
        """The DSN of a copy of a database that nobody is connected to, dropped at the end whatever comes in between."""
        dsn = self._postgres.copy_of(template)
        try:
            yield dsn
        finally:
            self._postgres.drop_database(dsn)

    def drop(self) -> None:
        """Remove them from the server, which others may use."""
        for dsn in self._made.values():
            self._postgres.drop_database(dsn)


@pytest.fixture(scope="session")
def templates(postgres: Postgres) -> Iterator[Templates]:
    """Databases with tables for the session, each migrated once."""
    made = Templates(postgres)
    yield made
    made.drop()


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """The DSN of a fresh database, dropped after the test."""
    dsn = postgres.create_database()
    yield dsn
    postgres.drop_database(dsn)


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A fresh nats-server of the test's own, which it may stop, kill and start again."""
    server = NatsServer(tmp_path / "nats")
    server.start()
    yield server
    server.stop()


@contextmanager
def running_up(folder: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """`kraftcenter up` on free ports, once it says that it runs; what it says is in `output` in its folder."""
    output = folder / "output"
    command, told = [kraftcenter(), "up", "--free-ports"], os.environ | environment
    with output.open("wb") as file:
        process = subprocess.Popen(command, cwd=folder, env=told, stdout=file, stderr=file)  # noqa: S603 - our command
    try:
        wait_until(
            lambda: process.poll() is not None or "Running" in output.read_text(),
            seconds=100,
            message="up does not run",
        )
        if process.poll() is not None:
            pytest.fail(output.read_text())
        yield process
    finally:
        process.kill()
        process.wait()
