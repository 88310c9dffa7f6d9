"""Refusals as RFC 9457 problems, in Danish or English; one tells all reasons at once and never repeats a value."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
LANGUAGE_RANGE = re.compile(
    r"\s*(da|en)(?:-[a-z0-9-]*)?\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?", re.IGNORECASE
)

Language = Literal["da", "en"]


@dataclass(frozen=True, slots=True)
class Said:
    """One text in both languages."""

    danish: str
    english: str

    def in_language(self, language: Language) -> str:
        """The text in one of them."""
        return self.danish if language == "da" else self.english


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason: what is wrong, and where: a JSON pointer into the body, or the name of a parameter or header."""

    kind: Literal["pointer", "parameter", "header"]
    place: str
    said: Said


class Problem(HTTPException):
    """A refusal that the caller can act on; `errors` are reasons with JSON pointers into the request's body.

    It is an HTTPException, so that one raised while FastAPI reads a body passes through unchanged.
    """

    def __init__(  # noqa: PLR0913 - the members of RFC 9457
        self,
        status: int,
        slug: str,
        title: Said,
        detail: Said,
        errors: Sequence[tuple[str, Said]] = (),
        *,
        faults: Sequence[Fault] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, title.english, headers)
        self.slug = slug
        self.title = title
        self.explanation = detail
        self.faults = (*(Fault("pointer", pointer, said) for pointer, said in errors), *faults)

    def members(self, language: Language) -> dict[str, Any]:
        """The document's members."""
        return {
            "type": f"urn:kraftcenter:problem:{self.slug}",
            "title": self.title.in_language(language),
            "status": self.status_code,
            "detail": self.explanation.in_language(language),
            "errors": [{fault.kind: fault.place, "detail": fault.said.in_language(language)} for fault in self.faults],
        }


def language_of(accept_language: str) -> Language:
    """Danish unless English is asked for with a higher quality, or as high and first."""
    best: Language = "da"
    highest = 0.0
    for part in accept_language.split(","):
        if (match := LANGUAGE_RANGE.fullmatch(part)) and (quality := float(match[2] or 1)) > highest:
            best, highest = ("da" if match[1].lower() == "da" else "en"), quality
    return best


def response_of(problem: Problem, request: Request) -> Response:
    """The problem in the caller's language."""
    language = language_of(request.headers.get("accept-language", ""))
    headers = {"content-language": language, "vary": "Accept-Language", **(problem.headers or {})}
    return Response(to_json(problem.members(language)), problem.status_code, headers, MEDIA_TYPE)
