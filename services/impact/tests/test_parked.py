"""Parked facts: a replay takes effect at its own position, a discard never does, and a rebuild gives the same rows."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.calendar import SystemCalendar
from chassis.database import Pool
from chassis.wire import seal
from contracts.catalogue import BY_TYPE
from contracts.event import Event
from contracts.flexjob_pool import BudgetAdjusted, BudgetAllocated, FlexjobHoursChanged, FlexjobStarted
from contracts.platform import EventRetracted
from contracts.streams import Stream
from impact import parked
from impact.catalogue import INDICATORS, measures_of
from impact.chronicle import Outcome
from impact.fold import Effect, Fact, Measure
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.parked import Decided, Decision, NotParked
from impact.rebuild import compare
from impact.store.conservation import balance
from impact.store.parked import State, attempts, list_parked
from impact.store.waiting import WaitedFor, list_waiting

MEASURES = measures_of(INDICATORS)
LANE = Stream("621", "flexjob_pool")
OTHER_SOURCE = "urn:kraftcenter:621:portal"
REGISTERED = datetime(2026, 6, 1, 9, tzinfo=UTC)
ALLOCATED, ADJUSTED = BudgetAllocated.contract.type, BudgetAdjusted.contract.type
STARTED = FlexjobStarted.contract.type
DECISION = Decision("621", "test", "type_released")
MUNICIPALITIES = (f"{number:03}" for number in count(101))

Row = tuple[Any, ...]
Stories = st.SearchStrategy[list[Fact]]


def budget(amount_ore: int = 100, model: type[Event] = BudgetAllocated, day: str = "2026-01-01") -> Event:
    known = {"occurred_on": day, "budget_id": str(UUID(int=1)), "fiscal_year": 2026, "amount_ore": amount_ore}
    return model.model_validate({**known, "reason_code": "late_information"})


def retracted(event_id: str) -> Event:
    return EventRetracted(event_id=event_id, reason_code="double_entry")


def started() -> Event:
    return FlexjobStarted(
        occurred_on=date(2026, 1, 1),
        placement_id=UUID(int=1),
        person_ref=UUID(int=2),
        department="Senior",
        workplace_unit="Bakkebo",
        attendance_hours_per_week=Decimal(12),
        effective_hours_per_week=Decimal(4),
        grant_term="temporary_5y",
        retention=False,
        scheme="post2013",
    )


def hours_changed() -> Event:
    return FlexjobHoursChanged(
        occurred_on=date(2026, 2, 1),
        placement_id=UUID(int=1),
        person_ref=UUID(int=2),
        attendance_hours_per_week=Decimal(12),
        effective_hours_per_week=Decimal("12.50"),
        cause="capacity_up",
    )


def sealed(event: Event, event_id: str, stream: Stream = LANE, **envelope: Any) -> bytes:
    known = {"municipality": stream.municipality, "producer": stream.producer, "time": REGISTERED}
    return seal(event, **{**known, **envelope}, id=event_id).body


async def bring_in(
    pool: Pool,
    *bodies: bytes,
    stream: Stream = LANE,
    measures: Sequence[Measure] = MEASURES,
    unknown: Collection[str] = (),
) -> None:
    """Admit messages as one batch, by a program that does not know these types yet."""
    batch = [Delivery(stream.name, sequence, {}, body) for sequence, body in enumerate(bodies, start=1)]
    if not batch:
        return
    with not_yet_known(*unknown):
        await ingest(pool, stream, batch, measures=measures, calendar=SystemCalendar())


@contextmanager
def not_yet_known(*types: str) -> Iterator[None]:
    """The program as it was before it learned of these types."""
    learned = {type_: BY_TYPE.pop(type_) for type_ in types}
    try:
        yield
    finally:
        BY_TYPE.update(learned)


def raising_on(*event_ids: str) -> list[Measure]:
    """The measures as they were when their rules could not take these events."""
    return [replace(measure, rule=touchy(measure, set(event_ids))) for measure in MEASURES]


def touchy(measure: Measure, sore: set[str]) -> Callable[[Sequence[Fact]], list[Effect]]:
    def rule(facts: Sequence[Fact]) -> list[Effect]:
        if any(fact.id in sore for fact in facts):
            raise ZeroDivisionError
        return list(measure.rule(facts))

    return rule


async def replay(
    pool: Pool, *positions: int, measures: Sequence[Measure] = MEASURES, decision: Decision = DECISION
) -> list[Decided]:
    async with pool.acquire() as db, db.transaction():
        return await parked.replay(db, decision, positions, measures=measures, calendar=SystemCalendar())


async def discard(pool: Pool, position: int, decision: Decision = DECISION) -> Decided:
    async with pool.acquire() as db, db.transaction():
        return await parked.discard(db, decision, position, calendar=SystemCalendar())


async def rows(pool: Pool, statement: str, *arguments: object) -> list[Row]:
    return [tuple(row.values()) for row in await pool.fetch(statement, *arguments)]


async def outcomes(pool: Pool) -> dict[str, str]:
    found = await rows(pool, "SELECT event_id, outcome FROM outcome JOIN ledger USING (municipality, position)")
    return dict(found)


async def allocated(pool: Pool) -> int:
    statement = "SELECT coalesce(sum(amount), 0) FROM running_sum WHERE measure = 'pool_allocated'"
    return int(await pool.fetchval(statement))


async def entries(pool: Pool) -> list[Row]:
    return await rows(pool, "SELECT position, kind, event_id, concerns, parked FROM ledger ORDER BY position")


async def parked_now(pool: Pool, municipality: str = "621") -> list[tuple[int, str]]:
    async with pool.acquire() as db:
        found = await list_parked(db, municipality, reason=None, after=0, limit=500)
    return [(fact.position, fact.reason) for fact in found]


async def waits(pool: Pool) -> dict[str, WaitedFor]:
    async with pool.acquire() as db:
        found = await list_waiting(db, "621", after=0, limit=500)
    return {fact.event_id: fact.waits_for for fact in found}


async def differing(pool: Pool, municipality: str = "621") -> list[str]:
    async with pool.acquire() as db, db.transaction(isolation="repeatable_read"):
        return (await compare(db, municipality, MEASURES)).differing


async def in_balance(pool: Pool, municipality: str = "621") -> bool:
    async with pool.acquire() as db, db.transaction(isolation="repeatable_read"):
        return (await balance(db, municipality)).balanced


async def test_a_replay_takes_effect_at_its_own_position_and_leaves_the_first_copy_as_it_was(pool: Pool) -> None:
    await bring_in(pool, sealed(budget(100), "a"), sealed(budget(300, BudgetAdjusted), "b"), unknown=[ALLOCATED])
    before = await rows(pool, "SELECT * FROM ledger WHERE position = 1")
    assert (await outcomes(pool), await allocated(pool)) == ({"a": "parked", "b": "waiting"}, 0)

    (decided,) = await replay(pool, 1)

    assert decided == Decided(1, 3, State.REPLAYED, None, Outcome.COUNTED)
    assert await entries(pool) == [
        (1, "fact", "a", None, "unknown_type"),
        (2, "fact", "b", None, None),
        (3, "replay", "a", 1, None),
    ]
    assert await rows(pool, "SELECT * FROM ledger WHERE position = 1") == before
    assert await rows(pool, "SELECT DISTINCT position FROM delta") == [(3,)]
    assert await rows(pool, "SELECT occurred_on FROM ledger WHERE position IN (1, 3) ORDER BY position") == [
        (None,),
        (date(2026, 1, 1),),
    ], "the date is known once the type is"
    same = (
        "SELECT DISTINCT source, type, time, body, body_hash, stream, stream_sequence FROM ledger WHERE event_id = 'a'"
    )
    assert len(await rows(pool, same)) == 1
    assert (await outcomes(pool), await allocated(pool)) == ({"a": "counted", "b": "counted"}, 300)
    assert (await differing(pool), await in_balance(pool)) == ([], True)


async def test_what_waited_for_its_opening_takes_effect_with_the_replay(pool: Pool) -> None:
    await bring_in(pool, sealed(started(), "start"), sealed(hours_changed(), "hours"), unknown=[STARTED])
    assert await outcomes(pool) == {"start": "parked", "hours": "waiting"}

    await replay(pool, 1)

    assert await outcomes(pool) == {"start": "counted", "hours": "counted"}
    hours = "SELECT sum(amount) FROM running_sum WHERE measure = 'effective_hours'"
    assert await pool.fetchval(hours) == Decimal("12.50")
    assert await differing(pool) == []


async def test_corrections_and_retractions_that_waited_take_effect_with_the_replay(pool: Pool) -> None:
    correction, again = (sealed(budget(amount), name, corrects="a") for amount, name in ((300, "b"), (500, "c")))
    await bring_in(pool, sealed(budget(100), "a"), correction, unknown=[ALLOCATED])
    await bring_in(pool, sealed(retracted("a"), "gone"), again)
    assert await outcomes(pool) == {"a": "parked", "b": "parked", "gone": "waiting", "c": "waiting"}

    decided = await replay(pool, 2)
    assert [each.outcome for each in decided] == ["waiting"]
    await replay(pool, 1)

    assert await outcomes(pool) == {"a": "retracted", "b": "retracted", "gone": "counted", "c": "retracted"}
    assert await allocated(pool) == 0
    assert (await differing(pool), await in_balance(pool)) == ([], True)


async def test_many_are_replayed_in_order_of_position_each_at_its_own(pool: Pool) -> None:
    story = [sealed(budget(1), "a"), sealed(budget(2), "b", corrects="a"), sealed(budget(4), "c")]
    await bring_in(pool, *story, unknown=[ALLOCATED])

    decided = await replay(pool, 3, 1, 2, 2)

    assert [(each.position, each.decided_at, each.outcome) for each in decided] == [
        (1, 4, "superseded"),
        (2, 5, "counted"),
        (3, 6, "counted"),
    ]
    assert await differing(pool) == []


async def test_a_replay_that_fails_leaves_the_fact_parked_with_the_new_reason(pool: Pool) -> None:
    await bring_in(pool, sealed(budget(100), "a"), unknown=[ALLOCATED])

    (decided,) = await replay(pool, 1, measures=raising_on("a"))

    assert decided == Decided(1, 2, State.PARKED, "rule_error", Outcome.PARKED)
    assert await parked_now(pool) == [(1, "rule_error")]
    assert (await outcomes(pool), await allocated(pool)) == ({"a": "parked"}, 0)
    assert (await differing(pool), await in_balance(pool)) == ([], True)
    await replay(pool, 1)
    assert (await outcomes(pool), await allocated(pool)) == ({"a": "counted"}, 100)
    async with pool.acquire() as db:
        tried = [(each.position, each.kind, each.reason) for each in await attempts(db, "621", 1)]
    assert tried == [(2, "replay", "rule_error"), (3, "replay", None)]


async def test_of_several_only_those_that_fail_stay_parked(pool: Pool) -> None:
    await bring_in(pool, *(sealed(budget(), name) for name in "abc"), unknown=[ALLOCATED])

    decided = await replay(pool, 1, 2, 3, measures=raising_on("b"))

    assert [each.reason for each in decided] == [None, "rule_error", None]
    assert await parked_now(pool) == [(2, "rule_error")]
    assert await differing(pool) == []


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


async def test_what_is_still_unknown_or_of_another_municipality_stays_parked_and_can_be_tried_again(pool: Pool) -> None:
    elsewhere = sealed(budget(), "elsewhere", municipality="630")
    await bring_in(pool, sealed(budget(), "a"), elsewhere, unknown=[ALLOCATED])
    with not_yet_known(ALLOCATED):
        await replay(pool, 1, 2)
    assert await parked_now(pool) == [(1, "unknown_type"), (2, "wrong_municipality")]

    await replay(pool, 1, 2)

    assert await parked_now(pool) == [(2, "wrong_municipality")]
    assert [position for position, *_ in await entries(pool)] == list(range(1, 7))
    assert await differing(pool) == []


async def test_every_decision_is_written_down_with_who_and_why(pool: Pool) -> None:
    await bring_in(pool, sealed(budget(), "a"), sealed(budget(), "b"), unknown=[ALLOCATED])

    await replay(pool, 1)
    await discard(pool, 2)

    assert await rows(pool, "SELECT municipality, actor, action, subject, detail FROM audit ORDER BY id") == [
        ("621", "test", "replay_parked", "1", {"why": "type_released", "position": 3}),
        ("621", "test", "discard_parked", "2", {"why": "type_released", "position": 4}),
    ]


async def test_what_waits_is_told_with_what_it_waits_for(pool: Pool) -> None:
    await bring_in(
        pool,
        sealed(budget(), "a"),
        sealed(budget(3, BudgetAdjusted), "of_another_type", corrects="a"),
        sealed(budget(4, BudgetAdjusted), "early"),
        sealed(budget(5, BudgetAdjusted), "better", corrects="early"),
        sealed(retracted("unheard"), "gone"),
        sealed(retracted("gone"), "undone"),
        sealed(retracted("a"), "elsewhere", source=OTHER_SOURCE),
        unknown=[ALLOCATED],
    )

    found = await waits(pool)

    assert list(found) == ["of_another_type", "better", "gone", "undone", "elsewhere"]
    target = [(name, each.event_id, each.position, each.outcome) for name, each in found.items() if each.event_id]
    assert target == [
        ("of_another_type", "a", 1, "parked"),
        ("gone", "unheard", None, None),
        ("undone", "gone", 5, "waiting"),
        ("elsewhere", "a", None, None),
    ]
    opening = found["better"]
    assert (opening.event, opening.kind, opening.key) == ("pool.budget_allocated", "budget", str(UUID(int=1)))
    await replay(pool, 1)
    assert list(await waits(pool)) == ["of_another_type", "gone", "undone", "elsewhere"]


async def test_what_was_replayed_and_waits_is_told_once(pool: Pool) -> None:
    adjusted = budget(3, BudgetAdjusted)
    await bring_in(pool, sealed(adjusted, "b"), sealed(adjusted, "c", corrects="x"), unknown=[ADJUSTED])

    await replay(pool, 1, 2)

    assert {name: each.what for name, each in (await waits(pool)).items()} == {"b": "opening", "c": "target"}


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
