"""What FastAPI cannot know of our doors: every refusal is a problem, and every POST needs an Idempotency-Key."""

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
REFUSED = {
    "description": "Refused, with all reasons.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "New for each action, the same when it is tried again within 30 days: the action runs once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[\\x20-\\x7e]+$"},
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
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = REFUSED
            if method == "post":
                operation.setdefault("parameters", []).append(KEY)
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in REPLACED:
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
