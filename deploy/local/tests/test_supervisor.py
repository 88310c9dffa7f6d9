import os
import signal
import sys
from pathlib import Path

import pytest

from local.processes import StartFailed
from local.supervisor import Service, supervised
from local.waiting import until

SERVES = "import sys, time; sys.argv[1] == 'serve' and time.sleep(60)"
CANNOT_MIGRATE = "import sys; sys.exit('the column is missing')"
NOTES_ITS_STEPS = "import sys, time; print(sys.argv[1], flush=True); sys.argv[1] == 'serve' and time.sleep(60)"


class Preparation:
    """Counts how often it ran; fails while `reason` is set."""

    def __init__(self) -> None:
        self.runs = 0
        self.reason: str | None = None

    async def __call__(self) -> None:
        self.runs += 1
        if self.reason:
            raise ConnectionError(self.reason)


def stand_in(folder: Path, script: str, prepare: Preparation) -> Service:
    command = (sys.executable, "-c", script)
    return Service("stand-in", command=command, prepare=prepare, env={}, folder=folder)


def crash(service: Service) -> int:
    pid = service.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    return pid


async def test_a_crashed_service_is_started_again_every_time(tmp_path: Path) -> None:
    service = stand_in(tmp_path, SERVES, Preparation())
    await service.start()

    async with supervised([service]):
        first = crash(service)
        await until(lambda: service.pid != first)
        second = crash(service)
        await until(lambda: service.pid != second and not service.crashed())

    service.stop()
    assert service.pid is None


async def test_preparation_and_migration_come_before_every_start(tmp_path: Path) -> None:
    preparation = Preparation()
    service = stand_in(tmp_path, NOTES_ITS_STEPS, preparation)
    await service.start()

    async with supervised([service]):
        await until(lambda: service.log_file.read_text().count("serve") == 1)
        crash(service)
        await until(lambda: service.log_file.read_text().count("serve") == 2)

    service.stop()
    assert service.log_file.read_text().split() == ["migrate", "serve", "migrate", "serve"]
    assert preparation.runs == 2


async def test_a_start_that_fails_is_tried_again_until_it_succeeds(tmp_path: Path) -> None:
    preparation = Preparation()
    service = stand_in(tmp_path, SERVES, preparation)
    await service.start()

    async with supervised([service]):
        preparation.reason = "NATS is away"
        crash(service)
        await until(lambda: preparation.runs >= 3)
        preparation.reason = None
        await until(lambda: not service.crashed())

    service.stop()


async def test_what_was_stopped_on_purpose_stays_stopped(tmp_path: Path) -> None:
    service = stand_in(tmp_path, SERVES, Preparation())
    other = stand_in(tmp_path, SERVES, Preparation())
    await service.start()
    await other.start()

    async with supervised([service, other]):
        service.stop()
        first = crash(other)
        await until(lambda: other.pid != first)
        assert service.pid is None

    other.stop()


async def test_a_failing_migration_tells_why(tmp_path: Path) -> None:
    service = stand_in(tmp_path, CANNOT_MIGRATE, Preparation())
    with pytest.raises(StartFailed, match="the column is missing"):
        await service.start()
    assert service.pid is None
