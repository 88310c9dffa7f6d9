"""What this program cannot take in: the lane says so and waits, nothing is lost, and all others go on."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from chassis import database
from chassis.bus import Bus
from chassis.calendar import SystemCalendar
from chassis.database import Connection, Pool, create_pool
from chassis.provision import provision
from chassis.wire import seal
from contracts.event import Event
from contracts.flexjob_pool import BudgetAllocated
from contracts.platform import ServiceHeartbeat
from contracts.streams import Stream
from impact import consumer, ingest, rebuild
from impact.catalogue import INDICATORS, measures_of
from impact.chronicle import Chronicle, Told
from impact.consumer import Consumer
from impact.fold import Effect, Fact, Measure
from impact.ingest import DURABLE
from impact.ledger import Delivery
from impact.rebuild import Attempt, bring_into_force, compare
from impact.refusals import trouble_of
from impact.store import recall
from impact.store.definitions import DefinitionMissing, LaneNotTold
from local.nats import NatsServer
from local.waiting import until

LANE, ANOTHER, ELSEWHERE = Stream("621", "flexjob_pool"), Stream("621", "portal"), Stream("751", "flexjob_pool")
MEASURES = measures_of(INDICATORS)
CLOCK = SystemCalendar()
REGISTERED = datetime(2026, 6, 1, 9, tzinfo=UTC)
BUDGET_TYPE = "dk.kraftcenter.pool.budget_allocated.v1"
NEWER = "INSERT INTO definition (municipality, measure, version, in_force_from) VALUES ('621', 'of_tomorrow', 1, 0)"


@pytest.fixture
async def bus(nats_server: NatsServer) -> AsyncIterator[Bus]:
    bus = Bus(nats_server.url, name="impact")
    await bus.start()
    for municipality in ("621", "751"):
        await provision(bus.jetstream, municipality, ack_wait_seconds=1)
    yield bus
    await bus.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter pauses: waiting longer proves nothing more."""
    monkeypatch.setattr(consumer, "PAUSE_SECONDS", (0.02, 0.1))
    monkeypatch.setattr(consumer, "REFUSED_SECONDS", 0.1)
    monkeypatch.setattr(consumer, "FLOOR_SECONDS", 0.1)
    monkeypatch.setattr(consumer, "FETCH_SECONDS", 0.5)


def consumer_of(
    pool: Pool, bus: Bus, stream: Stream = LANE, measures: Sequence[Measure] = MEASURES, attempt: Attempt | None = None
) -> Consumer:
    return Consumer(pool, bus, stream, measures=measures, calendar=CLOCK, attempt=attempt)


@asynccontextmanager
async def running(*consumers: Consumer) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in consumers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


def budget(number: int) -> BudgetAllocated:
    """Each budget is a history of its own."""
    return BudgetAllocated(
        occurred_on=date(2026, 1, 1),
        budget_id=UUID(int=number),
        fiscal_year=2026,
        amount_ore=7654321,
        reason_code="late_information",
    )


def body(event: Event, name: str, stream: Stream = LANE, corrects: str | None = None) -> bytes:
    municipality, producer = stream.municipality, stream.producer
    return seal(event, municipality=municipality, producer=producer, id=name, time=REGISTERED, corrects=corrects).body


async def publish(bus: Bus, *bodies: bytes, stream: Stream = LANE) -> None:
    for raw in bodies:
        await bus.jetstream.publish(stream.subjects.replace(">", "any.thing.v1"), raw)


async def bring_in(pool: Pool, *bodies: bytes, measures: Sequence[Measure] = MEASURES) -> int:
    batch = [Delivery(LANE.name, number, {}, raw) for number, raw in enumerate(bodies, 1)]
    return await ingest.ingest(pool, LANE, batch, measures=measures, calendar=CLOCK)


