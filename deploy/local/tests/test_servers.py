import asyncio
import os
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import asyncpg
import nats
import psutil
import pytest
from nats.js.api import StreamConfig

from local.nats import NatsServer
from local.postgres import NoPostgres, OwnPostgres, Postgres, RootRefused, postgres_binaries, postgres_for
from local.processes import PortTaken, is_alive
from local.waiting import until

CALLERS = 20


async def test_a_database_of_a_test_is_empty(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert await connection.fetchval("SHOW data_checksums") == "on"
    assert (
        await connection.fetchval("SELECT datcollate FROM pg_database WHERE datname = current_database()") == "C.UTF-8"
    )
    await connection.close()


@pytest.mark.parametrize(("lasting", "fsync", "hashed"), [(True, "on", 4096), (False, "off", 1)])
async def test_postgres_keeps_its_port_and_its_rows_over_a_kill(
    lasting: bool, fsync: str, hashed: int, tmp_path: Path
) -> None:
    server = OwnPostgres(tmp_path / "postgres", lasting=lasting)
    server.start()
    dsn = server.create_database()
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE note (text text)")
    await connection.execute("INSERT INTO note VALUES ('æøå')")

    server.kill()
    connection.terminate()
    assert server.pid is None
    server.start()

    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("SELECT text FROM note") == "æøå"
    assert await connection.fetchval("SHOW fsync") == fsync
    verifier = await connection.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'")
    # Before PostgreSQL 16 the number could not be told.
    known = connection.get_server_version().major >= 16
    assert verifier.startswith(f"SCRAM-SHA-256${hashed if known else 4096}:")
    server.stop()
    connection.terminate()


async def test_a_postgres_killed_while_many_backends_work_and_begin_starts_again_each_time(tmp_path: Path) -> None:
    server = OwnPostgres(tmp_path / "postgres")
    server.start()
    async with asyncio.TaskGroup() as load:
        callers = [load.create_task(_call(server.dsn, lasting=number % 2 == 0)) for number in range(CALLERS)]
        for _ in range(5):
            await until(lambda: _backends(server) > CALLERS, seconds=30, message="few backends work")
            family = psutil.Process(server.pid).children(recursive=True)

            await asyncio.to_thread(server.kill)

            assert not [member for member in family if is_alive(member)]
            await asyncio.to_thread(server.start)
        for caller in callers:
            caller.cancel()
    server.stop()


async def _call(dsn: str, *, lasting: bool) -> None:
    """Keep a backend at work, or have a new one begin again and again, whatever becomes of the server."""
    while True:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            connection = await asyncpg.connect(dsn, timeout=5)
            try:
                while lasting:
                    await connection.execute("SELECT sum(number) FROM generate_series(1, 50000) AS number")
            finally:
                connection.terminate()
        await asyncio.sleep(0)


def _backends(server: OwnPostgres) -> int:
    return len(psutil.Process(server.pid).children())


async def test_our_postgres_listens_on_the_loopback_address_alone_and_asks_for_a_password(postgres: Postgres) -> None:
    if not isinstance(postgres, OwnPostgres):
        pytest.skip("the given server listens where its owner wants")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.dsn_of("postgres", user="postgres", password=str(uuid4())))
    connection = await asyncpg.connect(postgres.dsn)
    assert await connection.fetchval("SHOW listen_addresses") == "127.0.0.1"
    assert await connection.fetchval("SHOW data_checksums") == "on"
    assert await connection.fetchval("SELECT datcollate FROM pg_database WHERE datname = 'postgres'") == "C.UTF-8"
    assert not await connection.fetchval("SHOW unix_socket_directories")
    await connection.close()


async def test_a_service_reaches_its_own_database_alone(postgres: Postgres) -> None:
    mine = postgres.provide("pool_a")
    other = postgres.provide("pool_b")
    connection = await asyncpg.connect(mine)
    await connection.execute("CREATE TABLE note (text text)")
    await connection.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(f"{mine.rpartition('/')[0]}/pool_b")
    for dsn in (mine, other):
        postgres.remove(dsn)


async def test_a_database_provided_again_keeps_its_rows(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.provide("pool_c"))
    await connection.execute("CREATE TABLE note (text text)")
    await connection.close()

    dsn = postgres.provide("pool_c")

    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("SELECT count(*) FROM note") == 0
    await connection.close()
    postgres.remove(dsn)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become nobody")
def test_root_without_user_namespaces_runs_postgres_in_a_folder_that_is_closed_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("local.postgres.AS_NOBODY", ("false",))
    with TemporaryDirectory() as folder:
        server = OwnPostgres(Path(folder) / "postgres")
        try:
            server.start()
        except RootRefused:
            pytest.skip("nobody may not run the binaries here")
        assert Path(folder).stat().st_mode & 0o077 == 0o001
        server.stop()


def test_a_given_dsn_is_used_and_left_running(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres.dsn)
    given = postgres_for(tmp_path)
    given.start()
    given.stop()
    given.drop_database(given.create_database())
    assert not list(tmp_path.iterdir())


def test_without_the_wheel_an_installed_postgres_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.postgres.find_spec", lambda _: None)
    try:
        binaries = postgres_binaries()
    except NoPostgres:
        pytest.skip("no PostgreSQL is installed on this machine")
    assert (binaries / "initdb").exists()


@pytest.mark.parametrize(("lasting", "synced"), [(True, "always"), (False, "2m")])
async def test_nats_keeps_its_port_and_its_messages_over_a_kill(lasting: bool, synced: str, tmp_path: Path) -> None:
    nats_server = NatsServer(tmp_path / "nats", lasting=lasting)
    nats_server.start()
    client = await nats.connect(nats_server.url)
    await client.jetstream().add_stream(StreamConfig(name="NOTES", subjects=["notes.>"], max_bytes=4 * 1024**3))
    await client.jetstream().publish("notes.first", b"1")
    await client.close()

    nats_server.kill()
    nats_server.start()

    client = await nats.connect(nats_server.url)
    assert (await client.jetstream().stream_info("NOTES")).state.messages == 1
    await client.close()
    assert f"sync_interval: {synced}\n" in (nats_server.folder / "nats.conf").read_text(encoding="utf-8")
    nats_server.stop()


def test_nats_listens_on_the_loopback_address_alone(nats_server: NatsServer) -> None:
    assert nats_server.pid
    listening = [each.laddr[0] for each in psutil.Process(nats_server.pid).net_connections("inet") if not each.raddr]
    assert set(listening) == {"127.0.0.1"}


def test_a_second_server_on_a_port_is_refused(nats_server: NatsServer, tmp_path: Path) -> None:
    with pytest.raises(PortTaken, match=f"port {nats_server.port} of NATS is taken by nats-server"):
        NatsServer(tmp_path / "second", port=nats_server.port).start()
