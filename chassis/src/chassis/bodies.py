"""Only a sane request gets in: JSON by RFC 8259, at most 1 MiB, without what PostgreSQL cannot hold.

Of members with the same name the last one counts, as RFC 8259 lets it: the parser does not tell of the others.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.problems import Fault, Problem, Said, response_of
from chassis.reasons import MOST, NUMBER, pointer_to
from chassis.refusals import unauthorised

MAX_BYTES = 1024 * 1024
JSON_TYPE = re.compile(r"application/([a-z0-9.-]+\+)?json\s*(;.*)?", re.IGNORECASE)
CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\";\s]*)", re.IGNORECASE)
UTF_8 = frozenset({"utf-8", "utf8"})
ONCE = ("Authorization", "Idempotency-Key")
POSITION = re.compile(r"at line (\d+) column (\d+)$")
THE_BODY = Said("Brødteksten", "The body")
NO_NUL = Said("må ikke indeholde NUL-tegn", "must not hold NUL characters")
TWICE = Said("må kun stå én gang", "may stand only once")
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
        elif problem := _problem_with(scope, headers := Headers(scope=scope)):
            await response_of(problem, Request(scope))(scope, receive, send)
        else:
            await self.app(scope, _Checked(scope["method"], headers, receive), send)


def _problem_with(scope: Scope, headers: Headers) -> Problem | None:
    if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
        detail = Said(f"Adressen {NO_NUL.danish}.", f"The address {NO_NUL.english}.")
        return Problem(400, "bad-request", UNREADABLE, detail)
    if repeated := [Fault("header", name, TWICE) for name in ONCE if len(headers.getlist(name)) > 1]:
        detail = Said("En header, der kun må stå én gang, er gentaget.", "A header that may stand once is repeated.")
        return Problem(400, "bad-request", UNREADABLE, detail, faults=repeated)
    return None


class _Checked:
    """An ASGI `receive` that gives the whole body in one message, or raises the Problem with it.

    Every POST needs a token, so without one nothing of the body is read.
    """

    def __init__(self, method: str, headers: Headers, receive: Receive) -> None:
        self.method = method
        self.headers = headers
        self.receive = receive
        self.done = False

    async def __call__(self) -> Message:
        if self.done:
            return await self.receive()
        self.done = True
        if self.method == "POST" and "authorization" not in self.headers:
            raise unauthorised()
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
    if not JSON_TYPE.fullmatch(content_type) or {name.lower() for name in CHARSET.findall(content_type)} - UTF_8:
        wanted = "Content-Type: application/json; charset=utf-8."
        raise Problem(415, "unsupported-media-type", UNSUPPORTED, Said(f"Send {wanted}", f"Send {wanted}"))
    try:
        value = from_json(body, allow_inf_nan=False, cache_strings="none")
    except ValueError as error:
        raise Problem(400, "not-json", UNREADABLE, not_json(str(error))) from None
    if faults := list(unfit(value, ())):
        detail = Said("Brødteksten har værdier, som ikke kan gemmes.", "The body has values that cannot be stored.")
        raise Problem(
            422,
            "invalid-request",
            Said("Forespørgslen er ikke gyldig", "The request is not valid"),
            detail,
            faults[:MOST],
        )


def not_json(message: str, *, what: Said = THE_BODY) -> Said:
    """That something is no JSON, and where, from what the parser says."""
    danish, english = f"{what.danish} er ikke gyldig JSON i UTF-8", f"{what.english} is not valid JSON in UTF-8"
    if found := POSITION.search(message):
        return Said(
            f"{danish} (linje {found[1]}, tegn {found[2]}).", f"{english} (line {found[1]}, column {found[2]})."
        )
    return Said(f"{danish}.", f"{english}.")


def unfit(value: Any, path: tuple[int | str, ...]) -> Iterator[tuple[str, Said]]:
    """Where in a JSON value something is that cannot be stored, and what."""
    if isinstance(value, str) and "\x00" in value:
        yield pointer_to(path), NO_NUL
    elif isinstance(value, float) and not math.isfinite(value):
        yield pointer_to(path), NUMBER
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from unfit(item, (*path, index))
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from unfit(name, path)
            yield from unfit(item, (*path, name))
