"""The problems that the doors answer with by themselves, and which of them each exception becomes."""

from http import HTTPMethod, HTTPStatus
from typing import Any

import asyncpg
import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from chassis.database import UNAVAILABLE
from chassis.problems import Fault, Problem, Said, response_of
from chassis.reasons import faults_of

log = structlog.get_logger()

REALM = 'Bearer realm="kraftcenter"'
INVALID = Said("Forespørgslen er ikke gyldig", "The request is not valid")
SEE_ERRORS = Said("Ret fejlene i `errors` og send igen.", "Correct what `errors` tells and send again.")
NO_ACCESS = Said("Ingen adgang", "No access")

OF_FRAMEWORK: dict[int, tuple[Said, Said]] = {
    400: (
        Said("Forespørgslen kan ikke læses", "The request cannot be read"),
        Said("Brødteksten kan ikke læses som JSON.", "The body cannot be read as JSON."),
    ),
    404: (
        Said("Findes ikke", "Not found"),
        Said("Der er intet på denne adresse.", "There is nothing at this address."),
    ),
    405: (
        Said("Metoden er ikke tilladt her", "The method is not allowed here"),
        Said("Se de tilladte metoder i headeren Allow.", "See the methods that are allowed in the header Allow."),
    ),
}


def unauthorised(*, given: bool = False) -> Problem:
    """No token, or one that is unknown, expired or revoked."""
    detail = Said("Send et gyldigt token: Authorization: Bearer ….", "Send a valid token: Authorization: Bearer ….")
    challenge = f'{REALM}, error="invalid_token"' if given else REALM
    title = Said("Adgang kræver et token", "Access needs a token")
    return Problem(401, "unauthorised", title, detail, headers={"www-authenticate": challenge})


def missing_scope(scope: str) -> Problem:
    """A good token that may not do this."""
    detail = Said(f"Dit token har ikke rettigheden {scope}.", f"Your token lacks the scope {scope}.")
    challenge = f'{REALM}, error="insufficient_scope", scope="{scope}"'
    return Problem(403, "missing-scope", NO_ACCESS, detail, headers={"www-authenticate": challenge})


def other_municipality() -> Problem:
    """A good token of another municipality."""
    detail = Said("Dit token gælder for en anden kommune.", "Your token is for another municipality.")
    return Problem(403, "other-municipality", NO_ACCESS, detail)


def no_key() -> Problem:
    """A POST without a usable Idempotency-Key."""
    said = Said("skal være 1-128 skrivbare ASCII-tegn", "must be 1-128 printable ASCII characters")
    return Problem(
        400,
        "idempotency-key-missing",
        Said("Idempotency-Key mangler eller er ugyldig", "Idempotency-Key is missing or invalid"),
        Said(
            "Send en ny nøgle, f.eks. et UUID, for hver handling, og den samme, når du prøver igen.",
            "Send a new key, such as a UUID, for each action, and the same one when you try again.",
        ),
        faults=[Fault("header", "Idempotency-Key", said)],
    )


def unavailable() -> Problem:
    """What the service needs does not answer just now."""
    detail = Said(
        "Intet nyt er gemt. Prøv igen om lidt; en POST med samme Idempotency-Key.",
        "Nothing new was saved. Try again shortly; a POST with the same Idempotency-Key.",
    )
    title = Said("Tjenesten kan ikke svare lige nu", "The service cannot answer just now")
    return Problem(503, "unavailable", title, detail, headers={"retry-after": "5"})


def unexpected() -> Problem:
    """The service failed in a way that nobody foresaw; the log tells where, the caller learns nothing of the inside."""
    detail = Said(
        "Fejlen er noteret under det X-Request-Id, som svaret bærer.",
        "The error is logged under the X-Request-Id of this answer.",
    )
    return Problem(500, "unexpected", Said("Uventet fejl", "Unexpected error"), detail)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - what the table below says
    return response_of(error, request)


async def _of_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    phrase = HTTPStatus(error.status_code).phrase
    title, detail = OF_FRAMEWORK.get(error.status_code, (Said(phrase, phrase), Said(phrase, phrase)))
    slug = phrase.lower().replace(" ", "-")
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["allow"] = ", ".join(_allowed(request))
    return response_of(Problem(error.status_code, slug, title, detail, headers=headers), request)


def _allowed(request: Request) -> list[str]:
    """The methods that an address takes; the framework names those of its first door alone."""
    asked = [{**request.scope, "method": method.value} for method in HTTPMethod]
    taken = [scope for scope in asked if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)]
    return [scope["method"] for scope in taken]


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return response_of(Problem(422, "invalid-request", INVALID, SEE_ERRORS, faults=faults_of(error.errors())), request)


async def _unstorable(request: Request, error: Exception) -> Response:
    # A value that passed the models but not PostgreSQL: the caller must change it, and we must tighten a model.
    log.error("value_not_storable", exc_info=error)
    detail = Said("En værdi er uden for det, der kan gemmes.", "A value is outside what can be stored.")
    return response_of(Problem(422, "invalid-request", INVALID, detail), request)


async def _unavailable(request: Request, error: Exception) -> Response:
    if isinstance(error, ValueError):  # asyncpg could not even send the value
        return await _unstorable(request, error)
    log.warning("database_unavailable", exc_info=error)
    return response_of(unavailable(), request)


HANDLERS: dict[Any, Any] = {
    Problem: _refused,
    HTTPException: _of_framework,
    RequestValidationError: _invalid,
    asyncpg.DataError: _unstorable,
    **dict.fromkeys(UNAVAILABLE, _unavailable),
}
