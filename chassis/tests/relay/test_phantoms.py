"""Events on the stream that the outbox does not know are named, once and for good, and neither removed nor adopted."""

import asyncio

import pytest
from structlog.testing import capture_logs

from chassis import phantoms
from chassis.heartbeat import beat_once
from chassis.tests.relay.producer import MUNICIPALITY, Producer, relaying
from local.waiting import until


async def restored(producer: Producer, *, without: int) -> list[str]:
    """Publish five events and a heartbeat, then have the outbox be that of a backup: without the last ones."""
    async with relaying(producer.relay()):
        ids = await producer.append(5 - without)
        await producer.drained()
        kept = await producer.pool.fetchval("SELECT coalesce(max(position), 0) FROM outbox")
        ids += await producer.append(without)
        await beat_once(producer.pool, municipality=MUNICIPALITY, producer="flexjob_pool")
        await producer.drained()
    await producer.pool.execute("DELETE FROM outbox WHERE position > $1", kept)
    return ids[5 - without :]


async def known(producer: Producer) -> list[str]:
    async with producer.pool.acquire() as db:
        return [phantom.message_id for phantom in await phantoms.all_of(db)]


@pytest.mark.parametrize("without", [1, 3, 5])
async def test_what_a_restored_outbox_forgot_is_reported_by_id(producer: Producer, without: int) -> None:
    forgotten = await restored(producer, without=without)

    with capture_logs() as logs:
        async with relaying(producer.relay()):
            await until(lambda: known(producer))

    assert await known(producer) == forgotten
    assert [log["first"] for log in logs if log["event"] == "phantoms_found"] == [forgotten]


async def test_a_phantom_stays_known_when_the_outbox_goes_on(producer: Producer) -> None:
    forgotten = await restored(producer, without=2)
    async with relaying(producer.relay()):
        await producer.append(4)
        await producer.drained()

    with capture_logs() as logs:
        async with relaying(producer.relay()) as again:
            await until(lambda: again.trouble is None and again.active)
            await producer.append(1)
            await producer.drained()
            metrics = await again.measure(producer.pool)

    assert await known(producer) == forgotten
    assert [metric.samples[0].value for metric in metrics if metric.name == "outbox_phantoms"] == [2]
    assert not [log for log in logs if log["event"] == "phantoms_found"], "it was told already"


async def test_a_phantom_is_told_of_with_when_it_was_first_found(producer: Producer) -> None:
    await restored(producer, without=1)
    async with relaying(producer.relay()):
        await until(lambda: known(producer))
    first = await producer.pool.fetch("SELECT * FROM outbox_phantom")

    async with relaying(producer.relay()) as again:
        await until(lambda: again.trouble is None and again.active)

    assert await producer.pool.fetch("SELECT * FROM outbox_phantom") == first


async def test_what_only_the_mark_was_missing_of_is_no_phantom(producer: Producer) -> None:
    await producer.append(3)
    await producer.publish_without_mark()

    async with relaying(producer.relay()):
        await producer.drained()

    assert await known(producer) == []


async def test_a_phantom_that_the_stream_lost_too_is_none(producer: Producer) -> None:
    async with relaying(producer.relay()):
        await producer.append(2)
        await producer.drained()
        copy = await asyncio.to_thread(producer.copy_store)
    forgotten = await restored(producer, without=3)
    async with relaying(producer.relay()):
        await until(lambda: known(producer))
    assert await known(producer) == forgotten

    await asyncio.to_thread(producer.put_back, copy)

    async with relaying(producer.relay()):
        await producer.append(1)
        await producer.drained()
    assert await known(producer) == []


async def test_a_stranger_on_the_stream_is_noticed_with_the_next_publication(producer: Producer) -> None:
    subject = producer.stream.subjects.replace(">", "note.left.v1")
    async with relaying(producer.relay()):
        await producer.append(2)
        await producer.drained()

        await producer.bus.jetstream.publish(subject, b"told by nobody here", headers={"Nats-Msg-Id": "a stranger"})
        await producer.append(1)

        await until(lambda: known(producer))
        await producer.drained()
    assert await known(producer) == ["a stranger"]