async def settled(bus: Bus, stream: Stream = LANE) -> bool:
    info = await bus.jetstream.consumer_info(stream.name, DURABLE)
    end = (await bus.jetstream.stream_info(stream.name)).state.last_seq
    return info.ack_floor is not None and info.ack_floor.stream_seq == end


async def names(pool: Pool, municipality: str = "621") -> set[str]:
    rows = await pool.fetch("SELECT event_id FROM ledger WHERE municipality = $1 AND parked IS NULL", municipality)
    return {row["event_id"] for row in rows}


async def has(pool: Pool, *wanted: str) -> bool:
    return await names(pool) == {*wanted}


async def differing(pool: Pool) -> list[str]:
    async with pool.acquire() as db, db.transaction(isolation="repeatable_read"):
        return (await compare(db, "621", MEASURES)).differing


async def open_gate(_: Connection) -> int:
    return 0


async def test_a_worker_that_lacks_a_definition_refuses_that_lane_alone_until_it_may_go_on(
    pool: Pool, bus: Bus
) -> None:
    await pool.execute(NEWER)
    here, there = consumer_of(pool, bus), consumer_of(pool, bus, ELSEWHERE)
    with capture_logs() as logs:
        async with running(here, there):
            await publish(bus, body(budget(1), "a"), body(budget(2), "b"))
            await until(lambda: here.refusals.reason)
            await publish(bus, body(budget(1), "c", ELSEWHERE), stream=ELSEWHERE)
            await until(lambda: settled(bus, ELSEWHERE))

            assert trouble_of([here.refusals, there.refusals]) == "621 refused: DefinitionMissing of_tomorrow/1"
            assert await names(pool) == set()
            await until(lambda: tried_again(bus, 3))

            await pool.execute("DELETE FROM definition WHERE measure = 'of_tomorrow'")
            await until(lambda: settled(bus))
            await until(lambda: trouble_of([here.refusals, there.refusals]) is None)

    assert await has(pool, "a", "b")
    events = [entry["event"] for entry in logs if entry["event"].startswith("lane_")]
    assert events == ["lane_refused", "lane_accepted"]
    assert await pool.fetchval("SELECT sum(duplicates) FROM delivery") == 0


async def tried_again(bus: Bus, times: int) -> bool:
    info = await bus.jetstream.consumer_info(LANE.name, DURABLE)
    return bool(info.delivered and info.delivered.consumer_seq > times)


async def test_a_newer_worker_beside_takes_what_an_older_one_refuses(pool: Pool, bus: Bus) -> None:
    await pool.execute(NEWER)
    newer = [*MEASURES, replace(MEASURES[0], id="of_tomorrow", version=1)]
    older = consumer_of(pool, bus)
    async with running(older, consumer_of(pool, bus, measures=newer)):
        for number in range(20):
            await publish(bus, body(budget(number), f"e{number}"))
        await until(lambda: settled(bus), seconds=20)

    assert await has(pool, *(f"e{number}" for number in range(20)))
    assert await pool.fetchval("SELECT sum(duplicates) FROM delivery") == 0


