from collections.abc import Callable
from dataclasses import replace

import pytest
from nats.aio.msg import Msg
from nats.errors import NoRespondersError

from chassis.batch import Refused, publish_batch
from chassis.bus import Bus
from chassis.outbox import Row
from chassis.wire import Sealed
from contracts.streams import Stream

Seals = Callable[[int], list[Sealed]]
LARGE = b"x" * 80_000


def rows_of(events: list[Sealed]) -> list[Row]:
    return [Row(number, event.nats_subject, event.message_id, event.body) for number, event in enumerate(events)]


def oversize(stream: Stream) -> Row:
    return Row(0, stream.subjects.replace(">", "noun.verb.v1"), "oversize", LARGE)


async def publish(bus: Bus, stream: Stream, rows: list[Row], *, after: int) -> int:
    return await publish_batch(
        bus.broker.connection, rows, stream=stream.name, expected_last_sequence=after, answer_seconds=5
    )


async def stored(bus: Bus, stream: Stream) -> int:
    return (await bus.jetstream.stream_info(stream.name)).state.messages


@pytest.mark.parametrize("count", [1, 2, 3, 500])
async def test_a_batch_is_stored_in_order_and_its_first_sequence_told(
    bus: Bus, stream: Stream, sealed: Seals, count: int
) -> None:
    before, rows = rows_of(sealed(2)), rows_of(sealed(count))
    await publish(bus, stream, before, after=0)

    first = await publish(bus, stream, rows, after=2)

    assert first == 3
    for number, row in enumerate(rows):
        message = await bus.jetstream.get_msg(stream.name, seq=first + number)
        assert (message.headers or {})["Nats-Msg-Id"] == row.message_id
        assert message.data == row.body


@pytest.mark.parametrize("count", [1, 3])
async def test_a_batch_is_refused_where_the_stream_ends_elsewhere(
    bus: Bus, stream: Stream, sealed: Seals, count: int
) -> None:
    await publish(bus, stream, rows_of(sealed(2)), after=0)

    with pytest.raises(Refused) as refused:
        await publish(bus, stream, rows_of(sealed(count)), after=1)

    assert refused.value.err_code == 10071
    assert not refused.value.permanent
    assert await stored(bus, stream) == 2


@pytest.mark.parametrize("count", [1, 3])
async def test_a_batch_with_an_id_that_is_already_stored_is_refused_whole(
    bus: Bus, stream: Stream, sealed: Seals, count: int
) -> None:
    known, others = rows_of(sealed(1)), rows_of(sealed(count - 1))
    await publish(bus, stream, known, after=0)

    with pytest.raises(Refused) as refused:
        await publish(bus, stream, others + known, after=1)

    assert refused.value.err_code == 10201
    assert not refused.value.divisible
    assert await stored(bus, stream) == 1


async def test_an_oversize_message_alone_is_refused_for_good(bus: Bus, stream: Stream) -> None:
    with pytest.raises(Refused) as refused:
        await publish(bus, stream, [oversize(stream)], after=0)

    assert refused.value.err_code == 10054
    assert refused.value.permanent


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_an_oversize_message_anywhere_refuses_the_batch_and_asks_for_a_smaller_one(
    bus: Bus, stream: Stream, sealed: Seals, place: int
) -> None:
    rows = rows_of(sealed(2))
    rows.insert(place, oversize(stream))

    with pytest.raises(Refused) as refused:
        await publish(bus, stream, rows, after=0)

    assert refused.value.divisible
    assert await stored(bus, stream) == 0


async def test_what_the_client_cannot_send_is_refused_for_good(bus: Bus, stream: Stream) -> None:
    huge = Row(0, stream.subjects.replace(">", "noun.verb.v1"), "huge", b"x" * 300_000)

    with pytest.raises(Refused) as refused:
        await publish(bus, stream, [huge], after=0)

    assert refused.value.permanent


async def test_a_stream_that_takes_no_batches_is_not_the_messages_fault(
    bus: Bus, stream: Stream, sealed: Seals
) -> None:
    config = (await bus.jetstream.stream_info(stream.name)).config
    await bus.jetstream.update_stream(config.evolve(allow_atomic=False))

    with pytest.raises(Refused) as refused:
        await publish(bus, stream, rows_of(sealed(2)), after=0)

    assert refused.value.err_code == 10174
    assert not refused.value.divisible


async def test_a_subject_of_another_stream_is_not_the_messages_fault(bus: Bus, stream: Stream, sealed: Seals) -> None:
    other = replace(stream, municipality="101")

    with pytest.raises(Refused) as refused:
        await publish(bus, other, rows_of(sealed(1)), after=0)

    assert refused.value.err_code == 10060
    assert not refused.value.permanent


async def test_a_subject_without_a_stream_is_an_unknown_outcome(bus: Bus, stream: Stream) -> None:
    with pytest.raises(NoRespondersError):
        await publish(bus, stream, [Row(0, "nowhere.at.all", "lost", b"{}")], after=0)


async def test_a_full_stream_is_not_the_messages_fault(bus: Bus, stream: Stream, sealed: Seals) -> None:
    config = (await bus.jetstream.stream_info(stream.name)).config
    await bus.jetstream.update_stream(config.evolve(max_bytes=100))

    with pytest.raises(Refused) as refused:
        await publish(bus, stream, rows_of(sealed(2)), after=0)

    assert (refused.value.code, refused.value.err_code) == (503, 10077)
    assert not refused.value.divisible


async def test_a_server_that_stores_a_batch_message_by_message_is_refused_at_the_first(
    bus: Bus, stream: Stream, sealed: Seals
) -> None:
    async def store_singly(message: Msg) -> None:
        await message.respond(b'{"stream": "OLD", "seq": 1}')

    rows = [replace(row, subject="old.server") for row in rows_of(sealed(3))]
    old_server = await bus.broker.connection.subscribe("old.server", cb=store_singly)

    with pytest.raises(Refused, match="knows no batches") as refused:
        await publish(bus, stream, rows, after=0)

    assert not refused.value.permanent
    assert not refused.value.divisible
    assert old_server.delivered == 1
