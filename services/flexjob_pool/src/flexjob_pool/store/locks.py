"""Locks by name, taken before the resource need exist, and gone with the transaction.

A transaction takes all its locks at once, in one order for everybody, so that no two wait for each other. Where it
turns out to need more, it is given up, and begun again with those too.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from chassis.database import Connection

# What is named, and what that links to, however long the way.
REACH = """
WITH RECURSIVE reach (name) AS (
    SELECT unnest($1::text[])
    UNION SELECT unnest(links) FROM reach JOIN resource
        ON noun = split_part(name, ':', 1) AND key = split_part(name, ':', 2)
)
"""
LOCK = f"""{REACH}
SELECT name, pg_advisory_xact_lock(lock) FROM (
    SELECT name, hashtextextended(name, 0) AS lock
    FROM (SELECT name FROM reach UNION SELECT unnest($2::text[])) AS wanted ORDER BY lock, name
) AS sorted
"""  # noqa: S608 - no input

T = TypeVar("T")


class TooFewLocks(Exception):
    """A transaction turned out to need more than it had locked: it is to begin again with all these names."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(names)
        self.names = names


class Locks:
    """What one transaction has locked; what an attempt before it turned out to need is locked with the first."""

    def __init__(self, wanted: frozenset[str] = frozenset()) -> None:
        self._wanted = wanted
        self._held: frozenset[str] = frozenset()

    async def take(self, db: Connection, names: Collection[str], *, reaching: Collection[str] = ()) -> bool:
        """Have names locked, those `reaching` with all that they link to; whether what was read before is old now.

        Only the first call locks, so it must not be in a part that may be undone alone. Raises TooFewLocks when a later
        one names what is not locked; what that reaches is to be read first, and named then.
        """
        if self._held:
            if not self._held.issuperset([*names, *reaching]):
                raise TooFewLocks(self._held.union(names, reaching))
            return False
        rows = await db.fetch(LOCK, [*reaching], [*self._wanted.union(names)])
        self._held = frozenset(row["name"] for row in rows)
        return True


async def with_all_locks(attempt: Callable[[Locks], Awaitable[T]]) -> T:
    """Attempt a whole transaction, again and again until it begins with all the locks that it needs.

    What it locks before these must be one thing that nobody locks later: the key of a request, the stream of a message.
    It may mint no names, or it would need others each time.
    """
    locks = Locks()
    while True:
        try:
            return await attempt(locks)
        except TooFewLocks as found:
            locks = Locks(found.names)
