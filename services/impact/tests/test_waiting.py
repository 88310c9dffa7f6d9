"""What waits is told with what it waits for."""

from uuid import UUID

from chassis.database import Pool
from contracts.flexjob_pool import BudgetAdjusted
from services.impact.tests.parking import (
    ADJUSTED,
    ALLOCATED,
    OTHER_SOURCE,
    bring_in,
    budget,
    replay,
    retracted,
    sealed,
    waits,
)


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
