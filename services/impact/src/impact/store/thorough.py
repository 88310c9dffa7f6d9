"""Counters against the rows that they count, and rows against what they follow from: reads everything.

A row that is deleted from any table of the account, or put there by hand, leaves an account open.
"""

from collections.abc import Iterable
from dataclasses import replace

from chassis.database import Connection
from impact.conservation import HEARD, Balance, heard_of
from impact.fold import Measure
from impact.store.bodies import by_contract
from impact.store.conservation import Check, balance, open_in

SECONDS = 300
# Whole tables are compared: a nested loop, which a table without statistics invites, takes minutes.
ALLOW = "SELECT set_config('statement_timeout', $1, true), set_config('enable_nestloop', 'off', true)"


async def thorough_balance(db: Connection, municipality: str, measures: Iterable[Measure]) -> Balance:
    """The account of a lane down to its rows. The connection must be in a transaction that holds one snapshot."""
    counted = await balance(db, municipality)
    await db.execute(ALLOW, f"{SECONDS}s")
    checks = [*ROWS, *by_contract(), _catalogue(measures)]
    found = await open_in(db, municipality, checks, seconds=SECONDS)
    return replace(
        counted,
        names=(*counted.names, *(check.name for check in checks), HEARD),
        open_accounts=(*counted.open_accounts, *found, *heard_of(counted.completeness)),
    )


def _catalogue(measures: Iterable[Measure]) -> Check:
    ids = sorted({measure.id for measure in measures})
    return Check("catalogue", CATALOGUE, (ids,))


# A measure that is not kept is no longer told, and nothing but this list misses it.
CATALOGUE = """
SELECT asked.measure AS place, 1 AS left_side,
    (EXISTS (SELECT FROM definition WHERE municipality = $1 AND measure = asked.measure))::integer AS right_side,
    0 AS odd
FROM unnest($2::text[]) AS asked (measure)
WHERE EXISTS (SELECT FROM ledger WHERE municipality = $1)
"""

