"""The pool's money as its events tell it, held against its movements."""

from collections import Counter
from collections.abc import Sequence
from typing import Any


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
