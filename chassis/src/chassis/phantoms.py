"""Phantoms: events that the stream holds and the outbox does not know, as after a database was restored from a backup.

Others have counted them. They are neither removed nor adopted here: whoever knows what happened registers it again, or
retracts the phantom. All SQL on the table is here.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime

from chassis.database import Connection
from chassis.outbox import Stored
from contracts.platform import ServiceHeartbeat

HEARTBEAT = f".{ServiceHeartbeat.contract.file_stem}"


@dataclass(frozen=True, slots=True)
class Phantom:
    """One of them; `message_id` is `<source>#<id>#<hash>`, or empty when no relay of ours has stored it."""

    stream_sequence: int
    message_id: str
    subject: str
    stored_at: datetime
    found_at: datetime


async def note(db: Connection, strangers: Sequence[Stored], *, after: int, now: datetime) -> list[Phantom]:
    """Replace what was known above a sequence by what the stream's tail holds there, and return what is new.

    A heartbeat that was forgotten matters to nobody. `now` is real time.
    """
    known = "DELETE FROM outbox_phantom WHERE stream_sequence > $1 RETURNING message_id, stream_sequence, found_at"
    keep = """
        INSERT INTO outbox_phantom (stream_sequence, message_id, subject, stored_at, found_at)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[])
    """
    before = {(row["stream_sequence"], row["message_id"]): row["found_at"] for row in await db.fetch(known, after)}
    found = [
        Phantom(
            each.sequence, each.message_id, each.subject, each.at, before.get((each.sequence, each.message_id), now)
        )
        for each in strangers
        if not each.subject.endswith(HEARTBEAT)
    ]
    if found:
        await db.execute(keep, *map(list, zip(*map(astuple, found), strict=True)))
    return [each for each in found if (each.stream_sequence, each.message_id) not in before]


async def all_of(db: Connection) -> list[Phantom]:
    """All that are known, in the order of the stream."""
    query = (
        "SELECT stream_sequence, message_id, subject, stored_at, found_at FROM outbox_phantom ORDER BY stream_sequence"
    )
    return [Phantom(**row) for row in await db.fetch(query)]


async def count(db: Connection) -> int:
    """How many are known."""
    return int(await db.fetchval("SELECT count(*) FROM outbox_phantom"))
