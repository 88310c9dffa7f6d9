"""What the stream lost is noticed and published again; what only aged away is not."""

import asyncio
from datetime import timedelta

import pytest

from chassis.bus import Bus
from chassis.heartbeat import beat_once
from chassis.provision import provision
from chassis.tests.relay.producer import MUNICIPALITY, NEVER, SOON, Producer, relaying
from local.damage import damage
from local.waiting import until


@pytest.mark.parametrize(("kept", "lost"), [(0, 3), (5, 7), (3, 1100)])
async def test_events_that_the_stream_lost_after_acknowledging_them_are_published_again(
    producer: Producer, kept: int, lost: int
) -> None:
    async with relaying(producer.relay()) as relay:
        ids = await producer.lose_tail(kept=kept, lost=lost)
        ids += await producer.append(1)
        await until(lambda: relay.regressions, seconds=30)
        await producer.drained()

    assert await producer.stored() == ids
    assert relay.regressions == 1


async def test_the_heartbeat_of_an_idle_producer_notices_a_lost_tail(producer: Producer) -> None:
    async with relaying(producer.relay()) as relay:
        ids = await producer.lose_tail(kept=4, lost=6)
        await beat_once(producer.pool, municipality=MUNICIPALITY, producer="flexjob_pool")
        await until(lambda: relay.regressions, seconds=30)
        await producer.drained()

    assert (await producer.stored())[:-1] == ids


async def test_a_relay_that_starts_after_a_loss_notices_it_without_an_event(producer: Producer) -> None:
    async with relaying(producer.relay()):
        ids = await producer.lose_tail(kept=2, lost=3)

    async with relaying(producer.relay()) as second:
        await until(lambda: second.regressions, seconds=30)
        await producer.drained()

    assert await producer.stored() == ids


async def test_a_stream_that_was_made_anew_is_filled_from_the_outbox(producer: Producer) -> None:
    async with relaying(producer.relay()) as relay:
        ids = await producer.append(3)
        await producer.drained()
        await producer.bus.jetstream.delete_stream(producer.stream.name)
        ids += await producer.append(1)
        await until(lambda: relay.trouble)
        await provision(producer.bus.jetstream, MUNICIPALITY)
        await producer.drained()

    assert await producer.stored() == ids


async def test_what_is_found_on_the_stream_is_as_old_as_it_is_there(producer: Producer) -> None:
    await producer.append(1)
    await producer.publish_without_mark()
    stored = await producer.bus.jetstream.get_msg(producer.stream.name, seq=1)

    async with relaying(producer.relay()):
        await producer.drained()

    assert await producer.pool.fetchval("SELECT published_at FROM outbox") == stored.time


@pytest.mark.parametrize("clocks_differ", [timedelta(0), timedelta(seconds=30)])
async def test_events_that_only_aged_away_are_not_published_again(producer: Producer, clocks_differ: timedelta) -> None:
    async with relaying(producer.relay()):
        await producer.append(3)
        await producer.drained()
    await producer.pool.execute("UPDATE outbox SET published_at = published_at + $1", clocks_differ)
    await producer.limit(max_age=0.2, duplicate_window=0.2)
    await until(producer.is_empty)

    async with relaying(producer.relay()) as second:
        await producer.append(1)
        await producer.drained()

    assert second.regressions == 0
    assert (await producer.bus.jetstream.stream_info(producer.stream.name)).state.last_seq == 4


async def test_what_aged_away_stays_away_when_the_stream_is_told_to_keep_for_longer(producer: Producer) -> None:
    async with relaying(producer.relay()):
        await producer.append(3)
        await producer.drained()
    await producer.pool.execute("UPDATE outbox SET published_at = published_at - interval '400 days'")
    await producer.limit(max_age=0.2, duplicate_window=0.2)
    await until(producer.is_empty)
    await producer.limit(max_age=0.0)

    async with relaying(producer.relay()) as second:
        await until(lambda: second.active and second.trouble is None)
        ids = await producer.append(1)
        await producer.drained()

    assert second.regressions == 0
    assert await producer.stored() == ids


@pytest.mark.parametrize("first_sequence", [1, 11, 1000])
async def test_what_a_stream_made_anew_never_held_is_published_again(producer: Producer, first_sequence: int) -> None:
    async with relaying(producer.relay()):
        ids = await producer.append(20)
        await producer.drained()
    config = (await producer.bus.jetstream.stream_info(producer.stream.name)).config
    await producer.bus.jetstream.delete_stream(producer.stream.name)
    await producer.bus.jetstream.add_stream(config.evolve(first_seq=first_sequence))

    async with relaying(producer.relay()) as second:
        await until(lambda: second.regressions)
        await producer.drained()

    assert await producer.stored() == ids


async def test_a_running_relay_notices_by_and_by_what_was_purged(
    producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.relay.RECONCILE_SECONDS", SOON)
    await producer.allow_purges()
    async with relaying(producer.relay(poll_seconds=SOON)) as relay:
        ids = await producer.append(20)
        await producer.drained()
        await producer.bus.jetstream.purge_stream(producer.stream.name)
        await until(lambda: relay.regressions)
        await producer.drained()

    assert await producer.stored() == ids


@pytest.mark.parametrize("kept", [0, 5])
async def test_what_was_purged_is_published_again(producer: Producer, kept: int) -> None:
    jetstream, name = producer.bus.jetstream, producer.stream.name
    await producer.allow_purges()
    async with relaying(producer.relay()):
        ids = await producer.append(20)
        await producer.drained()
        await jetstream.purge_stream(name, keep=kept) if kept else await jetstream.purge_stream(name)

    async with relaying(producer.relay()) as second:
        await until(lambda: second.regressions)
        await producer.drained()

    assert sorted(await producer.stored()) == sorted(ids)


@pytest.mark.parametrize("kept", [5, 39])
async def test_a_batch_that_a_torn_store_takes_in_the_wrong_place_is_no_end_of_the_relay(
    producer: Producer, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    # Such a store still says that it ends where it did, and so takes what was under way to it as if nothing were lost.
    monkeypatch.setattr(Bus, "losses", property(lambda _: 0, lambda *_: None), raising=False)
    monkeypatch.setattr("chassis.relay.RECONCILE_SECONDS", NEVER)
    async with relaying(producer.relay()) as relay:
        ids = await producer.append(40)
        await producer.drained()
        before = producer.bus.tries
        await asyncio.to_thread(damage, producer.server, producer.stream, within=ids[kept].encode(), torn=True)
        await until(lambda: producer.bus.tries > before and producer.bus.connected)
        ids += await producer.append(3)
        await until(lambda: relay.regressions, seconds=30, message="the loss was not noticed")
        await producer.drained()

    # In which order depends on whether such a store answers the first batch at all.
    stored = await producer.stored()
    assert stored[:kept] == ids[:kept]
    assert sorted(stored) == sorted(ids)
