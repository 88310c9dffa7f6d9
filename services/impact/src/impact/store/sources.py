"""When sources were heard, and how fast they tell: from days that are counted, and from the latest facts alone."""

from chassis.database import Connection
from impact.rhythm import REMEMBERED, Rhythm


async def rhythms(db: Connection, municipality: str) -> dict[str, Rhythm]:
    """Each source that was ever heard; nobody hears heartbeats."""
    rows = await db.fetch(RHYTHMS, municipality, REMEMBERED.days)
    return {row["source"]: Rhythm(row["first_on"], row["last_on"], row["pauses"], row["longest"]) for row in rows}


# Only the last weeks are put in order: days are kept for ever.
RHYTHMS = """
WITH known AS (
    SELECT source, max(received_on) AS last_on FROM fact_count
    WHERE municipality = $1 AND facts > heartbeats GROUP BY source
), heard AS (
    SELECT source, last_on, received_on,
        received_on - lag(received_on) OVER (PARTITION BY source ORDER BY received_on) AS pause
    FROM known
    JOIN fact_count USING (source)
    WHERE municipality = $1 AND facts > heartbeats AND received_on > last_on - $2::integer
)
SELECT source, last_on, min(received_on) AS first_on, count(pause) AS pauses, coalesce(max(pause), 0) AS longest
FROM heard GROUP BY source, last_on
"""


async def timeliness(db: Connection, municipality: str) -> dict[str, float]:
    """Seconds from `time` to receipt, the median of what each source has among the lane's last thousand facts."""
    return {row["source"]: row["seconds"] for row in await db.fetch(TIMELINESS, municipality)}


TIMELINESS = """
SELECT source, percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM recorded_at - time)::float8) AS seconds
FROM (
    SELECT source, time, recorded_at FROM ledger
    WHERE municipality = $1 AND kind = 'fact' ORDER BY position DESC LIMIT 1000
) AS latest
GROUP BY source
"""
