"""A caller that costs little: one connection kept open, one request at a time, nothing but what the bench sends."""

import asyncio
import json
from typing import Any

JSON = "application/json"
ANSWER_SECONDS = 60


class NotTaken(Exception):
    """A door did not take a command; the text is its answer."""


class Caller:
    """Posts commands to one service over one connection."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a command. Raises NotTaken."""
        content = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._token}\r\n"
            f"Idempotency-Key: {key}\r\nContent-Type: {JSON}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        request = head.encode() + content
        try:
            return await self._asked(request)
        except (asyncio.IncompleteReadError, ConnectionError):
            # The service closes what was idle for a while; a command is done once, however often it comes.
            self.close()
            return await self._asked(request)

    async def _asked(self, request: bytes) -> dict[str, Any]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(request)
        async with asyncio.timeout(ANSWER_SECONDS):
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
            [length] = [int(line.split(":")[1]) for line in lines if line.startswith("content-length:")]
            answer = await reader.readexactly(length)
        if " 201 " not in lines[0]:
            raise NotTaken(answer.decode())
        taken: dict[str, Any] = json.loads(answer)
        return taken

    def close(self) -> None:
        """Hang up."""
        if self._streams:
            self._streams[1].close()
            self._streams = None
