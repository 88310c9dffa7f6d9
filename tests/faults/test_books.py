"""Each check of the books fails once: what a fault would leave is put there, and put right again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from random import Random
from uuid import UUID

import asyncpg
import httpx
import pytest
import pytest_asyncio

from chassis.database import create_pool
from local.waiting import until
from tests.faults import books
from tests.faults.books import Check, Question, Wrong
from tests.faults.broker import DURABLE, POOL
from tests.faults.damages import DAMAGES, Damage
from tests.faults.poison import FACT, poisons
from tests.faults.town import Town
from tests.faults.towns import town as running_town
from tests.faults.versions import one_relay_publishes

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("books"), pytest.mark.asyncio(loop_scope="module")]


Test = Callable[[Town], Awaitable[None]]

FOR_GOOD_SECONDS = 3.0
FLOOR = "SELECT sequence, committed::text FROM consumer_floor WHERE stream = $1 AND durable = 'impact'"
SET_FLOOR = """
UPDATE consumer_floor SET sequence = $2, committed = $3::text::int8multirange
WHERE stream = $1 AND durable = 'impact'
"""
BECOME_RELAY = "SELECT pg_advisory_lock(hashtextextended('relay of the outbox', 0))"
END_RELAY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name LIKE 'relay %' AND datname = current_database()
"""
UNMARK = """
UPDATE outbox SET published_at = NULL, stream_sequence = NULL
WHERE position >= (SELECT max(position) FROM outbox WHERE published_at IS NOT NULL AND type LIKE '%.flexjob.%')
"""
# One event under an id that another body came under too.
SWAP = """
WITH second AS (
    SELECT conflict.body_hash, conflict.raw, first.position, first.body_hash AS known
    FROM evidence AS conflict JOIN ledger AS first
        ON first.event_id = convert_from(conflict.raw, 'UTF8')::jsonb ->> 'id' AND first.kind = 'fact'
    WHERE conflict.kind = 'conflict'
), swapped AS (
    UPDATE evidence SET body_hash = known FROM second WHERE evidence.body_hash = second.body_hash
)
UPDATE ledger SET body_hash = second.body_hash FROM second WHERE ledger.position = second.position
"""
APART: set[Check] = set()


def red(*checks: Check) -> Callable[[Test], Test]:
    """A test that says of itself that it has these checks not hold."""
    APART.update(checks)
    return lambda test: test


async def turns_red(check: Check, question: Question, town: Town, told: str = "") -> None:
    """Return once a question is answered wrongly for this check, and with this text: what was before it passes."""
    found = await until(partial(_wrong, check, question, town), message=f"{check} is never wrong")
    assert told in found


async def _wrong(check: Check, question: Question, town: Town) -> str:
    """What is wrong for this check, if anything is."""
    try:
        await question(town)
    except Wrong as wrong:
        return str(wrong) if str(wrong).startswith(check) else ""
    return ""


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
            await turns_red(damage.check, damage.question, town, damage.told)
        finally:
            await db.execute(damage.undone)

    await books.answered(damage.question, town)


@red(Check.WAITING, Check.FLOOR)
async def test_what_a_pool_that_is_away_leaves_open_is_noticed(town: Town) -> None:
    await town.kill(POOL.producer)
    async with await create_pool(town.stack.database_urls[POOL.producer], name="damage") as db:
        await db.execute(UNMARK)
    try:
        await turns_red(Check.WAITING, books.outboxes_are_streams, town, "expected 0")
        # The gateway goes on telling that it lives.
        await turns_red(Check.FLOOR, books.the_pool_has_heard_the_gateway, town)
    finally:
        await town.start(POOL.producer)

    await books.check(town)


@red(Check.RELAYS)
async def test_that_none_publishes_or_that_two_do_is_noticed(town: Town) -> None:
    question, doors = partial(one_relay_publishes, POOL.producer), town.doors[POOL.producer]
    url = town.stack.database_urls[POOL.producer]
    holder, other = await asyncpg.connect(url), await asyncpg.connect(url)
    async with asyncio.TaskGroup() as tasks:
        held = tasks.create_task(holder.execute(BECOME_RELAY))
        await until(lambda: _waits_for_a_lock(other))
        await other.execute(END_RELAY)
        await held
    await turns_red(Check.RELAYS, question, town, "0.0, expected 1")
    await holder.close()
    await other.close()
    await books.answered(question, town)

    # The lock lets no second one in: the same process, asked twice, stands for it.
    doors.append(doors[0])
    await turns_red(Check.RELAYS, question, town, "2.0, expected 1")
    doors.pop()


async def _waits_for_a_lock(db: "asyncpg.Connection[asyncpg.Record]") -> bool:
    return bool(await db.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))


