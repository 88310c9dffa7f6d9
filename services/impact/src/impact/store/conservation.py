"""The counts that conservation stands on, each written in the transaction of what it counts, and whether they agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from chassis.database import Connection
from impact.chronicle import Outcome
from impact.conservation import (
    COMPLETENESS,
    Account,
    Balance,
    Completeness,
    DeliveryDay,
    FactDay,
    Heard,
    completeness_of,
    missing_of,
)


class Check(NamedTuple):
    """A statement that gives an account in full: place, left_side, right_side, and odd rows, for a municipality."""

    name: str
    statement: str
    parameters: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Books:
    """The totals of a municipality: deliveries by (stream, result), facts by (source, outcome), parked by reason."""

    deliveries: dict[tuple[str, str], int]
    facts: dict[tuple[str, str], int]
    parked: dict[str, int]
    balance: Balance


async def books(db: Connection, municipality: str) -> Books:
    """Every total, from counters alone."""
    return Books(
        deliveries=await deliveries(db, municipality),
        facts={(row["source"], row["outcome"]): row["facts"] for row in await db.fetch(OUTCOMES, municipality)},
        parked={row["reason"]: row["facts"] for row in await db.fetch(PARKED, municipality)},
        balance=await balance(db, municipality),
    )


OUTCOMES = """
SELECT source, outcome, sum(facts)::bigint AS facts FROM outcome_count
WHERE municipality = $1 GROUP BY source, outcome HAVING sum(facts) <> 0
"""

# What is parked is few, and has an index of its own; the last entry about it says what holds.
PARKED = """
SELECT coalesce(last.parked, fact.parked) AS reason, count(*) AS facts
FROM ledger AS fact
LEFT JOIN LATERAL (
    SELECT kind, parked FROM ledger
    WHERE municipality = $1 AND concerns = fact.position ORDER BY position DESC LIMIT 1
) AS last ON true
WHERE fact.municipality = $1 AND fact.kind = 'fact' AND fact.parked IS NOT NULL
AND (last.kind IS NULL OR (last.kind = 'replay' AND last.parked IS NOT NULL))
GROUP BY 1
"""


async def deliveries(db: Connection, municipality: str) -> dict[tuple[str, str], int]:
    """Deliveries ever, by stream and what became of them."""
    rows = await db.fetch(DELIVERIES, municipality)
    return {(row["stream"], result): row[result] for row in rows for result in RESULTS}


RESULTS = ("first_copies", "duplicates", "conflicts", "unreadable")
DELIVERIES = """
SELECT
    stream,
    sum(first_copies)::bigint AS first_copies,
    sum(duplicates)::bigint AS duplicates,
    sum(conflicts)::bigint AS conflicts,
    sum(unreadable)::bigint AS unreadable
FROM delivery WHERE municipality = $1 GROUP BY stream
"""


async def balance(db: Connection, municipality: str) -> Balance:
    """Whether the counters agree with each other, and with what producers say."""
    sources = await completeness(db, municipality)
    open_accounts = [*await open_in(db, municipality, COUNTERS), *missing_of(sources)]
    return Balance((*(check.name for check in COUNTERS), COMPLETENESS), tuple(open_accounts), sources)


async def completeness(db: Connection, municipality: str) -> tuple[Completeness, ...]:
    """What came of each source beside what its producers say; nobody counts heartbeats."""
    received = {row["source"]: row["facts"] for row in await db.fetch(RECEIVED, municipality)}
    return completeness_of(received, [Heard(**row) for row in await db.fetch(HEARD, municipality)])


RECEIVED = """
SELECT source, sum(facts - heartbeats)::bigint AS facts FROM fact_count WHERE municipality = $1 GROUP BY source
"""

HEARD = """
SELECT producer, source, published, sent_at, received_at FROM heartbeat
WHERE municipality = $1 ORDER BY producer, source
"""


async def open_in(
    db: Connection, municipality: str, checks: Sequence[Check], *, seconds: float | None = None
) -> list[Account]:
    """The accounts that do not close."""
    found: list[Account] = []
    for check in checks:
        statement = f"SELECT * FROM ({check.statement}) AS account WHERE left_side <> right_side OR odd <> 0"  # noqa: S608 - no input
        rows = await db.fetch(statement, municipality, *check.parameters, timeout=seconds)
        found += [Account(check.name, *row.values()) for row in rows]
    return found


# A lane whose row is gone has counted nothing, and so agrees with nothing.
COUNTERS = (
    Check(
        "deliveries",
        """
        SELECT '' AS place,
            coalesce((SELECT deliveries FROM lane WHERE municipality = $1), 0) AS left_side,
            coalesce(sum(first_copies + duplicates + conflicts + unreadable), 0)::bigint AS right_side,
            0 AS odd
        FROM delivery WHERE municipality = $1
        """,
    ),
    Check(
        "positions_allotted",
        """
        SELECT '' AS place,
            coalesce((SELECT position FROM lane WHERE municipality = $1), 0) AS left_side,
            coalesce(sum(first_copies), 0)::bigint
                + (SELECT count(*) FROM ledger WHERE municipality = $1 AND concerns IS NOT NULL) AS right_side,
            0 AS odd
        FROM delivery WHERE municipality = $1
        """,
    ),
    Check(
        "first_copies",
        """
        SELECT received_on::text AS place,
            coalesce(came.facts, 0) AS left_side, coalesce(known.facts, 0) AS right_side, 0 AS odd
        FROM (
            SELECT received_on, sum(first_copies)::bigint AS facts FROM delivery
            WHERE municipality = $1 GROUP BY received_on
        ) AS came
        FULL JOIN (
            SELECT received_on, sum(facts)::bigint AS facts FROM fact_count WHERE municipality = $1 GROUP BY received_on
        ) AS known USING (received_on)
        """,
    ),
    Check(
        "outcomes",
        """
        SELECT source || ' ' || received_on AS place,
            coalesce(known.facts, 0) AS left_side, coalesce(became.facts, 0) AS right_side, 0 AS odd
        FROM (SELECT source, received_on, facts FROM fact_count WHERE municipality = $1) AS known
        FULL JOIN (
            SELECT source, received_on, sum(facts)::bigint AS facts FROM outcome_count
            WHERE municipality = $1 GROUP BY source, received_on
        ) AS became USING (source, received_on)
        """,
    ),
)


async def delivery_days(db: Connection, municipality: str) -> list[DeliveryDay]:
    """Deliveries per stream and day, the latest day first."""
    return [DeliveryDay(**row) for row in await db.fetch(DELIVERY_DAYS, municipality)]


DELIVERY_DAYS = """
SELECT stream, received_on, first_copies, duplicates, conflicts, unreadable FROM delivery
WHERE municipality = $1 ORDER BY received_on DESC, stream
"""


async def fact_days(db: Connection, municipality: str) -> list[FactDay]:
    """Facts per source and day, the latest day first."""
    return [
        FactDay(
            row["source"],
            row["received_on"],
            row["facts"],
            {outcome: row["outcomes"].get(outcome, 0) for outcome in Outcome},
        )
        for row in await db.fetch(FACT_DAYS, municipality)
    ]


FACT_DAYS = """
SELECT source, received_on, coalesce(known.facts, 0) AS facts, coalesce(became.outcomes, '{}') AS outcomes
FROM (SELECT source, received_on, facts FROM fact_count WHERE municipality = $1) AS known
FULL JOIN (
    SELECT source, received_on, jsonb_object_agg(outcome, facts) AS outcomes FROM outcome_count
    WHERE municipality = $1 GROUP BY source, received_on
) AS became USING (source, received_on)
ORDER BY received_on DESC, source
"""
