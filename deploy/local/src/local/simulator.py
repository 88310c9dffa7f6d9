"""Lives a plan day by day through the HTTP doors; the clock moves on only when every event of a day was counted."""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path

import httpx
from nats.js import JetStreamContext

from contracts.streams import Stream
from local.actions import Action
from local.plan import DAYS
from local.waiting import until

EIGHT_IN_THE_MORNING = time(8, tzinfo=UTC)
EVERY_SENT_TWICE = 9
DRAIN_SECONDS = 60
OUTBOX_PENDING = "outbox_pending"


class Refused(Exception):
    """A door did not take what the plan says, or took the same request for two."""


class Pipeline:
    """The way of an event from the outbox of the flexjob pool to its consumers."""

    def __init__(self, pool: httpx.AsyncClient, jetstream: JetStreamContext, streams: Sequence[Stream]) -> None:
        self._pool = pool
        self._jetstream = jetstream
        self._streams = streams

    async def drained(self) -> None:
        """Return when everything is published, delivered and acknowledged; TimeoutError after a minute."""
        # In the direction of travel: what has left the outbox is on the stream before its consumers are asked.
        await until(self._is_published, seconds=DRAIN_SECONDS, message="the outbox does not drain")
        await until(self._is_acknowledged, seconds=DRAIN_SECONDS, message="the consumers do not catch up")

    async def _is_published(self) -> bool:
        scrape = await self._pool.get("/metrics")
        scrape.raise_for_status()
        samples = [line.rpartition(" ") for line in scrape.text.splitlines() if line.startswith(OUTBOX_PENDING)]
        return bool(samples) and all(float(value) == 0 for _, _, value in samples)

    async def _is_acknowledged(self) -> bool:
        for stream in self._streams:
            # Not num_pending: the server may answer a publication before it counts it as pending.
            last = (await self._jetstream.stream_info(stream.name)).state.last_seq
            for durable in stream.durables:
                floor = (await self._jetstream.consumer_info(stream.name, durable)).ack_floor
                if floor is None or floor.stream_seq < last:
                    return False
        return True


async def live(
    plan: Sequence[Action], *, pool: httpx.AsyncClient, clock: Path, drained: Callable[[], Awaitable[None]]
) -> AsyncIterator[date]:
    """Live every day of the year, and yield each one once all of it has been counted."""
    agenda: dict[date, list[tuple[int, Action]]] = defaultdict(list)
    for number, action in enumerate(plan):
        agenda[action.registered_on].append((number, action))
    for day in DAYS:
        set_clock(clock, day)
        for number, action in agenda[day]:
            await register(pool, action, number)
        if agenda[day]:
            await drained()
        yield day


def set_clock(clock: Path, day: date) -> None:
    """Make it the morning of a day for every process that reads the file; none reads half an instant."""
    fresh = clock.with_suffix(".new")
    fresh.write_text(f"{datetime.combine(day, EIGHT_IN_THE_MORNING).isoformat()}\n")
    fresh.replace(clock)


async def register(pool: httpx.AsyncClient, action: Action, number: int) -> None:
    """Send an action, now and then twice with one key, as a caller does who lost the answer. Refused when it fails."""
    answer = await _post(pool, action, number)
    if number % EVERY_SENT_TWICE == 0:
        again = await _post(pool, action, number)
        if again.content != answer.content:
            raise Refused(f"{action} got another answer when it was sent again with the same Idempotency-Key")


async def _post(pool: httpx.AsyncClient, action: Action, number: int) -> httpx.Response:
    path, body = action.request()
    answer = await pool.post(path, json=body, headers={"Idempotency-Key": f"action-{number}"})
    if not answer.is_success:
        raise Refused(f"{action} was answered with status {answer.status_code}: {answer.text}")
    return answer
