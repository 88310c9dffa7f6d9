"""Whatever happens on the way in, every row that follows from the ledger is what its replay gives."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.calendar import SystemCalendar
from chassis.database import Pool, create_pool
from chassis.wire import seal
from contracts.flexjob_pool import BudgetAllocated
from contracts.streams import Stream
from impact.catalogue import INDICATORS, measures_of
from impact.consumer import PASSING
from impact.fold import Fact
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.rebuild import compare
from impact.store.replay import COLUMNS
from local.waiting import until
from services.impact.tests.pages import pages_of

MEASURES = measures_of(INDICATORS)
REGISTERED = datetime(2026, 6, 1, tzinfo=UTC)
MUNICIPALITIES = (f"{number:03}" for number in count(101))
ALLOCATED = BudgetAllocated(
    occurred_on=date(2026, 1, 1),
    budget_id=UUID(int=1),
    fiscal_year=2026,
    amount_ore=5,
    reason_code="late_information",
)
BUDGET = Fact(1, "urn:kraftcenter:621:flexjob_pool", "a", ALLOCATED.contract.type, REGISTERED, ALLOCATED)
KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'worker'"

Stories = st.SearchStrategy[list[Fact]]
a_few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def deliveries_of(facts: Sequence[Fact], stream: Stream) -> list[Delivery]:
    """Each fact once, in its order, as if its source were of the stream's municipality."""
    return [
        Delivery(stream.name, sequence, {}, body)
        for sequence, body in enumerate((sealed(fact, stream) for fact in facts), start=1)
    ]


def sealed(fact: Fact, stream: Stream) -> bytes:
    source = fact.source.replace(":621:", f":{stream.municipality}:")
    known = {"municipality": stream.municipality, "producer": stream.producer, "source": source}
    return seal(fact.event, **known, id=fact.id, time=fact.time, corrects=fact.corrects).body


