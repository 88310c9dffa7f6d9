"""What reads the streams, whose memory and whose logs nothing that anybody puts there may spoil."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil

from contracts.streams import Stream
from local.waiting import until
from tests.faults.patience import PATIENCE_SECONDS
from tests.faults.town import Town
from tests.faults.words import Words

MEBIBYTE = 2**20
MORE_MEBIBYTES = 32
FORGED = "forged"


@asynccontextmanager
async def unspoilt(town: Town) -> AsyncIterator[None]:
    """When all that came meanwhile is read, whoever read it is hardly larger, and has said nothing that is no JSON.

    Nor has anybody had it say what is FORGED. Raises AssertionError, and ValueError for a line that is no JSON.
    """
    readers = {name for stream in town.streams for name in stream.durables}
    before = {name: (Words(town, name), _mebibytes(town, name)) for name in readers}
    yield
    for stream in town.streams:
        await _until_read(town, stream)
    for name, (words, mebibytes) in before.items():
        assert all(event["event"] != FORGED for event in words.events()), f"{name} lets others write its log"
        more = _mebibytes(town, name) - mebibytes
        assert more <= MORE_MEBIBYTES, f"{name} takes {more} MiB more"


async def _until_read(town: Town, stream: Stream) -> None:
    jetstream = town.bus.jetstream()
    end = (await jetstream.stream_info(stream.name)).state.last_seq

    async def read() -> bool:
        floors = [(await jetstream.consumer_info(stream.name, durable)).ack_floor for durable in stream.durables]
        return all(floor and floor.stream_seq >= end for floor in floors)

    await until(read, seconds=PATIENCE_SECONDS, message=f"{stream.name} is not read")


def _mebibytes(town: Town, name: str) -> int:
    """What a service, and all that it started, has in memory."""
    first = psutil.Process(town.processes[name].pid)
    return int(sum(each.memory_info().rss for each in (first, *first.children(recursive=True)))) // MEBIBYTE
