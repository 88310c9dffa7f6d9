"""Rows against the raw bodies that they follow from, by what the contracts say of these."""

from contracts.catalogue import EVENTS
from contracts.event import DatedEvent, key_fields
from contracts.platform import EventRetracted, ServiceHeartbeat
from impact.store.conservation import Check


def by_contract() -> list[Check]:
    """The checks of keys, of pointers to other events, of days and other columns, and of heartbeats."""
    keys = [(event.contract.type, kind, field) for event in EVENTS for field, kind in key_fields(event)]
    return [
        Check("histories", HISTORIES, tuple(list(column) for column in zip(*keys, strict=True))),
        Check(
            "ledger_columns", LEDGER_COLUMNS, ([each.contract.type for each in EVENTS if issubclass(each, DatedEvent)],)
        ),
        Check("links", LINKS, (EventRetracted.contract.type,)),
        Check("ledger_heartbeats", LEDGER_HEARTBEATS, (ServiceHeartbeat.contract.type,)),
    ]


HISTORIES = """
WITH told AS (
    SELECT DISTINCT asked.kind, fact.body -> 'data' ->> asked.field AS key, fact.position
    FROM unnest($2::text[], $3::text[], $4::text[]) AS asked (type, kind, field)
    JOIN ledger AS fact ON fact.type = asked.type
    WHERE fact.municipality = $1 AND fact.parked IS NULL AND fact.kind IN ('fact', 'replay')
    AND fact.body -> 'data' ->> asked.field IS NOT NULL
)
SELECT coalesce(told.kind, known.kind) AS place,
    count(told.position) AS left_side, count(known.position) AS right_side,
    count(*) FILTER (WHERE told.position IS NULL OR known.position IS NULL) AS odd
FROM told
FULL JOIN (SELECT kind, key, position FROM history WHERE municipality = $1) AS known
    ON known.kind = told.kind AND known.key = told.key AND known.position = told.position
GROUP BY 1
"""

# A body that was edited may hold anything: so its instant, UTC to the microsecond at most, is compared as text.
LEDGER_COLUMNS = r"""
SELECT type AS place, count(*) AS left_side,
    count(*) FILTER (
        WHERE source = body ->> 'source' AND event_id = body ->> 'id' AND type = body ->> 'type'
        AND to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') = rpad(
            regexp_replace(regexp_replace(body ->> 'time', '(Z|\+00:00)$', ''), '^([^.]+)$', '\1.'), 26, '0'
        )
        AND to_char(occurred_on, 'YYYY-MM-DD')
            IS NOT DISTINCT FROM CASE WHEN type = ANY ($2::text[]) THEN body -> 'data' ->> 'occurred_on' END
    ) AS right_side,
    0 AS odd
FROM ledger WHERE municipality = $1 AND parked IS NULL AND kind IN ('fact', 'replay')
GROUP BY type
"""

LINKS = """
WITH told AS (
    SELECT position, source, event_id,
        CASE WHEN type = $2 THEN body -> 'data' ->> 'event_id' ELSE body ->> 'corrects' END AS target
    FROM ledger
    WHERE municipality = $1 AND parked IS NULL AND kind IN ('fact', 'replay')
)
SELECT source AS place,
    count(told.position) AS left_side, count(known.position) AS right_side,
    count(*) FILTER (WHERE told.position IS NULL OR known.position IS NULL) AS odd
FROM (SELECT * FROM told WHERE target IS NOT NULL) AS told
FULL JOIN (SELECT * FROM link WHERE municipality = $1) AS known USING (source, event_id, target, position)
GROUP BY source
"""

LEDGER_HEARTBEATS = """
SELECT source || ' ' || received_on AS place,
    coalesce(known.facts, 0) AS left_side, coalesce(stands.facts, 0) AS right_side, 0 AS odd
FROM (SELECT source, received_on, heartbeats AS facts FROM fact_count WHERE municipality = $1) AS known
FULL JOIN (
    SELECT source, (recorded_at AT TIME ZONE 'Europe/Copenhagen')::date AS received_on, count(*) AS facts
    FROM ledger WHERE municipality = $1 AND kind = 'fact' AND type = $2 GROUP BY 1, 2
) AS stands USING (source, received_on)
"""
