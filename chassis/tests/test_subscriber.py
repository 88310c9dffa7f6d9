"""A stream read in its order, each event counted once, whatever dies, goes back or raises on the way."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import nats.errors
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nats.aio.msg import Msg

from chassis import inbox, subscriber
from chassis.bus import Bus
from chassis.calendar import calendar_of
from chassis.database import Connection, Pool, create_pool
from chassis.migrate import INBOX, migrate
from chassis.provision import provision
from chassis.subscriber import ReadOtherwise, Subscriber
from chassis.tasks import cancel
from chassis.wire import Reading, seal
from contracts.event import Event
from contracts.payroll import EmploymentEnded, WorkingTimeChanged
from contracts.platform import ServiceHeartbeat
from contracts.streams import Stream
from local.nats import NatsServer
from local.postgres import OwnPostgres, Postgres, postgres_for
from local.waiting import until

DURABLE = "flexjob_pool"
ACK_WAIT = 0.3
REGISTERED = datetime(2026, 6, 1, 9, tzinfo=UTC)
MUNICIPALITIES = (f"{number:03}" for number in count(101))
EFFECT = """
CREATE TABLE effect (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream text NOT NULL,
    event_id text NOT NULL,
    UNIQUE (stream, event_id) DEFERRABLE INITIALLY DEFERRED
)
"""

Step = Callable[[Reading], Awaitable[None]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter pauses: waiting longer proves nothing more."""
    monkeypatch.setattr(subscriber, "PAUSE_SECONDS", (0.01, 0.05))


@pytest.fixture
async def inbox_url(database_url: str) -> str:
    await prepare(database_url)
    return database_url


async def prepare(url: str) -> None:
    await migrate(url, [INBOX], clock=calendar_of("system"))
    db = await asyncpg.connect(url)
    await db.execute(EFFECT)
    await db.close()


@pytest.fixture
async def pool(inbox_url: str) -> AsyncIterator[Pool]:
    async with await create_pool(inbox_url, name="test") as pool:
        yield pool


@pytest.fixture
async def reader(pool: Pool, bus: Bus) -> "Reader":
    return await reader_of(pool, bus, "621")


async def reader_of(pool: Pool, bus: Bus, municipality: str, *, ack_wait: float = ACK_WAIT) -> "Reader":
    await provision(bus.jetstream, municipality, ack_wait_seconds=ack_wait)
    return Reader(pool, bus, Stream(municipality, "gateway"))


async def nothing(_reading: Reading) -> None:
    """What a handler does beside its effect."""


@asynccontextmanager
async def stopped_after(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run beside the block and be cancelled after it; an error of its own is the block's."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        await cancel(task)
        if not task.cancelled():
            task.result()


@dataclass
class Reader:
    """A database that reads the gateway's stream, and what can be seen of both."""

    pool: Pool
    bus: Bus
    stream: Stream
    before: Step = nothing
    after: Step = nothing
    reads: tuple[type[Event], ...] = (WorkingTimeChanged, EmploymentEnded)
    seen: list[str] = field(default_factory=list)

    def subscriber(self) -> Subscriber:
        return Subscriber(self.bus, self.stream, durable=DURABLE, reads=self.reads, handle=self.handle)

    async def handle(self, db: Connection, reading: Reading) -> None:
        self.seen.append(reading.envelope.id)
        await self.before(reading)
        query = "INSERT INTO effect (stream, event_id) VALUES ($1, $2)"
        await db.execute(query, self.stream.name, reading.envelope.id)
        await self.after(reading)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Subscriber]:
        reading = self.subscriber()
        async with stopped_after(reading.run(self.pool)):
            yield reading

    async def publish(self, *bodies: bytes, headers: dict[str, str] | None = None) -> None:
        for raw in bodies:
            await self.bus.jetstream.publish(self.stream.subjects.replace(">", "a.b.v1"), raw, headers=headers)

    def body(self, name: str, *, rate: str = "0.40", source: str = "payroll") -> bytes:
        ref = UUID(int=1)
        event = WorkingTimeChanged(
            occurred_on=date(2026, 5, 1),
            employment_ref=ref,
            placement_id=ref,
            person_ref=ref,
            occupation_rate=Decimal(rate),
        )
        return self._sealed(event, name, source)

    def ended(self, name: str) -> bytes:
        ref = UUID(int=1)
        event = EmploymentEnded(occurred_on=date(2026, 5, 1), employment_ref=ref, placement_id=ref, person_ref=ref)
        return self._sealed(event, name, "payroll")

    def heartbeat(self, name: str) -> bytes:
        return self._sealed(ServiceHeartbeat(producer="gateway", published=()), name, "gateway")

    def _sealed(self, event: Event, name: str, source: str) -> bytes:
        municipality = self.stream.municipality
        urn = f"urn:kraftcenter:{municipality}:{source}"
        return seal(event, municipality=municipality, producer="gateway", id=name, time=REGISTERED, source=urn).body

    async def effects(self) -> list[str]:
        query = "SELECT event_id FROM effect WHERE stream = $1 ORDER BY number"
        return [row["event_id"] for row in await self.pool.fetch(query, self.stream.name)]

    async def counts(self) -> dict[str, int]:
        """Those that are not zero; the books must be right."""
        async with self.pool.acquire() as db:
            assert await inbox.differences(db) == []
            return {
                str(outcome): number for outcome, number in (await inbox.counts(db, self.stream.name)).items() if number
            }

    async def floor(self) -> int:
        async with self.pool.acquire() as db:
            progress = await inbox.progress(db, self.stream.name)
        return progress.floor.sequence if progress else 0

    async def settled(self) -> bool:
        """Whether all on the stream is in the database and acknowledged; a bus that does not answer has not told."""
        try:
            info = await self.bus.jetstream.consumer_info(self.stream.name, DURABLE)
            end = (await self.bus.jetstream.stream_info(self.stream.name)).state.last_seq
        except nats.errors.Error:
            return False
        return info.ack_floor is not None and info.ack_floor.stream_seq == end and await self.floor() == end

    async def until_settled(self) -> None:
        await until(self.settled, seconds=15, message="the stream was not read to its end")


