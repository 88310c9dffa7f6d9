import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.bus import Bus
from chassis.watchdog import Watchdog
from contracts.streams import Stream
from local.nats import NatsServer
from local.waiting import until

WATCHING = """
import asyncio, sys
from chassis.bus import Bus
from chassis.watchdog import Watchdog

async def main():
    bus = Bus(sys.argv[1], name="test")
    await bus.start()
    print("started", flush=True)
    await Watchdog(bus, [(sys.argv[2], "impact")], look_seconds=0.05, patience_seconds=0.5).run()

asyncio.run(main())
"""


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


async def watching_process(url: str, stream: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WATCHING, url, stream, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    assert await process.stdout.readline() == b"started\n"
    return process


async def test_a_durable_that_is_gone_ends_the_process(nats_server: NatsServer, bus: Bus, stream: Stream) -> None:
    process = await watching_process(nats_server.url, stream.name)

    await bus.jetstream.delete_consumer(stream.name, "impact")

    assert await process.wait() == 71


async def test_a_bus_that_stays_away_ends_the_process(nats_server: NatsServer, stream: Stream) -> None:
    process = await watching_process(nats_server.url, stream.name)

    nats_server.kill()

    assert await process.wait() == 70


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
        await until(lambda: watchdog.trouble() == "not connected to the bus")

        nats_server.start()

        await until(lambda: watchdog.trouble() is None)
