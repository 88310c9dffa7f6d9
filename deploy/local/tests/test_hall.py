"""What a municipality's callers do when a connection is lost."""

import asyncio

import httpx

from local.hall import AskingAgain
from local.processes import LOOPBACK, free_ports

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


async def test_a_request_whose_connection_closes_unanswered_is_sent_again_as_it_was() -> None:
    received: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.readuntil(b"}"))
        if len(received) > 1:
            writer.write(ANSWER)
            await writer.drain()
        writer.close()

    (port,) = free_ports(1)
    server = await asyncio.start_server(answer, LOOPBACK, port)
    async with server, httpx.AsyncClient(transport=AskingAgain()) as client:
        told = await client.post(f"http://{LOOPBACK}:{port}/", json={"a": 1}, headers={"Idempotency-Key": "one"})

    assert told.text == "ok"
    assert received[0] == received[1]
    assert b"one" in received[0]
