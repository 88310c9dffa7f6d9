"""Waiting for a condition with a deadline, never for a time to pass."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast, overload

T = TypeVar("T")

PAUSE_SECONDS = 0.02


@overload
async def until(condition: Callable[[], Awaitable[T]], *, seconds: float = ..., message: str = ...) -> T: ...


@overload
async def until(condition: Callable[[], T], *, seconds: float = ..., message: str = ...) -> T: ...


async def until(
    condition: Callable[[], Awaitable[T] | T],
    *,
    seconds: float = 10,
    message: str = "the condition never came true",
) -> T:
    """Poll until the condition, sync or async, gives a truthy value, and return that; TimeoutError(message) else.

    What the condition raises is not swallowed.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return cast("T", value)
        if time.monotonic() > deadline:
            raise TimeoutError(f"{message} (waited {seconds:g} s)")
        await asyncio.sleep(PAUSE_SECONDS)


def wait_until(condition: Callable[[], bool], *, seconds: float, message: str) -> None:
    """Poll a sync condition outside an event loop; TimeoutError(message) when it stays false."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{message} (waited {seconds:g} s)")
        time.sleep(PAUSE_SECONDS)
