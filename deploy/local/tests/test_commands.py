"""`kraftcenter up` as a user meets it: a process, its output, its exit code and what it leaves behind."""

import os
import signal
import socket
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from local.fixtures import running_up
from local.instances import SERVICES, free_ports_for
from local.postgres import NOBODY, postgres_binaries
from local.processes import LOOPBACK, is_alive

with_services = pytest.mark.skipif(not find_spec("impact"), reason="the services are not installed here")


@with_services
def test_up_prints_addresses_and_figures_keeps_its_token_secret_and_ends_well_on_ctrl_c(tmp_path: Path) -> None:
    with running_up(tmp_path) as process:
        assert stat.S_IMODE((tmp_path / "build" / "token").stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "build" / "settings.env").stat().st_mode) == 0o600
        assert "IMPACT_DATABASE_URL=postgresql://" in (tmp_path / "build" / "settings.env").read_text()
        assert stat.S_IMODE((tmp_path / "build" / "up").stat().st_mode) & 0o076 == 0
        assert not [path for path in (tmp_path / "build").rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert not any(is_alive(member) for member in family)
    output = (tmp_path / "output").read_text()
    for expected in ("flexjob_pool", "http://127.0.0.1:", "nats://127.0.0.1:", "postgresql://127.0.0.1:", "J1", "F5"):
        assert expected in output


@with_services
@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become nobody")
def test_up_runs_in_a_fresh_folder_for_root_whom_no_user_namespace_is_granted() -> None:
    command = ["setpriv", f"--reuid={NOBODY}", "--clear-groups", str(postgres_binaries() / "postgres"), "--version"]
    if subprocess.run(command, capture_output=True, check=False).returncode:  # noqa: S603 - our command
        pytest.skip("nobody may not run the binaries here")
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        refusing = folder / "unshare"
        refusing.write_text("#!/bin/sh\nexit 1\n")
        refusing.chmod(0o755)
        with running_up(folder, PATH=f"{folder}{os.pathsep}{os.environ['PATH']}") as process:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0


@with_services
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_up_killed_outright_leaves_no_orphan_and_goes_on_with_its_data_and_token(tmp_path: Path) -> None:
    token = tmp_path / "build" / "token"
    with running_up(tmp_path) as process:
        first = token.read_text()
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    with running_up(tmp_path):
        assert not any(is_alive(member) for member in family)
        assert token.read_text() == first


@pytest.mark.parametrize(("command", "what_to_do"), [("up", "up --free-ports"), ("demo --people 1", "run it again")])
def test_a_taken_port_is_told_with_what_to_do(tmp_path: Path, command: str, what_to_do: str) -> None:
    ports = some_ports()
    with socket.create_server((LOOPBACK, ports["impact"])):
        told = run_on(ports, tmp_path, *command.split())
    assert told.returncode == 1
    assert f"port {ports['impact']} of impact is taken by " in told.stderr
    assert what_to_do in told.stderr
    assert "Traceback" not in told.stderr


def test_a_year_of_nobody_is_refused(tmp_path: Path) -> None:
    told = run_on(some_ports(), tmp_path, "demo", "--people", "0")

    assert told.returncode == 2
    assert "--people" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize(
    ("command", "name", "value"),
    [
        ("demo", "DATABASE_URL", "hunter2"),
        ("demo", "DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:99999/x"),
        ("demo", "DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:1/x"),
        ("up", "DATABASE_URL", "hunter2"),
        ("up", "NATS_URL", "tls://hunter2@127.0.0.1:4222"),
        ("up", "NATS_URL", "nats://hunter2@127.0.0.1:1"),
    ],
)
def test_a_server_that_cannot_be_used_is_one_message_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    told = run_on(some_ports(), tmp_path, command)

    assert told.returncode == 1
    assert ("127.0.0.1:1 does not" if value.startswith("nats") else name) in told.stderr
    assert "Traceback" not in told.stderr
    assert "hunter2" not in told.stderr
    assert not list(tmp_path.glob("kraftcenter-demo-*"))


def test_a_municipality_that_is_no_code_is_told(tmp_path: Path) -> None:
    told = run_on(some_ports(), tmp_path, "up", "--municipality", "Kolding")

    assert told.returncode == 2
    assert "621" in told.stderr


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("a file")

    told = run_on(some_ports(), tmp_path)

    assert told.returncode == 1
    assert "build" in told.stderr
    assert "Traceback" not in told.stderr


def some_ports() -> dict[str, int]:
    return free_ports_for(SERVICES, ("621", "630"))


def run_on(ports: dict[str, int], folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """The command with other ports than the usual ones, which a stack on this machine may have or leave just now."""
    script = (
        f"from chassis import cli; from local import commands, stack; ports = {ports}; "
        "commands.known_ports = stack.free_ports_for = lambda *_: ports; cli.main()"
    )
    argv = [sys.executable, "-c", script, *(command or ("up",))]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our script
