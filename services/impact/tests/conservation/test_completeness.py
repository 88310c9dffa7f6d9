"""Whether all that was published came, by what the heartbeats say."""

from chassis.database import Pool
from impact.conservation import Account, Arrival, Balance, Heard, completeness_of, missing_of
from impact.store import conservation
from services.impact.tests.conservation.deliveries import (
    REGISTERED,
    SOURCE,
    bring_in,
    budget,
    edited,
    heartbeat,
    sealed,
    thorough,
)


async def test_what_was_published_and_has_not_come_is_missing_but_what_came_balances(lane: Pool) -> None:
    await bring_in(lane, edited(sealed(heartbeat(13), "beat-2"), time="2026-06-02T00:00:00Z"))
    async with lane.acquire() as db:
        found = await conservation.balance(db, "621")

    assert (found.balanced, found.complete) == (True, False)
    assert found.open_accounts == (Account("completeness", SOURCE, 13, 11),)


async def test_without_a_heartbeat_nobody_can_tell_whether_a_source_is_complete(pool: Pool) -> None:
    await bring_in(pool, sealed(budget(1), "budget"))
    async with pool.acquire() as db, db.transaction():
        counted, found = await conservation.balance(db, "621"), await thorough(db)

    assert (counted.balanced, counted.complete, counted.open_accounts) == (True, None, ())
    assert (found.balanced, found.open_accounts) == (False, (Account("heard", SOURCE, 1, 0),))


async def test_a_parked_heartbeat_makes_up_for_no_loss(pool: Pool) -> None:
    await bring_in(pool, edited(sealed(heartbeat(1), "odd"), data={}), sealed(heartbeat(1), "beat"))
    async with pool.acquire() as db, db.transaction():
        found = await thorough(db)

    assert (found.balanced, found.complete) == (True, False)
    assert found.open_accounts == (Account("completeness", SOURCE, 1, 0),)


def beat(producer: str, source: str, published: int) -> Heard:
    return Heard(producer, source, published, REGISTERED, REGISTERED)


def test_what_two_producers_publish_of_one_source_is_added_up() -> None:
    (only,) = completeness_of({"a": 5}, [beat("gateway", "a", 2), beat("partnerships", "a", 4)])

    assert (only.published, only.missing, only.status) == (6, 1, Arrival.MISSING)
    assert missing_of([only]) == [Account("completeness", "a", 6, 5)]


def test_what_came_since_the_heartbeat_of_one_source_makes_up_for_no_other() -> None:
    sources = completeness_of({"a": 7, "b": 1}, [beat("gateway", "a", 2), beat("gateway", "b", 2)])

    assert [(each.missing, each.status) for each in sources] == [(0, Arrival.COMPLETE), (1, Arrival.MISSING)]
    assert Balance((), (), sources).complete is False


def test_a_source_that_published_and_of_which_nothing_came_is_missing() -> None:
    (only,) = completeness_of({}, [beat("gateway", "a", 2)])

    assert (only.received, only.missing, only.status) == (0, 2, Arrival.MISSING)
