"""A database that went back and a stream that lost its beginning: what is lacking is read again."""

import asyncio
from functools import partial

import pytest

from chassis.provision import provision
from chassis.tests.subscriber.reader import ACK_WAIT, Reader, len_of
from local.damage import damage
from local.nats import NatsServer
from local.waiting import until

WENT_BACK = "TRUNCATE inbox, inbox_stream, effect"


async def test_a_database_that_went_back_is_given_everything_again_at_a_start(reader: Reader) -> None:
    await reader.publish(*map(reader.body, "abc"))
    async with reader.running():
        await reader.until_settled()

    await reader.pool.execute(WENT_BACK)
    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["a", "b", "c"]


async def test_a_database_that_goes_back_under_way_is_given_what_it_lacks_before_anything_new(reader: Reader) -> None:
    await reader.publish(*map(reader.body, "abc"))
    async with reader.running():
        await reader.until_settled()
        async with reader.pool.acquire() as db, db.transaction():
            await db.execute("DELETE FROM effect WHERE event_id <> 'a'")
            await db.execute("DELETE FROM inbox WHERE event_id <> 'a'")
            await db.execute("UPDATE inbox_stream SET floor = 1, delivered = 1, applied = 1")
        await reader.publish(reader.body("d"))
        await until(lambda: len_of(reader.effects(), 4))
        await reader.until_settled()

    assert await reader.effects() == ["a", "b", "c", "d"]
    assert await reader.counts() == {"applied": 4}


async def test_what_has_aged_away_is_no_gap(reader: Reader) -> None:
    jetstream, name = reader.bus.jetstream, reader.stream.name
    await reader.publish(*map(reader.body, "ab"))
    config = (await jetstream.stream_info(name)).config
    await jetstream.update_stream(config.evolve(max_age=0.2, duplicate_window=0.1))

    async def aged() -> bool:
        return (await jetstream.stream_info(name)).state.messages == 0

    await until(aged)
    await jetstream.update_stream(config)
    await reader.publish(reader.body("c"))

    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["c"]
    assert await reader.floor() == 3


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("lost", [0, 20])
async def test_a_damaged_message_stops_nothing(reader: Reader, nats_server: NatsServer, lost: int, torn: bool) -> None:
    names = [f"event-{number}" for number in range(40)]
    await reader.publish(*map(reader.body, names))

    await asyncio.to_thread(damage, nats_server, reader.stream, within=f'"{names[lost]}"'.encode(), torn=torn)
    async with reader.running():
        await reader.publish(reader.body("last"))
        await until(partial(reached, reader, "last"), seconds=15, message="the reading stands still")

    effects = await reader.effects()
    assert len(effects) < len(names) + 1, "nothing was damaged"
    assert effects == [name for name in [*names, "last"] if name in effects]


async def reached(reader: Reader, name: str) -> bool:
    return name in await reader.effects()


async def test_a_stream_that_was_made_again_is_read_from_its_beginning(reader: Reader) -> None:
    await reader.publish(*map(reader.body, "abc"))
    async with reader.running():
        await reader.until_settled()

    await reader.bus.jetstream.delete_stream(reader.stream.name)
    await provision(reader.bus.jetstream, reader.stream.municipality, ack_wait_seconds=ACK_WAIT)
    await reader.publish(*map(reader.body, "xbyz"))
    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["a", "b", "c", "x", "y", "z"]
    assert await reader.counts() == {"applied": 6, "duplicate": 1}
