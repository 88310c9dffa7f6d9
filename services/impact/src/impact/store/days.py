"""The facts that count, by type and day, counted anew: an older impact moves a lane without counting its days."""

from chassis.database import Connection
from impact.store.replay import LONGEST


async def count_anew(db: Connection, municipality: str) -> None:
    """Count a lane's days from its ledger and its outcomes, and note up to where. The lane must be locked."""
    usual = await db.fetchval("SELECT current_setting('statement_timeout')")
    await db.execute(ALLOW, "0")
    for statement in (FORGET, COUNT, NOTE):
        await db.execute(statement, municipality, timeout=LONGEST)
    await db.execute(ALLOW, usual)


# The live tables by name: a rebuild has others beside. LATERAL is one look into the index for each; a plain join may
# compare all with all on a lane that has outgrown its statistics.
FORGET = "DELETE FROM public.counted_day WHERE municipality = $1"
COUNT = """
INSERT INTO public.counted_day (municipality, type, occurred_on, facts)
SELECT $1, fact.type, fact.occurred_on, count(*)
FROM public.ledger AS fact
CROSS JOIN LATERAL (
    SELECT outcome FROM public.outcome
    WHERE municipality = $1 AND position = coalesce(fact.concerns, fact.position) LIMIT 1
) AS became
WHERE fact.municipality = $1 AND fact.kind IN ('fact', 'replay') AND fact.parked IS NULL
AND fact.occurred_on IS NOT NULL AND became.outcome = 'counted'
GROUP BY fact.type, fact.occurred_on
"""
ALLOW = "SELECT set_config('statement_timeout', $1, true)"
NOTE = "UPDATE public.lane SET days_upto = position WHERE municipality = $1"