class Unheard(Exception):
    """A handler that cannot take an event."""


def refusing(*names: str) -> Step:
    async def refuse(reading: Reading) -> None:
        if reading.envelope.id in names:
            raise Unheard

    return refuse


async def test_events_have_their_effect_once_and_in_order(reader: Reader) -> None:
    await reader.publish(reader.body("a"), reader.ended("b"), reader.body("a"), reader.body("c"))

    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["a", "b", "c"]
    assert await reader.counts() == {"applied": 3, "duplicate": 1}


async def test_an_event_that_has_its_effect_leaves_no_body(reader: Reader) -> None:
    await reader.publish(reader.body("a"))

    async with reader.running():
        await reader.until_settled()

    row = await reader.pool.fetchrow("SELECT source, event_id, outcome, reason, body FROM inbox")
    assert tuple(row or ()) == ("urn:kraftcenter:621:payroll", "a", "applied", None, None)


async def test_the_same_id_from_another_source_is_another_event(reader: Reader) -> None:
    await reader.publish(reader.body("a"), reader.body("a", source="other"))
    await reader.pool.execute("ALTER TABLE effect DROP CONSTRAINT effect_stream_event_id_key")

    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["a", "a"]


async def test_the_same_id_with_another_body_is_kept_as_evidence_and_the_first_stands(reader: Reader) -> None:
    other = reader.body("a", rate="0.50")
    await reader.publish(reader.body("a"), other, other, reader.body("a"))

    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["a"]
    assert await reader.counts() == {"applied": 1, "conflict": 1, "duplicate": 2}
    kept = await reader.pool.fetchrow("SELECT stream_sequence, body FROM inbox WHERE outcome = 'conflict'")
    assert tuple(kept or ()) == (2, other)


async def test_what_has_no_valid_envelope_is_kept_as_evidence_and_blocks_nothing(reader: Reader) -> None:
    poison = {
        b"": "not_json",
        b"\xff\x00": "not_json",
        b"[]": "not_an_envelope",
        b"{}": "not_an_envelope",
        b'{"id": "\\u0000"}': "holds_nul",
        reader.body("a").replace(b'"specversion":"1.0"', b'"specversion":"0.3"'): "not_an_envelope",
        reader.body("a")[:-1] + b',"tracestate":1e400}': "not_canonical",
        b"{" + b" " * 65536 + b"}": "too_large",
    }
    # FastStream would answer, decode or drop what such headers ask for.
    headers = {"reply_to": "somewhere", "content-type": "application/json", "correlation_id": "x"}
    await reader.publish(*poison, headers=headers)
    await reader.publish(reader.body("good"))

    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["good"]
    assert await reader.counts() == {"applied": 1, "unreadable": len(poison)}
    kept = await reader.pool.fetch("SELECT body, reason FROM inbox WHERE outcome = 'unreadable' ORDER BY number")
    assert [(row["body"], row["reason"]) for row in kept] == list(poison.items())