ROWS = (
    Check(
        "positions",
        """
        SELECT '' AS place, coalesce(max(lane.position), 0) AS left_side, count(ledger.position) AS right_side, 0 AS odd
        FROM lane
        LEFT JOIN ledger ON ledger.municipality = $1 AND ledger.position BETWEEN 1 AND lane.position
        WHERE lane.municipality = $1
        """,
    ),
    Check(
        "last_position",
        """
        SELECT '' AS place,
            coalesce((SELECT position FROM lane WHERE municipality = $1), 0) AS left_side,
            coalesce(max(position), 0) AS right_side,
            0 AS odd
        FROM ledger WHERE municipality = $1
        """,
    ),
    Check(
        "ledger_by_stream",
        """
        SELECT stream || ' ' || received_on AS place,
            coalesce(known.facts, 0) AS left_side, coalesce(stands.facts, 0) AS right_side, 0 AS odd
        FROM (SELECT stream, received_on, first_copies AS facts FROM delivery WHERE municipality = $1) AS known
        FULL JOIN (
            SELECT stream, (recorded_at AT TIME ZONE 'Europe/Copenhagen')::date AS received_on, count(*) AS facts
            FROM ledger WHERE municipality = $1 AND kind = 'fact' GROUP BY 1, 2
        ) AS stands USING (stream, received_on)
        """,
    ),
    Check(
        "ledger_by_source",
        """
        SELECT source || ' ' || received_on AS place,
            coalesce(known.facts, 0) AS left_side, coalesce(stands.facts, 0) AS right_side, 0 AS odd
        FROM (SELECT source, received_on, facts FROM fact_count WHERE municipality = $1) AS known
        FULL JOIN (
            SELECT source, (recorded_at AT TIME ZONE 'Europe/Copenhagen')::date AS received_on, count(*) AS facts
            FROM ledger WHERE municipality = $1 AND kind = 'fact' GROUP BY 1, 2
        ) AS stands USING (source, received_on)
        """,
    ),
    Check(
        "outcome_rows",
        """
        SELECT '' AS place,
            count(fact.position) AS left_side, count(became.position) AS right_side,
            count(*) FILTER (WHERE fact.position IS NULL OR became.position IS NULL) AS odd
        FROM (SELECT position FROM ledger WHERE municipality = $1 AND kind = 'fact') AS fact
        FULL JOIN (SELECT position FROM outcome WHERE municipality = $1) AS became USING (position)
        """,
    ),
    Check(
        "outcome_counts",
        """
        SELECT source || ' ' || received_on || ' ' || outcome AS place,
            coalesce(known.facts, 0) AS left_side, coalesce(stands.facts, 0) AS right_side, 0 AS odd
        FROM (SELECT source, received_on, outcome, facts FROM outcome_count WHERE municipality = $1) AS known
        FULL JOIN (
            SELECT fact.source, (fact.recorded_at AT TIME ZONE 'Europe/Copenhagen')::date AS received_on,
                became.outcome, count(*) AS facts
            FROM outcome AS became
            JOIN ledger AS fact ON fact.municipality = $1 AND fact.position = became.position
            WHERE became.municipality = $1
            GROUP BY 1, 2, 3
        ) AS stands USING (source, received_on, outcome)
        """,
    ),
    # Of a lane that an older impact moved nothing is said: the next batch counts its days anew.
    Check(
        "counted_days",
        """
        SELECT type || ' ' || occurred_on AS place,
            coalesce(known.facts, 0) AS left_side, coalesce(stands.facts, 0) AS right_side, 0 AS odd
        FROM (SELECT type, occurred_on, facts FROM counted_day WHERE municipality = $1) AS known
        FULL JOIN (
            SELECT fact.type, fact.occurred_on, count(*) AS facts
            FROM ledger AS fact
            JOIN outcome AS became
                ON became.municipality = $1 AND became.position = coalesce(fact.concerns, fact.position)
            WHERE fact.municipality = $1 AND fact.kind IN ('fact', 'replay') AND fact.parked IS NULL
            AND fact.occurred_on IS NOT NULL AND became.outcome = 'counted'
            GROUP BY 1, 2
        ) AS stands USING (type, occurred_on)
        WHERE EXISTS (SELECT FROM lane WHERE municipality = $1 AND days_upto = position)
        """,
    ),
    Check(
        "parked",
        """
        SELECT '' AS place,
            count(fact.position) AS left_side, count(became.position) AS right_side,
            count(*) FILTER (WHERE fact.position IS NULL OR became.position IS NULL) AS odd
        FROM (
            SELECT position FROM ledger
            WHERE municipality = $1 AND kind = 'fact' AND parked IS NOT NULL AND position NOT IN (
                SELECT concerns FROM ledger
                WHERE municipality = $1 AND kind = 'replay' AND parked IS NULL AND concerns IS NOT NULL
            )
        ) AS fact
        FULL JOIN (
            SELECT position FROM outcome WHERE municipality = $1 AND outcome = 'parked'
        ) AS became USING (position)
        """,
    ),
    # The outcome is that of the first copy; what waits may do so for its root or for its opening.
    Check(
        "roots",
        """
        SELECT member.kind AS place, count(*) AS left_side,
            count(*) FILTER (WHERE CASE
                WHEN became.outcome IN ('counted', 'out_of_scope') THEN
                    member.root IS NOT NULL
                    AND (member.root = member.position) = (fact.body ->> 'corrects' IS NULL)
                WHEN became.outcome IN ('superseded', 'retracted') THEN member.root IS NULL
                ELSE true
            END) AS right_side,
            0 AS odd
        FROM history AS member
        LEFT JOIN ledger AS fact ON fact.municipality = $1 AND fact.position = member.position
        LEFT JOIN outcome AS became
            ON became.municipality = $1 AND became.position = coalesce(fact.concerns, fact.position)
        WHERE member.municipality = $1
        GROUP BY member.kind
        """,
    ),
    Check(
        "delta_positions",
        """
        SELECT '' AS place, count(*) AS left_side, count(fact.position) AS right_side, 0 AS odd
        FROM delta
        LEFT JOIN ledger AS fact
            ON fact.municipality = $1 AND fact.position = delta.position
            AND fact.kind IN ('fact', 'replay') AND fact.parked IS NULL
        WHERE delta.municipality = $1
        """,
    ),
    Check(
        "ordinals",
        """
        SELECT measure || '/' || definition_version AS place,
            sum(last)::bigint AS left_side, sum(rows)::bigint AS right_side,
            count(*) FILTER (WHERE first <> 1 OR last <> rows) AS odd
        FROM (
            SELECT measure, definition_version, min(ordinal) AS first, max(ordinal) AS last, count(*) AS rows
            FROM delta WHERE municipality = $1 GROUP BY measure, definition_version, position
        ) AS numbered
        GROUP BY 1
        """,
    ),
    # A cohort of none equals itself here, so that the two sides can be hashed.
    Check(
        "sums",
        """
        WITH told AS (
            SELECT measure, definition_version, coalesce(cohort, '-infinity') AS month, date, dimensions,
                sum(amount) AS amount
            FROM delta WHERE municipality = $1 GROUP BY 1, 2, 3, 4, 5
        ), kept AS (
            SELECT measure, definition_version, coalesce(cohort, '-infinity') AS month, date, dimensions, amount
            FROM running_sum WHERE municipality = $1
        )
        SELECT measure || '/' || definition_version AS place,
            count(told.amount) AS left_side, count(kept.amount) AS right_side,
            count(*) FILTER (WHERE told.amount IS DISTINCT FROM kept.amount) AS odd
        FROM told FULL JOIN kept USING (measure, definition_version, month, date, dimensions)
        GROUP BY 1
        """,
    ),
    Check(
        "evidence",
        """
        SELECT '' AS place,
            coalesce((SELECT evidence FROM lane WHERE municipality = $1), 0) AS left_side,
            count(*) AS right_side, 0 AS odd
        FROM evidence WHERE municipality = $1
        """,
    ),
    Check(
        "definitions",
        """
        SELECT told.measure || '/' || told.definition_version AS place,
            1 AS left_side, (kept.measure IS NOT NULL)::integer AS right_side, 0 AS odd
        FROM (SELECT DISTINCT measure, definition_version FROM delta WHERE municipality = $1) AS told
        LEFT JOIN definition AS kept
            ON kept.municipality = $1 AND kept.measure = told.measure AND kept.version = told.definition_version
        """,
    ),
)
