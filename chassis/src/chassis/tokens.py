"""Access tokens: 256 random bits that are shown once; only their hash is stored."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.database import Connection

INSERT = """
INSERT INTO token (hash, name, municipality, scopes, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (hash) DO UPDATE
SET (name, municipality, scopes, expires_at)
    = (excluded.name, excluded.municipality, excluded.scopes, excluded.expires_at)
"""
FIND = """
SELECT name, municipality, scopes FROM token
WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
"""
REVOKE = "UPDATE token SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL RETURNING true"
ISSUED = "SELECT name, municipality, scopes, expires_at, revoked_at FROM token ORDER BY issued_at, name"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: the name of a token, the municipality that it is bound to, and what it may do."""

    token_name: str
    municipality: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Whether the token carries a scope."""
        return scope in self.scopes


@dataclass(frozen=True, slots=True)
class Issued:
    """A token as it may be shown: all but its hash."""

    name: str
    municipality: str
    scopes: list[str]
    expires_at: datetime | None
    revoked_at: datetime | None


async def issue(  # noqa: PLR0913 - the columns of a token
    db: Connection,
    *,
    name: str,
    municipality: str,
    scopes: Sequence[str],
    now: datetime,
    expires_at: datetime | None = None,
    token: str | None = None,
) -> str:
    """Store a token, a fresh one unless given, and return it; this is the only time that it can be seen."""
    text = token or f"kc_{secrets.token_urlsafe(32)}"
    await db.execute(INSERT, _hash(text), name, municipality, sorted(scopes), now, expires_at)
    return text


async def principal_of(db: Connection, token: str, *, now: datetime) -> Principal | None:
    """Who holds the token; None when it is unknown, expired or revoked."""
    row = await db.fetchrow(FIND, _hash(token), now)
    return Principal(row["name"], row["municipality"], frozenset(row["scopes"])) if row else None


async def revoke(db: Connection, *, name: str, now: datetime) -> int:
    """End every token of this name, and return how many were in force; nothing brings one back."""
    return len(await db.fetch(REVOKE, name, now))


async def issued(db: Connection) -> list[Issued]:
    """Every token that was ever issued, the oldest first."""
    return [Issued(**row) for row in await db.fetch(ISSUED)]


def _hash(token: str) -> bytes:
    # No salt and no slow hash: 256 random bits cannot be guessed or tabulated.
    return hashlib.sha256(token.encode()).digest()
