"""An impact of before days were counted: the statements that it ran where the newer one has others."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from impact.store import ledger

# It never heard of `days_upto`; to the newer code around these statements a lane is as counted as it should be.
LOCK_LANE = """
INSERT INTO lane (municipality, recorded_at) VALUES ($1, $2)
ON CONFLICT (municipality) DO UPDATE SET position = lane.position
RETURNING position, position AS days_upto, greatest(recorded_at, $2) AS recorded_at,
    set_config('plan_cache_mode', 'force_custom_plan', true)
"""
SET_OUTCOMES = """
WITH told AS (
    SELECT changed.position, changed.outcome, known.outcome AS before,
        fact.source, (fact.recorded_at AT TIME ZONE 'Europe/Copenhagen')::date AS received_on
    FROM unnest($2::bigint[], $3::text[]) AS changed (position, outcome)
    CROSS JOIN LATERAL (
        SELECT source, recorded_at FROM ledger WHERE municipality = $1 AND position = changed.position LIMIT 1
    ) AS fact
    LEFT JOIN LATERAL (
        SELECT outcome FROM outcome WHERE municipality = $1 AND position = changed.position LIMIT 1
    ) AS known ON true
), kept AS (
    INSERT INTO outcome (municipality, position, outcome)
    SELECT $1, position, outcome FROM told
    ON CONFLICT (municipality, position) DO UPDATE SET outcome = excluded.outcome
)
INSERT INTO outcome_count AS known (municipality, source, received_on, outcome, facts)
SELECT $1, source, received_on, moved.outcome, sum(moved.facts)
FROM told
CROSS JOIN LATERAL (VALUES (told.outcome, 1), (told.before, -1)) AS moved (outcome, facts)
WHERE moved.outcome IS NOT NULL
GROUP BY source, received_on, moved.outcome
ON CONFLICT (municipality, source, received_on, outcome) DO UPDATE SET facts = known.facts + excluded.facts
"""
MOVE_LANE = "UPDATE lane SET position = $2, recorded_at = $3 WHERE municipality = $1"


@contextmanager
def older() -> Iterator[None]:
    """While it is the older impact that takes in."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LOCK_LANE", "SET_OUTCOMES", "MOVE_LANE"):
            patch.setattr(ledger, name, globals()[name])
        yield
