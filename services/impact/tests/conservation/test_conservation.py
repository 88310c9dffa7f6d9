"""Every delivery and every fact is in exactly one count, down to the rows."""

from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.database import Pool
from impact.conservation import EXPLAINED
from impact.fold import Fact
from impact.store import conservation
from impact.store.thorough import thorough_balance
from services.impact.tests.conservation.deliveries import MEASURES, tell, thorough

MUNICIPALITIES = (f"{number:03}" for number in count(101))


async def test_a_lane_on_which_everything_happened_balances_down_to_its_rows(lane: Pool) -> None:
    async with lane.acquire() as db, db.transaction():
        found = await thorough(db)
        (day,) = await conservation.delivery_days(db, "621")
        (facts,) = await conservation.fact_days(db, "621")

    assert found.open_accounts == ()
    assert (found.balanced, found.complete) == (True, True)
    assert set(found.names) == set(EXPLAINED)
    assert (day.first_copies, day.duplicates, day.conflicts, day.unreadable, day.delivered) == (11, 1, 1, 1, 14)
    assert facts.first_copies == 11
    assert {outcome.value: number for outcome, number in facts.outcomes.items()} == {
        "parked": 2,
        "retracted": 1,
        "superseded": 1,
        "waiting": 1,
        "counted": 5,
        "out_of_scope": 1,
    }


async def test_a_lane_that_nothing_came_to_balances(pool: Pool) -> None:
    async with pool.acquire() as db, db.transaction():
        found = await thorough(db)

    assert (found.balanced, found.complete, found.open_accounts) == (True, None, ())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_story_in_any_order_balances_down_to_its_rows(
    pool: Pool, stories: st.SearchStrategy[list[Fact]], data: st.DataObject
) -> None:
    municipality = next(MUNICIPALITIES)
    facts = data.draw(stories)
    copies = data.draw(st.lists(st.sampled_from(facts), max_size=4))
    for fact in data.draw(st.permutations([*facts, *copies])):
        await tell(pool, municipality, fact)
    async with pool.acquire() as db, db.transaction():
        found = await thorough_balance(db, municipality, MEASURES)

    assert {account.name for account in found.open_accounts} == {"heard"}


async def test_lanes_do_not_answer_for_each_other(lane: Pool) -> None:
    async with lane.acquire() as db, db.transaction():
        await db.execute("UPDATE lane SET deliveries = 0, evidence = 0, position = 0")
        found = await thorough_balance(db, "751", MEASURES)

    assert found.open_accounts == ()
