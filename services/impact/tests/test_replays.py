"""A replay takes effect at its own position, with all that waited for it, or leaves its fact parked."""

from datetime import date
from decimal import Decimal

from chassis.database import Pool
from contracts.flexjob_pool import BudgetAdjusted
from impact.chronicle import Outcome
from impact.parked import Decided
from impact.store.parked import State, attempts
from services.impact.tests.parking import (
    ALLOCATED,
    STARTED,
    allocated,
    bring_in,
    budget,
    differing,
    entries,
    hours_changed,
    in_balance,
    not_yet_known,
    outcomes,
    parked_now,
    raising_on,
    replay,
    retracted,
    rows,
    sealed,
    started,
)


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
