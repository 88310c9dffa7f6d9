"""What may happen once happens once, however many ask for it at the same time."""

from datetime import date
from typing import Any
from uuid import uuid4

from flexjob_pool.domain.refusals import flexjobs as of_flexjobs
from flexjob_pool.domain.refusals import money as of_money
from flexjob_pool.requests.applications import Approve, Reject
from flexjob_pool.requests.budgets import AllocateBudget
from services.flexjob_pool.tests.acts import asked, end, refused
from services.flexjob_pool.tests.books import check_books
from services.flexjob_pool.tests.conftest import DAY, RULES_DAY


async def test_a_grant_is_released_once_however_many_end_its_flexjob(office: Any) -> None:
    placement_id, grant_id = await office.running_flexjob()

    outcomes = await office.race(
        *(asked(placement_id, end(date(2026, 7, 1) + days * DAY)) for days in range(10, 90, 10))
    )

    assert refused(outcomes) == [of_flexjobs.AlreadyEnded] * 7
    [ended], [released] = await office.told("flexjob.ended"), await office.told("grant.released")
    assert released["data"]["grant_id"] == str(grant_id)
    lasted = date.fromisoformat(ended["data"]["occurred_on"]) - date(2026, 7, 1)
    assert released["data"]["amount_ore"] == 10 * lasted.days
    assert released["causationid"] == ended["id"]
    await check_books(office)


async def test_a_grant_pays_for_one_flexjob_however_many_start_on_it(office: Any) -> None:
    await office.running_flexjob()
    await office.budget(2026, 1000)
    # A connection prepares each statement on its first use, so only the later rounds run in step.
    for _ in range(3):
        grant_id, first = uuid4(), date(2026, 9, 1)
        await office.ask(grant_id, office.commitment(await office.approved(100), first, date(2026, 10, 1)))

        starts = (asked(uuid4(), office.start(first, grant_id=grant_id)) for _ in range(6))
        outcomes = await office.race(*starts)

        assert refused(outcomes) == [of_flexjobs.GrantInUse] * 5


async def test_a_placement_starts_once_however_many_start_it(office: Any) -> None:
    placement_id = uuid4()

    outcomes = await office.race(*(asked(placement_id, office.start(date(2026, 3, 1))) for _ in range(6)))

    assert refused(outcomes) == [of_flexjobs.PlacementAlreadyStarted] * 5
    assert len(await office.told("flexjob.started")) == 1


async def test_an_application_is_decided_once_however_many_decide_it(office: Any) -> None:
    application_id = uuid4()
    await office.rules()
    await office.ask(application_id, office.application(100))
    yes, no = Approve(occurred_on=RULES_DAY), Reject(occurred_on=RULES_DAY, reject_code="no_match")

    outcomes = await office.race(*(asked(application_id, yes), asked(application_id, no)) * 4)

    assert len(refused(outcomes)) == 7
    assert len(await office.told("application.")) == 2


async def test_one_budget_named_for_two_years_at_once_belongs_to_one_of_them(office: Any) -> None:
    budget_id = uuid4()
    asks = [AllocateBudget(occurred_on=RULES_DAY, fiscal_year=year, amount_ore=year) for year in range(2020, 2028)]

    outcomes = await office.race(*(asked(budget_id, ask) for ask in asks))

    assert refused(outcomes) == [of_money.BudgetExists] * 7
    await check_books(office)


async def test_rules_adopted_at_once_are_numbered_without_gaps(office: Any) -> None:
    await office.race(*(lambda _, months=months: office.rules(max_months=months) for months in range(1, 9)))

    assert sorted(event["data"]["rules_version"] for event in await office.told()) == list(range(1, 9))
    keys = await office.pool.fetch("SELECT key, state FROM resource WHERE noun = 'rules'")
    assert {row["key"]: row["state"]["max_months"] for row in keys} == {
        str(event["data"]["rules_version"]): event["data"]["max_months"] for event in await office.told()
    }
