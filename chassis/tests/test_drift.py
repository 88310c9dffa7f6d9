from nats.js.api import ConsumerConfig, DeliverPolicy, DiscardPolicy, RetentionPolicy, StreamConfig

from chassis.bus import Bus
from chassis.drift import Difference, drift_of
from chassis.provision import FOR_GOOD, provision, settings_of
from contracts.streams import Stream, streams_of

STREAM = Stream("621", "flexjob_pool")


async def said(bus: Bus, *, ack_wait_seconds: float = 30.0) -> list[str]:
    return [str(each) for each in await drift_of(bus.jetstream, "621", ack_wait_seconds=ack_wait_seconds)]


async def test_what_was_provisioned_does_not_differ(bus: Bus) -> None:
    await provision(bus.jetstream, "621")

    assert await said(bus) == []


async def test_what_is_missing_is_told_and_not_made(bus: Bus) -> None:
    assert await said(bus) == [f"{stream.name} is missing" for stream in streams_of("621")]

    await provision(bus.jetstream, "621")
    await bus.jetstream.delete_consumer(STREAM.name, "impact")

    assert await said(bus) == [f"{STREAM.name} impact is missing"]
    assert await said(bus) == [f"{STREAM.name} impact is missing"]


async def test_settings_that_drifted_are_told_and_left(bus: Bus) -> None:
    await provision(bus.jetstream, "621")
    stream = (await bus.jetstream.stream_info(STREAM.name)).config
    await bus.jetstream.update_stream(stream.evolve(max_age=900.0, duplicate_window=600.0, discard=DiscardPolicy.OLD))
    consumer = (await bus.jetstream.consumer_info(STREAM.name, "impact")).config
    await bus.jetstream.add_consumer(
        STREAM.name, consumer.evolve(ack_wait=2.0, filter_subject="events.621.flexjob_pool.a")
    )

    for _ in range(2):
        assert await said(bus) == [
            f"{STREAM.name} max_age is 900.0, should be {float(STREAM.max_age_seconds)}",
            f"{STREAM.name} discard is old, should be new",
            f"{STREAM.name} impact ack_wait is 2.0, should be 30.0",
            f"{STREAM.name} impact filter_subject is events.621.flexjob_pool.a, should be None",
        ]

    changes = await provision(bus.jetstream, "621")
    assert len(changes) == 4
    assert await said(bus) == []


async def test_limits_that_an_operator_raised_or_lifted_are_no_drift(bus: Bus) -> None:
    await provision(bus.jetstream, "621")
    config = (await bus.jetstream.stream_info(STREAM.name)).config
    await bus.jetstream.update_stream(config.evolve(max_age=0.0, max_bytes=2 * STREAM.max_bytes, max_msg_size=-1))

    assert await said(bus) == []


async def test_what_the_contracts_do_not_know_is_told_of_this_municipality_alone(bus: Bus) -> None:
    await provision(bus.jetstream, "621")
    await bus.jetstream.add_consumer(STREAM.name, ConsumerConfig(durable_name="somebody"))
    for municipality in ("621", "630"):
        name, subject = f"EVENTS_{municipality}_MOON", f"events.{municipality}.moon.>"
        await bus.jetstream.add_stream(StreamConfig(name=name, subjects=[subject]))

    assert await said(bus) == [
        f"{STREAM.name} somebody is not in the contracts",
        "EVENTS_621_MOON is not in the contracts",
    ]


async def test_what_only_a_person_can_put_right_is_told_as_such(bus: Bus) -> None:
    made = StreamConfig(name=STREAM.name, **FOR_GOOD | {"retention": RetentionPolicy.INTEREST}, **settings_of(STREAM))
    await bus.jetstream.add_stream(made)
    await bus.jetstream.add_consumer(
        STREAM.name, ConsumerConfig(durable_name="impact", deliver_policy=DeliverPolicy.NEW, max_ack_pending=5000)
    )

    found = await drift_of(bus.jetstream, "621")

    assert found[:2] == [
        Difference(STREAM.name, None, "retention", "interest", "limits", for_good=True),
        Difference(STREAM.name, "impact", "deliver_policy", "new", "all", for_good=True),
    ]
    assert str(found[0]) == f"{STREAM.name} retention is interest, should be limits, and cannot be changed"
