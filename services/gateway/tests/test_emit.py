"""`kraftcenter check` and `emit` as a municipality's system uses them: against the gateway on a port of its own."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from structlog.testing import capture_logs

from chassis import cli
from chassis.database import Pool
from gateway.app import build_app
from gateway.settings import GatewaySettings
from local.nats import NatsServer
from local.waiting import until

EXAMPLE = json.loads((Path(__file__).parents[3] / "contracts/examples/payroll.employment_ended.v1.json").read_text())
Issue = Callable[..., Awaitable[str]]


@pytest.fixture
async def url(database_url: str, clock: str, nats_server: NatsServer, pool: Pool) -> AsyncIterator[str]:
    """The address of a gateway that listens on a port of this machine."""
    del pool  # it has migrated the database
    settings = GatewaySettings.model_validate(
        {"database_url": database_url, "nats_url": nats_server.url, "port": 0, "clock": clock}
    )
    server = uvicorn.Server(uvicorn.Config(build_app(settings), port=0, lifespan="on", ws="none", log_config=None))
    with capture_logs():  # its log would be taken for what the commands say
        serving = asyncio.create_task(server.serve())
        await until(lambda: server.started, seconds=60, message="the gateway does not start")
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        server.should_exit = True
        await serving


@dataclass(frozen=True, slots=True)
class Run:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


Commands = Callable[..., Awaitable[Run]]


@pytest.fixture
def kraftcenter(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    """Runs the command in this process, as its entry point does beside the gateway's database."""
    monkeypatch.setenv("GATEWAY_DATABASE_URL", database_url)

    async def run(*arguments: str) -> Run:
        monkeypatch.setattr(sys, "argv", ["kraftcenter", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            await asyncio.to_thread(cli.main)
        return Run(int(left.value.code or 0), *capsys.readouterr())

    return run


async def test_a_file_is_checked_sent_once_and_followed(
    url: str, kraftcenter: Commands, pool: Pool, token_of: Issue, tmp_path: Path
) -> None:
    events = [EXAMPLE | {"id": f"sd/{number}"} for number in range(5)]
    refused = {**EXAMPLE, "id": "sd-5", "leader": "Karen Blixen"}
    file, token = tmp_path / "events.jsonl", tmp_path / "token"
    file.write_text("".join(json.dumps(one) + "\n" for one in [*events, refused]))
    token.write_text(await token_of("payroll"))
    send = ("emit", str(file), "--url", url, "--token-file", str(token), "--json")

    checked = await kraftcenter("check", str(file))
    first, second = await kraftcenter(*send), await kraftcenter(*send)

    assert (checked.returncode, checked.stderr) == (1, "5 ok, 1 refused.\n")
    assert (first.returncode, second.returncode) == (1, 1)
    told: list[dict[str, Any]] = [json.loads(run.stdout) for run in (first, second)]
    assert [(one["accepted"], one["sent_before"], len(one["refused"])) for one in told] == [(5, 0, 1), (0, 5, 1)]
    assert "has a field that is not known here" in first.stderr
    assert "Karen" not in first.stderr + first.stdout + checked.stdout
    assert await pool.fetchval("SELECT count(*) FROM admitted") == 5
    headers = {"Authorization": f"Bearer {token.read_text()}"}
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:
        trail = await client.get(f"/v1/events/{EXAMPLE['source']}/sd%2F3")
        rejections = await client.get("/v1/rejections")
    assert trail.json()["id"] == "sd/3"
    assert [one["id"] for one in rejections.json()["items"]] == ["sd-5", "sd-5"]


async def test_what_was_accepted_but_never_receipted_is_a_duplicate_and_counts_once(
    url: str, kraftcenter: Commands, pool: Pool, token_of: Issue, tmp_path: Path
) -> None:
    file, token = tmp_path / "events.json", tmp_path / "token"
    file.write_text(json.dumps([EXAMPLE | {"id": f"sd-{number}"} for number in range(3)]))
    token.write_text(await token_of("payroll"))
    send = ("emit", str(file), "--url", url, "--token-file", str(token))
    assert (await kraftcenter(*send)).returncode == 0
    (tmp_path / "events.json.receipts.jsonl").unlink()
    await pool.execute("DELETE FROM idempotency_key")

    again = await kraftcenter(*send)

    assert (again.returncode, again.stdout) == (0, "0 accepted, 3 duplicates, 0 sent before, 0 refused.\n")
    assert await pool.fetchval("SELECT count(*) FROM outbox WHERE source = $1", EXAMPLE["source"]) == 3


async def test_a_source_sends_from_its_registration_until_it_is_revoked(
    url: str, kraftcenter: Commands, token_of: Issue, tmp_path: Path
) -> None:
    source = "urn:kraftcenter:621:opus"
    token = tmp_path / "token"
    token.write_text(await token_of("opus"))

    async def sent(event_id: str) -> int:
        file = tmp_path / f"{event_id}.json"
        file.write_text(json.dumps(EXAMPLE | {"source": source, "id": event_id}))
        return (await kraftcenter("emit", str(file), "--url", url, "--token-file", str(token))).returncode

    before = await sent("before")
    kind = EXAMPLE["type"].removeprefix("dk.kraftcenter.")
    added = await kraftcenter("sources", "add", "opus", "--type", kind, "--token-name", "opus")
    meanwhile = await sent("meanwhile")
    revoked = await kraftcenter("sources", "revoke", "opus")
    after = await sent("after")

    assert (added.returncode, revoked.returncode) == (0, 0)
    assert (before, meanwhile, after) == (1, 0, 1)
