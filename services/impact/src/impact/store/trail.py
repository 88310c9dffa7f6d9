"""Everything that is known of one fact: its entries, its chain, its histories, and what it moved."""

from chassis.database import Connection
from impact.chronicle import Outcome
from impact.store.recall import chains_of
from impact.trail import Membership, Moved, Step, Trail


async def trail_of(db: Connection, municipality: str, source: str, event_id: str) -> Trail | None:
    """The trail of a fact; None when a lane has none with this identity."""
    first = await db.fetchrow(FIRST, municipality, source, event_id)
    if first is None:
        return None
    steps = [Step(**row) for row in await db.fetch(STEPS, municipality, first["position"])]
    positions = [step.position for step in steps]
    return Trail(
        source,
        event_id,
        first["type"],
        first["time"],
        first["occurred_on"],
        Outcome(first["outcome"]) if first["outcome"] else None,
        steps,
        await chains_of(db, municipality, {(source, event_id)}),
        [Membership(**row) for row in await db.fetch(HISTORIES, municipality, positions)],
        [Moved(**row) for row in await db.fetch(DELTAS, municipality, positions)],
    )


FIRST = """
SELECT fact.position, fact.type, fact.time, fact.occurred_on, became.outcome
FROM ledger AS fact
LEFT JOIN outcome AS became ON became.municipality = $1 AND became.position = fact.position
WHERE fact.municipality = $1 AND fact.kind = 'fact' AND fact.source = $2 AND fact.event_id = $3
"""

STEPS = """
SELECT position, kind, recorded_at, parked FROM ledger
WHERE municipality = $1 AND (position = $2 OR concerns = $2) ORDER BY position
"""

HISTORIES = """
SELECT kind, key, root IS NOT NULL AS in_force FROM history
WHERE municipality = $1 AND position = ANY ($2::bigint[]) ORDER BY kind, key
"""

DELTAS = """
SELECT position, measure, definition_version, key, contributor, person, cohort, date, amount, dimensions FROM delta
WHERE municipality = $1 AND position = ANY ($2::bigint[]) ORDER BY position, measure, definition_version, ordinal
"""
