"""A row that goes missing, or that somebody puts there by hand, leaves an account open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chassis.database import Connection, Pool
from impact.conservation import Account
from impact.store import conservation
from services.impact.tests.conservation.deliveries import (
    SOURCE,
    thorough,
)


@asynccontextmanager
async def in_vain(db: Connection) -> AsyncIterator[None]:
    """A change that nothing remains of."""
    change = db.transaction()
    await change.start()
    try:
        yield
    finally:
        await change.rollback()


# A count that went back to nought says what its absence says.
ROWS = {"outcome_count": "WHERE facts <> 0", "counted_day": "WHERE facts <> 0"}
MISSED = {
    "lane": {"last_position", "deliveries", "positions_allotted", "evidence"},
    "ledger": {"positions"},
    "history": {"histories"},
    "link": {"links"},
    "outcome": {"outcome_rows", "outcome_counts"},
    "counted_day": {"counted_days"},
    "outcome_count": {"outcomes", "outcome_counts"},
    "delta": {"sums"},
    "running_sum": {"sums"},
    "delivery": {"deliveries", "positions_allotted", "first_copies", "ledger_by_stream"},
    "fact_count": {"first_copies", "outcomes", "ledger_by_source"},
    "evidence": {"evidence"},
    "definition": {"catalogue"},
    "heartbeat": {"heard"},
}


@pytest.mark.parametrize("table", MISSED)
async def test_any_row_that_goes_missing_leaves_its_account_open(lane: Pool, table: str) -> None:
    async with lane.acquire() as db, db.transaction():
        rows = [row["ctid"] for row in await db.fetch(f"SELECT ctid FROM {table} {ROWS.get(table, '')}")]  # noqa: S608
        assert rows
        for row in rows:
            async with in_vain(db):
                await db.execute(f"DELETE FROM {table} WHERE ctid = $1", row)  # noqa: S608
                found = await thorough(db)
            assert not found.balanced
            assert {account.name for account in found.open_accounts} >= MISSED[table]


FORGERIES = [
    ("UPDATE running_sum SET amount = amount + 1", "sums"),
    ("UPDATE delta SET amount = amount + 1", "sums"),
    ("UPDATE delta SET ordinal = ordinal + 100", "ordinals"),
    ("INSERT INTO delta SELECT * FROM jsonb_populate_record(null::delta, $1)", "delta_positions"),
    ("UPDATE history SET key = 'other'", "histories"),
    ("INSERT INTO history (municipality, kind, key, position) VALUES ('621', 'person', 'x', 1)", "histories"),
    ("UPDATE link SET target = 'other'", "links"),
    ("UPDATE outcome SET outcome = 'counted'", "outcome_counts"),
    ("UPDATE outcome SET outcome = 'counted' WHERE outcome = 'parked'", "parked"),
    ("UPDATE counted_day SET facts = facts + 1", "counted_days"),
    ("UPDATE counted_day SET occurred_on = occurred_on + 1000", "counted_days"),
    ("INSERT INTO outcome VALUES ('621', 99, 'counted')", "outcome_rows"),
    ("UPDATE ledger SET body = jsonb_set(body, '{data,person_ref}', '\"x\"') WHERE position = 1", "histories"),
    ("UPDATE ledger SET position = position + 1 WHERE position = (SELECT max(position) FROM ledger)", "positions"),
    ("UPDATE ledger SET stream = 'other'", "ledger_by_stream"),
    ("UPDATE ledger SET type = 'dk.kraftcenter.service.heartbeat.v1' WHERE position = 1", "ledger_heartbeats"),
    ("UPDATE ledger SET source = source || 'x' WHERE position = 1", "ledger_columns"),
    ("UPDATE ledger SET event_id = 'other' WHERE position = 1", "ledger_columns"),
    ("UPDATE ledger SET time = time + interval '1 second' WHERE position = 1", "ledger_columns"),
    ("UPDATE ledger SET occurred_on = occurred_on + 1 WHERE position = 1", "ledger_columns"),
    ("UPDATE ledger SET occurred_on = '2026-01-01' WHERE type LIKE '%retracted%'", "ledger_columns"),
    ("UPDATE ledger SET occurred_on = NULL WHERE kind = 'replay'", "ledger_columns"),
    ("UPDATE ledger SET body = jsonb_set(body, '{time}', '\"soon\"') WHERE position = 1", "ledger_columns"),
    ("UPDATE ledger SET body = jsonb_set(body, '{data,occurred_on}', '\"soon\"')", "ledger_columns"),
    ("UPDATE history SET root = NULL WHERE position = 1", "roots"),
    ("UPDATE history SET root = position WHERE root IS NULL", "roots"),
    ("UPDATE history SET root = position WHERE root <> position", "roots"),
    ("UPDATE history SET root = 1", "roots"),
    ("UPDATE delta SET cohort = '2026-01-02'", "sums"),
    ("UPDATE delta SET date = date + 1", "sums"),
    ('UPDATE delta SET dimensions = dimensions || \'{"x": "y"}\'', "sums"),
    ("UPDATE running_sum SET cohort = '2026-01-02'", "sums"),
    ("UPDATE running_sum SET date = date + 1", "sums"),
    ('UPDATE running_sum SET dimensions = dimensions || \'{"x": "y"}\'', "sums"),
    ("UPDATE lane SET evidence = evidence + 1", "evidence"),
    ("UPDATE definition SET version = 99", "definitions"),
]
NOBODYS = {
    "municipality": "621",
    "position": 99,
    "ordinal": 1,
    "measure": "m",
    "definition_version": 1,
    "key": "k",
    "contributor": "c",
    "date": "2026-01-01",
    "amount": 1,
    "dimensions": {},
}


@pytest.mark.parametrize(("forgery", "account"), FORGERIES)
async def test_what_somebody_puts_there_by_hand_leaves_an_account_open(lane: Pool, forgery: str, account: str) -> None:
    async with lane.acquire() as db, db.transaction():
        await db.execute(forgery, *([NOBODYS] if "$1" in forgery else []))
        found = await thorough(db)

    assert account in {each.name for each in found.open_accounts}


COUNTED = [
    ("UPDATE lane SET deliveries = deliveries + 1", Account("deliveries", "", 15, 14)),
    ("UPDATE lane SET position = position + 1", Account("positions_allotted", "", 15, 14)),
]


@pytest.mark.parametrize(("forgery", "account"), COUNTED)
async def test_counters_alone_show_both_sides_of_what_does_not_close(
    lane: Pool, forgery: str, account: Account
) -> None:
    async with lane.acquire() as db, db.transaction():
        await db.execute(forgery)
        found = await conservation.balance(db, "621")

    assert found.open_accounts == (account,)
    assert not found.balanced


async def test_a_day_of_a_source_is_named_when_its_outcomes_do_not_add_up(lane: Pool) -> None:
    async with lane.acquire() as db, db.transaction():
        await db.execute("UPDATE outcome_count SET facts = facts + 1 WHERE outcome = 'waiting'")
        found = await conservation.balance(db, "621")
        received_on = await db.fetchval("SELECT received_on FROM fact_count")

    assert found.open_accounts == (Account("outcomes", f"{SOURCE} {received_on}", 11, 12),)