async def test_what_is_not_read_is_counted_and_not_recorded(reader: Reader) -> None:
    later = reader.body("v2").replace(b".v1", b".v2")
    await reader.publish(reader.heartbeat("beat"), later, reader.body("a"))

    async with reader.running():
        await reader.until_settled()

    assert await reader.counts() == {"applied": 1, "not_read": 2}
    assert await reader.pool.fetchval("SELECT count(*) FROM inbox") == 1


async def test_a_program_that_reads_more_reads_the_stream_again(reader: Reader) -> None:
    await reader.publish(reader.body("a"), reader.ended("b"), reader.body("c"))
    earlier = replace(reader, reads=(WorkingTimeChanged,))
    async with earlier.running():
        await reader.until_settled()
    assert await reader.effects() == ["a", "c"]

    async with reader.running():
        await until(lambda: len_of(reader.effects(), 3))
        await reader.until_settled()

    assert await reader.effects() == ["a", "c", "b"]
    assert await reader.counts() == {"applied": 3, "duplicate": 2, "not_read": 1}


async def len_of(listed: Awaitable[list[str]], expected: int) -> bool:
    return len(await listed) == expected


async def test_beside_a_program_that_reads_otherwise_nobody_goes_on(reader: Reader) -> None:
    await reader.publish(reader.body("a"))
    ended = asyncio.create_task(reader.subscriber().run(reader.pool))
    await reader.until_settled()
    await reader.pool.execute("UPDATE inbox_stream SET types = '{}'")
    await reader.publish(reader.body("b"))
    with pytest.raises(ReadOtherwise):
        await ended

    async with reader.running():
        await reader.until_settled()
    assert await reader.effects() == ["a", "b"]


async def test_an_event_that_the_handler_cannot_take_is_set_aside_and_those_behind_go_on(reader: Reader) -> None:
    reader.after = refusing("b")
    await reader.publish(*map(reader.body, "abc"))

    async with reader.running() as reading:
        await reader.until_settled()
        assert reading.trouble is None

    assert await reader.effects() == ["a", "c"], "what it had written before it failed is undone"
    assert await reader.counts() == {"applied": 2, "failed": 1}
    kept = await reader.pool.fetchrow("SELECT event_id, reason, body FROM inbox WHERE outcome = 'failed'")
    assert tuple(kept or ()) == ("b", "Unheard", reader.body("b"))


async def test_a_second_copy_of_what_is_set_aside_changes_nothing(reader: Reader) -> None:
    reader.before = refusing("a")
    await reader.publish(reader.body("a"), reader.body("a"))

    async with reader.running():
        await reader.until_settled()

    assert await reader.counts() == {"failed": 1, "duplicate": 1}


async def test_what_was_set_aside_is_tried_again_in_order_at_a_start(reader: Reader) -> None:
    reader.before = refusing("a", "c", "d")
    await reader.publish(*map(reader.body, "abcd"))
    async with reader.running():
        await reader.until_settled()

    reader.before = refusing("c")
    await reader.publish(reader.body("e"))
    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["b", "a", "d", "e"]
    assert await reader.counts() == {"applied": 4, "failed": 1}
    assert await reader.pool.fetchval("SELECT count(*) FROM inbox WHERE body IS NOT NULL") == 1


async def test_a_service_may_have_it_tried_again_while_it_reads(reader: Reader) -> None:
    reader.before = refusing("a")
    await reader.publish(reader.body("a"))
    async with reader.running() as reading:
        await reader.until_settled()
        assert await reading.retry(reader.pool) == 0

        reader.before = nothing

        assert await asyncio.gather(*(reading.retry(reader.pool) for _ in range(3))) in (
            [1, 0, 0],
            [0, 1, 0],
            [0, 0, 1],
        )
    assert await reader.effects() == ["a"]
    assert await reader.counts() == {"applied": 1}


async def test_an_event_of_another_municipality_is_set_aside(reader: Reader) -> None:
    await reader.publish(reader.body("a").replace(b":621:", b":630:"))

    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == []
    assert await reader.pool.fetchval("SELECT reason FROM inbox") == "WrongMunicipality"


async def test_what_fails_only_at_the_commit_is_set_aside_too(reader: Reader) -> None:
    await reader.pool.execute("INSERT INTO effect (stream, event_id) VALUES ($1, 'b')", reader.stream.name)
    await reader.publish(*map(reader.body, "abc"))

    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["b", "a", "c"]
    assert await reader.pool.fetchval("SELECT reason FROM inbox WHERE event_id = 'b'") == "UniqueViolationError"


