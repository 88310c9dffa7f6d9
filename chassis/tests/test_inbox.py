"""What becomes of a delivery in the tables: one outcome each, and books that agree with the rows."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis import inbox
from chassis.database import Connection, Pool, create_pool
from chassis.floor import Floor
from chassis.inbox import Delivery, Outcome
from chassis.migrate import INBOX
from chassis.wire import Reading, read
from local.fixtures import Templates

STREAMS = (f"STREAM_{number}" for number in count())
MADE = datetime(2026, 6, 1, tzinfo=UTC)
TYPES = frozenset({"dk.kraftcenter.test.happened.v1"})


@pytest.fixture
async def pool(templates: Templates) -> AsyncIterator[Pool]:
    with templates.copied(INBOX) as dsn:
        async with await create_pool(dsn, name="test") as pool:
            yield pool


def raw(source: str, name: str, said: int) -> bytes:
    return (
        f'{{"specversion":"1.0","id":"{name}","source":"urn:kraftcenter:621:{source}",'
        f'"type":"dk.kraftcenter.test.happened.v1","subject":"a/b","time":"2026-06-01T09:00:00Z",'
        f'"datacontenttype":"application/json","dataclassification":"internal","data":{{"said":{said}}}}}'
    ).encode()


async def take(db: Connection, delivery: Delivery, *, fails: bool = False) -> Outcome:
    """What a subscriber does with a delivery."""
    if not delivery.raw:
        outcome = await inbox.keep_unreadable(db, delivery, "not_json")
    else:
        reading = read(delivery.raw)
        outcome = await inbox.keep(db, delivery, reading)
        if fails and outcome is Outcome.APPLIED:
            outcome = await set_aside(db, reading, delivery)
    await inbox.count(db, delivery, outcome)
    return outcome


async def set_aside(db: Connection, reading: Reading, delivery: Delivery) -> Outcome:
    await inbox.set_aside(db, reading, delivery, "Unheard")
    return Outcome.FAILED


DELIVERIES = st.lists(
    st.one_of(
        st.tuples(st.integers(1, 9), st.just(b""), st.just(False)),
        st.tuples(
            st.integers(1, 9),
            st.builds(raw, st.sampled_from(["here", "there"]), st.sampled_from("ab"), st.integers(1, 3)),
            st.booleans(),
        ),
    ),
    max_size=14,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=DELIVERIES)
async def test_whatever_is_delivered_each_has_one_outcome_and_the_books_are_right(
    pool: Pool, deliveries: list[tuple[int, bytes, bool]]
) -> None:
    async with pool.acquire() as db:
        await db.execute("TRUNCATE inbox, inbox_stream")
        stream = next(STREAMS)
        await inbox.read_from(db, stream, Floor(0, MADE), TYPES)
        for sequence, body, fails in deliveries:
            await take(db, Delivery(stream, sequence, body), fails=fails)

        counted = await inbox.counts(db, stream)
        assert sum(counted.values()) == len(deliveries)
        assert await inbox.differences(db) == []
        events = {(each["source"], each["id"]) for each in map(identity, deliveries) if each}
        assert counted[Outcome.APPLIED] + counted[Outcome.FAILED] == len(events)
        bodies = {body for _, body, _ in deliveries if body}
        assert counted[Outcome.CONFLICT] == len(bodies) - len(events)
        assert counted[Outcome.UNREADABLE] == len({sequence for sequence, body, _ in deliveries if not body})


def identity(delivery: tuple[int, bytes, bool]) -> dict[str, str] | None:
    _, body, _ = delivery
    return read(body).body if body else None


async def test_the_floor_follows_what_is_new_and_no_copy_takes_it_back(pool: Pool) -> None:
    async with pool.acquire() as db:
        stream = next(STREAMS)
        await inbox.read_from(db, stream, Floor(0, MADE), TYPES)

        async def floor_after(sequence: int, name: str) -> int:
            await take(db, Delivery(stream, sequence, raw("here", name, 1)))
            progress = await inbox.progress(db, stream)
            assert progress
            return progress.floor.sequence

        assert await floor_after(1, "a") == 1
        assert await floor_after(2, "b") == 2
        assert await floor_after(1, "a") == 2
        assert await floor_after(3, "a") == 3
        assert await floor_after(2, "other") == 2, "the stream uses the sequence again"


async def test_what_is_applied_after_all_loses_its_body_and_is_counted_anew(pool: Pool) -> None:
    async with pool.acquire() as db:
        stream = next(STREAMS)
        await inbox.read_from(db, stream, Floor(0, MADE), TYPES)
        await take(db, Delivery(stream, 1, raw("here", "a", 1)), fails=True)
        [number] = await inbox.failed(db, stream)
        assert await inbox.body_of_failed(db, number) == raw("here", "a", 1)

        await inbox.applied_after_all(db, number)

        assert await inbox.failed(db, stream) == []
        assert await inbox.body_of_failed(db, number) is None
        assert (await inbox.counts(db, stream))[Outcome.APPLIED] == 1
        assert await inbox.differences(db) == []


async def test_books_that_are_wrong_are_told(pool: Pool) -> None:
    async with pool.acquire() as db:
        stream = next(STREAMS)
        await inbox.read_from(db, stream, Floor(0, MADE), TYPES)
        await take(db, Delivery(stream, 1, raw("here", "a", 1)))
        await db.execute("DELETE FROM inbox")

        assert await inbox.differences(db) == [f"{stream}: 1 applied counted, 0 recorded"]
        with pytest.raises(asyncpg.CheckViolationError):
            await db.execute("UPDATE inbox_stream SET delivered = delivered + 1")
