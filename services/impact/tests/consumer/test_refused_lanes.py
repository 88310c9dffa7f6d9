"""What this program cannot take in: the lane says so and waits, nothing is lost, and all others go on."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from chassis.bus import Bus
from chassis.database import Pool
from chassis.provision import provision
from contracts.streams import Stream
from impact.chronicle import Chronicle, Told
from impact.fold import Fact
from impact.ingest import DURABLE
from impact.refusals import trouble_of
from impact.store import recall
from local.waiting import until
from services.impact.tests.consumer.traffic import (
    ACK_WAIT,
    AMOUNT_ORE,
    LANE,
    MEASURES,
    NEWER,
    body,
    bring_in,
    budget,
    consumer_of,
    differing,
    has,
    names,
    publish,
    running,
    settled,
)

BUDGET_TYPE = "dk.kraftcenter.pool.budget_allocated.v1"
ELSEWHERE = Stream("751", "flexjob_pool")


async def test_a_worker_that_lacks_a_definition_refuses_that_lane_alone_until_it_may_go_on(
    pool: Pool, bus: Bus
) -> None:
    await provision(bus.jetstream, ELSEWHERE.municipality, ack_wait_seconds=ACK_WAIT)
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
    assert str(AMOUNT_ORE) not in str(logs)


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
