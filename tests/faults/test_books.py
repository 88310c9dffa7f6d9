"""Each question of the books is answered wrongly once: what a fault would leave is put there, and put right again."""

from collections.abc import AsyncIterator
from random import Random
from typing import NamedTuple
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from chassis.database import create_pool
from tests.faults import books
from tests.faults.books import Question, Wrong
from tests.faults.broker import DURABLE, POOL
from tests.faults.poison import FACT, poisons
from tests.faults.town import Town
from tests.faults.towns import town as running_town

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("books"), pytest.mark.asyncio(loop_scope="module")]


FOR_GOOD_SECONDS = 3.0
FLOOR = "SELECT sequence, committed::text FROM consumer_floor WHERE stream = $1 AND durable = 'impact'"
SET_FLOOR = """
UPDATE consumer_floor SET sequence = $2, committed = $3::text::int8multirange
WHERE stream = $1 AND durable = 'impact'
"""


class Damage(NamedTuple):
    """What is done to a database such that one question must be answered wrongly, and what undoes it."""

    name: str
    service: str
    done: str
    undone: str
    question: Question
    told: str


DAMAGES = (
    Damage(
        "an event is marked as published and never was",
        "flexjob_pool",
        """INSERT INTO outbox (source, event_id, type, subject, message_id, body, body_hash,
                               appended_at, stream_sequence, published_at)
           SELECT source, 'lost', type, subject, 'lost', 'lost', body_hash, appended_at, 1000000, published_at
           FROM outbox WHERE type LIKE '%.flexjob.started.%' LIMIT 1""",
        "DELETE FROM outbox WHERE event_id = 'lost'",
        books.outboxes_are_streams,
        "1 missing",
    ),
    Damage(
        "an event waits for ever",
        "flexjob_pool",
        """INSERT INTO outbox (source, event_id, type, subject, message_id, body, body_hash, appended_at, parked_reason)
           SELECT source, 'parked', type, subject, 'parked', body, body_hash, appended_at, 'too large'
           FROM outbox WHERE type LIKE '%.flexjob.started.%' LIMIT 1""",
        "DELETE FROM outbox WHERE event_id = 'parked'",
        books.outboxes_are_streams,
        "waiting",
    ),
    Damage(
        "a fact is lost",
        "impact",
        "UPDATE ledger SET kind = 'discard' WHERE position = 3",
        "UPDATE ledger SET kind = 'fact' WHERE position = 3",
        books.streams_are_the_ledger,
        "streams and ledger: 1 missing",
    ),
    Damage(
        "a fact is there twice",
        "impact",
        """INSERT INTO ledger SELECT municipality, 1000000, kind, source, 'again', type, time, occurred_on, body,
               body_hash, parked, recorded_at, stream, stream_sequence FROM ledger WHERE position = 3""",
        "DELETE FROM ledger WHERE position = 1000000",
        books.streams_are_the_ledger,
        "twice: 1",
    ),
    Damage(
        "a position is missing",
        "impact",
        "UPDATE ledger SET position = 1000000 WHERE position = 3",
        "UPDATE ledger SET position = 3 WHERE position = 1000000",
        books.streams_are_the_ledger,
        "positions",
    ),
    Damage(
        "the pool has not heard a message",
        "flexjob_pool",
        "UPDATE inbox SET event_id = event_id || '?' WHERE number = (SELECT min(number) FROM inbox)",
        "UPDATE inbox SET event_id = rtrim(event_id, '?')",
        books.the_pool_has_heard_the_gateway,
        "events that the pool reads: 1 missing",
    ),
    Damage(
        "the pool counts what it has not",
        "flexjob_pool",
        "UPDATE inbox_stream SET failed = failed + 1, applied = applied - 1",
        "UPDATE inbox_stream SET failed = failed - 1, applied = applied + 1",
        books.the_pool_has_heard_the_gateway,
        "the pool's own account",
    ),
    Damage(
        "a delivery is counted that never came",
        "impact",
        "UPDATE delivery SET first_copies = first_copies + 1 WHERE stream = 'EVENTS_621_FLEXJOB_POOL'",
        "UPDATE delivery SET first_copies = first_copies - 1 WHERE stream = 'EVENTS_621_FLEXJOB_POOL'",
        books.accounts_close,
        "open accounts",
    ),
    Damage(
        "a producer has sent more than arrived",
        "impact",
        "UPDATE fact_count SET facts = facts - 1 WHERE source = 'urn:kraftcenter:621:flexjob_pool'",
        "UPDATE fact_count SET facts = facts + 1 WHERE source = 'urn:kraftcenter:621:flexjob_pool'",
        books.accounts_close,
        "completeness",
    ),
    Damage(
        "an effect is counted twice",
        "impact",
        "UPDATE running_sum SET amount = 2 * amount WHERE measure = 'persons_in_flexjob'",
        "UPDATE running_sum SET amount = amount / 2 WHERE measure = 'persons_in_flexjob'",
        books.sql_agrees,
        "drift",
    ),
    Damage(
        "a sum is another than its deltas give",
        "impact",
        "UPDATE running_sum SET amount = 2 * amount WHERE measure = 'persons_in_flexjob'",
        "UPDATE running_sum SET amount = amount / 2 WHERE measure = 'persons_in_flexjob'",
        books.a_rebuild_changes_nothing,
        "rows that differ",
    ),
    Damage(
        "a delta is another than the ledger gives",
        "impact",
        "UPDATE delta SET amount = amount + 1 WHERE measure = 'persons_in_flexjob'",
        "UPDATE delta SET amount = amount - 1 WHERE measure = 'persons_in_flexjob'",
        books.a_rebuild_changes_nothing,
        "rows that differ",
    ),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A small town, some days into its year, whose books are right."""
    async with running_town(tmp_path_factory.mktemp("town"), seed=7, people=40) as running:
        await running.live(40)
        await books.check(running)
        yield running


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
async def test_a_wrong_book_is_noticed_when(town: Town, damage: Damage) -> None:
    async with await create_pool(town.stack.database_urls[damage.service], name="damage") as db:
        await db.execute(damage.done)
        try:
            with pytest.raises(Wrong, match=damage.told):
                await damage.question(town)
        finally:
            await db.execute(damage.undone)

    await books.answered(damage.question, town)


async def test_an_event_that_a_caller_was_told_of_and_that_is_nowhere_is_noticed(town: Town) -> None:
    events = town.hall.office.events
    action = next(action for action, names in events.items() if names)
    events[action].append("told and lost")

    with pytest.raises(Wrong, match="events that callers were told of: 1 missing"):
        await books.outboxes_are_what_was_answered(town)

    events[action].remove("told and lost")
    await books.answered(books.outboxes_are_what_was_answered, town)


async def test_an_event_that_nobody_was_told_of_is_noticed(town: Town) -> None:
    events = town.hall.office.events
    action = next(action for action, names in events.items() if names)
    names, events[action] = events[action], []

    with pytest.raises(Wrong, match="events that nobody asked for: 0 missing"):
        await books.outboxes_are_what_was_answered(town)

    events[action] = names
    await books.answered(books.outboxes_are_what_was_answered, town)


async def test_a_stranger_on_a_stream_is_noticed_unless_he_is_accounted_for(town: Town) -> None:
    body = b"nobody told of this"
    await town.bus.jetstream().publish(f"events.621.{POOL.producer}.note.left.v1", body)

    with pytest.raises(Wrong, match="too many"):
        await books.outboxes_are_streams(town)

    town.strangers.append(body)
    await books.check(town)
    async with await create_pool(town.stack.database_urls["impact"], name="damage") as db:
        await db.execute("UPDATE evidence SET raw = raw || '?'::bytea")
        with pytest.raises(Wrong, match="streams and evidence: 1 missing, 1 too many"):
            await books.streams_are_the_ledger(town)
        await db.execute("UPDATE evidence SET raw = $1", body)
    town.strangers.append(b"never told at all")
    with pytest.raises(Wrong, match="what strangers told, on the streams: 1 missing"):
        await books.outboxes_are_streams(town)
    town.strangers.pop()
    await books.check(town)


async def test_a_conflict_that_is_lost_is_noticed(town: Town) -> None:
    first = next(message.data for message in await town.held(POOL) if b'"retention":false' in message.data)
    await town.slip_in(POOL.producer, first.replace(b'"retention":false', b'"retention":true'))
    await books.check(town)

    async with await create_pool(town.stack.database_urls["impact"], name="damage") as db:
        known = await db.fetchval("SELECT body_hash FROM evidence WHERE kind = 'conflict'")
        await db.execute("UPDATE evidence SET body_hash = '' WHERE kind = 'conflict'")
        try:
            with pytest.raises(Wrong, match="streams and ledger: 1 missing"):
                await books.streams_are_the_ledger(town)
        finally:
            await db.execute("UPDATE evidence SET body_hash = $1 WHERE kind = 'conflict'", known)
    await books.check(town)


async def test_what_was_acknowledged_and_never_written_stays_missing_where_the_floor_does_not_tell(town: Town) -> None:
    told = [poison.body for poison in poisons(Random(7), POOL.producer) if poison.becomes == FACT]  # noqa: S311
    await town.kill("impact")
    for body in told:
        await town.slip_in(POOL.producer, body)
    acknowledged = await acknowledge_all(town)

    async with await create_pool(town.stack.database_urls["impact"], name="damage") as db:
        known = await db.fetchrow(FLOOR, POOL.name)
        assert known
        await db.execute(SET_FLOOR, POOL.name, acknowledged, f"{{(,{acknowledged}]}}")
        await town.start("impact")
        await town.stack.until_ready()
        try:
            with pytest.raises(Wrong, match=f"streams and ledger: {len(told)} missing"):
                await books.answered(books.streams_are_the_ledger, town, seconds=FOR_GOOD_SECONDS)
        finally:
            await town.kill("impact")
            await db.execute(SET_FLOOR, POOL.name, *known)
            await town.start("impact")
    await books.check(town)


async def acknowledge_all(town: Town) -> int:
    """Take what impact's consumer of the pool has to give, and write none of it; the last sequence."""
    jetstream, last = town.bus.jetstream(), 0
    careless = await jetstream.pull_subscribe_bind(DURABLE, stream=POOL.name)
    while (await jetstream.consumer_info(POOL.name, DURABLE)).num_pending:
        for message in await careless.fetch(100):
            await message.ack_sync()
            last = int(message.metadata.sequence.stream)
    await careless.unsubscribe()
    return last


async def test_a_figure_that_moves_without_the_simulator_is_noticed(town: Town) -> None:
    started = {
        "occurred_on": "2025-01-02",
        "placement_id": str(UUID(int=1, version=4)),
        "person_ref": str(UUID(int=2, version=4)),
        "department": "Senior",
        "workplace_unit": "Plejecenter_Olivenhaven",
        "attendance_hours_per_week": "12.00",
        "effective_hours_per_week": "8.00",
        "grant_term": "permanent",
        "retention": False,
        "scheme": "post2013",
    }
    answer = await town.hall.office.pool.post("/v1/flexjobs", json=started, headers={"Idempotency-Key": "unplanned"})
    assert answer.status_code == httpx.codes.CREATED

    await town.hall.office.pipeline.counted()
    with pytest.raises(Wrong, match="figures that differ"):
        await books.figures_are_the_simulators(town)
    with pytest.raises(Wrong, match="nobody asked for"):
        await books.check(town, seconds=0)


async def test_every_question_is_answered_wrongly_once() -> None:
    apart = {books.outboxes_are_what_was_answered, books.figures_are_the_simulators}
    assert {damage.question for damage in DAMAGES} | apart == {*books.QUESTIONS}