@pytest.mark.parametrize(
    "mistake",
    [
        "SELECT 1 / 0",
        "SELECT * FROM nowhere",
        "nonsense",
        "SELECT pg_sleep(5)",
    ],
)
async def test_a_mistake_in_sql_blocks_nothing(reader: Reader, mistake: str) -> None:
    async def mistaken(db: Connection, reading: Reading) -> None:
        if reading.envelope.id == "b":
            await db.execute("SET LOCAL statement_timeout = 50")
            await db.execute(mistake)
        await reader.handle(db, reading)

    reading = Subscriber(reader.bus, reader.stream, durable=DURABLE, reads=reader.reads, handle=mistaken)
    await reader.publish(*map(reader.body, "abc"))
    async with stopped_after(reading.run(reader.pool)):
        await reader.until_settled()

    assert await reader.effects() == ["a", "c"]
    assert await reader.counts() == {"applied": 2, "failed": 1}


async def test_a_value_that_the_driver_refuses_blocks_nothing(reader: Reader) -> None:
    async def mistaken(db: Connection, reading: Reading) -> None:
        if reading.envelope.id == "b":
            await db.execute("SELECT $1::bigint", "not a number")
        await reader.handle(db, reading)

    reading = Subscriber(reader.bus, reader.stream, durable=DURABLE, reads=reader.reads, handle=mistaken)
    await reader.publish(*map(reader.body, "abc"))
    async with stopped_after(reading.run(reader.pool)):
        await reader.until_settled()

    assert await reader.effects() == ["a", "c"]


async def test_what_passes_by_itself_is_tried_until_it_has(reader: Reader) -> None:
    async def busy(reading: Reading) -> None:
        if reader.seen.count(reading.envelope.id) < 3:
            raise asyncpg.DeadlockDetectedError

    reader.after = busy
    await reader.publish(*map(reader.body, "ab"))

    async with reader.running():
        await reader.until_settled()

    assert reader.seen == ["a"] * 3 + ["b"] * 3
    assert await reader.counts() == {"applied": 2}


async def test_a_crash_within_the_handler_leaves_nothing_and_the_event_comes_again_first(reader: Reader) -> None:
    crashed = asyncio.Event()

    async def crash(_reading: Reading) -> None:
        crashed.set()
        await asyncio.Event().wait()

    reader.after = crash
    await reader.publish(*map(reader.body, "ab"))
    async with reader.running():
        await crashed.wait()
    assert await reader.effects() == []
    assert await reader.counts() == {}

    reader.after = nothing
    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["a", "b"]
    assert await reader.counts() == {"applied": 2}


async def test_nothing_is_acknowledged_before_its_commit(reader: Reader) -> None:
    held = asyncio.Event()

    async def hold(_reading: Reading) -> None:
        held.set()
        await asyncio.Event().wait()

    reader.after = hold
    await reader.publish(reader.body("a"))

    async with reader.running():
        await held.wait()
        await reader.bus.broker.connection.flush()
        info = await reader.bus.jetstream.consumer_info(reader.stream.name, DURABLE)
        assert info.ack_floor
        assert (info.ack_floor.stream_seq, info.num_ack_pending) == (0, 1)


async def test_work_that_takes_longer_than_the_wait_is_not_delivered_again(reader: Reader) -> None:
    slow = asyncio.Event()

    async def wait(_reading: Reading) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(slow.wait(), 4 * ACK_WAIT)

    reader.after = wait
    await reader.publish(reader.body("a"))

    async with reader.running():
        await reader.until_settled()
        info = await reader.bus.jetstream.consumer_info(reader.stream.name, DURABLE)

    assert info.num_redelivered == 0
    assert await reader.counts() == {"applied": 1}


CRASHES = st.lists(st.tuples(st.sampled_from(["handler", "acknowledgement"]), st.integers(1, 4)), max_size=3)
DELIVERIES = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["0.40", "0.50"])), min_size=1, max_size=8)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=DELIVERIES, crashes=CRASHES)
async def test_any_copies_in_any_order_and_any_crash_count_once(
    pool: Pool, bus: Bus, deliveries: list[tuple[str, str]], crashes: list[tuple[str, int]]
) -> None:
    reader = await reader_of(pool, bus, next(MUNICIPALITIES))
    await reader.publish(*(reader.body(name, rate=rate) for name, rate in deliveries))
    for place, after in crashes:
        with crash_at(place, after) as (crashed, step):
            reader.before = step
            async with reader.running():
                await until(lambda: either(crashed, reader), seconds=30)

    reader.before = nothing
    async with reader.running():
        await reader.until_settled()

    first: dict[str, str] = {}
    for name, rate in deliveries:
        first.setdefault(name, rate)
    assert await reader.effects() == list(first)
    counted = await reader.counts()
    conflicts = {(name, rate) for name, rate in deliveries if first[name] != rate}
    assert counted.get("conflict", 0) == len(conflicts)
    assert counted["applied"] == len(first)
    assert sum(counted.values()) >= len(deliveries)


