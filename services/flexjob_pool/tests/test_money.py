"""The pool's money under concurrent requests, on real PostgreSQL: every connection is another caseworker."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flexjob_pool.domain import refusals
from flexjob_pool.domain.refusals import Refusal
from flexjob_pool.domain.refusals import flexjobs as of_flexjobs
from flexjob_pool.domain.refusals import money as of_money
from flexjob_pool.requests.applications import Approve, Reject
from flexjob_pool.requests.ask import Ask
from flexjob_pool.requests.budgets import AdjustBudget, AllocateBudget
from flexjob_pool.requests.flexjobs import EndFlexjob
from flexjob_pool.requests.grants import AdjustGrant, ReleaseGrant
from flexjob_pool.undo import correct, retract
from flexjob_pool.use_cases import Desk, register

RULES_DAY = date(2026, 1, 1)
DAY = timedelta(days=1)
YEARS = (2026, 2027)
Act = Callable[[Desk], Awaitable[Any]]

# Every example empties the tables, so that the database of the test can serve them all.

on_one_database = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def asked(about: UUID | str, ask: Ask) -> Act:
    return lambda desk: register(desk, about, ask)


def end(day: date) -> EndFlexjob:
    return EndFlexjob(occurred_on=day, reason_code="pension")


def refused(outcomes: Sequence[object]) -> list[type[Refusal]]:
    return [type(outcome) for outcome in outcomes if isinstance(outcome, Refusal)]


def in_force(told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The versions that hold, in the order of (time, id) of their roots: a plain reading of the contract's rule."""
    facts = {event["id"]: event for event in told}
    gone = {event["data"]["event_id"] for event in told if event["type"].endswith("event.retracted.v1")}

    def root(event: dict[str, Any]) -> str:
        return root(facts[event["corrects"]]) if "corrects" in event else str(event["id"])

    chains: dict[str, list[dict[str, Any]]] = {}
    for event in told:
        if not event["type"].endswith("event.retracted.v1"):
            chains.setdefault(root(event), []).append(event)
    held = [
        max(
            (one for one in chain if one["id"] not in gone), key=lambda one: ("corrects" in one, one["time"], one["id"])
        )
        for first, chain in sorted(chains.items())
        if first not in gone
    ]
    return [event["data"] for event in held]


def books_on(day: str, dated: Sequence[dict[str, Any]]) -> tuple[Counter[int], Counter[int]]:
    """What the events allocate and draw by fiscal year at the end of a day."""
    begun = [data for data in dated if data["occurred_on"] <= day]
    totals = {data["budget_id"]: data for data in begun if "budget_id" in data}
    draws = {data["grant_id"]: data["allocations"] for data in begun if "allocations" in data}
    allocated, drawn = Counter[int](), Counter[int]()
    for data in totals.values():
        allocated[data["fiscal_year"]] += data["amount_ore"]
    for part in (part for allocations in draws.values() for part in allocations):
        drawn[part["fiscal_year"]] += part["amount_ore"]
    return allocated, drawn


async def check_books(office: Any) -> None:
    """On no date is a year overdrawn by what the events tell, and the movements are those that they tell."""
    dated = sorted(in_force(await office.told()), key=lambda data: data["occurred_on"])
    for day in {data["occurred_on"] for data in dated}:
        allocated, drawn = books_on(day, dated)
        assert all(drawn[year] <= allocated[year] for year in drawn), day
    allocated, drawn = books_on("9999-12-31", dated)
    moved = "SELECT fiscal_year, sum(amount_ore)::bigint AS free FROM movement GROUP BY fiscal_year"
    assert {row["fiscal_year"]: row["free"] for row in await office.pool.fetch(moved)} == {
        year: allocated[year] - drawn[year] for year in {*allocated, *drawn}
    }


@dataclass(frozen=True)
class Wish:
    """A grant that is wanted, and after how many days its flexjob ends; None when it is to be committed in the race."""

    amount_ore: int
    committed: date
    first: date
    days: int
    lasted: int | None


ANY_DECISION_DAY = st.dates(RULES_DAY, date(2026, 6, 1))
WISHES = st.builds(
    Wish,
    amount_ore=st.integers(1, 100),
    committed=ANY_DECISION_DAY,
    first=st.dates(RULES_DAY, date(2027, 3, 1)),
    days=st.integers(1, 300),
    lasted=st.none() | st.integers(0, 320),
)


