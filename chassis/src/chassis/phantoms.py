"""Phantoms: events that the stream holds and the outbox does not know, as after a database was restored from a backup.

Others have counted them. They are neither removed nor adopted here: whoever knows what happened registers it again, and
has the phantom retracted. All SQL on the tables is here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from uuid import uuid4

from pydantic import ValidationError

from chassis import outbox
from chassis.database import Connection
from chassis.outbox import Stored
from chassis.wire import Sealed, Unsealable, seal
from contracts.platform import EventRetracted, ServiceHeartbeat

HEARTBEAT = f".{ServiceHeartbeat.contract.file_stem}"
RETRACTION = f".{EventRetracted.contract.file_stem}"


@dataclass(frozen=True, slots=True)
class Phantom:
    """One of them; `message_id` is `<source>#<id>#<hash>`, or empty when no relay of ours has stored it.

    `retraction_id` is the event by which it was taken back; decided on without one, it was kept. `known_again` is one
    that the outbox was told of anew, under the same id, and be it with another body.
    """

    stream_sequence: int
    message_id: str
    subject: str
    stored_at: datetime
    found_at: datetime
    decided_at: datetime | None = None
    retraction_id: str | None = None
    reason_code: str | None = None
    known_again: bool = False

    @property
    def source(self) -> str:
        """Whose event it is; empty when no relay of ours has stored it."""
        return self.message_id.partition("#")[0]

    @property
    def id(self) -> str:
        """The id that its source gave it; empty likewise."""
        return self.message_id.partition("#")[2].rpartition("#")[0]


class Undecided(Exception):
    """Nothing was decided; the text has a line for each id that stands in the way."""


async def note(db: Connection, strangers: Sequence[Stored], *, after: int, now: datetime) -> list[Phantom]:
    """Add what the stream's tail holds above a sequence, and return what is new.

    What is there no more stays known: it was received, and a heartbeat counts it. Only of what no relay of ours has
    stored nothing depends, nor of a heartbeat that was forgotten. `now` is real time.
    """
    forget = """
        DELETE FROM outbox_phantom WHERE stream_sequence > $1 AND event_id IS NULL
        AND (stream_sequence, message_id) NOT IN (SELECT * FROM unnest($2::bigint[], $3::text[]))
    """
    add = """
        INSERT INTO outbox_phantom (stream_sequence, message_id, subject, stored_at, found_at)
        SELECT *, $5::timestamptz FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[])
        ON CONFLICT DO NOTHING RETURNING stream_sequence, message_id
    """
    found = [each for each in strangers if not each.subject.endswith(HEARTBEAT)]
    sequences, ids = [each.sequence for each in found], [each.message_id for each in found]
    await db.execute(forget, after, sequences, ids)
    rows = await db.fetch(add, sequences, ids, [each.subject for each in found], [each.at for each in found], now)
    new = {(row["stream_sequence"], row["message_id"]) for row in rows}
    return [
        Phantom(each.sequence, each.message_id, each.subject, each.at, now)
        for each in found
        if (each.sequence, each.message_id) in new
    ]


async def all_of(db: Connection) -> list[Phantom]:
    """All that were ever found, in the order of the stream."""
    query = """
        SELECT stream_sequence, message_id, subject, stored_at, found_at, decided_at, retraction_id, reason_code,
            known_again
        FROM phantom ORDER BY stream_sequence, message_id
    """
    return [Phantom(**row) for row in await db.fetch(query)]


async def count(db: Connection) -> int:
    """How many wait for a decision."""
    return int(await db.fetchval("SELECT count(*) FROM phantom WHERE decided_at IS NULL AND NOT known_again"))


async def published_counts(db: Connection) -> dict[str, int]:
    """How many events of each source were published beside those of the outbox."""
    query = """
        SELECT source, count(DISTINCT event_id) AS events FROM phantom
        WHERE event_id IS NOT NULL AND NOT known_again GROUP BY source
    """
    return {row["source"]: row["events"] for row in await db.fetch(query)}


async def retract(  # noqa: PLR0913 - what is taken back and why, by both clocks
    db: Connection, ids: Iterable[str], reason_code: str, *, source: str | None, time: datetime, now: datetime
) -> int:
    """Have the outbox take phantoms back for good, all or none; how many events they are.

    `source` is needed only for an id that several have used. `time` is the calendar's, `now` real time. Raises
    Undecided.
    """
    async with db.transaction():
        chosen = await _chosen(db, ids, source, _why_not_retracted)
        retractions = [_retraction_of(copies[0], reason_code, time) for copies in chosen]
        await outbox.append(db, retractions, now=now)
        for copies, retraction in zip(chosen, retractions, strict=True):
            await _decide(db, copies, now, retraction.id, reason_code)
    return len(chosen)


async def keep(db: Connection, ids: Iterable[str], *, source: str | None, now: datetime) -> int:
    """Let phantoms stand, all or none; how many events they are. Nothing is told to anybody. Raises Undecided."""
    async with db.transaction():
        chosen = await _chosen(db, ids, source, _why_not_kept)
        await _decide(db, chain.from_iterable(chosen), now, None, None)
    return len(chosen)


async def _decide(
    db: Connection, copies: Iterable[Phantom], now: datetime, retraction_id: str | None, reason_code: str | None
) -> None:
    """What was kept may be retracted later."""
    query = """
        INSERT INTO outbox_phantom_decision (message_id, decided_at, retraction_id, reason_code)
        SELECT DISTINCT message_id, $2::timestamptz, $3, $4 FROM unnest($1::text[]) AS phantom (message_id)
        ON CONFLICT (message_id) DO UPDATE
        SET decided_at = excluded.decided_at, retraction_id = excluded.retraction_id, reason_code = excluded.reason_code
    """
    await db.execute(query, [each.message_id for each in copies], now, retraction_id, reason_code)


async def _chosen(
    db: Connection, ids: Iterable[str], source: str | None, why_not: Callable[[Phantom], str | None]
) -> list[list[Phantom]]:
    """The copies of each event that an id names, for one decision at a time."""
    await db.execute("LOCK TABLE outbox_phantom_decision IN SHARE ROW EXCLUSIVE MODE")
    everyone = [each for each in await all_of(db) if each.id and source in (None, each.source)]
    chosen, wrong = list[list[Phantom]](), list[str]()
    for number, id_ in enumerate(dict.fromkeys(ids), 1):
        copies = [each for each in everyone if each.id == id_]
        reasons = [reason for each in copies if (reason := why_not(each))]
        if not copies:
            # Whatever was typed is not repeated.
            wrong.append(f"No phantom has id {number} of those given: the list shows all that there are.")
        elif len({each.source for each in copies}) > 1:
            wrong.append(f"{id_}: several sources have used it; say whose it is with --source.")
        elif reasons:
            wrong.append(f"{id_}: {reasons[0]}")
        chosen.append(copies)
    if wrong:
        raise Undecided("\n".join([*wrong, "Nothing was done."]))
    return chosen


def _why_not_retracted(phantom: Phantom) -> str | None:
    if phantom.subject.endswith(RETRACTION):
        return (
            "is a retraction, and those are not retracted: what it took back stays so. Take that back at the door too, "
            "or register it anew; then let this one stand with `kraftcenter phantoms keep`."
        )
    if phantom.retraction_id:
        return f"was retracted on {phantom.decided_at:%Y-%m-%d}, by {phantom.retraction_id}."
    return _why_not_open(phantom)


def _why_not_kept(phantom: Phantom) -> str | None:
    if phantom.decided_at:
        return f"was {'retracted' if phantom.retraction_id else 'kept'} on {phantom.decided_at:%Y-%m-%d}."
    return _why_not_open(phantom)


def _why_not_open(phantom: Phantom) -> str | None:
    if phantom.known_again:
        return "is known again under the same id, so that it can be corrected or retracted where it was registered."
    return None


def _retraction_of(phantom: Phantom, reason_code: str, time: datetime) -> Sealed:
    _, municipality, producer, *_ = phantom.subject.split(".")
    try:
        return seal(
            EventRetracted(event_id=phantom.id, reason_code=reason_code),
            municipality=municipality,
            producer=producer,
            id=str(uuid4()),
            time=time,
            causationid=phantom.id,
            source=phantom.source,
        )
    except (ValidationError, Unsealable):
        raise Undecided(f"Sequence {phantom.stream_sequence}: no relay of ours has stored it under this id.") from None
