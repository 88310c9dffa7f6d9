"""Streams and durable consumers as the contracts describe them: made or widened, never shrunk or destroyed."""

from dataclasses import replace
from typing import Any

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from contracts.streams import IN_ORDER, Stream, streams_of

ACK_WAIT_SECONDS = 30.0
MAX_ACK_PENDING = 5000
UNFILTERED: dict[str, Any] = {"filter_subject": None, "filter_subjects": None}
# What a stream or a consumer is made with, and the server lets nobody change.
FOR_GOOD: dict[str, Any] = {"retention": RetentionPolicy.LIMITS, "storage": StorageType.FILE}
IMMUTABLE: dict[str, Any] = {"deliver_policy": DeliverPolicy.ALL, "ack_policy": AckPolicy.EXPLICIT}
NEVER_LOWERED = ("max_age", "max_bytes", "max_msg_size", "duplicate_window")
UNLIMITED = {"max_age": 0, "max_bytes": -1, "max_msg_size": -1}


class ConsumerUnfit(Exception):
    """A consumer was made with a setting that the server lets nobody change; the text says what to do."""


async def provision(
    jetstream: JetStreamContext, municipality: str, *, ack_wait_seconds: float = ACK_WAIT_SECONDS, max_bytes: int = 0
) -> list[str]:
    """Bring every stream of a municipality, and its consumers, to what the contracts say; name what was changed.

    `max_bytes` is what each stream may hold where the contracts say less. Raises ConsumerUnfit.
    """
    changes = []
    for stream in streams_of(municipality):
        changes += await _provide_stream(jetstream, replace(stream, max_bytes=max(stream.max_bytes, max_bytes)))
        for durable in stream.durables:
            changes += await _provide_consumer(jetstream, stream.name, durable, ack_wait_seconds)
    return changes


async def _provide_stream(jetstream: JetStreamContext, stream: Stream) -> list[str]:
    wanted = settings_of(stream)
    try:
        present = (await jetstream.stream_info(stream.name)).config
    except NotFoundError:
        await jetstream.add_stream(StreamConfig(name=stream.name, **FOR_GOOD, **wanted))
        return [f"{stream.name} made"]
    changed = {name: value for name, value in wanted.items() if differs(name, getattr(present, name), value)}
    if changed:
        await jetstream.update_stream(present.evolve(**changed))
    return [f"{stream.name} {name} set" for name in changed]


def settings_of(stream: Stream) -> dict[str, Any]:
    """What a stream is brought to."""
    return {
        "subjects": [stream.subjects],
        "max_age": float(stream.max_age_seconds),
        "max_bytes": stream.max_bytes,
        "max_msg_size": stream.max_message_bytes,
        "duplicate_window": float(stream.duplicate_window_seconds),
        "discard": DiscardPolicy.NEW,
        "deny_delete": True,
        "deny_purge": True,
        "allow_direct": True,
        "allow_atomic": True,
    }


def differs(name: str, present: Any, wanted: Any) -> bool:
    """Whether a stream's setting is to be changed; a limit that an operator raised, or lifted, stays."""
    if name in NEVER_LOWERED:
        return bool(present != UNLIMITED.get(name) and present < wanted)
    return bool(present != wanted)


def settings_of_consumer(durable: str, ack_wait: float) -> dict[str, Any]:
    """What a consumer is brought to."""
    at_once = 1 if durable in IN_ORDER else MAX_ACK_PENDING
    return {"ack_wait": ack_wait, "max_deliver": -1, "max_ack_pending": at_once, **UNFILTERED}


async def _provide_consumer(jetstream: JetStreamContext, stream: str, durable: str, ack_wait: float) -> list[str]:
    wanted = settings_of_consumer(durable, ack_wait)
    try:
        present = (await jetstream.consumer_info(stream, durable)).config
    except NotFoundError:
        await jetstream.add_consumer(stream, ConsumerConfig(durable_name=durable, **IMMUTABLE, **wanted))
        return [f"{stream} {durable} made"]
    for name, value in IMMUTABLE.items():
        if getattr(present, name) != value:
            raise ConsumerUnfit(
                f"{durable} on {stream} was made with another {name} than `{value}`, which cannot be changed.\n"
                f"Remove it (`nats consumer rm {stream} {durable}`) and provision again: it then reads from the start."
            )
    changed = [name for name, value in wanted.items() if consumer_differs(getattr(present, name), value)]
    if UNFILTERED.keys() & set(changed):
        # What the filter held back lies behind the consumer by now: made anew, it reads from the start, whoever makes
        # it should this job die here. Whatever it has read already changes nothing.
        await jetstream.delete_consumer(stream, durable)
    if changed:
        await jetstream.add_consumer(stream, present.evolve(**wanted))
    return [f"{stream} {durable} {name} set" for name in changed]


def consumer_differs(present: Any, wanted: Any) -> bool:
    """Whether a consumer's setting is to be changed; the server says nothing of what is unset."""
    return bool((present or None) != wanted)
