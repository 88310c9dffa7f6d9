import asyncio
import json
import subprocess
import sys

import pytest

from chassis.tasks import background

PROGRAM = """
import asyncio
from chassis import logs
from chassis.tasks import background

async def lives():
    await asyncio.Event().wait()

async def fails():
    raise ValueError("person 0101701234")

async def ends():
    return

async def main():
    async with background(relay=lives(), other={other}()):
        await asyncio.Event().wait()

logs.configure("test")
asyncio.run(main())
"""


@pytest.mark.parametrize(("other", "error"), [("fails", "ValueError"), ("ends", None)])
def test_a_task_that_is_over_ends_the_process_and_logs_no_data(other: str, error: str | None) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM.format(other=other)], capture_output=True, text=True, timeout=30, check=False
    )

    line = json.loads(done.stderr)
    assert done.returncode == 1
    assert (line["event"], line["task"], line["service"]) == ("task_ended", "other", "test")
    assert line.get("error") == error
    assert "0101701234" not in done.stderr


async def test_tasks_run_beside_the_block_and_stop_in_reverse_order() -> None:
    told: list[str] = []

    async def live(name: str) -> None:
        told.append(f"{name} began")
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            told.append(f"{name} stopped")

    async with background(relay=live("relay"), heartbeat=live("heartbeat")):
        await asyncio.sleep(0)
        told.append("serving")

    assert told == ["relay began", "heartbeat began", "serving", "heartbeat stopped", "relay stopped"]


async def test_a_task_that_fails_while_stopping_does_not_keep_the_others_running() -> None:
    stopped = asyncio.Event()

    async def live() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async def stumble() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError

    async with background(first=live(), second=stumble()):
        await asyncio.sleep(0)

    assert stopped.is_set()


async def test_a_task_in_which_a_cancellation_gets_lost_is_cancelled_again() -> None:
    lost: list[str] = []

    async def loses_one() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            lost.append("one")
        await asyncio.Event().wait()

    async with background(relay=loses_one()):
        await asyncio.sleep(0)

    assert lost == ["one"]
