"""A network that can be bad: a TCP proxy that delays, loses either direction, resets, or swallows an answer."""

import asyncio
import re
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum

from local.processes import LOOPBACK, free_ports

CHUNK = 65_536
# How a client of PostgreSQL, or of NATS, introduces itself.
NAME = re.compile(rb'application_name\x00([^\x00]+)|"name":\s*"([^"]+)"')
# Closing with data unread, or with no time to linger, sends RST in place of FIN.
AT_ONCE = struct.pack("ii", 1, 0)


class Direction(StrEnum):
    """What goes to the server, and what comes from it."""

    QUESTIONS = "questions to"
    ANSWERS = "answers of"


@dataclass(slots=True, eq=False)
class _Line:
    """One connection that is passed on; what its far end says after `deaf` is lost. `name` is how the client says."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    deaf: bool = False
    name: str = ""

    def reset(self) -> None:
        """Break it, so that both ends are told at once."""
        for end in (self.near, self.far):
            if (sock := end.get_extra_info("socket")) is not None:
                with suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            end.transport.abort()


@dataclass(slots=True)
class Proxy:
    """Stands before a server; `delay` is in seconds and for each direction, and all is `lost` that goes in that one.

    `swallowed` counts, by the client's name, the answers that were kept from whoever had asked.
    """

    server_port: int
    port: int
    delay: float = 0
    lost: Direction | None = None
    swallowed: Counter[str] = field(default_factory=Counter)
    _question: bytes = b""
    _answer: bytes = b""
    _to_swallow: Counter[str] = field(default_factory=Counter)
    _lines: set[_Line] = field(default_factory=set)

    def reset(self) -> None:
        """Break every connection that there is."""
        for line in [*self._lines]:
            line.reset()

    def swallow(self, question: bytes, answer: bytes, *, times: Mapping[str, int]) -> None:
        """Pass the next questions that contain this, by client, and lose this answer and the line: none knows of it."""
        self._question, self._answer, self._to_swallow = question, answer, Counter(times)

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
            asyncio.create_task(self._passes(line, near_in)),
            asyncio.create_task(self._returns(line, far_in)),
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

    async def _passes(self, line: _Line, source: asyncio.StreamReader) -> None:
        while data := await source.read(CHUNK):
            await asyncio.sleep(self.delay)
            if not line.name and (told := NAME.search(data)):
                line.name = (told[1] or told[2]).decode()
            if self._to_swallow[line.name] > 0 and self._question in data:
                self._to_swallow[line.name] -= 1
                line.deaf = True
            if self.lost != Direction.QUESTIONS:
                await _pass_on(line.far, data)

    async def _returns(self, line: _Line, source: asyncio.StreamReader) -> None:
        while data := await source.read(CHUNK):
            await asyncio.sleep(self.delay)
            if not line.deaf:
                if self.lost != Direction.ANSWERS:
                    await _pass_on(line.near, data)
            elif self._answer in data:
                # The question had its effect, and nobody will learn of it.
                self.swallowed[line.name] += 1
                line.reset()
                return


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
