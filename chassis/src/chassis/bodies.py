"""Only a sane request gets in: JSON by RFC 8259, at most 1 MiB, without what PostgreSQL cannot hold."""

import math
import re
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.problems import Problem, Said, response_of
from chassis.reasons import MOST, NUMBER, pointer_to

MAX_BYTES = 1024 * 1024
JSON_TYPE = re.compile(r"application/([a-z0-9.-]+\+)?json\s*(;.*)?", re.IGNORECASE)
POSITION = re.compile(r"at line (\d+) column (\d+)$")
NO_NUL = Said("må ikke indeholde NUL-tegn", "must not hold NUL characters")
AT_MOST = Said("Brødteksten må højst fylde 1 MiB.", "The body may be at most 1 MiB.")
TOO_LARGE = Said("Forespørgslen er for stor", "The request is too large")
UNREADABLE = Said("Forespørgslen kan ikke læses", "The request cannot be read")
UNSUPPORTED = Said("Indholdstypen forstås ikke", "The content type is not supported")


class SaneRequests:
    """ASGI middleware that checks a body when, and only when, the application reads it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, its body behind the check."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            problem = Problem(
                400, "bad-request", UNREADABLE, Said(f"Adressen {NO_NUL.danish}.", f"The address {NO_NUL.english}.")
            )
            await response_of(problem, Request(scope))(scope, receive, send)
        else:
            await self.app(scope, _Checked(Headers(scope=scope), receive), send)


class _Checked:
    """An ASGI `receive` that gives the whole body in one message, or raises the Problem with it."""

    def __init__(self, headers: Headers, receive: Receive) -> None:
        self.headers = headers
        self.receive = receive
        self.done = False

    async def __call__(self) -> Message:
        if self.done:
            return await self.receive()
        self.done = True
        body = bytearray()
        more = True
        while more:
            message = await self.receive()
            if message["type"] != "http.request":
                return message
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MAX_BYTES:
                raise Problem(413, "too-large", TOO_LARGE, AT_MOST)
        if body:
            check(self.headers.get("content-type", ""), bytes(body))
        return {"type": "http.request", "body": bytes(body), "more_body": False}


def check(content_type: str, body: bytes) -> None:
    """Raise the Problem with a body: not JSON by name (415) or in fact (400), or values that do not fit (422)."""
    if not JSON_TYPE.fullmatch(content_type):
        wanted = "Content-Type: application/json."
        raise Problem(415, "unsupported-media-type", UNSUPPORTED, Said(f"Send {wanted}", f"Send {wanted}"))
    try:
        value = from_json(body, allow_inf_nan=False, cache_strings="none")
    except ValueError as error:
        raise Problem(400, "not-json", UNREADABLE, _not_json(str(error))) from None
    if unfit := list(_unfit(value, ())):
        detail = Said("Brødteksten har værdier, som ikke kan gemmes.", "The body has values that cannot be stored.")
        raise Problem(
            422,
            "invalid-request",
            Said("Forespørgslen er ikke gyldig", "The request is not valid"),
            detail,
            unfit[:MOST],
        )


def _not_json(message: str) -> Said:
    danish, english = "Brødteksten er ikke gyldig JSON i UTF-8", "The body is not valid JSON in UTF-8"
    if found := POSITION.search(message):
        return Said(
            f"{danish} (linje {found[1]}, tegn {found[2]}).", f"{english} (line {found[1]}, column {found[2]})."
        )
    return Said(f"{danish}.", f"{english}.")


def _unfit(value: Any, path: tuple[int | str, ...]) -> Iterator[tuple[str, Said]]:
    if isinstance(value, str) and "\x00" in value:
        yield pointer_to(path), NO_NUL
    elif isinstance(value, float) and not math.isfinite(value):
        yield pointer_to(path), NUMBER
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unfit(item, (*path, index))
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _unfit(name, path)
            yield from _unfit(item, (*path, name))
