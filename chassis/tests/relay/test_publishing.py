"""What is committed reaches the stream once and in order, whatever dies on the way."""

import asyncio
import random
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import pytest
from nats.errors import Error

from chassis import outbox
from chassis.batch import Refused, publish_batch
from chassis.tests.relay.producer import NEVER, SOON, Producer, relaying
from local.waiting import until


async def test_events_reach_the_stream_in_the_order_in_which_they_were_appended(producer: Producer) -> None:
    ids = await producer.append(1) + await producer.append(1200) + await producer.append(2)

    async with relaying(producer.relay()):
        await producer.drained()

    assert await producer.stored() == ids


async def test_what_is_published_is_recorded_with_its_sequence(producer: Producer) -> None:
    ids = await producer.append(3)

    async with relaying(producer.relay()) as relay, producer.pool.acquire() as db:
        await producer.drained()
        recorded = await outbox.recorded_until(db, 3, 10)
        await until(lambda: relay.trouble is None)

    assert recorded == [outbox.Recorded(3 - number, ids[2 - number]) for number in range(3)]
    assert relay.regressions == 0


async def test_an_event_that_commits_long_after_those_behind_it_is_published_too(
    producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.relay.NEAR", 0)
    monkeypatch.setattr("chassis.relay.LOOK_BACK_SECONDS", 0.5)
    late = producer.sealed(1)
    async with relaying(producer.relay(poll_seconds=SOON)), producer.pool.acquire() as db:
        async with db.transaction():
            await outbox.append(db, late, now=datetime.now(UTC))
            others = [await producer.append(2), await producer.append(2)]
            await until(lambda: are_stored(producer, 4))
        await producer.drained()

    assert await producer.stored() == [*others[0], *others[1], late[0].message_id]


async def are_stored(producer: Producer, number: int) -> bool:
    return len(await producer.stored()) == number


async def test_a_commit_wakes_the_relay(producer: Producer) -> None:
    async with relaying(producer.relay(poll_seconds=NEVER)):
        for _ in range(3):
            await producer.append(1)
            await producer.drained()

    assert len(await producer.stored()) == 3


async def test_what_no_notification_told_of_is_found_by_looking(producer: Producer) -> None:
    await producer.append(1)
    async with relaying(producer.relay(poll_seconds=SOON)):
        await producer.drained()
        await producer.pool.execute("UPDATE outbox SET stream_sequence = NULL, published_at = NULL")
        await producer.drained()

    assert len(await producer.stored()) == 1


async def test_what_was_not_committed_is_never_published(producer: Producer) -> None:
    async with relaying(producer.relay()), producer.pool.acquire() as db:
        transaction = db.transaction()
        await transaction.start()
        await outbox.append(db, producer.sealed(1), now=datetime.now(UTC))
        await transaction.rollback()
        ids = await producer.append(1)
        await producer.drained()

    assert await producer.stored() == ids


async def test_a_crash_between_answer_and_mark_publishes_nothing_twice(producer: Producer) -> None:
    ids = await producer.append(3)
    await producer.publish_without_mark()
    ids += await producer.append(2)

    async with relaying(producer.relay()) as relay:
        await producer.drained()

    assert await producer.stored() == ids
    assert relay.regressions == 0


async def test_a_running_relay_that_is_refused_learns_what_the_stream_holds(producer: Producer) -> None:
    async with relaying(producer.relay()) as relay:
        ids = await producer.append(2)
        await producer.drained()
        async with producer.pool.acquire() as db, db.transaction():
            events = producer.sealed(3)
            await outbox.append(db, events, now=datetime.now(UTC))
            rows = await outbox.unpublished(db, 500)
            nc, stream = producer.bus.broker.connection, producer.stream.name
            await publish_batch(nc, rows, stream=stream, expected_last_sequence=2, answer_seconds=5)
        await producer.drained()

    assert await producer.stored() == ids + [event.message_id for event in events]
    assert relay.regressions == 0


async def test_nothing_is_lost_or_doubled_when_the_server_dies_under_load(producer: Producer) -> None:
    ids: list[str] = []

    async def keep_appending() -> None:
        while True:
            ids.extend(await producer.append(7))

    async with relaying(producer.relay()):
        load = asyncio.create_task(keep_appending())
        for round_ in range(1, 4):
            await until(partial(is_longer_than, ids, 300 * round_))
            await asyncio.to_thread(producer.server.kill)
            await until(partial(is_longer_than, ids, len(ids)))
            await asyncio.to_thread(producer.server.start)
        load.cancel()
        await asyncio.wait([load])
        ids += await producer.append(1)
        await producer.drained()

    rows = await producer.pool.fetch("SELECT message_id FROM outbox ORDER BY position")
    assert await producer.stored() == [row["message_id"] for row in rows]
    assert {row["message_id"] for row in rows} >= set(ids)


def is_longer_than(ids: list[str], length: int) -> bool:
    return len(ids) > length


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_goes_wrong_in_whatever_order_each_event_is_on_the_stream_once(
    producer: Producer, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a story that can be told again
    ids, copy = await producer.append(3), producer.copy_store()
    async with relaying(producer.relay(poll_seconds=SOON)):
        for _ in range(12):
            ids += await producer.append(chance.randrange(1, 30))
            match chance.randrange(6):
                case 0:
                    producer.server.kill()
                    producer.server.start()
                case 1:
                    await producer.end_relay_session()
                case 2:
                    producer.put_back(copy)
                case 3:
                    copy = producer.copy_store()
                case 4:
                    with suppress(Refused, Error):
                        await producer.publish_without_mark()
                case _:
                    await producer.drained()
        ids += await producer.append(1)
        await producer.drained()

    assert await producer.stored() == ids


async def test_a_second_relay_stands_by_and_takes_over_when_the_first_loses_its_connection(
    producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pause in ("FIRST_PAUSE_SECONDS", "LONGEST_PAUSE_SECONDS"):
        monkeypatch.setattr(f"chassis.relay.{pause}", NEVER)
    first, second = producer.relay(poll_seconds=NEVER), producer.relay(poll_seconds=SOON)
    async with relaying(first):
        await until(lambda: first.active)
        async with relaying(second):
            ids = await producer.append(2)
            await producer.drained()
            assert second.trouble is None
            assert not second.active
            await producer.end_relay_session()
            await until(lambda: second.active)
            ids += await producer.append(2)
            await producer.drained()

    assert not first.active
    assert await producer.stored() == ids


async def test_a_relay_whose_connection_was_ended_comes_back(producer: Producer) -> None:
    async with relaying(producer.relay(poll_seconds=SOON)):
        ids = await producer.append(1)
        await producer.drained()
        await producer.end_relay_session()
        ids += await producer.append(1)
        await producer.drained()

    assert await producer.stored() == ids
