import asyncio
import sys

import httpx
import pytest
from nats.errors import ConnectionClosedError

from chassis.bus import Bus, BusUnreachable, short_job
from local.nats import NatsServer
from local.waiting import until

NOBODY_THERE = "nats://u:hunter2@127.0.0.1:1"

CLOSED_FROM_OUTSIDE = """
import asyncio, sys
from chassis.bus import Bus

async def main():
    bus = Bus(sys.argv[1], name="test")
    await bus.start()
    if sys.argv[2] == "stop":
        await bus.stop()
    else:
        await bus.broker.connection.close()
    print("lived on")

asyncio.run(main())
"""


async def exit_of(url: str, how: str) -> tuple[int | None, bytes]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CLOSED_FROM_OUTSIDE, url, how, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return process.returncode, output


async def test_a_short_job_leaves_no_connection(nats_server: NatsServer) -> None:
    async with short_job(nats_server.url) as jetstream:
        await jetstream.account_info()

    assert await connections(nats_server) == 0


async def connections(server: NatsServer) -> int:
    async with httpx.AsyncClient(base_url=server.monitor_url) as monitor:
        return int((await monitor.get("/connz")).json()["num_connections"])


async def test_a_short_job_without_a_server_is_told_at_once_and_without_the_password() -> None:
    async with asyncio.timeout(3):
        with pytest.raises(BusUnreachable, match=r"^NATS at 127\.0\.0\.1:1 does not answer") as told:
            async with short_job(NOBODY_THERE):
                pass

    assert "hunter2" not in str(told.value)


async def test_a_short_job_does_not_wait_for_a_server_that_says_nothing() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(10):
            with pytest.raises(BusUnreachable):
                async with short_job(f"nats://127.0.0.1:{port}"):
                    pass


async def test_a_short_job_does_not_wait_for_a_server_that_never_finishes_its_tls_handshake() -> None:
    async def promise_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x","tls_required":true,"max_payload":1000,"headers":true}\r\n')
        await reader.read()
        writer.close()

    async with await asyncio.start_server(promise_tls, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(10):
            with pytest.raises(BusUnreachable, match=r"does not answer as it should: \w+"):
                async with short_job(f"nats://127.0.0.1:{port}"):
                    pass


async def test_a_reason_without_words_is_told_by_its_name(nats_server: NatsServer) -> None:
    with pytest.raises(BusUnreachable, match="does not answer as it should: TimeoutError"):
        async with short_job(nats_server.url):
            raise TimeoutError


async def test_what_the_server_refuses_a_short_job_is_told(nats_server: NatsServer) -> None:
    with pytest.raises(BusUnreachable, match="stream not found"):
        async with short_job(nats_server.url) as jetstream:
            await jetstream.stream_info("NONE")


async def test_a_closed_connection_ends_the_process(nats_server: NatsServer) -> None:
    code, output = await exit_of(nats_server.url, "close")

    assert code == 70
    assert b"lived on" not in output


async def test_a_stop_does_not(nats_server: NatsServer) -> None:
    code, output = await exit_of(nats_server.url, "stop")

    assert code == 0
    assert b"lived on" in output


async def test_it_waits_for_a_server_that_comes_later(nats_server: NatsServer) -> None:
    nats_server.stop()
    bus = Bus(nats_server.url, name="test")
    starting = [asyncio.create_task(bus.start()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not bus.connected
    with pytest.raises(ConnectionClosedError):
        _ = bus.jetstream

    nats_server.start()
    await asyncio.gather(*starting)

    assert bus.connected
    await bus.jetstream.account_info()
    await bus.stop()


async def test_it_reconnects_when_the_server_comes_back(bus: Bus, nats_server: NatsServer) -> None:
    nats_server.kill()
    await until(lambda: not bus.connected)

    nats_server.start()

    await until(lambda: bus.connected)
    await bus.jetstream.account_info()


# nats-py leaves the refused socket to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_it_reconnects_after_the_server_refused_it(
    bus: Bus, nats_server: NatsServer, refusals: list[str]
) -> None:
    nats_server.stop()
    strict = StrictNatsServer(nats_server.folder, port=nats_server.port, monitor_port=nats_server.monitor_port)
    strict.start()
    await until(lambda: refusals)
    strict.stop()

    nats_server.start()

    await until(lambda: bus.connected)


class StrictNatsServer(NatsServer):
    def _config(self) -> str:
        return super()._config() + 'authorization { token: "of another" }\n'


@pytest.fixture
def refusals(bus: Bus) -> list[str]:
    seen: list[str] = []
    tell = bus.broker._connection_kwargs["error_cb"]  # noqa: SLF001 - watches the very callback in use

    async def note(error: Exception) -> None:
        if "authorization" in str(error).lower():
            seen.append(str(error))
        await tell(error)

    bus.broker.connection._error_cb = note  # noqa: SLF001
    return seen


async def test_it_stops_while_the_server_is_away(nats_server: NatsServer) -> None:
    bus = Bus(nats_server.url, name="test")
    await bus.start()
    nats_server.kill()
    await until(lambda: not bus.connected)

    await bus.stop()

    assert not bus.connected


async def test_a_start_that_was_given_up_leaves_nothing_behind(nats_server: NatsServer) -> None:
    nats_server.stop()
    bus = Bus(nats_server.url, name="test")
    starting = asyncio.create_task(bus.start())
    done, _ = await asyncio.wait([starting], timeout=0.1)
    assert not done

    starting.cancel()
    await asyncio.wait([starting])
    await bus.stop()

    assert not bus.connected