def cut(data: st.DataObject, deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
    """Any copies, in any order, in any batches."""
    copies = data.draw(st.lists(st.sampled_from(deliveries), max_size=6))
    arriving = data.draw(st.permutations([*deliveries, *copies]))
    edges = sorted(data.draw(st.sets(st.integers(1, len(arriving) - 1)))) if len(arriving) > 1 else []
    return [list(arriving[start:end]) for start, end in zip([0, *edges], [*edges, len(arriving)], strict=True)]


async def differing(pool: Pool, municipality: str) -> list[str]:
    return (await compare(pool, municipality, MEASURES)).differing


async def bring_in(pool: Pool, stream: Stream, batch: Sequence[Delivery]) -> None:
    await ingest(pool, stream, batch, measures=MEASURES, calendar=SystemCalendar())


async def positions(pool: Pool, municipality: str) -> list[int]:
    rows = await pool.fetch("SELECT position FROM ledger WHERE municipality = $1 ORDER BY position", municipality)
    return [row["position"] for row in rows]


async def net(pool: Pool, municipality: str) -> list[tuple[object, ...]]:
    rows = await pool.fetch(
        "SELECT measure, date, dimensions, amount FROM running_sum"
        " WHERE municipality = $1 AND amount <> 0 ORDER BY measure, date, dimensions",
        municipality,
    )
    return [tuple(row.values()) for row in rows]


@a_few
@given(data=st.data())
async def test_any_batches_with_any_copies_leave_what_a_rebuild_gives(
    pool: Pool, stories: Stories, data: st.DataObject
) -> None:
    stream, plain = Stream(next(MUNICIPALITIES), "flexjob_pool"), Stream(next(MUNICIPALITIES), "flexjob_pool")
    events = data.draw(stories)
    for batch in cut(data, deliveries_of(events, stream)):
        await bring_in(pool, stream, batch)
    await bring_in(pool, plain, deliveries_of(events, plain))

    assert await differing(pool, stream.municipality) == []
    with pages_of(data.draw(st.integers(1, 4))):
        assert await differing(pool, stream.municipality) == []
    assert await positions(pool, stream.municipality) == list(range(1, len(events) + 1))
    assert await net(pool, stream.municipality) == await net(pool, plain.municipality)


@a_few
@given(data=st.data())
async def test_two_workers_on_one_lane_whose_connections_die_leave_what_a_rebuild_gives(
    pool: Pool, database_url: str, stories: Stories, data: st.DataObject
) -> None:
    stream = Stream(next(MUNICIPALITIES), "flexjob_pool")
    events = data.draw(stories)
    batches = cut(data, deliveries_of(events, stream))
    shares = [batches[0::2], batches[1::2]] if data.draw(st.booleans()) else [batches, batches]
    pauses = data.draw(st.lists(st.integers(0, 40), max_size=5))
    async with (
        await create_pool(database_url, name="worker", max_size=1) as first,
        await create_pool(database_url, name="worker", max_size=1) as second,
    ):
        workers = [work(own, stream, share) for own, share in zip((first, second), shares, strict=True)]
        await asyncio.gather(*workers, disturb(pool, pauses))

    assert await differing(pool, stream.municipality) == []
    assert await positions(pool, stream.municipality) == list(range(1, len(events) + 1))


async def work(pool: Pool, stream: Stream, batches: Sequence[Sequence[Delivery]]) -> None:
    """Bring in every batch, again and again until it is known to be committed."""
    for batch in batches:
        done = False
        while not done:
            try:
                await bring_in(pool, stream, batch)
            except PASSING:
                continue
            done = True


async def disturb(pool: Pool, pauses: Sequence[int]) -> None:
    """End all connections of the workers, wherever they are, after some turns of the event loop each time."""
    for turns in pauses:
        for _ in range(turns):
            await asyncio.sleep(0)
        await pool.execute(KILL)


@pytest.mark.parametrize("table", ["ledger", "history", "delta", "running_sum", "delivery", "fact_count"])
async def test_a_worker_that_dies_within_its_transaction_leaves_nothing_behind(
    pool: Pool, database_url: str, table: str
) -> None:
    stream = Stream("621", "flexjob_pool")
    batch = deliveries_of([BUDGET], stream)
    async with await create_pool(database_url, name="worker", max_size=1) as own:
        async with pool.acquire() as db, db.transaction():
            # Held up where it is about to write, it is killed there.
            await db.execute(f"LOCK TABLE {table} IN SHARE MODE")
            doomed = asyncio.create_task(bring_in(own, stream, batch))
            await until(lambda: is_held_up(pool, table))
            await pool.execute(KILL)
        with pytest.raises(PASSING):
            await doomed
        await bring_in(own, stream, batch)

    assert await differing(pool, "621") == []
    assert await positions(pool, "621") == [1]
    assert await pool.fetchval("SELECT first_copies + duplicates FROM delivery") == 1
    assert await pool.fetchval("SELECT facts FROM fact_count") == 1


async def is_held_up(pool: Pool, table: str) -> bool:
    waiting = "SELECT count(*) FROM pg_locks WHERE relation = $1::text::regclass AND NOT granted"
    return bool(await pool.fetchval(waiting, table))


async def test_a_comparison_notices_drift_in_every_table(pool: Pool) -> None:
    stream = Stream("621", "flexjob_pool")
    correction = replace(BUDGET, id="b", corrects="a")
    await bring_in(pool, stream, deliveries_of([BUDGET, correction], stream))
    assert await differing(pool, "621") == []

    for table in COLUMNS:
        await pool.execute(f"CREATE TABLE kept AS TABLE {table}")
        await pool.execute(f"DELETE FROM {table} WHERE ctid = (SELECT ctid FROM {table} LIMIT 1)")  # noqa: S608
        assert (await compare(pool, "621", MEASURES)).differing == [table]
        await pool.execute(f"TRUNCATE {table}")
        await pool.execute(f"INSERT INTO {table} TABLE kept")
        await pool.execute("DROP TABLE kept")
