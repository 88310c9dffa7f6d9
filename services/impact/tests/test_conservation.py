"""Every delivery and every fact is in exactly one count, and a row that goes missing leaves an account open."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.calendar import SystemCalendar
from chassis.database import Connection, Pool, create_pool
from chassis.migrate import HTTP, component_of
from chassis.wire import seal
from contracts.event import Event
from contracts.flexjob_pool import BudgetAllocated, FlexjobHoursChanged, FlexjobStarted, RulesAdopted
from contracts.platform import EventRetracted, Published, ServiceHeartbeat
from contracts.streams import Stream
from impact import parked
from impact.catalogue import INDICATORS, measures_of
from impact.conservation import EXPLAINED, Account, Arrival, Balance, Heard, completeness_of, missing_of
from impact.fold import Fact
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.parked import Decision
from impact.store import conservation
from impact.store.thorough import thorough_balance
from local.fixtures import Templates
from local.postgres import Postgres, run_apart

MEASURES = measures_of(INDICATORS)
LANE = Stream("621", "flexjob_pool")
SOURCE = "urn:kraftcenter:621:flexjob_pool"
REGISTERED = datetime(2026, 6, 1, tzinfo=UTC)
DECISION = Decision("621", "test", "checked")
BROKEN = tuple(replace(measure, rule=lambda _: 1 / 0) for measure in MEASURES)  # type: ignore[arg-type, return-value]
sequences = count(1)
MUNICIPALITIES = (f"{number:03}" for number in count(101))


def started(number: int) -> Event:
    return FlexjobStarted(
        occurred_on=date(2026, 1, 1),
        placement_id=UUID(int=number),
        person_ref=UUID(int=100 + number),
        department="Senior",
        workplace_unit="Bakkebo",
        attendance_hours_per_week=Decimal(12),
        effective_hours_per_week=Decimal(4),
        grant_term="permanent",
        retention=False,
        scheme="post2013",
    )


def changed(number: int, hours: str) -> Event:
    return FlexjobHoursChanged(
        occurred_on=date(2026, 2, 1),
        reason_code="late_information",
        placement_id=UUID(int=number),
        person_ref=UUID(int=100 + number),
        attendance_hours_per_week=Decimal(12),
        effective_hours_per_week=Decimal(hours),
        cause="capacity_up",
    )


def retraction(target: str) -> Event:
    return EventRetracted(event_id=target, reason_code="double_entry")


def budget(number: int, ore: int = 100) -> Event:
    return BudgetAllocated(occurred_on=date(2026, 1, 1), budget_id=UUID(int=number), fiscal_year=2026, amount_ore=ore)


RULES = RulesAdopted(
    occurred_on=date(2026, 1, 1), rules_version=1, refund_share=Decimal("0.5"), eligible_units=("Bakkebo",)
)


def heartbeat(events: int, source: str = SOURCE) -> Event:
    return ServiceHeartbeat(producer="flexjob_pool", published=(Published(source=source, events=events),))


def sealed(event: Event, event_id: str, *, corrects: str | None = None) -> bytes:
    time = REGISTERED
    return seal(event, municipality="621", producer="flexjob_pool", id=event_id, time=time, corrects=corrects).body


def edited(raw: bytes, **changes: Any) -> bytes:
    return json.dumps(json.loads(raw) | changes).encode()


async def bring_in(pool: Pool, *bodies: bytes, measures: tuple[Any, ...] = MEASURES) -> int:
    batch = [Delivery(LANE.name, next(sequences), {}, body) for body in bodies]
    return await ingest(pool, LANE, batch, measures=measures, calendar=SystemCalendar())


@pytest.fixture(scope="module")
def lived(templates: Templates) -> Iterator[str]:
    """A database to copy, with a lane on which everything has happened that can happen to a delivery and to a fact."""
    with templates.copied(HTTP, component_of("impact")) as dsn:
        run_apart(everything(dsn))
        yield dsn


async def everything(dsn: str) -> None:
    async with await create_pool(dsn, name="test") as pool:
        start = sealed(started(1), "start-1")
        await bring_in(pool, start, sealed(budget(1), "budget"), sealed(RULES, "rules"), b"noise")
        await bring_in(pool, start, edited(start, subject="placement/2"), sealed(changed(1, "12.50"), "change"))
        await bring_in(pool, sealed(changed(1, "10.50"), "right", corrects="change"), sealed(started(2), "start-2"))
        await bring_in(pool, sealed(retraction("start-2"), "undo"), sealed(changed(3, "9.00"), "early"))
        await bring_in(pool, edited(sealed(RULES, "odd"), data={}), edited(sealed(RULES, "gone"), data={}))
        await bring_in(pool, sealed(started(4), "stumbled"), measures=BROKEN)
        positions = {
            row["event_id"]: row["position"] for row in await pool.fetch("SELECT event_id, position FROM ledger")
        }
        async with pool.acquire() as db, db.transaction():
            again = [positions["stumbled"], positions["odd"]]
            await parked.replay(db, DECISION, again, measures=MEASURES, calendar=SystemCalendar())
            await parked.discard(db, DECISION, positions["gone"], calendar=SystemCalendar())
        await bring_in(pool, sealed(heartbeat(11), "beat"))


@pytest.fixture
async def lane(postgres: Postgres, lived: str) -> AsyncIterator[Pool]:
    """Connections to a copy of it."""
    dsn = postgres.copy_of(lived)
    async with await create_pool(dsn, name="test") as pool:
        yield pool
    postgres.drop_database(dsn)


@asynccontextmanager
async def in_vain(db: Connection) -> AsyncIterator[None]:
    """A change that nothing remains of."""
    change = db.transaction()
    await change.start()
    try:
        yield
    finally:
        await change.rollback()


async def thorough(db: Connection) -> Balance:
    return await thorough_balance(db, "621", MEASURES)


async def test_a_lane_on_which_everything_happened_balances_down_to_its_rows(lane: Pool) -> None:
    async with lane.acquire() as db, db.transaction():
        found = await thorough(db)
        (day,) = await conservation.delivery_days(db, "621")
        (facts,) = await conservation.fact_days(db, "621")

    assert found.open_accounts == ()
    assert (found.balanced, found.complete) == (True, True)
    assert set(found.names) == set(EXPLAINED)
    assert (day.first_copies, day.duplicates, day.conflicts, day.unreadable, day.delivered) == (11, 1, 1, 1, 14)
    assert facts.first_copies == 11
    assert {outcome.value: number for outcome, number in facts.outcomes.items()} == {
        "parked": 2,
        "retracted": 1,
        "superseded": 1,
        "waiting": 1,
        "counted": 5,
        "out_of_scope": 1,
    }


# A count that went back to nought says what its absence says.
ROWS = {"outcome_count": "WHERE facts <> 0"}
MISSED = {
    "lane": {"last_position", "deliveries", "positions_allotted", "evidence"},
    "ledger": {"positions"},
    "history": {"histories"},
    "link": {"links"},
    "outcome": {"outcome_rows", "outcome_counts"},
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


async def test_what_was_published_and_has_not_come_is_missing_but_what_came_balances(lane: Pool) -> None:
    await bring_in(lane, edited(sealed(heartbeat(13), "beat-2"), time="2026-06-02T00:00:00Z"))
    async with lane.acquire() as db:
        found = await conservation.balance(db, "621")

    assert (found.balanced, found.complete) == (True, False)
    assert found.open_accounts == (Account("completeness", SOURCE, 13, 11),)


async def test_without_a_heartbeat_nobody_can_tell_whether_a_source_is_complete(pool: Pool) -> None:
    await bring_in(pool, sealed(budget(1), "budget"))
    async with pool.acquire() as db, db.transaction():
        counted, found = await conservation.balance(db, "621"), await thorough(db)

    assert (counted.balanced, counted.complete, counted.open_accounts) == (True, None, ())
    assert (found.balanced, found.open_accounts) == (False, (Account("heard", SOURCE, 1, 0),))


async def test_a_lane_that_nothing_came_to_balances(pool: Pool) -> None:
    async with pool.acquire() as db, db.transaction():
        found = await thorough(db)

    assert (found.balanced, found.complete, found.open_accounts) == (True, None, ())


async def test_a_parked_heartbeat_makes_up_for_no_loss(pool: Pool) -> None:
    await bring_in(pool, edited(sealed(heartbeat(1), "odd"), data={}), sealed(heartbeat(1), "beat"))
    async with pool.acquire() as db, db.transaction():
        found = await thorough(db)

    assert (found.balanced, found.complete) == (True, False)
    assert found.open_accounts == (Account("completeness", SOURCE, 1, 0),)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_story_in_any_order_balances_down_to_its_rows(
    pool: Pool, stories: st.SearchStrategy[list[Fact]], data: st.DataObject
) -> None:
    municipality = next(MUNICIPALITIES)
    facts = data.draw(stories)
    copies = data.draw(st.lists(st.sampled_from(facts), max_size=4))
    for fact in data.draw(st.permutations([*facts, *copies])):
        source = fact.source.replace(":621:", f":{municipality}:")
        body = seal(
            fact.event,
            municipality=municipality,
            producer="flexjob_pool",
            source=source,
            id=fact.id,
            time=fact.time,
            corrects=fact.corrects,
        ).body
        stream = Stream(municipality, "flexjob_pool")
        batch = [Delivery(stream.name, next(sequences), {}, body)]
        await ingest(pool, stream, batch, measures=MEASURES, calendar=SystemCalendar())
    async with pool.acquire() as db, db.transaction():
        found = await thorough_balance(db, municipality, MEASURES)

    assert {account.name for account in found.open_accounts} == {"heard"}


async def test_lanes_do_not_answer_for_each_other(lane: Pool) -> None:
    async with lane.acquire() as db, db.transaction():
        await db.execute("UPDATE lane SET deliveries = 0, evidence = 0, position = 0")
        found = await thorough_balance(db, "751", MEASURES)

    assert found.open_accounts == ()


def beat(producer: str, source: str, published: int) -> Heard:
    return Heard(producer, source, published, REGISTERED, REGISTERED)


def test_what_two_producers_publish_of_one_source_is_added_up() -> None:
    (only,) = completeness_of({"a": 5}, [beat("gateway", "a", 2), beat("partnerships", "a", 4)])

    assert (only.published, only.missing, only.status) == (6, 1, Arrival.MISSING)
    assert missing_of([only]) == [Account("completeness", "a", 6, 5)]


def test_what_came_since_the_heartbeat_of_one_source_makes_up_for_no_other() -> None:
    sources = completeness_of({"a": 7, "b": 1}, [beat("gateway", "a", 2), beat("gateway", "b", 2)])

    assert [(each.missing, each.status) for each in sources] == [(0, Arrival.COMPLETE), (1, Arrival.MISSING)]
    assert Balance((), (), sources).complete is False


def test_a_source_that_published_and_of_which_nothing_came_is_missing() -> None:
    (only,) = completeness_of({}, [beat("gateway", "a", 2)])

    assert (only.received, only.missing, only.status) == (0, 2, Arrival.MISSING)
