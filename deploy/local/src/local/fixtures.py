"""pytest fixtures on the code that runs the local stack: real servers, fresh for each session or test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.nats import NatsServer
from local.postgres import Postgres, postgres_for


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """PostgreSQL for the session; `create_database()` gives the DSN of a fresh database."""
    server = postgres_for(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.stop()


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
