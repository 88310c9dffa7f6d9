import asyncio
import random
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from nats.errors import Error
from nats.js.errors import NotFoundError

from chassis import outbox
from chassis.batch import Refused, publish_batch
from chassis.bus import Bus
from chassis.database import Pool
from chassis.heartbeat import beat_once
from chassis.provision import provision
from chassis.relay import Relay
from chassis.tasks import cancel
from chassis.wire import Sealed
from contracts.streams import Stream
from local.nats import NatsServer
from local.waiting import until

MUNICIPALITY = "621"
NEVER = 3600.0
SOON = 0.05


@dataclass(frozen=True)
class Producer:
    """A service's outbox and stream, and what may happen to them."""

    url: str
    pool: Pool
    bus: Bus
    stream: Stream
    server: NatsServer
    sealed: Callable[[int], list[Sealed]]

    def relay(self, *, poll_seconds: float = 1.0) -> Relay:
        return Relay(self.url, self.bus, self.stream, poll_seconds=poll_seconds)

    async def append(self, count: int) -> list[str]:
        return await self.append_events(self.sealed(count))

    async def append_events(self, events: list[Sealed]) -> list[str]:
        async with self.pool.acquire() as db, db.transaction():
            await outbox.append(db, events, now=datetime.now(UTC))
        return [event.message_id for event in events]

    async def drained(self) -> None:
        await until(self._is_drained, seconds=30, message="the outbox was not drained")

    async def _is_drained(self) -> bool:
        async with self.pool.acquire() as db:
            return not await outbox.unpublished(db, 1)

    async def stored(self) -> list[str]:
        """The message ids on the stream, in its order."""
        messages: list[str] = []
        sequence = 0
        with suppress(NotFoundError):
            while True:
                message = await self.bus.jetstream.get_msg(
                    self.stream.name, seq=sequence + 1, subject=self.stream.subjects, next=True, direct=True
                )
                sequence = message.seq or 0
                messages.append((message.headers or {})["Nats-Msg-Id"])
        return messages

    async def publish_without_mark(self) -> None:
        """What a relay does that dies between the stream's answer and the mark."""
        async with self.pool.acquire() as db:
            rows = await outbox.unpublished(db, 500)
            recorded = await outbox.recorded_until(db, sys.maxsize, 1)
        nc, last = self.bus.broker.connection, recorded[0].sequence if recorded else 0
        if rows:
            await publish_batch(nc, rows, stream=self.stream.name, expected_last_sequence=last, answer_seconds=5)

    async def limit(self, **limits: float) -> None:
        config = (await self.bus.jetstream.stream_info(self.stream.name)).config
        await self.bus.jetstream.update_stream(config.evolve(**limits))

    async def allow_purges(self) -> None:
        config = (await self.bus.jetstream.stream_info(self.stream.name)).config
        await self.bus.jetstream.delete_stream(self.stream.name)
        await self.bus.jetstream.add_stream(config.evolve(deny_purge=False, duplicate_window=0.1))

    async def is_empty(self) -> bool:
        return not await self.stored()

    async def parked(self) -> dict[str, str]:
        rows = await self.pool.fetch("SELECT message_id, parked_reason FROM outbox WHERE parked_reason IS NOT NULL")
        return {row["message_id"]: row["parked_reason"] for row in rows}

    async def end_relay_session(self) -> None:
        query = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        await self.pool.execute(query)

    def copy_store(self) -> Path:
        copy = self.server.folder / "copy"
        self.server.stop()
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.server.store_dir, copy)
        self.server.start()
        return copy

    def put_back(self, copy: Path) -> None:
        self.server.stop()
        shutil.rmtree(self.server.store_dir)
        shutil.copytree(copy, self.server.store_dir)
        self.server.start()

    async def lose_tail(self, *, kept: int, lost: int) -> list[str]:
        """Publish, copy the store, publish more, and put the copy back."""
        ids = await self.append(kept)
        await self.drained()
        copy = self.copy_store()
        ids += await self.append(lost)
        await self.drained()
        self.put_back(copy)
        return ids


@pytest.fixture
def producer(  # noqa: PLR0913, PLR0917 - a producer is all of these together
    outbox_url: str,
    pool: Pool,
    bus: Bus,
    stream: Stream,
    nats_server: NatsServer,
    sealed: Callable[[int], list[Sealed]],
) -> Producer:
    return Producer(outbox_url, pool, bus, stream, nats_server, sealed)


@asynccontextmanager
async def relaying(relay: Relay) -> AsyncIterator[Relay]:
    task = asyncio.create_task(relay.run())
    try:
        yield relay
        assert not task.done()
    finally:
        await cancel(task)


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
