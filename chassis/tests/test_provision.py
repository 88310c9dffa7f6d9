from nats.js.api import AckPolicy, DeliverPolicy, DiscardPolicy, RetentionPolicy, StorageType

from chassis.bus import Bus
from chassis.provision import provision
from contracts.streams import streams_of

STREAM = streams_of("621")[0]


async def test_streams_and_consumers_are_made_as_the_contracts_say(bus: Bus) -> None:
    changes = await provision(bus.jetstream, "621")

    config = (await bus.jetstream.stream_info(STREAM.name)).config
    assert changes == [f"{STREAM.name} made", f"{STREAM.name} impact made"]
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
        f"{STREAM.name} impact ack_wait set",
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
