"""Watches over pull consumers: one that will hear nothing any more ends its process, for a supervisor to restart."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

import nats.errors
import structlog
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError

from chassis.bus import EXIT_CLOSED, Bus

EXIT_CONSUMER_GONE = 71
LOOK_SECONDS = 3.0
PATIENCE_SECONDS = 30.0
MISSES = 2

log = structlog.get_logger()


@dataclass(slots=True)
class Watched:
    """One durable: since when its acknowledged floor stands still although something waits, None when it moves."""

    stream: str
    durable: str
    floor: int = -1
    stuck_since: float | None = None
    misses: int = 0


class Watchdog:
    """Looks at the connection and at each (stream, durable) every few seconds of real time."""

    def __init__(
        self,
        bus: Bus,
        durables: Sequence[tuple[str, str]],
        *,
        look_seconds: float = LOOK_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._bus = bus
        self._watched = [Watched(stream, durable) for stream, durable in durables]
        self._look_seconds = look_seconds
        self._patience_seconds = patience_seconds
        self._tries = bus.tries
        self._idle_looks = 0

    async def run(self) -> None:
        """Watch until cancelled; end the process with 70 when the client has given up, 71 when a durable is gone.

        While the bus is away and the client tries to reach it, doors stay open: what they take waits in the outbox. A
        client that nobody has needed yet, as where a relay stands by, has nothing to give up.
        """
        while True:
            if self._bus.connected:
                self._idle_looks = 0
                for watched in self._watched:
                    await self._look_at(watched)
            elif self._bus.started and (self._has_given_up() or self._bus.overflows):
                log.critical("bus_given_up", overflows=self._bus.overflows)
                os._exit(EXIT_CLOSED)
            await asyncio.sleep(self._look_seconds)

    def trouble(self) -> str | None:
        """For `/readyz`: None when well, else what is not heard."""
        if not self._bus.connected:
            return "not connected to the bus"
        deaf = [watched.stream for watched in self._watched if self._is_deaf(watched)]
        return f"events wait and none is acknowledged: {', '.join(deaf)}" if deaf else None

    def _is_deaf(self, watched: Watched) -> bool:
        return watched.stuck_since is not None and monotonic() - watched.stuck_since > self._patience_seconds

    def _has_given_up(self) -> bool:
        """Attempts, not nats-py's state: a task that died as it reconnected leaves `is_reconnecting` behind it.

        Looks, not the clock: while the process stood still, nobody could try.
        """
        tried = self._bus.tries != self._tries
        self._tries, self._idle_looks = self._bus.tries, 0 if tried else self._idle_looks + 1
        return self._idle_looks * self._look_seconds > self._patience_seconds

    async def _look_at(self, watched: Watched) -> None:
        try:
            info = await self._bus.jetstream.consumer_info(watched.stream, watched.durable)
        except NotFoundError:
            watched.misses += 1
            if watched.misses >= MISSES:
                log.critical("consumer_gone", stream=watched.stream, durable=watched.durable)
                os._exit(EXIT_CONSUMER_GONE)
        except nats.errors.Error as error:
            log.warning("consumer_not_seen", stream=watched.stream, error=type(error).__name__)
        else:
            _take_note(watched, info)


def _take_note(watched: Watched, info: ConsumerInfo) -> None:
    floor = info.ack_floor.stream_seq if info.ack_floor else 0
    waiting = bool(info.num_pending or info.num_ack_pending)
    moved = floor != watched.floor
    watched.misses, watched.floor = 0, floor
    if moved or not waiting:
        watched.stuck_since = None
    elif watched.stuck_since is None:
        watched.stuck_since = monotonic()
