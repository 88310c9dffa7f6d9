import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import pytest

from chassis.bus import Bus
from chassis.watchdog import Watchdog
from contracts.streams import Stream
from local.nats import NatsServer
from local.waiting import until

# More than one attempt to connect may take.
PATIENCE_SECONDS = 3.0
AWAY = "not connected to the bus"

WATCHING = f"""
import asyncio, structlog, sys
from nats.errors import OutboundBufferLimitError
from chassis import bus as connections
from chassis.watchdog import Watchdog

connections.RECONNECT_SECONDS = 0.05
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))

async def as_faststream_has_it(error):
    raise error

async def fill(client):
    try:
        while True:
            await client.publish("void", bytes(50_000))
    except OutboundBufferLimitError:
        pass

async def main():
    bus = connections.Bus(sys.argv[1], name="test")
    watchdog = Watchdog(bus, [(sys.argv[2], "impact")], look_seconds=0.05, patience_seconds={PATIENCE_SECONDS})
    tasks = [asyncio.create_task(bus.start()), asyncio.create_task(watchdog.run())]
    while asked := await asyncio.to_thread(sys.stdin.readline):
        if asked == "give up\\n":
            bus.broker.connection._error_cb = as_faststream_has_it
        elif asked == "fill\\n":
            await fill(bus.broker.connection)
        print(watchdog.trouble(), flush=True)

asyncio.run(main())
"""


class Process:
    """One that watches, and says its trouble whenever it is asked; all it is told to do is answered so as well."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def told(self, what: str) -> str:
        """What troubles it after that; nothing at all once it has ended."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{what}\n".encode())
        return (await self._process.stdout.readline()).decode().strip()

    async def trouble(self) -> str | None:
        """What troubles it; AssertionError when it has ended."""
        answer = await self.told("trouble")
        assert answer, "the process has ended"
        return None if answer == "None" else answer

    async def is_well(self) -> bool:
        """Whether nothing troubles it."""
        return await self.trouble() is None

    async def is_away(self) -> bool:
        """Whether it has no bus."""
        return await self.trouble() == AWAY

    async def ended(self) -> int:
        """Its exit code."""
        async with asyncio.timeout(10):
            return await self._process.wait()


@asynccontextmanager
async def watching_process(url: str, stream: str) -> AsyncIterator[Process]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WATCHING, url, stream, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def watching(bus: Bus, stream: Stream, *, patience_seconds: float) -> AsyncIterator[Watchdog]:
    durables = [(stream.name, durable) for durable in stream.durables]
    watchdog = Watchdog(bus, durables, look_seconds=0.02, patience_seconds=patience_seconds)
    task = asyncio.create_task(watchdog.run())
    try:
        yield watchdog
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_durable_that_is_gone_ends_the_process(nats_server: NatsServer, bus: Bus, stream: Stream) -> None:
    async with watching_process(nats_server.url, stream.name) as process:
        await until(process.is_well)

        await bus.jetstream.delete_consumer(stream.name, "impact")

        assert await process.ended() == 71


async def test_a_process_outlives_a_bus_that_is_away_for_longer_than_its_patience(
    nats_server: NatsServer, stream: Stream
) -> None:
    async with watching_process(nats_server.url, stream.name) as process:
        await until(process.is_well)

        nats_server.kill()
        await until(process.is_away)
        await its_patience_is_over()
        assert await process.trouble() == AWAY

        nats_server.start()
        await until(process.is_well)


async def test_a_process_that_begins_without_a_bus_waits_for_it(nats_server: NatsServer, stream: Stream) -> None:
    nats_server.stop()
    async with watching_process(nats_server.url, stream.name) as process:
        await until(process.is_away)
        await its_patience_is_over()
        assert await process.trouble() == AWAY

        nats_server.start()
        await until(process.is_well)


async def its_patience_is_over() -> None:
    begun = monotonic()
    await until(lambda: monotonic() - begun > 2 * PATIENCE_SECONDS, seconds=60)


@pytest.mark.parametrize("trouble", ["give up", "fill"])
async def test_a_client_that_has_given_up_or_could_soon_send_no_more_ends_the_process(
    nats_server: NatsServer, stream: Stream, trouble: str
) -> None:
    """Though its state says that it reconnects."""
    async with watching_process(nats_server.url, stream.name) as process:
        await until(process.is_well)
        nats_server.kill()
        await until(process.is_away)

        await process.told(trouble)

        assert await process.ended() == 70


async def test_events_that_wait_without_progress_are_trouble_until_they_are_acknowledged(
    bus: Bus, stream: Stream
) -> None:
    async with watching(bus, stream, patience_seconds=0.1) as watchdog:
        assert watchdog.trouble() is None
        await bus.jetstream.publish(stream.subjects.replace(">", "a.b.v1"), b"{}")
        await until(lambda: watchdog.trouble() == f"events wait and none is acknowledged: {stream.name}")

        reader = await bus.jetstream.pull_subscribe_bind("impact", stream.name)
        for message in await reader.fetch(1):
            await message.ack()

        await until(lambda: watchdog.trouble() is None)


async def test_a_bus_that_is_away_for_a_moment_is_trouble_for_that_moment(
    bus: Bus, stream: Stream, nats_server: NatsServer
) -> None:
    async with watching(bus, stream, patience_seconds=60) as watchdog:
        nats_server.kill()
        await until(lambda: watchdog.trouble() == AWAY)

        nats_server.start()

        await until(lambda: watchdog.trouble() is None)
