"""A batch that takes too long comes in smaller ones."""

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from chassis import database
from chassis.bus import Bus
from chassis.database import Pool, create_pool
from impact import ingest
from impact.fold import Effect, Fact, Measure
from local.waiting import until
from services.impact.tests.consumer.traffic import (
    LANE,
    MEASURES,
    body,
    budget,
    consumer_of,
    differing,
    has,
    publish,
    running,
    settled,
)


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
