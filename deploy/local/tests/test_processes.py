"""The promises that a launcher killed with SIGKILL leaves nothing behind, and that a taken port is told plainly."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from local.processes import LOOPBACK, Child, PortTaken, StartFailed, end_of, free_ports, is_alive, is_free, require_free
from local.waiting import wait_until

LAUNCHER = """
import asyncio, sys, time
from pathlib import Path
from local.nats import NatsServer
from local.postgres import OwnPostgres
from local.supervisor import Service

async def nothing(): pass

async def main(folder):
    script = "import sys, time; sys.argv[1] == 'serve' and time.sleep(60)"
    command = (sys.executable, "-c", script)
    service = Service("stand-in", command=command, prepare=nothing, env={}, folder=folder)
    servers = [OwnPostgres(folder / "postgres"), NatsServer(folder / "nats")]
    for server in servers:
        server.start()
    await service.start()
    print(*(each.pid for each in [*servers, service]), flush=True)
    await asyncio.sleep(60)

asyncio.run(main(Path(sys.argv[1])))
"""

FORKS = """
import os, time
print("forks", flush=True)
for _ in range(1000):
    os.fork() or (time.sleep(10), os._exit(0))
    time.sleep(0.001)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_launcher_killed_outright_leaves_no_orphan(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", LAUNCHER, tmp_path], stdout=subprocess.PIPE) as launcher:  # noqa: S603
        assert launcher.stdout
        pids = [int(word) for word in launcher.stdout.readline().split()]
        family = psutil.Process(launcher.pid).children(recursive=True)
        assert len(pids) == 3
        assert set(pids) < {member.pid for member in family}
        os.kill(launcher.pid, signal.SIGKILL)
    wait_until(lambda: not any(is_alive(member) for member in family), seconds=30, message="orphans remain")


def test_a_taken_port_is_named_with_its_user_and_its_owner() -> None:
    with socket.create_server((LOOPBACK, free_ports(1)[0])) as other:
        port = other.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(PortTaken) as refusal:
            require_free({"flexjob_pool": port, "impact": free_ports(1)[0]})
    assert str(refusal.value).startswith(f"port {port} of flexjob_pool is taken by ")
    assert f"(process {os.getpid()})" in str(refusal.value)
    assert "impact" not in str(refusal.value)


def test_a_child_that_ends_before_it_answers_is_told_with_its_log(tmp_path: Path) -> None:
    child = Child([sys.executable, "-c", "import sys; sys.exit('no such setting')"], tmp_path / "child.log")
    with pytest.raises(StartFailed, match="no such setting"):
        child.wait_for_answer(lambda: False, "the child")


def test_a_child_that_ignores_its_stop_signal_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.processes.STOP_SECONDS", 0.2)
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    child = Child([sys.executable, "-c", deaf], tmp_path / "child.log")
    child.wait_for_answer(lambda: "deaf" in end_of(child.log), "the child")
    child.stop()
    assert child.exit_code() == -signal.SIGKILL


def test_a_child_that_starts_others_all_the_time_is_killed_with_every_one_of_them(tmp_path: Path) -> None:
    child = Child([sys.executable, "-c", FORKS], tmp_path / "child.log")
    child.wait_for_answer(lambda: "forks" in end_of(child.log), "the child")

    child.kill()

    # Each is in the session of the first, whoever it belongs to now.
    assert not [pid for pid in psutil.pids() if _session_of(pid) == child.pid and is_alive(psutil.Process(pid))]


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None
