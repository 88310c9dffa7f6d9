"""Every request is counted and timed, and logged by its route under a request id; no failure reaches the caller raw."""

import re
import time
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.metrics import RequestMetrics
from chassis.problems import response_of
from chassis.refusals import unexpected

REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
TRACE_PARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
READS = frozenset({"GET", "HEAD", "OPTIONS"})
METHODS = READS | {"POST", "PUT", "PATCH", "DELETE"}
PROBES = frozenset({"/livez", "/readyz", "/metrics"})
NO_ROUTE = "none"

log = structlog.get_logger()


class Observed:
    """ASGI middleware around everything else."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, and tell that it was answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        context = _context(Headers(scope=scope))
        answer = _Answer(send, context["request_id"])
        began = time.perf_counter()
        with structlog.contextvars.bound_contextvars(**context):
            try:
                await self.app(scope, receive, answer)
            except Exception:
                log.exception("request_failed")
                if not answer.status:
                    await response_of(unexpected(), Request(scope))(scope, receive, answer)
            finally:
                self._tell(scope, answer.status, time.perf_counter() - began)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = getattr(scope.get("route"), "path", NO_ROUTE)
        kind = "probe" if route in PROBES else "read" if method in READS else "write"
        self.metrics.observe(kind=kind, status=status, seconds=seconds)
        if kind != "probe":
            log.info(
                "request_answered", method=method, route=route, status=status, milliseconds=round(seconds * 1000, 1)
            )


class _Answer:
    """An ASGI `send` that notes the status and names the request."""

    def __init__(self, send: Send, request_id: str) -> None:
        self.send = send
        self.request_id = request_id
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)["x-request-id"] = self.request_id
        await self.send(message)


def _context(headers: Headers) -> dict[str, str]:
    asked = headers.get("x-request-id", "")
    context = {"request_id": asked if REQUEST_ID.fullmatch(asked) else uuid4().hex}
    trace = headers.get("traceparent", "")
    return context | ({"traceparent": trace} if TRACE_PARENT.fullmatch(trace) else {})
