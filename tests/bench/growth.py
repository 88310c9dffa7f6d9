"""Whether a lane slows down as its ledger grows: the same further people at a ledger, and at one of ten times as much.

The larger ledger is the smaller one ten times over, each time of other people: bodies copied under ids and hashes made
anew, and all that follows from them by telling them, as a rebuild does.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from itertools import islice
from typing import Any

import asyncpg

from chassis.calendar import Calendar, calendar_of
from chassis.database import Connection, create_pool
from contracts.streams import Stream
from impact.rebuild import rebuild
from tests.bench.contenders.impact import IMPACT
from tests.bench.gate import MEASURES, came
from tests.bench.progress import Told
from tests.bench.racing import ready
from tests.bench.results import Results
from tests.bench.servers import Servers
from tests.bench.sizes import Sizes
from tests.bench.workload import Workload, publish, workload

KEYS_OF_GROWTH = ("ratio_at_10x_ledger",)
TIMES = 10
ONCE_OF, GROWN_OF = "691", "692"
UUID = re.compile(rb'"([0-9a-f]{8})(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")')
EVENT_ID = re.compile(rb'"(\d+-e\d+)')
PAGE = 10_000
COLUMNS = (
    *("municipality", "position", "kind", "source", "event_id", "type", "time", "occurred_on"),
    *("body", "body_hash", "recorded_at", "stream", "stream_sequence"),
)


@dataclass(slots=True)
class Lane:
    """A municipality's database, and how far its lane and its stream have come."""

    municipality: str
    dsn: str
    position: int = 0
    sequence: int = 0


async def growth(servers: Servers, sizes: Sizes, results: Results, told: Told, seed: int) -> None:
    """Two ledgers, and rounds of the same further people at each."""
    if not sizes.full:
        results.leave_out("ratio_at_10x_ledger", "not measured in this run; --full does, and takes an hour or so")
        return
    with servers.database() as once, servers.database() as grown:
        lanes = Lane(ONCE_OF, once), Lane(GROWN_OF, grown)
        for lane, times in zip(lanes, (1, TIMES), strict=True):
            await servers.provide(lane.municipality)
            with told.doing(f"a ledger of {times} times {sizes.whole:,} deliveries"):
                first = workload(lane.municipality, sizes.whole, seed=seed)
                lane.position = await _load(lane.dsn, first, times, calendar_of(servers.clock))
            told.say(f"a ledger of {lane.position:,} events is told")
        results.note("ratio_at_10x_ledger: at ledgers of {1:,} and {0:,}".format(*(lane.position for lane in lanes)))
        for number in range(sizes.rounds):
            rates = []
            for lane in lanes:
                people, name = seed + 1 + number, f"more{number}-"
                more = workload(lane.municipality, sizes.slice, seed=people, name=name, more=True)
                rates.append(await _lap(servers, lane, more))
            results.add("ratio_at_10x_ledger", rates[1] / rates[0])
            told.say(f"at the ledger {rates[0]:,.0f}/s, at ten times that {rates[1]:,.0f}/s")


async def _lap(servers: Servers, lane: Lane, more: Workload) -> float:
    """Events per second of what comes to a lane, all of which must arrive. Raises GateRed."""
    first, lane.sequence = lane.sequence + 1, await publish(servers.nc, more, last_sequence=lane.sequence)
    async with ready(servers, IMPACT, more, lane.dsn, first=first) as runner:
        lap = await runner.go(more, lane.sequence)
    lane.position = await came(lane.dsn, IMPACT.name, more, after=lane.position)
    return lap.rate


async def _load(dsn: str, work: Workload, times: int, calendar: Calendar) -> int:
    """Fill a ledger by COPY, and tell it; how many events it has."""
    bodies = list({event.id: event.body for event in work.arriving}.values())
    # Not from a pool of ours: COPY is binary, and ours speak JSON as text.
    db = await asyncpg.connect(dsn)
    try:
        for copy in range(times):
            rows = _rows(work.stream, bodies, copy, calendar.now())
            while page := list(islice(rows, PAGE)):
                await db.copy_records_to_table("ledger", records=page, columns=COLUMNS)
        await db.execute(OPEN_LANE, work.stream.municipality, len(bodies) * times, calendar.now())
        await db.execute("ANALYZE ledger")
    finally:
        await db.close()
    async with await create_pool(dsn, name="load", max_size=1) as pool:
        await rebuild(pool, work.stream.municipality, MEASURES, calendar=calendar, gate=_open)
    return len(bodies) * times


OPEN_LANE = "INSERT INTO lane (municipality, position, recorded_at) VALUES ($1, $2, $3)"


async def _open(_: Connection) -> int:
    """No gate: nothing was here that could be damaged."""
    return 0


def _rows(stream: Stream, bodies: Sequence[bytes], copy: int, at: datetime) -> Iterator[tuple[Any, ...]]:
    for position, body in enumerate(bodies, copy * len(bodies) + 1):
        other = of_others(body, copy)
        said = json.loads(other)
        told = said["data"].get("occurred_on")
        day = date.fromisoformat(told) if told else None
        yield (
            *(stream.municipality, position, "fact", said["source"], said["id"], said["type"]),
            *(datetime.fromisoformat(said["time"]), day, other.decode(), sha256(other).digest()),
            *(at, "loaded", position),
        )


def of_others(body: bytes, copy: int) -> bytes:
    """The same event of other people: canonical JSON stays canonical, since no name in it changes."""
    if not copy:
        return body
    people = UUID.sub(lambda found: b'"%08x%s' % (int(found[1], 16) ^ copy, found[2]), body)
    return EVENT_ID.sub(lambda found: b'"copy%d-%s' % (copy, found[1]), people)
