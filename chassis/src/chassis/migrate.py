"""Forward-only migrations: SQL files that each component ships, applied once, in order, and never edited afterwards."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

import asyncpg

from chassis.calendar import Calendar
from chassis.database import Connection

LOCK = 0x6B726166  # "kraf": any number, as long as every starter takes the same
NAME = re.compile(r"\d{4}_[a-z0-9_]+\.sql")

PREPARE = """
CREATE TABLE IF NOT EXISTS migration (
    component text NOT NULL,
    name text NOT NULL,
    checksum bytea NOT NULL,
    applied_at timestamptz NOT NULL,
    PRIMARY KEY (component, name)
)
"""
EXISTS = "SELECT to_regclass('migration') IS NOT NULL"
APPLIED = "SELECT component, name, checksum FROM migration"
RECORD = "INSERT INTO migration (component, name, checksum, applied_at) VALUES ($1, $2, $3, $4)"


class MigrationRefused(Exception):
    """The database and the migrations in this package do not fit together."""


@dataclass(frozen=True)
class Migration:
    """One file, and the checksum that shows whether it was edited."""

    component: str
    name: str
    sql: str

    @cached_property
    def checksum(self) -> bytes:
        """SHA-256 of the file."""
        return hashlib.sha256(self.sql.encode()).digest()

    def __str__(self) -> str:
        """As `flexjob_pool/0001_pool.sql`."""
        return f"{self.component}/{self.name}"


@dataclass(frozen=True)
class Component:
    """A part that brings its own tables: a folder of files named `NNNN_name.sql`."""

    name: str
    files: Traversable

    def migrations(self) -> list[Migration]:
        """The files in order. Raises MigrationRefused for an SQL file whose name gives it no place."""
        found = [file for file in self.files.iterdir() if file.name.endswith(".sql")]
        for file in found:
            if not NAME.fullmatch(file.name):
                raise MigrationRefused(f"{self.name}/{file.name} must be named NNNN_name.sql")
        ordered = sorted(found, key=lambda file: file.name)
        return [Migration(self.name, file.name, file.read_text(encoding="utf-8")) for file in ordered]


OUTBOX = Component("chassis.outbox", files("chassis") / "migrations" / "outbox")
INBOX = Component("chassis.inbox", files("chassis") / "migrations" / "inbox")
HTTP = Component("chassis.http", files("chassis") / "migrations" / "http")


def component_of(package: str) -> Component:
    """The migrations of a service: `<package>/migrations/*.sql`."""
    return Component(package, files(package) / "migrations")


async def migrate(dsn: str, components: Sequence[Component], *, clock: Calendar) -> list[str]:
    """Apply what is missing, each file in one transaction, and name it. Two starters take turns.

    Raises MigrationRefused when an applied file was edited or overtaken by a later one; asyncpg's error when SQL fails.
    """
    db = await asyncpg.connect(dsn, server_settings={"application_name": "migrate", "lock_timeout": "60s"})
    try:
        await db.execute("SELECT pg_advisory_lock($1)", LOCK)
        await db.execute(PREPARE)
        pending = _pending(components, await _applied(db))
        # A migration that waits for a lock holds up every query behind it.
        await db.execute("SET lock_timeout = '4s'")
        for migration in pending:
            async with db.transaction():
                await db.execute(migration.sql)
                await db.execute(RECORD, migration.component, migration.name, migration.checksum, clock.now())
        return [str(migration) for migration in pending]
    finally:
        await db.close()


async def check_migrated(dsn: str, components: Sequence[Component]) -> None:
    """Raise MigrationRefused when a migration is missing or was edited after it was applied."""
    db = await asyncpg.connect(dsn, server_settings={"application_name": "check_migrated"})
    try:
        applied = await _applied(db) if await db.fetchval(EXISTS) else {}
    finally:
        await db.close()
    if pending := _pending(components, applied):
        raise MigrationRefused(f"the database lacks {', '.join(map(str, pending))}: run `migrate` first")


async def _applied(db: Connection) -> dict[tuple[str, str], bytes]:
    return {(row["component"], row["name"]): row["checksum"] for row in await db.fetch(APPLIED)}


def _pending(components: Sequence[Component], applied: dict[tuple[str, str], bytes]) -> list[Migration]:
    migrations = [migration for component in components for migration in component.migrations()]
    for migration in migrations:
        if applied.get((migration.component, migration.name), migration.checksum) != migration.checksum:
            raise MigrationRefused(f"{migration} was edited after it was applied: restore it and add a new file")
    pending = [migration for migration in migrations if (migration.component, migration.name) not in applied]
    for migration in pending:
        latest = max((name for component, name in applied if component == migration.component), default="")
        if migration.name < latest:
            raise MigrationRefused(
                f"{migration} comes before {latest}, which is applied already: give it a later number"
            )
    return pending
