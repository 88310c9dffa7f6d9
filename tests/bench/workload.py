"""What is measured with: years of many people, as they arrive at a stream, with all that goes wrong in one."""

import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import chain, zip_longest
from random import Random

from nats.aio.client import Client

from chassis.batch import publish_batch
from chassis.outbox import Row
from chassis.wire import Sealed, seal
from contracts.envelope import source_of
from contracts.platform import Published, ServiceHeartbeat
from contracts.streams import Stream
from services.impact.tests.year import Plan, Year, sealed

COPIES, CORRECTIONS, RETRACTIONS = 0.02, 0.01, 0.005
WITHIN_DAYS = 30
# Somebody's year is four events or so; what is told beyond the number that was asked for is left out.
EVENTS_OF_ONE = 4.0
# So many are told by several processes side by side.
MANY = 20_000
WORKERS = 2
BATCH = 1000
ANSWER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Workload:
    """Events in the order in which a stream gets them; some of them twice."""

    stream: Stream
    arriving: Sequence[Sealed]

    @property
    def first_copies(self) -> dict[tuple[str, str], bytes]:
        """The body hash of each event, by source and id: what a ledger must come to."""
        return {(event.source, event.id): event.body_hash for event in self.arriving}


def workload(municipality: str, events: int, *, seed: int, name: str = "", more: bool = False) -> Workload:
    """So many deliveries of a year; the same seed gives the same ones. `name` begins each id.

    `more` people come to a year that is told already, so that its office is left out.
    """
    stream = Stream(municipality, "flexjob_pool")
    first_copies = round(events / (1 + COPIES))
    told = _told(stream, first_copies, seed, name, more)
    return Workload(stream, list(_with_copies(told, events - first_copies, Random(seed))))  # noqa: S311 - no secret


def once_each(municipality: str, events: int, *, seed: int, name: str = "", more: bool = False) -> Workload:
    """So many events of a year, without the copies: as an outbox has them."""
    told = workload(municipality, events + events // 20 + 20, seed=seed, name=name, more=more)
    return Workload(told.stream, list({event.id: event for event in told.arriving}.values())[:events])


def _told(stream: Stream, events: int, seed: int, name: str, more: bool) -> list[Sealed]:
    parts = WORKERS if events > MANY else 1
    each = -(-events // parts)
    plans = [
        Plan(
            people=round(each / EVENTS_OF_ONE) + 1,
            seed=seed * parts + part,
            name=f"{name}{part}-",
            corrections=CORRECTIONS,
            retractions=RETRACTIONS,
            shuffled_days=WITHIN_DAYS,
            office=part == 0 and not more,
        )
        for part in range(parts)
    ]
    tell = partial(_tell, stream, each)
    if parts == 1:
        return tell(plans[0])[:events]
    with ProcessPoolExecutor(parts, mp_context=multiprocessing.get_context("spawn")) as processes:
        years = list(processes.map(tell, plans))
    # Each part is in its order of arrival, so what is beside each other came at about the same time.
    return [event for event in chain.from_iterable(zip_longest(*years)) if event][:events]


def _tell(stream: Stream, events: int, plan: Plan) -> list[Sealed]:
    return [sealed(said, stream) for said in Year(plan).tell()[:events]]


def _with_copies(events: Sequence[Sealed], copies: int, chance: Random) -> Iterable[Sealed]:
    """Each of some events a second time, up to so many places later."""
    again: dict[int, list[Sealed]] = {}
    for place in chance.sample(range(len(events)), copies):
        again.setdefault(min(place + chance.randrange(1, 700), len(events) - 1), []).append(events[place])
    for place, event in enumerate(events):
        yield event
        yield from again.get(place, ())


def heartbeat(stream: Stream, events: int) -> Sealed:
    """What the producer says at the end: how many events it has ever told."""
    said = Published(source=source_of(stream.municipality, stream.producer), events=events)
    beat = ServiceHeartbeat(producer=stream.producer, published=(said,))
    known = {"municipality": stream.municipality, "producer": stream.producer}
    return seal(beat, **known, id=f"beat-{events}", time=datetime(2027, 12, 1, tzinfo=UTC))


async def publish(nc: Client, work: Workload, *, last_sequence: int = 0, told_before: int = 0) -> int:
    """Put it all on the stream in atomic batches, and a heartbeat after it; the sequence of the last message."""
    beat = heartbeat(work.stream, told_before + len(work.first_copies))
    messages = [*work.arriving, beat]
    for start in range(0, len(messages), BATCH):
        rows = [
            # The place belongs to the id: a copy came from a producer that no dedupe window covers any more.
            Row(place, event.nats_subject, f"{event.message_id}/{place}", event.body)
            for place, event in enumerate(messages[start : start + BATCH], start)
        ]
        first = await publish_batch(
            nc, rows, stream=work.stream.name, expected_last_sequence=last_sequence, answer_seconds=ANSWER_SECONDS
        )
        last_sequence = first + len(rows) - 1
    return last_sequence
