"""A network that can be bad: a TCP proxy that delays, loses one direction, resets, or swallows an answer."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from local.processes import LOOPBACK, free_ports

CHUNK = 65_536
# Closing with data unread, or with no time to linger, sends RST in place of FIN.
AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(slots=True, eq=False)
class _Line:
    """One connection that is passed on; what its far end says after `deaf` is lost."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    deaf: bool = False

    def reset(self) -> None:
        """Break it, so that both ends are told at once."""
        for end in (self.near, self.far):
            if (sock := end.get_extra_info("socket")) is not None:
                with suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            end.transport.abort()


@dataclass(slots=True)
class Proxy:
    """Stands before a server; `delay` is in seconds and for each direction, and whoever is `cut` hears nothing more.

    `swallowed` counts the answers that were kept from whoever had asked.
    """

    server_port: int
    port: int
    delay: float = 0
    cut: bool = False
    swallowed: int = 0
    _question: bytes = b""
    _to_swallow: int = 0
    _lines: set[_Line] = field(default_factory=set)

    def reset(self) -> None:
        """Break every connection that there is."""
        for line in [*self._lines]:
            line.reset()

    def swallow(self, question: bytes, *, times: int) -> None:
        """Pass the next questions that contain this, and lose their answers and the connection, so that none knows."""
        self._question, self._to_swallow = question, times

    async def serve(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        """Pass one connection on until either end closes it."""
        try:
            far_in, far_out = await asyncio.open_connection(LOOPBACK, self.server_port)
        except OSError:
            near_out.transport.abort()
            return
        line = _Line(near_out, far_out)
        self._lines.add(line)
        passing = [
            asyncio.create_task(self._ask(line, near_in)),
            asyncio.create_task(self._answer(line, far_in)),
        ]
        try:
            await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._lines.discard(line)
            for task in passing:
                task.cancel()
            await asyncio.gather(*passing, return_exceptions=True)
            for end in (near_out, far_out):
                end.close()

    async def _ask(self, line: _Line, source: asyncio.StreamReader) -> None:
        while data := await source.read(CHUNK):
            await asyncio.sleep(self.delay)
            if self._to_swallow and self._question in data:
                self._to_swallow -= 1
                line.deaf = True
            await _pass_on(line.far, data)

    async def _answer(self, line: _Line, source: asyncio.StreamReader) -> None:
        while data := await source.read(CHUNK):
            await asyncio.sleep(self.delay)
            if line.deaf:
                # The server has answered, so the question had its effect; nobody will learn of it.
                self.swallowed += 1
                line.reset()
                return
            if not self.cut:
                await _pass_on(line.near, data)


async def _pass_on(to: asyncio.StreamWriter, data: bytes) -> None:
    to.write(data)
    await to.drain()


@asynccontextmanager
async def proxy_to(server_port: int) -> AsyncIterator[Proxy]:
    """A proxy on a free loopback port, until the block ends."""
    proxy = Proxy(server_port, free_ports(1)[0])

    async def passed(near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.CancelledError):
            await proxy.serve(near_in, near_out)

    server = await asyncio.start_server(passed, LOOPBACK, proxy.port)
    try:
        yield proxy
    finally:
        server.close()
        proxy.reset()
