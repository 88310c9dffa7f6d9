"""Child processes that write to a log file and never outlive their parent: on Linux not even when it is killed."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from local.waiting import wait_until

LOOPBACK = "127.0.0.1"
# Below the range from which outgoing connections get theirs: a port there could be lost while a server restarts,
# and a client that retries it could even connect to itself.
FREE_PORTS = range(12_000, 32_000)
STOP_SECONDS = 30


class PortTaken(Exception):
    """Other programs listen on ports that are needed; the text names each port, what needs it and who has it."""


class StartFailed(Exception):
    """A child ended, or did not answer in time; the text ends with the last lines of its log."""


class Child:
    """A process of ours in a session of its own, so that Ctrl-C reaches the parent alone, which then stops it."""

    def __init__(self, argv: Sequence[str | Path], log: Path, *, env: Mapping[str, str] | None = None) -> None:
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - every argv is built in this package
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._process.poll()

    def wait(self, name: str) -> None:
        """Wait for its end; StartFailed with the end of its log unless that was a good one."""
        if self._process.wait():
            raise StartFailed(f"{name} ended with exit code {self.exit_code()}; {end_of(self.log)}")

    def wait_for_answer(self, answers: Callable[[], bool], name: str) -> None:
        """Wait until it answers; StartFailed with the end of its log when it ends, or stays silent for 30 s."""
        try:
            wait_until(lambda: self.exit_code() is not None or answers(), seconds=30, message=f"{name} does not answer")
        except TimeoutError as silence:
            self.kill()
            raise StartFailed(f"{silence}; {end_of(self.log)}") from silence
        if self.exit_code() is not None:
            raise StartFailed(f"{name} ended with exit code {self.exit_code()}; {end_of(self.log)}")

    def stop(self, stop_signal: signal.Signals = signal.SIGTERM) -> None:
        """End it gracefully; what does not end within 30 s is killed."""
        self._process.send_signal(stop_signal)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it and all its descendants at once, as a crash would; TimeoutError when one of them goes on for 30 s."""
        if self.exit_code() is not None:
            return
        family = list[psutil.Process]()
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.pid)
            # What stands still starts nothing that would be missing from the list.
            parent.suspend()
            family = [parent, *parent.children(recursive=True)]
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        self._process.wait()
        # A backend that is still dying holds PostgreSQL's shared memory, and the next server would not start.
        wait_until(lambda: not any(map(is_alive, family)), seconds=STOP_SECONDS, message="what was killed goes on")


class Server:
    """A server in a folder, run as a child: it keeps its data when it is stopped, killed and started again.

    `env` is that of its next start, and this process's own unless another is given.
    """

    stop_signal = signal.SIGTERM

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.env: Mapping[str, str] = os.environ
        self._pid_file = folder / f"{name}.pid"
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None when it was not started or was stopped."""
        return self._child.pid if self._child else None

    def crashed(self) -> bool:
        """Whether it ended although nobody here stopped or killed it."""
        return self._child is not None and self._child.exit_code() is not None

    def wait_for_predecessor(self) -> None:
        """Wait for the end of a server here whose launcher was killed: it ends by itself, but not at once."""
        with contextlib.suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess):
            pid, created = self._pid_file.read_text().split()
            predecessor = psutil.Process(int(pid))
            if predecessor.create_time() == float(created):
                wait_until(
                    lambda: not is_alive(predecessor), seconds=STOP_SECONDS, message=f"the last {self.name} goes on"
                )

    def stop(self) -> None:
        """End it gracefully."""
        if child := self._given_up():
            child.stop(self.stop_signal)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if child := self._given_up():
            child.kill()

    def _given_up(self) -> Child | None:
        """The child, which is no longer kept: what ends from now on has not crashed, whoever looks meanwhile."""
        child, self._child = self._child, None
        return child

    def _launch(self, command: Sequence[str | Path], log: Path, answers: Callable[[], bool]) -> None:
        self._child = Child(command, log, env=self.env)
        self._pid_file.write_text(f"{self._child.pid} {psutil.Process(self._child.pid).create_time()}")
        self._child.wait_for_answer(answers, self.name)


def end_of(log: Path) -> str:
    """The last lines of a log, said as such."""
    lines = log.read_text(errors="replace").splitlines()[-15:]
    return "\n".join([f"{log} ends:", *lines])


def tethered(argv: Sequence[str | Path], *, last_signal: str = "TERM") -> list[str | Path]:
    """The command, which the kernel sends the signal when its parent dies; unchanged where there is no setpriv."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", last_signal, *argv] if setpriv else list(argv)


def free_ports(count: int) -> list[int]:
    """Different loopback ports that nobody listens on."""
    found: set[int] = set()
    while len(found) < count:
        port = secrets.choice(FREE_PORTS)
        if is_free(port):
            found.add(port)
    return list(found)


def is_free(port: int) -> bool:
    """Whether a server could listen on the loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def require_free(ports: Mapping[str, int]) -> None:
    """Raise PortTaken, naming all that are in use, unless every port (by what needs it) is free."""
    taken = [f"port {port} of {user} is taken{owner_of(port)}" for user, port in ports.items() if not is_free(port)]
    if taken:
        raise PortTaken("\n".join(taken))


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; one that ended but that nobody has asked about, a zombie, does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def owner_of(port: int) -> str:
    """` by <program> (process <id>)`, or nothing when this user may not know."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            if connection.status != psutil.CONN_LISTEN or not connection.laddr:
                continue
            if connection.laddr.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""


def kraftcenter() -> str:
    """Where the command of this installation is."""
    return shutil.which("kraftcenter", path=sysconfig.get_path("scripts")) or "kraftcenter"