async def either(crashed: asyncio.Event, reader: Reader) -> bool:
    return crashed.is_set() or await reader.settled()


@contextmanager
def crash_at(place: str, after: int) -> Iterator[tuple[asyncio.Event, Step]]:
    """Stand still for ever at the so manieth handling or acknowledgement; whoever waits then ends the reader."""
    crashed, left, acknowledge = asyncio.Event(), count(1), Msg.ack

    async def stand_still() -> None:
        if next(left) == after:
            crashed.set()
            await asyncio.Event().wait()

    async def before(_reading: Reading) -> None:
        if place == "handler":
            await stand_still()

    async def ack(self: Msg) -> None:
        if place == "acknowledgement":
            await stand_still()
        await acknowledge(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Msg, "ack", ack)
        yield crashed, before


async def test_the_order_is_kept_while_the_broker_dies_again_and_again(reader: Reader, nats_server: NatsServer) -> None:
    names = [f"e{number}" for number in range(60)]
    await reader.publish(*map(reader.body, names))
    dice = random.Random(4)  # noqa: S311 - repeatable, no secret

    async with reader.running():
        for _ in range(3):
            enough = len(reader.seen) + dice.randint(1, 10)
            await until(lambda: len(reader.seen) >= enough, seconds=30)  # noqa: B023 - awaited at once
            nats_server.kill()
            nats_server.start()
        await reader.until_settled()

    assert await reader.effects() == names
    assert (await reader.counts())["applied"] == len(names)


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[Postgres]:
    server = postgres_for(tmp_path / "postgres")
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("ending", ["stop", "kill"])
async def test_the_order_is_kept_while_the_database_is_away(own_postgres: Postgres, bus: Bus, ending: str) -> None:
    if not isinstance(own_postgres, OwnPostgres):
        pytest.skip("a server that others run is not stopped")
    url = own_postgres.create_database()
    await prepare(url)
    names = [f"e{number}" for number in range(40)]
    async with await create_pool(url, name="test") as pool:
        # Starting a server holds up this very loop: nothing can be said to be in progress meanwhile.
        reader = await reader_of(pool, bus, "621", ack_wait=30)
        await reader.publish(*map(reader.body, names))
        async with reader.running() as reading:
            await until(lambda: len(reader.seen) > 5)
            getattr(own_postgres, ending)()
            await until(lambda: reading.trouble is not None)
            info = await bus.jetstream.consumer_info(reader.stream.name, DURABLE)
            assert info.num_ack_pending == 1
            own_postgres.start()
            await reader.until_settled()
        info = await bus.jetstream.consumer_info(reader.stream.name, DURABLE)

        assert await reader.effects() == names
        assert info.delivered is not None
        assert info.delivered.consumer_seq == len(names), "nothing was delivered a second time"
        counts = await reader.counts()
        assert counts.pop("applied") == len(names)
        assert counts in ({}, {"duplicate": 1}), "only what was committed without an answer is brought in again"


async def test_a_start_without_database_waits_for_it(own_postgres: Postgres, bus: Bus) -> None:
    if not isinstance(own_postgres, OwnPostgres):
        pytest.skip("a server that others run is not stopped")
    url = own_postgres.create_database()
    await prepare(url)
    async with await create_pool(url, name="test") as pool:
        reader = await reader_of(pool, bus, "621")
        await reader.publish(reader.body("a"))
        own_postgres.kill()
        async with reader.running() as reading:
            await until(lambda: reading.trouble not in (None, "starting"))
            own_postgres.start()
            await reader.until_settled()
        assert await reader.effects() == ["a"]


WENT_BACK = "TRUNCATE inbox, inbox_stream, effect"


async def test_a_database_that_went_back_is_given_everything_again_at_a_start(reader: Reader) -> None:
    await reader.publish(*map(reader.body, "abc"))
    async with reader.running():
        await reader.until_settled()

    await reader.pool.execute(WENT_BACK)
    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["a", "b", "c"]


