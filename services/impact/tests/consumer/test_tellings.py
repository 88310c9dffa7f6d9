"""A lane that must be told anew is told once for all that wait for it, and again when it is something else."""

import asyncio

import pytest

from chassis.bus import Bus
from chassis.database import Connection, Pool
from contracts.platform import ServiceHeartbeat
from contracts.streams import Stream
from impact import consumer, rebuild
from impact.chronicle import Chronicle
from impact.rebuild import Attempt, bring_into_force
from impact.refusals import trouble_of
from impact.store.definitions import DefinitionMissing, LaneNotTold
from local.waiting import until
from services.impact.tests.consumer.traffic import (
    CLOCK,
    LANE,
    MEASURES,
    NEWER,
    body,
    bring_in,
    budget,
    consumer_of,
    differing,
    has,
    publish,
    running,
    settled,
)

ANOTHER = Stream("621", "portal")


async def open_gate(_: Connection) -> int:
    return 0


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
