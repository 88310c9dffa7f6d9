"""Transactions that need each other's resources, stepped so that each would wait for the other if it held any."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from flexjob_pool import at_the_doors
from flexjob_pool.domain.refusals import flexjobs as of_flexjobs
from flexjob_pool.requests.flexjobs import ChangeHours, EndFlexjob
from flexjob_pool.requests.grants import AdjustGrant
from flexjob_pool.undo import retract
from flexjob_pool.use_cases import Desk, at_a_desk, register
from services.flexjob_pool.tests.payroll_system import message, paid
from services.flexjob_pool.tests.stage import staged

RULES_DAY = date(2026, 1, 1)
FIRST = date(2026, 7, 1)
DAY = timedelta(days=1)
END = EndFlexjob(occurred_on=FIRST + DAY, reason_code="pension")
CHANGE = ChangeHours(
    occurred_on=FIRST + DAY,
    attendance_hours_per_week=Decimal(12),
    effective_hours_per_week=Decimal(6),
    cause="capacity_down",
)


async def money(desk: Desk) -> None:
    await desk.locks.take(desk.db, ["money"])


async def an_id(office: Any, noun: str, *, before_money: bool) -> UUID:
    """An id that is locked before money is, or after."""
    query = "SELECT hashtextextended($1, 0) < hashtextextended('money', 0)"
    while True:
        key = uuid4()
        if await office.pool.fetchval(query, f"{noun}:{key}") is before_money:
            return key


async def test_a_link_that_comes_while_two_wait_makes_neither_wait_for_the_other(office: Any) -> None:
    await office.running_flexjob()
    await office.budget(2026, 1000)
    grant_id, placement_id = uuid4(), uuid4()
    await office.ask(grant_id, office.commitment(await office.approved(100), FIRST, FIRST + 50 * DAY))
    start = office.start(FIRST, grant_id=grant_id)

    # One holds the grant then and meets the flexjob that it pays for now; the other holds that, and meets the grant.
    async with staged(office, lambda desk: register(desk, placement_id, start)) as stage:
        await stage.enter(lambda desk: register(desk, uuid4(), start))
        await stage.enter(lambda desk: register(desk, placement_id, CHANGE))

    [[refusal], [changed]] = [act.result() for act in stage.acts]
    assert isinstance(refusal, of_flexjobs.GrantInUse)
    assert changed.resource.key == str(placement_id)


async def test_what_holds_again_is_not_waited_for_by_who_holds_money(office: Any) -> None:
    placement_id, first, other = uuid4(), await an_id(office, "grant", before_money=True), uuid4()
    await office.rules()
    await office.budget(2026, 1000)
    for grant_id in (first, other):
        await office.ask(grant_id, office.commitment(await office.approved(500), FIRST, FIRST + 50 * DAY))
    started = await office.ask(placement_id, office.start(FIRST, grant_id=first))
    [correction, *_] = await office.correct(started.event_ids[0], grant_id=str(other))
    adjusted = AdjustGrant(occurred_on=RULES_DAY, amount_ore=400, period_from=FIRST, period_to=FIRST + 50 * DAY)

    async with staged(office, money) as stage:
        await stage.enter(lambda desk: retract(desk, UUID(correction), "double_entry"))
        await stage.enter(lambda desk: register(desk, first, adjusted))

    [_, [recorded]] = [act.result() for act in stage.acts]
    assert recorded.resource.allocated_in(2026) == 400
    assert await office.pool.fetchval("SELECT state ->> 'grant_id' FROM resource WHERE noun = 'flexjob'") == str(first)


async def test_what_payroll_follows_with_is_locked_with_the_change_itself(office: Any) -> None:
    placement_id, employment_ref = await an_id(office, "flexjob", before_money=False), uuid4()
    await office.ask(placement_id, office.start(FIRST - DAY))
    told = paid(str(FIRST), "0.4", employment_ref=employment_ref, placement_id=placement_id)
    await office.act(message("told", told, at=1))

    async with staged(office, money) as stage:
        await stage.enter(lambda desk: register(desk, placement_id, END))
        await stage.enter(lambda desk: at_the_doors.register(desk, placement_id, CHANGE))

    [[ended], [refusal]] = [act.result() for act in stage.acts]
    assert ended.resource.ended_on == END.occurred_on
    assert isinstance(refusal, of_flexjobs.AfterEnd)


async def test_what_a_part_of_a_transaction_had_locked_is_given_up_before_it_begins_again(office: Any) -> None:
    held: list[int] = []

    async def act(desk: Desk) -> None:
        held.append(
            await desk.db.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = $1", pid)
        )
        for name in ("need:1", "need:2", "need:3"):
            await desk.locks.take(desk.db, [name])

    async with office.pool.acquire() as db, db.transaction():
        pid = await db.fetchval("SELECT pg_backend_pid()")
        await at_a_desk(db, "621", office.calendar, act)

    assert held == [0, 0, 0]
