"""A stream that takes an event never, or none for now: the one is parked, the others are held back."""

from dataclasses import replace

import pytest

from chassis.provision import provision
from chassis.tests.relay.producer import MUNICIPALITY, Producer, relaying
from local.waiting import until


@pytest.mark.parametrize("places", [{0}, {5}, {10}, {4, 5}, {0, 10}])
async def test_only_what_the_stream_will_never_take_is_parked(producer: Producer, places: set[int]) -> None:
    events = producer.sealed(11)
    await producer.limit(max_msg_size=len(events[0].body) + 1000)
    for place in places:
        events[place] = replace(events[place], body=events[place].body + b" " * 1000)
    ids = await producer.append_events(events)

    async with relaying(producer.relay()):
        await producer.drained()

    parked = await producer.parked()
    assert set(parked) == {ids[place] for place in places}
    assert all(reason.startswith("10054") for reason in parked.values())
    assert await producer.stored() == [message_id for message_id in ids if message_id not in parked]


async def test_what_was_parked_gets_another_chance_when_a_relay_begins(producer: Producer) -> None:
    [event] = producer.sealed(1)
    await producer.limit(max_msg_size=len(event.body) + 1000)
    ids = await producer.append_events([replace(event, body=event.body + b" " * 1000)])
    for _ in range(2):
        async with relaying(producer.relay()):
            ids += await producer.append(1)
            await producer.drained()
        assert list(await producer.parked()) == ids[:1]

    await producer.limit(max_msg_size=-1)
    async with relaying(producer.relay()):
        await until(lambda: published(producer, ids))

    assert not await producer.parked()


async def published(producer: Producer, ids: list[str]) -> bool:
    return set(await producer.stored()) == set(ids)


async def test_a_full_stream_holds_events_back_and_parks_none(producer: Producer) -> None:
    await producer.limit(max_bytes=100)
    ids = await producer.append(5)
    async with relaying(producer.relay()) as relay:
        await until(lambda: "10077" in (relay.trouble or ""))
        await producer.limit(max_bytes=10_000_000)
        await producer.drained()

    assert await producer.stored() == ids
    assert not await producer.parked()


async def test_a_stream_that_takes_no_batches_holds_events_back_and_parks_none(producer: Producer) -> None:
    await producer.limit(allow_atomic=False)
    ids = await producer.append(5)
    async with relaying(producer.relay()) as relay:
        await until(lambda: "10174" in (relay.trouble or ""))
        await provision(producer.bus.jetstream, MUNICIPALITY)
        await producer.drained()

    assert await producer.stored() == ids
    assert not await producer.parked()


async def test_a_stream_that_does_not_exist_yet_is_waited_for(producer: Producer) -> None:
    await producer.bus.jetstream.delete_stream(producer.stream.name)
    ids = await producer.append(2)
    async with relaying(producer.relay()) as relay:
        await until(lambda: relay.trouble == "NotFoundError")
        await provision(producer.bus.jetstream, MUNICIPALITY)
        await producer.drained()

    assert await producer.stored() == ids
