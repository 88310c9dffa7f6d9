"""Work beside the HTTP doors: a service never runs on without one of its tasks, its supervisor restarts it whole."""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import structlog

CANCEL_SECONDS = 1.0

log = structlog.get_logger()


@asynccontextmanager
async def background(**coroutines: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    """Run named tasks until the block ends, then cancel them in reverse order.

    One that fails, or ends by itself, ends the process with exit code 1: everything that counts is committed.
    """
    running = {name: asyncio.create_task(coroutine, name=name) for name, coroutine in coroutines.items()}
    for task in running.values():
        task.add_done_callback(_end_process)
    try:
        yield
    finally:
        for task in reversed(running.values()):
            task.remove_done_callback(_end_process)
            await cancel(task)
            if not task.cancelled() and (error := task.exception()):
                log.error("task_failed_while_stopping", task=task.get_name(), exc_info=error)


async def cancel(task: asyncio.Task[Any]) -> None:
    """Cancel until it is over: until Python 3.12 `wait_for` swallows a cancellation that comes with its result."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_SECONDS)


def _end_process(task: asyncio.Task[object]) -> NoReturn:
    error = None if task.cancelled() else task.exception()
    log.critical("task_ended", task=task.get_name(), exc_info=error)
    os._exit(1)
