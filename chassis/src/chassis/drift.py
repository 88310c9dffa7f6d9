"""How the streams and consumers of a server differ from what the contracts say; nothing is changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo, StreamConfig, StreamInfo

from chassis.provision import (
    ACK_WAIT_SECONDS,
    FOR_GOOD,
    IMMUTABLE,
    consumer_differs,
    differs,
    settings_of,
    settings_of_consumer,
)
from contracts.streams import Stream, streams_of

EXTRA, MISSING = "not in the contracts", "missing"


@dataclass(frozen=True, slots=True)
class Difference:
    """A stream, or one of its consumers, that is missing, not in the contracts, or has another `setting` than `wanted`.

    What is `for_good` can be put right only by making it anew, which provisioning leaves to a person.
    """

    stream: str
    consumer: str | None
    setting: str | None
    present: Any
    wanted: Any
    for_good: bool = False

    def __str__(self) -> str:
        """One line, as `EVENTS_621_GATEWAY impact ack_wait is 2.0, should be 30.0`."""
        place = f"{self.stream} {self.consumer}" if self.consumer else self.stream
        if self.setting is None:
            return f"{place} is {self.present}"
        known = ", and cannot be changed" if self.for_good else ""
        return f"{place} {self.setting} is {self.present}, should be {self.wanted}{known}"


async def drift_of(
    jetstream: JetStreamContext, municipality: str, *, ack_wait_seconds: float = ACK_WAIT_SECONDS
) -> list[Difference]:
    """Every difference; a limit that an operator raised or lifted is none, as provisioning leaves it too."""
    streams = streams_of(municipality)
    infos = {info.config.name: info for info in await _streams(jetstream)}
    found: list[Difference] = []
    for stream in streams:
        info = infos.get(stream.name)
        if info is None:
            found.append(Difference(stream.name, None, None, MISSING, None))
            continue
        consumers = await _consumers(jetstream, stream.name)
        found += [*_of_stream(stream, info.config), *_of_consumers(stream, consumers, ack_wait_seconds)]
    ours, known = f"EVENTS_{municipality}_", {stream.name for stream in streams}
    strange = sorted(name for name in infos if name and name.startswith(ours) and name not in known)
    return [*found, *(Difference(name, None, None, EXTRA, None) for name in strange)]


async def _streams(jetstream: JetStreamContext) -> list[StreamInfo]:
    """All of them; the server gives a page at a time."""
    found: list[StreamInfo] = []
    while page := await jetstream.streams_info(offset=len(found)):
        found += page
    return found


async def _consumers(jetstream: JetStreamContext, stream: str) -> dict[str, ConsumerInfo]:
    found: list[ConsumerInfo] = []
    while page := await jetstream.consumers_info(stream, offset=len(found)):
        found += page
    return {info.name: info for info in found}


def _of_stream(stream: Stream, present: StreamConfig) -> Iterator[Difference]:
    for name, wanted in FOR_GOOD.items():
        if (value := getattr(present, name)) != wanted:
            yield Difference(stream.name, None, name, _plain(value), _plain(wanted), for_good=True)
    for name, wanted in settings_of(stream).items():
        if differs(name, value := getattr(present, name), wanted):
            yield Difference(stream.name, None, name, _plain(value), _plain(wanted))


def _of_consumers(stream: Stream, present: Mapping[str, ConsumerInfo], ack_wait: float) -> Iterator[Difference]:
    for durable in stream.durables:
        if durable not in present:
            yield Difference(stream.name, durable, None, MISSING, None)
            continue
        config = present[durable].config
        for name, wanted in IMMUTABLE.items():
            if (value := getattr(config, name)) != wanted:
                yield Difference(stream.name, durable, name, _plain(value), _plain(wanted), for_good=True)
        for name, wanted in settings_of_consumer(durable, ack_wait).items():
            if consumer_differs(value := getattr(config, name), wanted):
                yield Difference(stream.name, durable, name, _plain(value), _plain(wanted))
    for durable in sorted(present.keys() - set(stream.durables)):
        yield Difference(stream.name, durable, None, EXTRA, None)


def _plain(value: Any) -> Any:
    """A setting as text and JSON have it."""
    return value.value if isinstance(value, Enum) else value
