"""What was told is told again, after the stream has forgotten its ids: nothing counts twice, the first stands."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random
from uuid import UUID

import httpx
from nats.aio.msg import Msg

from chassis.batch import MESSAGE_ID
from chassis.database import create_pool
from contracts.payroll import WorkingTimeChanged
from contracts.streams import Stream
from impact.store.conservation import deliveries
from local.simulator import CLOUD_EVENT
from local.waiting import until
from tests.faults.fault import Fault
from tests.faults.patience import PATIENCE_SECONDS
from tests.faults.town import MUNICIPALITY, Town

GROUP = "strangers"
# The shortest window that the server takes.
WINDOW_SECONDS = 0.1
ENOUGH = 12
OTHERS = 10
# Half a year before the year that is lived.
ANOTHER_DAY = "2024-06-30"
AT_ONCE = 100

Counts = Counter[tuple[str, str]]


async def _come_again_on_the_stream(town: Town, dice: Random) -> None:
    before, expected = await _counted(town), Counts()
    told = {stream: await _events_on(town, stream) for stream in town.streams}
    async with _forgetful(town):
        for stream, events in told.items():
            again = dice.sample(events, len(events) if stream.producer == "gateway" else len(events) // 3)
            await _publish_again(town, again)
            expected[stream.name, "duplicates"] = len(again)
    for stream, events in told.items():
        for event in dice.sample(events, OTHERS):
            await town.slip_in(stream.producer, _other(event.data))
        expected[stream.name, "conflicts"] = OTHERS

    async def counted() -> bool:
        return before + expected <= await _counted(town)

    await until(counted, seconds=PATIENCE_SECONDS, message=f"impact does not count {expected}")


async def _come_again_at_the_door(town: Town, dice: Random) -> None:
    (gateway,) = [stream for stream in town.streams if stream.producer == "gateway"]
    told = [event.data for event in await _events_on(town, gateway)]
    for body in told:
        answer = await _post(town, dice, body)
        assert answer.json()["outcome"] == "duplicate", answer.text
    changes = [body for body in told if json.loads(body)["type"] == WorkingTimeChanged.contract.type]
    for body in dice.sample(changes, min(OTHERS, len(changes))):
        answer = await _post(town, dice, _other(body))
        assert answer.status_code == httpx.codes.CONFLICT, answer.text


async def _events_on(town: Town, stream: Stream) -> list[Msg]:
    """What a stream holds that its producer published, once that is enough to choose from."""

    async def held() -> list[Msg]:
        return [message for message in await town.held(stream) if message.data not in town.strangers]

    async def enough() -> list[Msg] | None:
        events = await held()
        return events if len(events) >= ENOUGH else None

    return await until(enough, seconds=PATIENCE_SECONDS, message=f"{stream.name} stays short") or []


@asynccontextmanager
async def _forgetful(town: Town) -> AsyncIterator[None]:
    """The streams know no id any more that they stored before, and soon forget each new one, while the block runs."""
    jetstream = town.bus.jetstream()
    configs = [(await jetstream.stream_info(stream.name)).config for stream in town.streams]
    for config in configs:
        await jetstream.update_stream(config.evolve(duplicate_window=WINDOW_SECONDS))
    # A running server may keep ids for as long as it was told when it stored them.
    await town.restart("nats")
    await until(lambda: town.bus.is_connected)
    try:
        yield
    finally:
        for config in configs:
            await jetstream.update_stream(config)


async def _publish_again(town: Town, events: Sequence[Msg]) -> None:
    """Publish copies under their old ids, in this order or nearly so."""
    for start in range(0, len(events), AT_ONCE):
        stored = await asyncio.gather(*(_is_stored_again(town, each) for each in events[start : start + AT_ONCE]))
        assert all(stored), "the stream still knows what it stored"


async def _is_stored_again(town: Town, event: Msg) -> bool:
    headers = {MESSAGE_ID: (event.headers or {})[MESSAGE_ID]}
    return not (await town.bus.jetstream().publish(event.subject, event.data, headers=headers)).duplicate


async def _post(town: Town, dice: Random, body: bytes) -> httpx.Response:
    key = str(UUID(int=dice.getrandbits(128)))
    return await town.hall.office.gateway.post(
        "/v1/events", content=body, headers={"Idempotency-Key": key, **CLOUD_EVENT}
    )


async def _counted(town: Town) -> Counts:
    """How many duplicates and conflicts impact's account has of each stream."""
    async with await create_pool(town.stack.database_urls["impact"], name="duplicates") as pool, pool.acquire() as db:
        found = await deliveries(db, MUNICIPALITY)
    return Counts({key: number for key, number in found.items() if key[1] in ("duplicates", "conflicts")})


def _other(body: bytes) -> bytes:
    """Another event under the same id, which would count on another day."""
    event = json.loads(body)
    return json.dumps(event | {"data": event["data"] | {"occurred_on": ANOTHER_DAY}}).encode()


FAULTS = (
    Fault(
        "copies after the dedupe window",
        "each stream's duplicate_window is cut short, and the server killed and started again; all of the gateway's "
        "stream and a random third of the pool's is published again under the same ids, in another order, under load; "
        f"and {OTHERS} events of each with another body under a known id, in which they came true on another day",
        "copies are counted as duplicates and change nothing; of two bodies under one id the first stands, the other "
        "is evidence",
        _come_again_on_the_stream,
        GROUP,
        short=True,
    ),
    Fault(
        "copies at the gateway's door",
        f"all that the gateway let in is sent again under load, with new keys; {OTHERS} of it with another day in it",
        "each copy is answered as a duplicate, each other body is refused; nothing of it is published",
        _come_again_at_the_door,
        GROUP,
    ),
)
