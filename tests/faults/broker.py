"""A broker that forgets, and whoever administers it and takes the wrong thing away."""

import asyncio
import shutil
from random import Random

import asyncpg
import pytest
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import APIError, NotFoundError

from chassis.provision import ConsumerUnfit
from contracts.streams import Stream
from local.damage import damage
from local.nats import NatsServer
from local.waiting import until
from tests.faults.fault import Fault
from tests.faults.town import HEARTBEAT, MUNICIPALITY, Town
from tests.faults.words import Words

GROUP = "broker"
DURABLE = "impact"
SHORT_WINDOW_SECONDS = 0.2
POOL = Stream(MUNICIPALITY, "flexjob_pool")


async def _rolled_back(town: Town, dice: Random) -> None:
    server = town.stack.nats
    assert isinstance(server, NatsServer)
    backup = server.folder / "backup"
    await asyncio.to_thread(server.stop)
    shutil.copytree(server.store_dir, backup)
    await town.start("nats")
    await town.registered(dice.randint(20, 60))
    await town.published()
    found = await town.metric("flexjob_pool", "relay_regressions_total")

    await town.kill("nats")
    shutil.rmtree(server.store_dir)
    backup.rename(server.store_dir)
    await town.start("nats")

    await until(lambda: _noticed(town, found), seconds=60, message="the relay does not notice the lost tail")


async def _noticed(town: Town, before: float) -> bool:
    return await town.metric("flexjob_pool", "relay_regressions_total") > before


def damaged(name: str, done: str, *, torn: bool) -> Fault:
    """What impact has not yet read is lost, and the server says nothing."""

    async def act(town: Town, dice: Random) -> None:
        server, jetstream = town.stack.nats, town.bus.jetstream()
        assert isinstance(server, NatsServer)
        config = (await jetstream.stream_info(POOL.name)).config
        await jetstream.update_stream(config.evolve(duplicate_window=SHORT_WINDOW_SECONDS))
        await town.kill("impact")
        known = {*await _told(town)}
        await town.registered(dice.randint(20, 40))
        await town.published()
        unread = [name for name in await _told(town) if name not in known]
        found = await town.metric("flexjob_pool", "relay_regressions_total")
        await asyncio.to_thread(damage, server, POOL, within=dice.choice(unread).encode(), torn=torn)
        await until(lambda: _noticed(town, found), seconds=60, message="the relay does not notice what is lost")
        await town.start("impact")

    return Fault(
        name,
        f"the stream's duplicate_window is cut to {SHORT_WINDOW_SECONDS} s, since the relay waits for twice as long, "
        f"which is twenty minutes otherwise; impact is killed; of an event that it has not read, {done} in what "
        "nats-server has written",
        "the relay finds what is missing from the midst of the stream, or behind it, and publishes it again",
        act,
        GROUP,
    )


async def _told(town: Town) -> list[str]:
    """The message ids of what the pool has told, in its order."""
    db = await asyncpg.connect(town.stack.database_urls["flexjob_pool"])
    try:
        query = "SELECT message_id FROM outbox WHERE type NOT LIKE $1 ORDER BY position"
        return [row["message_id"] for row in await db.fetch(query, f"%{HEARTBEAT}%")]
    finally:
        await db.close()


async def _emptied(town: Town, dice: Random) -> None:
    server = town.stack.nats
    assert isinstance(server, NatsServer)
    await town.registered(dice.randint(1, 25))
    readers = Words(town, "impact", "flexjob_pool")
    await town.kill("nats")
    shutil.rmtree(server.store_dir)
    await town.start("nats")
    await readers.tell_of("consumer_gone")
    await _until_provisioned_again(town)


async def _stream_deleted(town: Town, dice: Random) -> None:
    await town.registered(dice.randint(1, 25))
    impact = Words(town, "impact")
    await town.bus.jetstream().delete_stream(POOL.name)
    await impact.tell_of("consumer_gone", POOL.name)
    await _until_provisioned_again(town)


async def _until_provisioned_again(town: Town) -> None:
    """Return once whoever reads the stream has noticed that it is gone, has ended, and has prepared it at its start."""

    async def there() -> bool:
        try:
            await town.bus.jetstream().stream_info(POOL.name)
        except NotFoundError:
            return False
        return True

    await until(there, seconds=90, message="the stream is not made again")


async def _purged(town: Town, dice: Random) -> None:
    await town.registered(dice.randint(1, 25))
    jetstream = town.bus.jetstream()
    config = (await jetstream.stream_info(POOL.name)).config
    for attempt in (
        jetstream.purge_stream(POOL.name),
        jetstream.delete_msg(POOL.name, 1),
        jetstream.update_stream(config.evolve(deny_purge=False)),
        jetstream.update_stream(config.evolve(deny_delete=False)),
    ):
        with pytest.raises(APIError):
            await attempt


async def _durable_deleted(town: Town, dice: Random) -> None:
    await town.registered(dice.randint(1, 25))
    impact = Words(town, "impact")
    await town.bus.jetstream().delete_consumer(POOL.name, DURABLE)
    await impact.tell_of("consumer_gone", POOL.name)


async def _durable_of_another_policy(town: Town, dice: Random) -> None:
    """Whoever starts impact is told what to do, and does it."""
    await town.registered(dice.randint(1, 25))
    jetstream = town.bus.jetstream()
    await town.kill("impact")
    await jetstream.delete_consumer(POOL.name, DURABLE)
    await town.registered(dice.randint(10, 25))
    await jetstream.add_consumer(POOL.name, ConsumerConfig(durable_name=DURABLE, deliver_policy=DeliverPolicy.NEW))
    with pytest.raises(ConsumerUnfit, match=f"nats consumer rm {POOL.name} {DURABLE}"):
        await town.start("impact")
    await jetstream.delete_consumer(POOL.name, DURABLE)
    await town.start("impact")


FAULTS = (
    Fault(
        "the broker forgets its last events",
        "the store of nats-server is put back to a copy from before the last events, under load",
        "the relays notice that the stream ends too early, and publish what it lost again",
        _rolled_back,
        GROUP,
        short=True,
    ),
    damaged("the broker's store is damaged", "some bits are turned", torn=False),
    damaged("the broker's store is torn", "a length is turned", torn=True),
    Fault(
        "the broker comes back empty",
        "nats-server is killed under load and its store deleted",
        "the first reader who misses its durable says so and ends; when it starts, all streams are made again, and the "
        "outboxes fill them",
        _emptied,
        GROUP,
    ),
    Fault(
        "a stream is deleted",
        "flexjob_pool's stream is deleted by an administrator under load",
        "impact says that its durable is gone and ends; when it starts, the stream is made again, and the outbox fills "
        "it",
        _stream_deleted,
        GROUP,
    ),
    Fault(
        "a stream is purged",
        "an administrator tries to purge the stream, to delete a message, to allow the one, and to allow the other",
        "the server refuses all four",
        _purged,
        GROUP,
    ),
    Fault(
        "a durable is deleted",
        "impact's durable is deleted by an administrator under load",
        "impact says that it is gone, ends, makes it again when it starts, and nothing is missing",
        _durable_deleted,
        GROUP,
        short=True,
    ),
    Fault(
        "a durable has a wrong policy",
        "impact is killed, and its durable made again such that it passes over what was sent before",
        "impact refuses to start and says what to do; once that is done, nothing is missing",
        _durable_of_another_policy,
        GROUP,
    ),
)
