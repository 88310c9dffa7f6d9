"""Callers who wait for whoever is away, and ask again."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from time import monotonic
from typing import TypeVar

import httpx
import nats.errors

from local.pipeline import Pipeline

PATIENCE_SECONDS = 90.0
ANSWER_SECONDS = 10.0
PAUSE_SECONDS = 0.05
AWAY = {httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT}

T = TypeVar("T")


class Patient(httpx.AsyncHTTPTransport):
    """A caller who asks again, with the same key, as long as nobody answers or the answer is "not now".

    Any other answer is passed on: to be refused, or told of an internal error, is no part of any fault. All are
    counted in `answers`, by status. Of `doors`, which are ports, it asks one after the other.
    """

    def __init__(self, answers: Counter[int], doors: list[int]) -> None:
        super().__init__()
        self._answers = answers
        self._doors = doors

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request until it is answered; httpx.TransportError after a minute and a half."""
        deadline = monotonic() + PATIENCE_SECONDS
        while True:
            self._doors.append(self._doors.pop(0))
            request.url = request.url.copy_with(port=self._doors[0])
            try:
                answer = await super().handle_async_request(request)
            except httpx.TransportError:
                if monotonic() > deadline:
                    raise
            else:
                self._answers[answer.status_code] += 1
                if answer.status_code not in AWAY or monotonic() > deadline:
                    return answer
                await answer.aclose()
            await asyncio.sleep(PAUSE_SECONDS)


class PatientPipeline(Pipeline):
    """Waits through losses of the bus too."""

    async def over(self, day: date, *, payroll: bool) -> None:
        """Return when the pool has heard all of a day."""
        await _patiently(partial(super().over, day, payroll=payroll))

    async def counted(self) -> None:
        """Return when impact has everything."""
        await _patiently(super().counted)


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    deadline = monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await ask()
        except nats.errors.Error:
            if monotonic() > deadline:
                raise
            await asyncio.sleep(PAUSE_SECONDS)
