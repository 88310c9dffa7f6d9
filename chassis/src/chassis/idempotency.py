"""Idempotency-Key: the claim, the use case and its answer stand or fall in one transaction, so a request runs once.

An answer may refer to persons, so it is forgotten after 30 days of real time; its key is then as good as new.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog
from pydantic import BaseModel

from chassis.database import UNAVAILABLE, Connection, Pool
from chassis.problems import Fault, Problem, Said
from chassis.tokens import Principal

# One statement, which locks the row that it returns: between two the answer could be forgotten.
CLAIM = """
INSERT INTO idempotency_key (caller, key, fingerprint, claimed_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (caller, key) DO UPDATE SET key = excluded.key RETURNING fingerprint, status, body, location
"""
KEEP = "UPDATE idempotency_key SET status = $3, body = $4, location = $5 WHERE caller = $1 AND key = $2"
FORGET = "DELETE FROM idempotency_key WHERE claimed_at < $1"

KEPT = timedelta(days=30)
FORGET_EVERY_SECONDS = 3600

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a use case answers: status, JSON body and where the resource is; kept for later copies of the request."""

    status: int
    body: bytes
    location: str | None = None
    replayed: bool = False


def created(resource: BaseModel, location: str | None = None) -> Answer:
    """201 with the resource."""
    return Answer(201, resource.model_dump_json().encode(), location)


async def once(  # noqa: PLR0913 - what identifies a request, and what to do
    db: Connection,
    *,
    principal: Principal,
    key: str,
    request_fingerprint: bytes,
    now: datetime,
    action: Callable[[], Awaitable[Answer]],
) -> Answer:
    """Run the action unless this caller's key has been answered; call it inside the transaction of the action.

    A second copy waits for the first and gets its answer. An action that raises leaves no claim, since the transaction
    rolls back. `now` is real time. Raises Problem 422 when the key was used for another request.
    """
    caller = principal.token_name
    stored = await db.fetchrow(CLAIM, caller, key, request_fingerprint, now)
    assert stored is not None  # noqa: S101 - inserted or found
    if stored["status"] is None:
        answer = await action()
        await db.execute(KEEP, caller, key, answer.status, answer.body, answer.location)
        return answer
    if stored["fingerprint"] != request_fingerprint:
        raise _other_request()
    return Answer(stored["status"], stored["body"], stored["location"], replayed=True)


async def forget_old(pool: Pool) -> None:
    """Forget the answers of more than 30 days ago, every hour until cancelled.

    Not at once: a machine that starts may have its time set only after that, and a fast clock would forget them all.
    """
    while True:
        await asyncio.sleep(FORGET_EVERY_SECONDS)
        try:
            await pool.execute(FORGET, datetime.now(UTC) - KEPT)
        except (*UNAVAILABLE, asyncpg.PostgresError) as error:
            log.warning("old_answers_kept", error=type(error).__name__)


def _other_request() -> Problem:
    said = Said("er brugt til en anden forespørgsel", "was used for another request")
    return Problem(
        422,
        "idempotency-key-reused",
        Said("Nøglen er brugt før", "The key was used before"),
        Said(
            "Denne Idempotency-Key hører til en anden forespørgsel. Brug en ny nøgle til en ny handling.",
            "This Idempotency-Key belongs to another request. Use a new key for a new action.",
        ),
        faults=[Fault("header", "Idempotency-Key", said)],
    )