async def test_a_database_that_goes_back_under_way_is_given_what_it_lacks_before_anything_new(reader: Reader) -> None:
    await reader.publish(*map(reader.body, "abc"))
    async with reader.running():
        await reader.until_settled()
        async with reader.pool.acquire() as db, db.transaction():
            await db.execute("DELETE FROM effect WHERE event_id <> 'a'")
            await db.execute("DELETE FROM inbox WHERE event_id <> 'a'")
            await db.execute("UPDATE inbox_stream SET floor = 1, delivered = 1, applied = 1")
        await reader.publish(reader.body("d"))
        await until(lambda: len_of(reader.effects(), 4))
        await reader.until_settled()

    assert await reader.effects() == ["a", "b", "c", "d"]
    assert await reader.counts() == {"applied": 4}


async def test_what_has_aged_away_is_no_gap(reader: Reader) -> None:
    jetstream, name = reader.bus.jetstream, reader.stream.name
    await reader.publish(*map(reader.body, "ab"))
    config = (await jetstream.stream_info(name)).config
    await jetstream.update_stream(config.evolve(max_age=0.2, duplicate_window=0.1))

    async def aged() -> bool:
        return (await jetstream.stream_info(name)).state.messages == 0

    await until(aged)
    await jetstream.update_stream(config)
    await reader.publish(reader.body("c"))

    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["c"]
    assert await reader.floor() == 3


async def test_a_stream_that_was_made_again_is_read_from_its_beginning(reader: Reader) -> None:
    await reader.publish(*map(reader.body, "abc"))
    async with reader.running():
        await reader.until_settled()

    await reader.bus.jetstream.delete_stream(reader.stream.name)
    await provision(reader.bus.jetstream, reader.stream.municipality, ack_wait_seconds=ACK_WAIT)
    await reader.publish(*map(reader.body, "xbyz"))
    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["a", "b", "c", "x", "y", "z"]
    assert await reader.counts() == {"applied": 6, "duplicate": 1}


async def test_it_waits_for_its_durable_and_never_makes_one(pool: Pool, bus: Bus) -> None:
    reader = Reader(pool, bus, Stream("621", "gateway"))
    async with reader.running() as reading:
        await until(lambda: reading.trouble == "NotFoundError")
        with suppress(Exception):
            await bus.jetstream.consumer_info(reader.stream.name, DURABLE)
            pytest.fail("it made a durable")
        await provision(bus.jetstream, "621", ack_wait_seconds=ACK_WAIT)
        await reader.publish(reader.body("a"))
        await reader.until_settled()

    assert await reader.effects() == ["a"]


async def test_while_it_waits_others_have_their_turn_and_it_stops_at_once(reader: Reader) -> None:
    """Also with the bus and the database away, and something under way."""
    held, turns = asyncio.Event(), 0

    async def hold(_reading: Reading) -> None:
        held.set()
        await asyncio.Event().wait()

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    reader.after = hold
    await reader.publish(reader.body("a"))
    beside = asyncio.create_task(others())
    async with asyncio.timeout(5):
        async with reader.running():
            await held.wait()
            before = turns
            await until(lambda: turns > before + 20)
    beside.cancel()

    info = await reader.bus.jetstream.consumer_info(reader.stream.name, DURABLE)
    assert info.num_waiting is not None
    assert await reader.effects() == []


async def test_two_readers_of_one_stream_count_once_and_keep_the_order(reader: Reader) -> None:
    names = [f"e{number}" for number in range(30)]
    await reader.publish(*map(reader.body, names))

    async with reader.running(), replace(reader, seen=[]).running():
        await reader.until_settled()

    assert await reader.effects() == names


async def test_operations_see_counts_what_is_set_aside_and_what_waits(reader: Reader) -> None:
    reader.before = refusing("b")
    await reader.publish(*map(reader.body, "ab"))
    async with reader.running() as reading:
        await reader.until_settled()
    await reader.publish(*map(reader.body, "cde"))

    families = {family.name: family for family in await reading.measure(reader.pool)}

    def value(name: str, **labels: str) -> float:
        [sample] = [
            sample for sample in families[name].samples if sample.labels == {"stream": reader.stream.name, **labels}
        ]
        return float(sample.value)

    assert value("inbox_events", outcome="applied") == 1
    assert value("inbox_events", outcome="failed") == value("inbox_failed") == 1
    assert value("inbox_delivered") == 2
    assert value("inbox_pending") == 3
