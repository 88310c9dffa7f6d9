from contextlib import suppress
from typing import Any

import pytest
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, DiscardPolicy, RetentionPolicy, StorageType

from chassis.bus import Bus
from chassis.provision import ConsumerUnfit, provision
from contracts.streams import Stream, streams_of

STREAM = Stream("621", "flexjob_pool")
EVERY_STREAM = streams_of("621")


async def test_streams_and_consumers_are_made_as_the_contracts_say(bus: Bus) -> None:
    changes = await provision(bus.jetstream, "621")

    config = (await bus.jetstream.stream_info(STREAM.name)).config
    assert changes == [
        made
        for stream in EVERY_STREAM
        for made in (f"{stream.name} made", *(f"{stream.name} {durable} made" for durable in stream.durables))
    ]
    assert config.subjects == [STREAM.subjects]
    assert (config.storage, config.retention, config.discard) == (
        StorageType.FILE,
        RetentionPolicy.LIMITS,
        DiscardPolicy.NEW,
    )
    assert (config.max_age, config.max_bytes) == (STREAM.max_age_seconds, STREAM.max_bytes)
    assert (config.max_msg_size, config.duplicate_window) == (
        STREAM.max_message_bytes,
        STREAM.duplicate_window_seconds,
    )
    assert config.deny_delete
    assert config.deny_purge
    assert config.allow_atomic
    assert config.allow_direct
    consumer = (await bus.jetstream.consumer_info(STREAM.name, "impact")).config
    assert (consumer.ack_policy, consumer.deliver_policy) == (AckPolicy.EXPLICIT, DeliverPolicy.ALL)
    assert (consumer.ack_wait, consumer.max_deliver, consumer.max_ack_pending) == (30, -1, 5000)
    in_order = (await bus.jetstream.consumer_info("EVENTS_621_GATEWAY", "flexjob_pool")).config
    assert in_order.max_ack_pending == 1


async def test_a_second_time_changes_nothing(bus: Bus) -> None:
    await provision(bus.jetstream, "621")

    assert await provision(bus.jetstream, "621") == []


async def test_what_drifted_is_put_right_and_what_is_stored_stays(bus: Bus) -> None:
    await provision(bus.jetstream, "621")
    await bus.jetstream.publish(STREAM.subjects.replace(">", "a.b.v1"), b"{}")
    drifted = (await bus.jetstream.stream_info(STREAM.name)).config
    await bus.jetstream.update_stream(
        drifted.evolve(allow_atomic=False, max_age=900.0, duplicate_window=600.0, discard=DiscardPolicy.OLD)
    )

    changes = await provision(bus.jetstream, "621", ack_wait_seconds=2)

    assert set(changes) == {
        f"{STREAM.name} allow_atomic set",
        f"{STREAM.name} max_age set",
        f"{STREAM.name} discard set",
        *(f"{stream.name} {durable} ack_wait set" for stream in EVERY_STREAM for durable in stream.durables),
    }
    info = await bus.jetstream.stream_info(STREAM.name)
    assert (info.state.messages, info.config.max_age) == (1, STREAM.max_age_seconds)
    assert (await bus.jetstream.consumer_info(STREAM.name, "impact")).config.ack_wait == 2
    assert await provision(bus.jetstream, "621", ack_wait_seconds=2) == []


async def test_limits_that_an_operator_raised_or_lifted_stay(bus: Bus) -> None:
    await provision(bus.jetstream, "621")
    config = (await bus.jetstream.stream_info(STREAM.name)).config
    await bus.jetstream.update_stream(config.evolve(max_age=0.0, max_bytes=2 * STREAM.max_bytes, max_msg_size=-1))

    assert await provision(bus.jetstream, "621") == []


async def test_streams_may_be_given_more_room_which_nothing_takes_back(bus: Bus) -> None:
    await provision(bus.jetstream, "621")
    more = STREAM.max_bytes + 1

    assert await provision(bus.jetstream, "621", max_bytes=more) == [
        f"{stream.name} max_bytes set" for stream in EVERY_STREAM
    ]

    assert (await bus.jetstream.stream_info(STREAM.name)).config.max_bytes == more
    assert await provision(bus.jetstream, "621", max_bytes=1) == []
    assert await provision(bus.jetstream, "621") == []


@pytest.mark.parametrize("filter_", [{"filter_subject": "wanted"}, {"filter_subjects": ["wanted", "more"]}])
async def test_a_filter_is_taken_off_and_what_it_held_back_is_delivered(bus: Bus, filter_: dict[str, Any]) -> None:
    subjects = {name: STREAM.subjects.replace(">", f"noun.{name}.v1") for name in ("wanted", "more", "other")}
    [(name, value)] = filter_.items()
    placed = subjects[value] if isinstance(value, str) else [subjects[each] for each in value]
    await provision(bus.jetstream, "621")
    consumer = (await bus.jetstream.consumer_info(STREAM.name, "impact")).config
    await bus.jetstream.add_consumer(STREAM.name, consumer.evolve(**{name: placed}))
    for each in ("other", "wanted"):
        await bus.jetstream.publish(subjects[each], b"{}")
    impact = await bus.jetstream.pull_subscribe_bind("impact", STREAM.name)
    for message in await impact.fetch(2, timeout=1):
        await message.ack_sync()

    assert await provision(bus.jetstream, "621") == [f"{STREAM.name} impact {name} set"]

    assert [message.subject for message in await impact.fetch(2)] == [subjects["other"], subjects["wanted"]]
    assert await provision(bus.jetstream, "621") == []


class Died(Exception):
    """The job ended before its work did."""


class ShortLived(JetStreamContext):
    """JetStream for a job that dies after a number of requests."""

    left = 0

    async def _api_request(self, *args: Any, **options: Any) -> dict[str, Any]:
        if not self.left:
            raise Died
        self.left -= 1
        return await super()._api_request(*args, **options)


@pytest.mark.parametrize("requests", range(5))
async def test_wherever_it_dies_the_next_time_delivers_what_a_filter_held_back(bus: Bus, requests: int) -> None:
    subjects = [STREAM.subjects.replace(">", f"noun.{name}.v1") for name in ("other", "wanted")]
    await provision(bus.jetstream, "621")
    consumer = (await bus.jetstream.consumer_info(STREAM.name, "impact")).config
    await bus.jetstream.add_consumer(STREAM.name, consumer.evolve(filter_subject=subjects[1]))
    for subject in subjects:
        await bus.jetstream.publish(subject, b"{}")
    impact = await bus.jetstream.pull_subscribe_bind("impact", STREAM.name)
    for message in await impact.fetch(1, timeout=1):
        await message.ack_sync()
    dying = ShortLived(bus.broker.connection)
    dying.left = requests

    with suppress(Died):
        await provision(dying, "621")
    await provision(bus.jetstream, "621")

    assert [message.subject for message in await impact.fetch(2)] == subjects


@pytest.mark.parametrize(
    "made", [{"deliver_policy": DeliverPolicy.NEW}, {"ack_policy": AckPolicy.ALL}], ids=["deliver_policy", "ack_policy"]
)
async def test_a_consumer_that_cannot_be_put_right_is_told_with_what_to_do(bus: Bus, made: dict[str, Any]) -> None:
    await provision(bus.jetstream, "621")
    await bus.jetstream.delete_consumer(STREAM.name, "impact")
    await bus.jetstream.add_consumer(STREAM.name, ConsumerConfig(durable_name="impact", **made))

    with pytest.raises(ConsumerUnfit, match=f"nats consumer rm {STREAM.name} impact"):
        await provision(bus.jetstream, "621")
