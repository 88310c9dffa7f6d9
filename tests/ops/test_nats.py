"""`deploy/nats` on a real nats-server: it opens to whoever has a password, and the services' own do."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.bus import BusUnreachable, short_job
from local.nats import nats_binary
from tests.ops.cluster import ROOT, SERVICES
from tests.ops.installation import InstalledNats


@pytest.fixture
def server(secrets: Path, tmp_path: Path) -> Iterator[InstalledNats]:
    server = InstalledNats(tmp_path / "nats", secrets)
    server.start()
    yield server
    server.stop()


def checked(folder: Path) -> "subprocess.CompletedProcess[str]":
    command: list[str | Path] = [nats_binary(), "-t", "-c", folder / "nats.conf"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def refused(url: str) -> bool:
    try:
        async with short_job(url) as jetstream:
            await jetstream.account_info()
    except BusUnreachable:
        return True
    return False


def test_the_server_takes_the_configuration_with_the_users_and_not_without(secrets: Path, tmp_path: Path) -> None:
    shutil.copy(ROOT / "deploy" / "nats" / "nats.conf", tmp_path)
    assert "users.conf" in checked(tmp_path).stderr

    shutil.copy(secrets / "nats_users.conf", tmp_path / "users.conf")
    assert checked(tmp_path).returncode == 0, checked(tmp_path).stderr

    (tmp_path / "nats.conf").write_text((tmp_path / "nats.conf").read_text().replace("strict", "strictt"))
    assert "strictt" in checked(tmp_path).stderr


async def test_each_service_has_a_password_and_nobody_else_gets_in(server: InstalledNats) -> None:
    for name in (*SERVICES, "provision"):
        assert not await refused(server.url_of(name))
        assert await refused(server.url_of(name, password="guessed"))  # noqa: S106 - that is the point
    assert await refused(server.url)
