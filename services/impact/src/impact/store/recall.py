"""What must be remembered before a batch is told: the chains that it may change, and the histories that it touches."""

from collections.abc import Collection, Iterable

from asyncpg import Record
from pydantic import ValidationError

from chassis.database import Connection
from contracts.catalogue import BY_TYPE
from contracts.event import Event
from impact.chronicle import Chronicle, Known, Outcome
from impact.fold import Fact, History, Origin
from impact.ledger import Identity


class NotUnderstood(Exception):
    """This program cannot read a fact that took effect: a newer one admitted it, or it was changed since."""

    def __init__(self, type_: str, position: int) -> None:
        super().__init__(f"{type_} at position {position}")
        self.type = type_
        self.position = position


async def recall(
    db: Connection, municipality: str, ends: Collection[Identity], events: Iterable[Event], chronicle: Chronicle
) -> None:
    """Have the chronicle remember all that events touch, which chains of these ends may come to concern.

    Raises NotUnderstood.
    """
    chains = await chains_of(db, municipality, ends)
    chronicle.remember_chains(chains)
    touched = [*events, *(known.fact.event for known in chains)]
    chronicle.remember(await facts_of(db, municipality, _histories(touched, chronicle)))
    # What waits for its opening, or loses it, has histories of its own.
    if behind := chronicle.behind(touched):
        chronicle.remember(await facts_of(db, municipality, _histories((fact.event for fact in behind), chronicle)))


def _histories(events: Iterable[Event], chronicle: Chronicle) -> set[History]:
    return {history for event in events for history in chronicle.histories_of(event)}


async def chains_of(db: Connection, municipality: str, ends: Collection[Identity]) -> list[Known]:
    """Every fact of the chains that these ids are or would be in."""
    rows = await db.fetch(CHAINS, municipality, [source for source, _ in ends], [name for _, name in ends])
    return [known_of(row) for row in rows]


# LATERAL is one look into an index for each; a plain join may read the whole ledger instead.
CHAINS = """
WITH RECURSIVE chain (source, event_id) AS (
    SELECT source, event_id FROM unnest($2::text[], $3::text[]) AS asked (source, event_id)
    UNION
    SELECT chain.source, next.event_id
    FROM chain
    CROSS JOIN LATERAL (
        SELECT link.event_id FROM link
        WHERE link.municipality = $1 AND link.source = chain.source AND link.target = chain.event_id
        UNION ALL
        SELECT link.target FROM link
        WHERE link.municipality = $1 AND link.source = chain.source AND link.event_id = chain.event_id
    ) AS next
)
SELECT
    coalesce(replayed.position, first.position) AS position,
    first.source, first.event_id, first.type, first.time,
    first.body ->> 'data' AS data, first.body ->> 'corrects' AS corrects,
    CASE WHEN replayed.position IS NOT NULL THEN first.position END AS parked_at,
    NULL::bigint AS root, NULL::timestamptz AS root_time, NULL::text AS root_id,
    became.outcome, coalesce(replayed.recorded_at, first.recorded_at) AS recorded_at
FROM chain
CROSS JOIN LATERAL (
    SELECT * FROM ledger
    WHERE municipality = $1 AND kind = 'fact' AND source = chain.source AND event_id = chain.event_id
    LIMIT 1
) AS first
LEFT JOIN LATERAL (
    SELECT position, recorded_at FROM ledger
    WHERE municipality = $1 AND concerns = first.position AND kind = 'replay' AND parked IS NULL
    LIMIT 1
) AS replayed ON true
CROSS JOIN LATERAL (
    SELECT outcome FROM outcome WHERE municipality = $1 AND position = first.position LIMIT 1
) AS became
WHERE became.outcome <> 'parked'
"""


async def facts_of(db: Connection, municipality: str, histories: Collection[History]) -> list[Known]:
    """All facts in force of these histories, each once."""
    kinds, keys = [kind for kind, _ in histories], [key for _, key in histories]
    return [known_of(row) for row in await db.fetch(FACTS_OF, municipality, kinds, keys)]


FACTS_OF = """
SELECT
    fact.position, fact.source, fact.event_id, fact.type, fact.time,
    fact.body ->> 'data' AS data, fact.body ->> 'corrects' AS corrects, fact.concerns AS parked_at,
    member.root, root.time AS root_time, root.event_id AS root_id,
    became.outcome
FROM (
    SELECT DISTINCT found.position, found.root
    FROM unnest($2::text[], $3::text[]) AS asked (kind, key)
    CROSS JOIN LATERAL (
        SELECT position, root FROM history
        WHERE municipality = $1 AND kind = asked.kind AND key = asked.key AND root IS NOT NULL OFFSET 0
    ) AS found
) AS member
CROSS JOIN LATERAL (
    SELECT * FROM ledger WHERE municipality = $1 AND position = member.position LIMIT 1
) AS fact
CROSS JOIN LATERAL (
    SELECT outcome FROM outcome
    WHERE municipality = $1 AND position = coalesce(fact.concerns, fact.position) LIMIT 1
) AS became
LEFT JOIN LATERAL (
    SELECT time, event_id FROM ledger
    WHERE municipality = $1 AND position = member.root AND member.root <> member.position LIMIT 1
) AS root ON true
"""


def known_of(row: Record) -> Known:
    """The fact in a row as both statements give it. Raises NotUnderstood."""
    fact = Fact(
        row["position"],
        row["source"],
        row["event_id"],
        row["type"],
        row["time"],
        _event_of(row),
        corrects=row["corrects"],
        origin=Origin(row["root"], row["root_time"], row["root_id"]) if row["root_time"] else None,
        parked_at=row["parked_at"],
    )
    return Known(fact, Outcome(row["outcome"]))


def _event_of(row: Record) -> Event:
    try:
        return BY_TYPE[row["type"]].model_validate_json(row["data"])
    except (KeyError, ValidationError):
        raise NotUnderstood(row["type"], row["position"]) from None
