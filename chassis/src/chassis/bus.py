"""The connection to NATS: it reconnects for ever, and when it cannot any more the process ends, never lives on deaf."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import nats.errors
import structlog
from faststream.nats import NatsBroker
from nats.aio.client import DEFAULT_PENDING_SIZE, Client
from nats.js import JetStreamContext

EXIT_CLOSED = 70
REQUEST_SECONDS = 5.0
RECONNECT_SECONDS = 1
PING_SECONDS = 10
SILENT_PINGS = 2
DRAIN_SECONDS = 20
CLOSE_SECONDS = 2
# FastStream begins a pull loop anew that failed, without a pause: with a full buffer it would do nothing else.
NEARLY_FULL_BYTES = DEFAULT_PENDING_SIZE - 64 * 1024

log = structlog.get_logger()


class BusUnreachable(Exception):
    """NATS does not do what a job needs; the text says where and why, without a password."""


class Bus:
    """A FastStream broker, and JetStream on the connection that it owns; `name` is the service's.

    `losses` counts how often the connection was lost: the server that comes back may hold less than it did.
    `tries` counts those losses and each attempt to connect that failed.
    """

    def __init__(self, url: str, *, name: str) -> None:
        # nats-py's own pull subscriptions and FastStream's need the prefix once more, in this form.
        self.inbox_prefix = f"_INBOX_{name}.".encode()
        self.broker = NatsBroker(
            url,
            name=name,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_SECONDS,
            ping_interval=PING_SECONDS,
            max_outstanding_pings=SILENT_PINGS,
            closed_cb=self._end_process,
            disconnected_cb=self._tell_disconnected,
            graceful_timeout=DRAIN_SECONDS,
            inbox_prefix=f"_INBOX_{name}",
            logger=None,
        )
        # FastStream's own callback raises, which ends nats-py's reconnecting for good after an authorization error.
        self.broker._connection_kwargs["error_cb"] = self._tell_error  # noqa: SLF001 - there is no public way
        self._jetstream: JetStreamContext | None = None
        self._starting = asyncio.Lock()
        self._stopping = False
        self.losses = 0
        self.tries = 0

    async def start(self) -> None:
        """Connect, however long it takes, and start the broker's subscribers; once started, do nothing."""
        async with self._starting:
            if not self._jetstream:
                await self.broker.start()
                self._jetstream = self.broker.connection.jetstream(timeout=REQUEST_SECONDS)

    async def stop(self) -> None:
        """Let running handlers finish, and leave."""
        self._stopping = True
        try:
            await self.broker.stop()
        except nats.errors.Error:
            # A connection that is down just now cannot be drained.
            await self.broker.connection.close()

    @property
    def jetstream(self) -> JetStreamContext:
        """JetStream, once started."""
        if not self._jetstream:
            raise nats.errors.ConnectionClosedError
        return self._jetstream

    @property
    def started(self) -> bool:
        """Whether the connection was ever up."""
        return self._jetstream is not None

    @property
    def connected(self) -> bool:
        """Whether the connection is up just now."""
        return self.started and self.broker.connection.is_connected

    @property
    def overflows(self) -> bool:
        """Whether so much waits for the connection that the client soon takes no more: after hours without a server."""
        return self.started and self.broker.connection.pending_data_size > NEARLY_FULL_BYTES

    async def _end_process(self) -> None:
        if not self._stopping:
            log.critical("bus_closed")
            # FastStream's pull loops starve the event loop on a closed connection: nothing gentler would be heard.
            os._exit(EXIT_CLOSED)

    async def _tell_disconnected(self) -> None:
        self.losses += 1
        self.tries += 1
        if not self._stopping:
            log.warning("bus_disconnected")

    async def _tell_error(self, error: Exception) -> None:
        # nats-py tells of every attempt to connect that failed, the first ones too.
        self.tries += 1
        log.warning("bus_error", error=type(error).__name__)


@asynccontextmanager
async def short_job(url: str) -> AsyncIterator[JetStreamContext]:
    """JetStream for a job that is over soon, and better told within seconds that it fails. Raises BusUnreachable."""
    client = Client()
    try:
        # A second attempt and no wait are the least that nats-py can be told: its zero attempts mean for ever.
        await client.connect(
            url, allow_reconnect=False, max_reconnect_attempts=1, reconnect_time_wait=0, error_cb=_raised_as_well
        )
        yield client.jetstream(timeout=REQUEST_SECONDS)
    except (OSError, TimeoutError, nats.errors.Error) as error:
        place = urlsplit(url).netloc.rpartition("@")[2]
        reason = str(error) or type(error).__name__
        raise BusUnreachable(f"NATS at {place} does not answer as it should: {reason}") from None
    finally:
        # nats-py waits for ever for the end of a connection whose TLS handshake was given up.
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await client.close()


async def _raised_as_well(_error: Exception) -> None:
    """Keep nats-py from logging a traceback of what it raises."""
