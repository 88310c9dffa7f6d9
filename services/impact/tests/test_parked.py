"""Decisions on parked facts: each is made once and written down, and a rebuild gives the same rows."""

import asyncio
from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.database import Pool
from contracts.flexjob_pool import BudgetAdjusted
from contracts.streams import Stream
from impact.chronicle import Outcome
from impact.fold import Fact
from impact.parked import Decided, NotParked
from impact.store.parked import State
from services.impact.tests.pages import pages_of
from services.impact.tests.parking import (
    ADJUSTED,
    ALLOCATED,
    DECISION,
    Row,
    bring_in,
    budget,
    differing,
    discard,
    entries,
    in_balance,
    outcomes,
    parked_now,
    raising_on,
    replay,
    rows,
    sealed,
    started,
)

MUNICIPALITIES = (f"{number:03}" for number in count(101))
Stories = st.SearchStrategy[list[Fact]]


async def test_a_discarded_fact_stays_parked_in_the_books_and_is_never_replayed(pool: Pool) -> None:
    await bring_in(pool, sealed(budget(100), "a"), unknown=[ALLOCATED])

    decided = await discard(pool, 1)

    assert decided == Decided(1, 2, State.DISCARDED, "unknown_type", Outcome.PARKED)
    assert await entries(pool) == [(1, "fact", "a", None, "unknown_type"), (2, "discard", "a", 1, "unknown_type")]
    assert (await parked_now(pool), await outcomes(pool)) == ([], {"a": "parked"})
    with pytest.raises(NotParked) as refusal:
        await replay(pool, 1)
    assert refusal.value.states == {1: State.DISCARDED}
    assert (await differing(pool), await in_balance(pool)) == ([], True)


async def test_what_is_not_parked_is_refused_and_nothing_is_written(pool: Pool) -> None:
    adjusted = budget(3, BudgetAdjusted)
    story = [sealed(budget(), "a"), sealed(adjusted, "b"), sealed(started(), "c"), sealed(adjusted, "d")]
    await bring_in(pool, *story, unknown=[ADJUSTED])
    await replay(pool, 2)
    before = await state(pool)

    for positions, states in [
        ((1,), {1: None}),
        ((2,), {2: State.REPLAYED}),
        ((5,), {5: None}),
        ((99,), {99: None}),
        ((4, 2, 3), {2: State.REPLAYED, 3: None}),
    ]:
        with pytest.raises(NotParked) as refusal:
            await replay(pool, *positions)
        assert refusal.value.states == states
    with pytest.raises(NotParked):
        await discard(pool, 2)
    with pytest.raises(NotParked):
        await replay(pool, 4, decision=DECISION._replace(municipality="630"))

    assert await state(pool) == before


async def state(pool: Pool) -> list[int]:
    tables = ("ledger", "lane", "delta", "history", "outcome", "audit")
    counts = [await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables]  # noqa: S608 - no input
    return [*counts, await pool.fetchval("SELECT position FROM lane")]


async def test_of_two_who_decide_at_once_one_is_refused(pool: Pool) -> None:
    await bring_in(pool, sealed(budget(100), "a"), unknown=[ALLOCATED])

    ends = await asyncio.gather(replay(pool, 1), replay(pool, 1), discard(pool, 1), return_exceptions=True)

    assert sorted(type(end).__name__ for end in ends) in (["Decided", *["NotParked"] * 2], ["NotParked"] * 2 + ["list"])
    assert len(await entries(pool)) == 2
    assert await differing(pool) == []


async def test_every_decision_is_written_down_with_who_and_why(pool: Pool) -> None:
    await bring_in(pool, sealed(budget(), "a"), sealed(budget(), "b"), unknown=[ALLOCATED])

    await replay(pool, 1)
    await discard(pool, 2)

    assert await rows(pool, "SELECT municipality, actor, action, subject, detail FROM audit ORDER BY id") == [
        ("621", "test", "replay_parked", "1", {"why": "type_released", "position": 3}),
        ("621", "test", "discard_parked", "2", {"why": "type_released", "position": 4}),
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_whatever_is_parked_and_replayed_and_discarded_a_rebuild_gives_the_same_rows(
    pool: Pool, stories: Stories, data: st.DataObject
) -> None:
    stream, plain = Stream(next(MUNICIPALITIES), "flexjob_pool"), Stream(next(MUNICIPALITIES), "flexjob_pool")
    told = data.draw(stories)
    hidden = data.draw(st.sets(st.sampled_from(sorted({fact.type for fact in told}))))
    sore = data.draw(st.sets(st.sampled_from(sorted(fact.id for fact in told))))
    edge = data.draw(st.integers(0, len(told)))
    await bring_in(pool, *bodies_of(told[:edge], stream), stream=stream, measures=raising_on(*sore), unknown=hidden)
    await decide(pool, stream, data, sore)
    assert await differing(pool, stream.municipality) == []
    late = bodies_of(told[edge:], stream)
    await bring_in(pool, *late, stream=stream, measures=raising_on(*sore))
    await decide(pool, stream, data, sore)
    if left := [position for position, _ in await parked_now(pool, stream.municipality)]:
        await replay(pool, *left, decision=DECISION._replace(municipality=stream.municipality))
    await bring_in(pool, *bodies_of(told, plain), stream=plain)

    assert await parked_now(pool, stream.municipality) == []
    assert await differing(pool, stream.municipality) == []
    with pages_of(data.draw(st.integers(1, 4))):
        assert await differing(pool, stream.municipality) == []
    assert await in_balance(pool, stream.municipality)
    given_up = "SELECT count(*) FROM ledger WHERE kind = 'discard' AND municipality = $1"
    if not await pool.fetchval(given_up, stream.municipality):
        assert await net(pool, stream) == await net(pool, plain), "nothing is lost by having been parked"


def bodies_of(facts: Sequence[Fact], stream: Stream) -> list[bytes]:
    """The facts as if their sources were of the stream's municipality."""
    return [
        sealed(
            fact.event,
            fact.id,
            stream,
            time=fact.time,
            corrects=fact.corrects,
            source=fact.source.replace(":621:", f":{stream.municipality}:"),
        )
        for fact in facts
    ]


async def decide(pool: Pool, stream: Stream, data: st.DataObject, sore: set[str]) -> None:
    """Take some of what is parked, in any order and grouping, and replay it, well or in vain, or give it up."""
    decision = DECISION._replace(municipality=stream.municipality)
    left = [position for position, _ in await parked_now(pool, stream.municipality)]
    order = data.draw(st.permutations(left))
    for position in order:
        action = data.draw(st.sampled_from(["leave", "replay", "replay", "rule", "all", "discard"]))
        if position not in {place for place, _ in await parked_now(pool, stream.municipality)}:
            continue
        if action == "replay":
            await replay(pool, position, decision=decision)
        elif action == "rule":
            await replay(pool, position, decision=decision, measures=raising_on(*sore))
        elif action == "all":
            together = [place for place, _ in await parked_now(pool, stream.municipality)]
            await replay(pool, *together, decision=decision, measures=raising_on(*sorted(sore)[:1]))
        elif action == "discard":
            await discard(pool, position, decision)


async def net(pool: Pool, stream: Stream) -> list[Row]:
    return await rows(
        pool,
        "SELECT measure, cohort, date, dimensions, amount FROM running_sum"
        " WHERE municipality = $1 AND amount <> 0 ORDER BY measure, cohort, date, dimensions",
        stream.municipality,
    )
