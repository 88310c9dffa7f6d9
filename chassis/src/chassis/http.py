"""The HTTP doors of every service: built one way, so that no input of a caller ends in a traceback or a 5xx."""

import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CollectorRegistry, ProcessCollector
from pydantic import BaseModel, Field
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse

from chassis import openapi, refusals, tokens
from chassis.bodies import SaneRequests
from chassis.calendar import Calendar
from chassis.database import ACQUIRE_SECONDS, Connection, Pool
from chassis.health import WELL, Health
from chassis.idempotency import Answer, forget_old, once
from chassis.metrics import CONTENT_TYPE, Collector, RequestMetrics, expose
from chassis.observed import Observed
from chassis.settings import ServiceSettings
from chassis.tasks import background
from chassis.tokens import Principal
from contracts import asyncapi

KEY = re.compile(r"[\x20-\x7e]{1,128}")

bearer = HTTPBearer(auto_error=False, description="A token from `kraftcenter tokens issue`.")
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def build_api(  # noqa: PLR0913 - the one place where a service's parts come together
    *,
    title: str,
    version: str,
    settings: ServiceSettings,
    calendar: Calendar,
    lifespan: Lifespan,
    routers: Sequence[APIRouter],
    health: Health,
    registry: CollectorRegistry,
    collectors: Sequence[Collector] = (),
    service: str | None = None,
) -> FastAPI:
    """A service's ASGI application; its lifespan puts the database pool into `app.state.pool`.

    `/metrics` shows the registry, what the process uses, and what the collectors give at that moment; `/asyncapi.json`
    shows the events that the service of this name sends and receives.
    """
    app = FastAPI(
        title=title,
        version=version,
        lifespan=_forgetting(lifespan),
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        middleware=[Middleware(Observed, metrics=RequestMetrics(registry)), Middleware(SaneRequests)],
        exception_handlers=refusals.HANDLERS,
    )
    ProcessCollector(registry=registry)
    app.state.settings = settings
    app.state.calendar = calendar
    own = [_technical(health, registry, collectors), *([_events(service)] if service else [])]
    # Taken as they are: to include a router would build each of its doors a second time.
    for router in (*own, *routers):
        app.router.routes.extend(router.routes)
    openapi.describe(app)
    return app


def _forgetting(lifespan: Lifespan) -> Lifespan:
    """The service's lifespan, and within it the task that old answers need."""

    @asynccontextmanager
    async def whole(app: FastAPI) -> AsyncIterator[None]:
        async with lifespan(app), background(forget_old_answers=forget_old(app.state.pool)):
            yield

    return whole


class Alive(BaseModel):
    """What a process says of itself."""

    status: str = Field(description="ok or unwell")


class Ready(Alive):
    """What it says of all that it needs."""

    checks: dict[str, str] = Field(description="ok, or what is not well, by what was looked at.")


def _technical(health: Health, registry: CollectorRegistry, collectors: Sequence[Collector]) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/livez")
    async def livez() -> Alive:
        """Whether the process answers at all."""
        return Alive(status=WELL)

    @router.get("/readyz", responses={503: {"model": Ready, "description": "It is not, and why."}})
    async def readyz(response: Response) -> Ready:
        """Whether the service can do its work just now."""
        checks = await health.ask()
        well = all(answer == WELL for answer in checks.values())
        response.status_code = 200 if well else 503
        return Ready(status=WELL if well else "unwell", checks=checks)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Metrics in the text format of Prometheus."""
        return Response(await expose(registry, collectors), media_type=CONTENT_TYPE)

    return router


def _events(service: str) -> APIRouter:
    router = APIRouter(tags=["operations"])
    described = cache(partial(asyncapi.document, service))

    # Not async: FastAPI lets it run beside the loop, for the first document takes a while.
    @router.get("/asyncapi.json")
    def asyncapi_json() -> dict[str, Any]:
        """Which events the service sends and receives, as an AsyncAPI 3 document."""
        return described()

    return router


@dataclass(frozen=True, slots=True)
class Door:
    """An admitted request: who asks, and what the service answers with. Without a token the principal has no scopes."""

    request: Request
    principal: Principal

    @property
    def pool(self) -> Pool:
        """The service's database."""
        pool: Pool = self.request.app.state.pool
        return pool

    @property
    def calendar(self) -> Calendar:
        """The service's calendar."""
        calendar: Calendar = self.request.app.state.calendar
        return calendar

    @property
    def municipality(self) -> str:
        """The municipality that the service serves."""
        settings: ServiceSettings = self.request.app.state.settings
        return settings.municipality

    async def perform(self, body: BaseModel, use_case: Callable[[Connection], Awaitable[Answer]]) -> Response:
        """Run a use case once per Idempotency-Key, in one transaction that also keeps its answer."""
        key = self.request.headers["idempotency-key"]
        async with self.pool.acquire(timeout=ACQUIRE_SECONDS) as db, db.transaction():
            answer = await once(
                db,
                principal=self.principal,
                key=key,
                request_fingerprint=self._fingerprint(body),
                now=datetime.now(UTC),
                action=lambda: use_case(db),
            )
        headers = {"idempotency-replayed": "true"} if answer.replayed else {}
        if answer.location:
            headers["location"] = answer.location
        return Response(answer.body, answer.status, headers, "application/json")

    def _fingerprint(self, body: BaseModel) -> bytes:
        # The validated body in its model's order: white space and order of members make no other request.
        said = body.model_dump_json(exclude_unset=True)
        return hashlib.sha256(f"{self.request.method} {self.request.url.path}\n{said}".encode()).digest()


def door(scope: str | None = None) -> Callable[..., Awaitable[Door]]:
    """A FastAPI dependency that admits a token with this scope for a municipality served here; without a scope, anyone.

    A token that is given must be good in any case. A POST must carry an Idempotency-Key.
    """
    # FastAPI checks no scope; it tells the document of it.
    asked = Security(bearer, scopes=[scope] if scope else [])

    async def admit(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, asked]) -> Door:
        settings: ServiceSettings = request.app.state.settings
        if scope is None and "authorization" not in request.headers:
            return Door(request, Principal("anonymous", settings.municipality, frozenset()))
        principal = await _principal(request, credentials)
        if principal.municipality not in settings.serves:
            raise refusals.other_municipality()
        if scope and not principal.may(scope):
            raise refusals.missing_scope(scope)
        if request.method == "POST" and not KEY.fullmatch(request.headers.get("idempotency-key", "")):
            raise refusals.no_key()
        return Door(request, principal)

    return admit


async def _principal(request: Request, credentials: HTTPAuthorizationCredentials | None) -> Principal:
    if credentials is None:
        raise refusals.unauthorised(given="authorization" in request.headers)
    async with request.app.state.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        # Whether a token has expired is a matter of real time, whatever day the calendar says it is.
        principal = await tokens.principal_of(db, credentials.credentials, now=datetime.now(UTC))
    if principal is None:
        raise refusals.unauthorised(given=True)
    return principal
