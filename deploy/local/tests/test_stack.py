"""The composition, shown with a stand-in service that keeps tokens as every service does and answers every request."""

import os
import signal
from pathlib import Path

import asyncpg
import httpx
import pytest

from chassis.bus import short_job
from local.instances import instances_of, known_ports
from local.nats import NatsServer
from local.postgres import OwnPostgres, Postgres
from local.processes import PortTaken, Server, StartFailed, is_free
from local.stack import FolderInUse, running_stack
from local.waiting import until

STAND_IN = """
import asyncio, http.server, os, sys
from chassis.calendar import SystemCalendar
from chassis.migrate import HTTP, migrate

class Door(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()

if sys.argv[1] == "migrate":
    asyncio.run(migrate(os.environ["STAND_IN_DATABASE_URL"], [HTTP], clock=SystemCalendar()))
else:
    http.server.HTTPServer(("127.0.0.1", int(os.environ["STAND_IN_PORT"])), Door).serve_forever()
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    return {"PYTHONPATH": str(tmp_path)}


async def test_a_stack_is_ready_and_knows_its_token(tmp_path: Path, settings: dict[str, str]) -> None:
    async with running_stack(tmp_path / "stack", services=["stand_in"], settings=settings) as stack:
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{stack.url_of('stand_in')}/livez")).is_success
        db = await asyncpg.connect(stack.database_urls["stand_in"])
        row = await db.fetchrow("SELECT municipality, scopes FROM token")
        await db.close()
    assert row
    assert row["municipality"] == "621"
    assert row["scopes"] == ["admin", "figures:exact", "ledger", "read:stand_in", "write:stand_in"]


async def test_each_municipality_has_services_a_database_streams_and_a_token_of_its_own(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    async with (
        running_stack(
            tmp_path / "stack", services=["stand_in"], municipalities=["621", "630"], settings=settings
        ) as stack,
        short_job(stack.nats_url) as jetstream,
    ):
        urls = [stack.url_of("stand_in", code) for code in ("621", "630")]
        async with httpx.AsyncClient() as client:
            assert [(await client.get(f"{url}/livez")).is_success for url in urls] == [True, True]
        await jetstream.consumer_info("EVENTS_630_FLEXJOB_POOL", "impact")
        told = [await municipalities_of(stack.database_urls[name]) for name in ("stand_in", "stand_in_630")]
    assert urls[0] != urls[1]
    assert told == [["621"], ["630"]]
    assert stack.tokens["621"] == stack.token != stack.tokens["630"]


async def municipalities_of(database_url: str) -> list[str]:
    db = await asyncpg.connect(database_url)
    rows = await db.fetch("SELECT municipality FROM token")
    await db.close()
    return [row["municipality"] for row in rows]


def test_impact_is_one_for_all_and_further_municipalities_lie_ten_ports_above() -> None:
    instances = instances_of(("flexjob_pool", "gateway", "impact"), ("621", "630"))
    ports = known_ports(("621", "630"))

    assert {(one.name, one.municipalities) for one in instances} == {
        ("flexjob_pool", ("621",)),
        ("gateway", ("621",)),
        ("impact", ("621", "630")),
        ("flexjob_pool_630", ("630",)),
        ("gateway_630", ("630",)),
    }
    assert (ports["gateway"], ports["flexjob_pool"], ports["impact"]) == (8600, 8602, 8604)
    assert (ports["gateway_630"], ports["flexjob_pool_630"]) == (8610, 8612)


async def test_streams_are_provided_before_a_service_starts(tmp_path: Path, settings: dict[str, str]) -> None:
    async with (
        running_stack(tmp_path / "stack", services=["stand_in"], settings=settings) as stack,
        short_job(stack.nats_url) as jetstream,
    ):
        consumer = await jetstream.consumer_info("EVENTS_621_FLEXJOB_POOL", "impact")
    assert consumer.config.ack_wait == 2


async def test_with_a_given_nats_what_is_under_way_has_its_usual_time(
    nats_server: NatsServer, tmp_path: Path, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NATS_URL", nats_server.url)
    async with running_stack(tmp_path / "stack", services=["stand_in"], lasting=True, settings=settings) as stack:
        async with short_job(stack.nats_url) as jetstream:
            consumer = await jetstream.consumer_info("EVENTS_621_FLEXJOB_POOL", "impact")
        assert (tmp_path / "stack").stat().st_mode & 0o076 == 0
    assert consumer.config.ack_wait == 30


async def crash_and_come_back(part: Server) -> None:
    before = part.pid
    assert before
    os.kill(before, signal.SIGKILL)
    await until(lambda: part.pid != before and not part.crashed())


async def test_what_crashes_in_a_stack_comes_back(tmp_path: Path, settings: dict[str, str]) -> None:
    async with running_stack(tmp_path / "stack", services=["stand_in"], settings=settings) as stack:
        assert isinstance(stack.nats, NatsServer)
        assert isinstance(stack.postgres, OwnPostgres)
        for part in (stack.nats, stack.postgres, stack.services["stand_in"]):
            await crash_and_come_back(part)
        await stack.until_ready()


async def test_a_stack_goes_on_with_the_data_of_its_folder_and_leaves_its_ports(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    for expected in (0, 1):
        async with running_stack(tmp_path / "stack", services=["stand_in"], settings=settings) as stack:
            db = await asyncpg.connect(stack.database_urls["stand_in"])
            await db.execute("CREATE TABLE IF NOT EXISTS note (text text)")
            assert await db.fetchval("SELECT count(*) FROM note") == expected
            await db.execute("INSERT INTO note VALUES ('here')")
            await db.close()
        assert all(is_free(port) for port in stack.ports.values())


async def test_a_stack_leaves_nothing_in_a_given_postgres(
    postgres: Postgres, tmp_path: Path, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres.dsn)
    async with running_stack(tmp_path / "stack", services=["stand_in"], settings=settings):
        assert await databases_and_roles(postgres) == 2
    assert await databases_and_roles(postgres) == 0


async def test_a_given_postgres_that_lets_nobody_make_databases_is_told(
    postgres: Postgres, tmp_path: Path, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody_special = postgres.provide("nobody_special")
    monkeypatch.setenv("DATABASE_URL", nobody_special)
    with pytest.raises(StartFailed, match="is DATABASE_URL a superuser's"):
        async with running_stack(tmp_path / "stack", services=["stand_in"], settings=settings):
            pass
    postgres.remove(nobody_special)


async def databases_and_roles(postgres: Postgres) -> int:
    db = await asyncpg.connect(postgres.dsn)
    names = await db.fetch("SELECT rolname AS name FROM pg_roles UNION ALL SELECT datname FROM pg_database")
    await db.close()
    return sum(row["name"].startswith("stand_in_") for row in names)


async def test_a_second_stack_in_the_folder_is_refused(tmp_path: Path, settings: dict[str, str]) -> None:
    async with running_stack(tmp_path / "stack", services=["stand_in"], settings=settings):
        with pytest.raises(FolderInUse):
            async with running_stack(tmp_path / "stack", services=["stand_in"], settings=settings):
                pass


async def test_all_taken_ports_are_told_before_anything_starts(tmp_path: Path, settings: dict[str, str]) -> None:
    async with running_stack(tmp_path / "stack", services=["stand_in"], settings=settings) as stack:
        with pytest.raises(PortTaken) as refusal:
            async with running_stack(tmp_path / "other", services=["stand_in"], ports=stack.ports):
                pass
    assert str(refusal.value).count("is taken") == 4
    assert not (tmp_path / "other" / "postgres" / "data").exists()


async def test_a_service_that_ends_at_its_first_start_is_told_at_once(tmp_path: Path, settings: dict[str, str]) -> None:
    (tmp_path / "stand_in.py").write_text(STAND_IN.replace("else:", "else:\n    sys.exit('no such setting')"))
    with pytest.raises(StartFailed, match="no such setting"):
        async with running_stack(tmp_path / "stack", services=["stand_in"], settings=settings):
            pass


async def test_a_service_that_never_gets_ready_is_told_with_its_log(
    tmp_path: Path, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.stack.READY_SECONDS", 0.5)
    (tmp_path / "stand_in.py").write_text(STAND_IN.replace("204", "503"))
    with pytest.raises(StartFailed, match="stand_in is not ready"):
        async with running_stack(tmp_path / "stack", services=["stand_in"], settings=settings):
            pass