async def test_a_lane_that_cannot_be_told_is_told_once_by_both_streams_and_waits_for_a_rebuild(
    pool: Pool, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bring_in(pool, body(budget(1), "a"))
    await pool.execute("TRUNCATE definition, delta, running_sum")
    monkeypatch.setattr(consumer, "proven", lambda _: shut)
    tellings = counted_tellings(monkeypatch)
    attempt = Attempt()
    both = [consumer_of(pool, bus, stream, attempt=attempt) for stream in (LANE, ANOTHER)]
    async with running(*both):
        await publish(bus, body(budget(2), "b"))
        await until(lambda: all(each.refusals.reason for each in both))
        await asyncio.sleep(0.5)

        assert trouble_of(each.refusals for each in both) == "621 refused: LaneNotTold 621"
        assert len(tellings) == 1
        await rebuild.rebuild(pool, "621", MEASURES, calendar=CLOCK, gate=open_gate)
        await until(lambda: settled(bus))
        await until(lambda: not any(each.refusals.reason for each in both))

    assert await has(pool, "a", "b")
    assert await differing(pool) == []


async def shut(_: Connection) -> int:
    return 1


def counted_tellings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    tellings: list[str] = []
    original = rebuild._tell  # noqa: SLF001 - whether a lane is told at all shows nowhere else

    async def telling(db: Connection, municipality: str, chronicle: Chronicle, **rest: int) -> None:
        if rest["after"] == 0:
            tellings.append(municipality)
        await original(db, municipality, chronicle, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(rebuild, "_tell", telling)
    return tellings


async def test_a_program_that_lacks_a_definition_tells_nothing(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    await bring_in(pool, body(budget(1), "a"))
    await pool.execute(NEWER)
    await pool.execute("DELETE FROM definition WHERE measure = $1", MEASURES[0].id)
    tellings = counted_tellings(monkeypatch)

    with pytest.raises(DefinitionMissing):
        await bring_into_force(pool, "621", MEASURES, calendar=CLOCK, gate=open_gate)

    assert tellings == []


async def test_what_was_refused_is_told_again_when_it_is_something_else(pool: Pool) -> None:
    await bring_in(pool, body(budget(1), "a"))
    await pool.execute("TRUNCATE definition, delta, running_sum")
    attempt = Attempt()
    for _ in range(2):
        with pytest.raises(LaneNotTold):
            await bring_into_force(pool, "621", MEASURES, calendar=CLOCK, gate=shut, attempt=attempt)

    await bring_into_force(pool, "621", MEASURES[1:], calendar=CLOCK, gate=open_gate, attempt=attempt)

    assert await pool.fetchval("SELECT count(*) FROM definition") == len(MEASURES) - 1


async def test_an_error_that_nobody_foresaw_keeps_new_definitions_out_and_the_lane_goes_on(pool: Pool) -> None:
    await bring_in(pool, body(budget(1), "a"), measures=MEASURES[1:])

    async def broken(_: Connection) -> int:
        raise RecursionError

    await bring_into_force(pool, "621", MEASURES, calendar=CLOCK, gate=broken)

    assert await bring_in(pool, body(budget(2), "b")) == 2


async def test_a_lane_that_only_heard_a_heartbeat_takes_all_measures_with_its_first_fact(pool: Pool) -> None:
    beat = ServiceHeartbeat(producer="flexjob_pool", published=())
    await bring_in(pool, body(beat, "beat"), measures=MEASURES[1:])
    assert await pool.fetchval("SELECT count(*) FROM definition") == len(MEASURES) - 1

    await bring_in(pool, body(budget(1), "a"))

    assert await pool.fetchval("SELECT count(*) FROM definition WHERE in_force_from = 0") == len(MEASURES)
    assert await differing(pool) == []


async def test_a_fact_of_a_newer_program_holds_up_what_touches_it_alone(
    pool: Pool, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bring_in(pool, body(budget(1), "a"))
    older = consumer_of(pool, bus)
    with monkeypatch.context() as patch:
        patch.setattr(recall, "BY_TYPE", {})
        async with running(older):
            await publish(bus, body(budget(1), "next", corrects="a"), body(budget(2), "b"), body(budget(3), "c"))
            await until(lambda: has(pool, "a", "b", "c"))
            await until(lambda: trouble_of([older.refusals]))

            assert trouble_of([older.refusals]) == f"621 refused: NotUnderstood {BUDGET_TYPE} at position 1"
            patch.undo()
            await until(lambda: settled(bus))

    assert await has(pool, "a", "b", "c", "next")
    assert await differing(pool) == []


async def test_a_stricter_model_is_not_understood_and_says_nothing_of_the_data(pool: Pool) -> None:
    await bring_in(pool, body(budget(1), "a"))
    await pool.execute("UPDATE ledger SET body = jsonb_set(body, '{data,amount_ore}', '\"secret\"')")

    with pytest.raises(recall.NotUnderstood) as refusal:
        await bring_in(pool, body(budget(1), "next", corrects="a"))

    assert (refusal.value.type, refusal.value.position) == (BUDGET_TYPE, 1)
    assert "secret" not in str(refusal.value)
    assert refusal.value.__suppress_context__


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Ids of events on which telling raises."""
    ids: set[str] = set()
    original = Chronicle.tell

    def tell(self: Chronicle, fact: Fact) -> Told:
        if fact.id in ids:
            raise RecursionError(fact.event)
        return original(self, fact)

    monkeypatch.setattr(Chronicle, "tell", tell)
    return ids


async def test_a_fact_that_cannot_be_told_waits_alone_and_counts_once_it_can(
    pool: Pool, bus: Bus, broken: set[str]
) -> None:
    broken |= {"e3", "e8"}
    here, everything = consumer_of(pool, bus), [f"e{number}" for number in range(12)]
    await publish(bus, *(body(budget(number), f"e{number}") for number in range(12)))
    with capture_logs() as logs:
        async with running(here):
            await until(lambda: has(pool, *(name for name in everything if name not in broken)))
            await until(lambda: tried_again(bus, 18))

            trouble = trouble_of([here.refusals])
            assert trouble is not None
            assert trouble.startswith("621 refused: RecursionError at test_refused_lanes:")
            broken.clear()
            await until(lambda: settled(bus))
            await until(lambda: trouble_of([here.refusals]) is None)

    assert await has(pool, *everything)
    assert await pool.fetchval("SELECT sum(duplicates) FROM delivery") == 0
    assert await differing(pool) == []
    assert [entry["event"] for entry in logs if entry["event"].startswith("lane_")] == ["lane_refused", "lane_accepted"]
    assert "7654321" not in str(logs)


async def test_what_another_worker_took_is_no_trouble_any_more(pool: Pool, bus: Bus, broken: set[str]) -> None:
    broken.add("a")
    here = consumer_of(pool, bus)
    async with running(here):
        await publish(bus, body(budget(1), "a"))
        await until(lambda: here.refusals.reason)
        here.refusals.accepted_upto(0)
        assert here.refusals.reason
        here.refusals.accepted_upto(1)
        assert here.refusals.reason is None


def heavy(seconds: float) -> list[Measure]:
    """Definitions of which one takes long with every budget."""

    def slowly(measure: Measure) -> Measure:
        def rule(facts: Sequence[Fact]) -> Sequence[Effect]:
            if facts:
                time.sleep(seconds)
            return list(measure.rule(facts))

        return replace(measure, rule=rule)

    return [slowly(measure) if measure.id == "pool_allocated" else measure for measure in MEASURES]


async def test_a_batch_too_heavy_for_its_transaction_comes_in_smaller_ones(
    pool: Pool, bus: Bus, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(database.SESSION, "idle_in_transaction_session_timeout", "400ms")
    await publish(bus, *(body(budget(number), f"e{number}") for number in range(12)))
    async with (
        await create_pool(database_url, name="hurried") as hurried,
        running(consumer_of(hurried, bus, measures=heavy(0.1))),
    ):
        await until(lambda: settled(bus), seconds=20)

    assert await has(pool, *(f"e{number}" for number in range(12)))
    assert await differing(pool) == []


async def test_a_batch_that_takes_too_long_to_tell_is_given_up_before_the_database_ends_it(
    pool: Pool, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "SLICE", 1)
    monkeypatch.setattr(ingest, "TELL_SECONDS", 0.25)
    await publish(bus, *(body(budget(number), f"e{number}") for number in range(6)))
    with capture_logs() as logs:
        async with running(consumer_of(pool, bus, measures=heavy(0.1))):
            await until(lambda: settled(bus), seconds=20)

    assert await has(pool, *(f"e{number}" for number in range(6)))
    assert {"event": "ingest_interrupted", "stream": LANE.name, "error": "TimeoutError", "log_level": "warning"} in logs