@on_one_database
@given(
    wishes=st.lists(WISHES, min_size=2, max_size=4),
    budgets=st.tuples(st.integers(0, 300), st.integers(0, 200)),
    totals=st.lists(st.tuples(st.sampled_from([0, 1]), st.integers(0, 300), ANY_DECISION_DAY), max_size=3),
    later=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 250)), max_size=2),
)
async def test_no_race_of_commitments_releases_budgets_and_corrections_overdraws_a_year(
    office: Any,
    wishes: list[Wish],
    budgets: tuple[int, int],
    totals: list[tuple[int, int, date]],
    later: list[tuple[int, int]],
) -> None:
    await office.wipe()
    await office.rules()
    budget_ids = [await office.budget(year, amount) for year, amount in zip(YEARS, budgets, strict=True)]
    racing: list[Act] = [
        asked(budget_ids[which], AdjustBudget(occurred_on=day, amount_ore=total)) for which, total, day in totals
    ]
    for wish in wishes:
        grant_id, placement_id = uuid4(), uuid4()
        commitment = office.commitment(
            await office.approved(wish.amount_ore), wish.first, wish.first + wish.days * DAY, wish.committed
        )
        if wish.lasted is None:
            racing += [asked(grant_id, commitment), asked(uuid4(), commitment)]
        elif not refused(await office.race(asked(grant_id, commitment))):
            await office.ask(placement_id, office.start(wish.first, grant_id=grant_id))
            racing += [asked(placement_id, end(wish.first + wish.lasted * DAY))] * 2
            racing += [asked(grant_id, ReleaseGrant(occurred_on=wish.first + DAY))]
            racing += [asked(grant_id, adjusted(wish))]
    submissions = [event["id"] for event in await office.told("application.submitted")]
    allocations = [event["id"] for event in await office.told("budget_allocated")]
    racing += [corrected(submissions[at % len(submissions)], amount_ore=amount) for at, amount in later]
    racing += [corrected(allocations[at % 2], amount_ore=amount) for at, amount in later]
    racing += [retracted(submissions[at % len(submissions)]) for at, _ in later]

    await office.race(*racing)

    await check_books(office)
    now = await office.pool.fetch("SELECT data, type FROM standing WHERE event_id = root_id")
    for name, key in (("grant.committed", "application_id"), ("grant.released", "grant_id"), ("ended", "placement_id")):
        assert set(Counter(row["data"][key] for row in now if name in row["type"]).values()) <= {1}


def adjusted(wish: Wish) -> AdjustGrant:
    amount, last = max(1, wish.amount_ore // 2), wish.first + (wish.days // 2 + 1) * DAY
    return AdjustGrant(occurred_on=wish.first, amount_ore=amount, period_from=wish.first, period_to=last)


def corrected(event_id: str, **values: Any) -> Act:
    return lambda desk: correct(desk, UUID(event_id), "registration_error", values)


def retracted(event_id: str) -> Act:
    return lambda desk: retract(desk, UUID(event_id), "never_happened")


async def test_of_commitments_that_fit_one_by_one_only_those_that_fit_together_are_made(office: Any) -> None:
    await office.rules()
    await office.budget(2026, 1000)
    wanted = [office.commitment(await office.approved(300), date(2026, 7, 1), date(2026, 8, 1)) for _ in range(10)]

    outcomes = await office.race(*(asked(uuid4(), one) for one in wanted))

    assert refused(outcomes) == [of_money.BudgetExceeded] * 7
    await check_books(office)


async def test_a_grant_over_new_year_is_refused_for_each_year_that_it_overdraws(office: Any) -> None:
    await office.rules()
    await office.budget(2026, 100)
    commitment = office.commitment(await office.approved(1000), date(2026, 7, 1), date(2027, 7, 1))

    with pytest.raises(refusals.SeveralReasons) as refusal:
        await office.ask(uuid4(), commitment)

    assert [type(reason) for reason in refusal.value.reasons] == [of_money.BudgetExceeded] * 2
    assert not await office.pool.fetch("SELECT FROM resource WHERE noun = 'grant'")


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


async def test_what_a_release_frees_can_be_committed_again(office: Any) -> None:
    placement_id, _ = await office.running_flexjob()
    await office.ask(placement_id, end(date(2026, 7, 1) + 40 * DAY))
    application_id, today = await office.approved(600), office.calendar.today()

    def again(day: date) -> Act:
        return asked(uuid4(), office.commitment(application_id, date(2026, 9, 1), date(2026, 10, 1), day))

    # The end is ahead, so the money is free from today on; the day before, the first grant still drew it all.
    assert refused(await office.race(again(today - DAY))) == [of_money.BudgetExceeded]
    assert not refused(await office.race(again(today)))
    await check_books(office)


async def test_a_budget_pays_for_nothing_that_is_committed_before_it_is_in_force(office: Any) -> None:
    raised_on = date(2026, 10, 1)
    await office.rules()
    await office.budget(2026, 100)
    await office.budget(2026, 900, raised_on)
    application_id = await office.approved(600)

    def commitment(day: date) -> Act:
        return asked(uuid4(), office.commitment(application_id, date(2026, 11, 1), date(2026, 12, 1), day))

    assert refused(await office.race(commitment(raised_on - DAY))) == [of_money.BudgetExceeded]
    assert not refused(await office.race(commitment(raised_on)))
    await check_books(office)


async def test_a_budget_may_not_be_lowered_corrected_or_retracted_below_what_is_committed(office: Any) -> None:
    await office.running_flexjob(1000)
    [allocated] = await office.told("budget_allocated")
    budget_id = allocated["data"]["budget_id"]

    for act in (
        asked(budget_id, AdjustBudget(occurred_on=RULES_DAY, amount_ore=999)),
        corrected(allocated["id"], amount_ore=999),
        corrected(allocated["id"], occurred_on="2026-02-01"),
        corrected(allocated["id"], fiscal_year=2027),
        retracted(allocated["id"]),
    ):
        assert refused(await office.race(act)) == [of_money.BudgetExceeded]

    await office.correct(allocated["id"], amount_ore=1001)
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
