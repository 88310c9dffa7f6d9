"""What FastAPI cannot know of our doors: every refusal is a problem, whom a door admits, and that a POST needs a key.

No `default` stands among the answers: it would document whatever a door ever answers, and so nothing.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from chassis.problems import MEDIA_TYPE

REPLACED = ("HTTPValidationError", "ValidationError")
PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457, in the language of Accept-Language: da (default) or en. No value is ever repeated.",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "detail": {"type": "string"},
                    "pointer": {"type": "string", "description": "JSON pointer into the body."},
                    "parameter": {"type": "string", "description": "Name of a query or path parameter."},
                    "header": {"type": "string", "description": "Name of a header."},
                },
            },
        },
    },
}
REQUEST_ID = {
    "X-Request-Id": {
        "description": "The request's own X-Request-Id, or a new one; the log names it.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    }
}
LANGUAGE = {
    "Content-Language": {"description": "Of the texts.", "required": True, "schema": {"enum": ["da", "en"]}},
}
CHALLENGE = {
    "WWW-Authenticate": {"description": "As RFC 6750.", "required": True, "schema": {"type": "string"}},
}
PATIENCE = {
    "Retry-After": {"description": "Seconds.", "required": True, "schema": {"type": "integer", "minimum": 1}},
}
DONE = {
    "Idempotency-Replayed": {
        "description": "Stands when the action ran earlier, and this is its answer.",
        "schema": {"const": "true"},
    },
    "Location": {"description": "Where the resource is.", "schema": {"type": "string", "format": "uri-reference"}},
}
REFUSALS: dict[str, tuple[str, dict[str, Any]]] = {
    "400": ("The request cannot be read, or a header is missing or repeated.", {}),
    "401": ("No token, or one that is not in force.", CHALLENGE),
    "403": ("The token lacks the scope, or is of a municipality that is not asked about or not served here.", {}),
    "404": ("There is no such resource.", {}),
    "409": ("What is registered already stands in the way.", {}),
    "413": ("The body is larger than 1 MiB.", {}),
    "415": ("The body is not JSON in UTF-8 by its Content-Type.", {}),
    "422": ("A value is not valid; `errors` tells each reason.", {}),
    "503": ("What the service needs does not answer just now; nothing new was saved.", PATIENCE),
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "New for each action, the same when it is tried again within 30 days: the action runs once.",
    "schema": {"type": "string", "maxLength": 128, "pattern": "^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$"},
}


def refused(description: str, headers: dict[str, Any] | None = None, *, example: Any = None) -> dict[str, Any]:
    """The answer of a door that refuses, for the document."""
    content = {"schema": {"$ref": "#/components/schemas/Problem"}} | ({"example": example} if example else {})
    return {
        "description": description,
        "headers": {**REQUEST_ID, **LANGUAGE, **(headers or {})},
        "content": {MEDIA_TYPE: content},
    }


def describe(app: FastAPI) -> None:
    """Make the application's OpenAPI document tell it."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _amend(generate())
        return app.openapi_schema or {}

    # FastAPI's documented way to extend the document.
    app.openapi = openapi  # type: ignore[method-assign]


def _amend(schema: dict[str, Any]) -> None:
    for path in schema["paths"].values():
        for method, operation in path.items():
            _tell_access(operation)
            _tell_answers(method, operation)
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in REPLACED:
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    components["responses"] = {status: refused(*told) for status, told in REFUSALS.items()}


def _tell_access(operation: dict[str, Any]) -> None:
    if "security" not in operation:
        return
    scopes = sorted({scope for needed in operation["security"] for named in needed.values() for scope in named})
    if scopes:
        told = f"Needs a token with the scope {' and '.join(f'`{scope}`' for scope in scopes)}."
    else:
        told = "Open to anyone; a token that is sent must be good."
        operation["security"].append({})
    operation["description"] = f"{operation['description']}\n\n{told}" if "description" in operation else told


def _tell_answers(method: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    if "HTTPValidationError" in str(answers.get("422")):
        del answers["422"]
    for status, answer in answers.items():
        done = DONE if method == "post" and status.startswith("2") else {}
        answer["headers"] = {**REQUEST_ID, **done, **answer.get("headers", {})}
    for status in _refusals(method, operation):
        answers.setdefault(status, {"$ref": f"#/components/responses/{status}"})
    operation["responses"] = dict(sorted(answers.items()))
    if method == "post":
        operation.setdefault("parameters", []).append(KEY)


def _refusals(method: str, operation: dict[str, Any]) -> Iterator[str]:
    """What a door answers by its nature; what else it answers its route tells."""
    parameters, body = operation.get("parameters", []), "requestBody" in operation
    yield "400"
    if "security" in operation:
        yield from ("401", "403", "503")
    if any(parameter["in"] == "path" for parameter in parameters):
        yield "404"
    if method == "post":
        yield "409"
    if body:
        yield from ("413", "415")
    if body or parameters:
        yield "422"