@red(Check.TOLD)
async def test_an_event_that_a_caller_was_told_of_and_that_is_nowhere_is_noticed(town: Town) -> None:
    events = town.hall.office.events
    action = next(action for action, names in events.items() if names)
    events[action].append("told and lost")

    await turns_red(Check.TOLD, books.outboxes_are_what_was_answered, town, "1 missing")

    events[action].remove("told and lost")
    await books.answered(books.outboxes_are_what_was_answered, town)


@red(Check.UNASKED)
async def test_an_event_that_nobody_was_told_of_is_noticed(town: Town) -> None:
    events = town.hall.office.events
    action = next(action for action, names in events.items() if names)
    names, events[action] = events[action], []

    await turns_red(Check.UNASKED, books.outboxes_are_what_was_answered, town, "0 missing")

    events[action] = names
    await books.answered(books.outboxes_are_what_was_answered, town)


@red(Check.EVIDENCE, Check.STRANGERS)
async def test_a_stranger_on_a_stream_is_noticed_unless_he_is_accounted_for(town: Town) -> None:
    body = b"nobody told of this"
    await town.bus.jetstream().publish(f"events.621.{POOL.producer}.note.left.v1", body)

    await turns_red(Check.STREAM, books.outboxes_are_streams, town, "0 missing, 1 too many")

    town.strangers.append(body)
    await books.check(town)
    async with await create_pool(town.stack.database_urls["impact"], name="damage") as db:
        await db.execute("UPDATE evidence SET raw = raw || '?'::bytea")
        await turns_red(Check.EVIDENCE, books.streams_are_the_ledger, town, "1 missing, 1 too many")
        await db.execute("UPDATE evidence SET raw = $1", body)
    town.strangers.append(b"never told at all")
    await turns_red(Check.STRANGERS, books.outboxes_are_streams, town, "1 missing")
    town.strangers.pop()
    await books.check(town)


@red(Check.FIRST)
async def test_a_conflict_that_is_lost_or_that_stands_for_the_first_is_noticed(town: Town) -> None:
    first = next(message.data for message in await town.held(POOL) if b'"retention":false' in message.data)
    await town.slip_in(POOL.producer, first.replace(b'"retention":false', b'"retention":true'))
    await books.check(town)

    async with await create_pool(town.stack.database_urls["impact"], name="damage") as db:
        known = await db.fetchval("SELECT body_hash FROM evidence WHERE kind = 'conflict'")
        await db.execute("UPDATE evidence SET body_hash = '' WHERE kind = 'conflict'")
        try:
            await turns_red(Check.LEDGER, books.streams_are_the_ledger, town, "1 missing")
        finally:
            await db.execute("UPDATE evidence SET body_hash = $1 WHERE kind = 'conflict'", known)
        await db.execute(SWAP)
        try:
            await turns_red(Check.FIRST, books.streams_are_the_ledger, town, "1 missing, 0 too many")
        finally:
            await db.execute(SWAP)
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
            with pytest.raises(Wrong, match=f"{Check.LEDGER}: {len(told)} missing"):
                await books.answered(books.streams_are_the_ledger, town, seconds=FOR_GOOD_SECONDS)
        finally:
            await town.kill("impact")
            await db.execute(SET_FLOOR, POOL.name, *known)
            await town.start("impact")
    await books.check(town)


async def acknowledge_all(town: Town) -> int:
    """Take what impact's consumer of the pool has to give, and write none of it; the last sequence.

    What was on its way to the impact that was killed is given again after its ack_wait.
    """
    jetstream, last = town.bus.jetstream(), 0
    careless = await jetstream.pull_subscribe_bind(DURABLE, stream=POOL.name)
    while (info := await jetstream.consumer_info(POOL.name, DURABLE)).num_pending or info.num_ack_pending:
        for message in await careless.fetch(100):
            await message.ack_sync()
            last = max(last, int(message.metadata.sequence.stream))
    await careless.unsubscribe()
    return last


@red(Check.FIGURES)
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
    await turns_red(Check.FIGURES, books.figures_are_the_simulators, town)
    with pytest.raises(Wrong, match=Check.UNASKED):
        await books.check(town, seconds=0)


async def test_every_check_is_among_those_that_a_test_says_it_has_fail() -> None:
    assert {damage.check for damage in DAMAGES} | APART == {*Check}


async def test_every_question_is_asked_after_each_fault_but_those_within_an_act() -> None:
    asked = {damage.question for damage in DAMAGES if damage.check not in (Check.PHANTOMS, Check.BACK)}
    assert asked | {books.figures_are_the_simulators} == {*books.QUESTIONS}
