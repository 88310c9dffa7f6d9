"""What schemathesis does not do by itself; it loads this by its settings."""

import json
from itertools import count
from typing import Any

import schemathesis

from gateway import api as gateway

Case = schemathesis.Case[Any]

ADMITTED = range(200, 300)
UNPROCESSABLE = 422
NEW = count()


def fits(case: Case) -> bool:
    """Whether what is sent is as the document says."""
    return case.meta is not None and case.meta.generation.mode.is_positive


@schemathesis.hook
def before_call(_: schemathesis.HookContext, case: Case, _kwargs: dict[str, Any]) -> None:
    """Give each action a key of its own, and spell integers as such: to JSON Schema 1.0 is one too.

    The gateway takes a copy for one by its hash, whatever trace context came with it; so what is wrong is asked as new.
    """
    if not fits(case):
        if isinstance(case.body, dict) and case.body.get("id") == gateway.EXAMPLE["id"]:
            case.body = {**case.body, "id": f"new-{next(NEW)}"}
        return
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"action-{next(NEW)}"
    if isinstance(case.body, dict | list):
        case.body = spelled(case.body)


def spelled(value: Any) -> Any:
    """The same JSON without a whole number that has a point."""
    if isinstance(value, dict):
        return {name: spelled(item) for name, item in value.items()}
    if isinstance(value, list):
        return [spelled(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.check
def shape_as_promised(_: schemathesis.CheckContext, response: schemathesis.Response, case: Case) -> None:
    """What fits the document is refused by rules alone, never for its shape."""
    if fits(case) and response.status_code == UNPROCESSABLE:
        assert json.loads(response.content)["type"] != "urn:kraftcenter:problem:invalid-request"


@schemathesis.check
def turned_away(_: schemathesis.CheckContext, response: schemathesis.Response, case: Case) -> None:
    """Nobody comes in by a door that needs a scope; for callers who have none that counts here."""
    security = case.operation.definition.raw.get("security", [])
    if any(scopes for needed in security for scopes in needed.values()):
        assert response.status_code not in ADMITTED
