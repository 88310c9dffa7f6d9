"""How commands ask a running impact: whatever goes wrong ends as one message to the user."""

from typing import Any
from uuid import uuid4

import httpx

from chassis.cli import CommandError
from chassis.client import told

DEFAULT_URL = "http://127.0.0.1:8604"
SECONDS = 10.0


def get(url: str, path: str, query: dict[str, str], token: str | None, *, seconds: float = SECONDS) -> Any:
    """The service's answer as JSON. Raises CommandError with all reasons when it refuses, or does not answer."""
    return _asked("GET", url, path, token, params=query, timeout=seconds)


def post(url: str, path: str, body: dict[str, Any], token: str | None, *, seconds: float = SECONDS) -> Any:
    """Have something done, and the service's answer as JSON. Raises CommandError as `get` does."""
    return _asked("POST", url, path, token, {"Idempotency-Key": str(uuid4())}, json=body, timeout=seconds)


def _asked(
    method: str, url: str, path: str, token: str | None, headers: dict[str, str] | None = None, **request: Any
) -> Any:
    sent = {"Accept-Language": "en", **(headers or {})} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        answer = httpx.request(method, url.rstrip("/") + path, headers=sent, **request)
        body = answer.json()
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise CommandError(f"{url} is not an address. Give --url as {DEFAULT_URL}.") from None
    except httpx.RequestError:
        raise CommandError(f"No answer from {url}. Is impact running? `kraftcenter up` starts it.") from None
    except UnicodeEncodeError:
        raise CommandError("An argument holds bytes that are no text.") from None
    except ValueError:
        raise not_impact(url) from None
    if not answer.is_success:
        raise CommandError(told(body, answer.status_code))
    return body


def not_impact(url: str) -> CommandError:
    """What answers there is something else."""
    return CommandError(f"{url} answers, but not as an impact service. Check --url.")
