"""PostgreSQL for every service: one way to connect, with limits on waiting, and JSON as Python objects."""

from typing import TYPE_CHECKING, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from pydantic_core import from_json, to_json

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:  # asyncpg's classes are generic to the type checker alone
    Connection = asyncpg.Connection | PoolConnectionProxy
    Pool = asyncpg.Pool

CONNECT_SECONDS = 5.0
ACQUIRE_SECONDS = 5.0
ANSWER_SECONDS = 60.0
SESSION = {
    "timezone": "UTC",
    "lock_timeout": "10s",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
    "jit": "off",  # compiling costs more than our short statements take
}

UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a pooled connection died just as it was handed out
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
"""What a database raises that cannot serve just now; the same request may do well later."""


async def create_pool(dsn: str, *, name: str, max_size: int = 10) -> Pool:
    """Connect to a database; `name` shows in pg_stat_activity. Raises one of UNAVAILABLE.

    A connection is given back as it is but for an open transaction, which is rolled back: whoever sets something for
    the session, or locks something in it, undoes that.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=max_size,
        timeout=CONNECT_SECONDS,
        command_timeout=ANSWER_SECONDS,
        server_settings={"application_name": name, **SESSION},
        init=_speak_json,
        reset=_leave_as_is,
    )


async def is_there(pool: Pool) -> None:
    """Have a database answer. Raises one of UNAVAILABLE when it does not."""
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        await db.fetchval("SELECT 1")


async def _speak_json(db: Connection) -> None:
    for kind in ("json", "jsonb"):
        await db.set_type_codec(kind, encoder=_encoded, decoder=from_json, schema="pg_catalog")


async def _leave_as_is(_: Connection) -> None:
    """Send nothing: asyncpg's own reset is a round trip, and more work than many a query."""


def _encoded(value: object) -> str:
    return to_json(value).decode()
