"""Corrections and retractions from outside: of whatever was registered, by the id of its event."""

from typing import Any
from uuid import uuid4

import pytest

from chassis.database import Pool
from services.flexjob_pool.tests.caseworker import CPR, DOORS, GROUPS, HOURS, Caseworker, check_refused

SOMEBODY_ELSE = str(uuid4())
# What each door was told wrong; rules stand as they were adopted, and what undoes is undone as what it is about.
BETTER: dict[str, dict[str, Any]] = {
    "budgets": {"amount_ore": 150_000},
    "adjust-budget": {"amount_ore": 300_000},
    "needs": {"task_codes": ["office"]},
    "withdraw-need": {"reason_code": "no_funding"},
    "candidates": {"person_ref": SOMEBODY_ELSE},
    "applications": {"months": 6},
    "approve": {"occurred_on": "2026-01-21"},
    "reject": {"reject_code": "budget_exhausted"},
    "withdraw-application": {"occurred_on": "2026-01-21"},
    "annul": {"reason_code": "conditions_not_met"},
    "grants": {"period_to": "2026-11-01"},
    "adjust-grant": {"amount_ore": 800},
    "release": {"occurred_on": "2026-02-02"},
    "refunds": {"wage_ore": 701},
    "reverse": {"reason_code": "wage_corrected"},
    "flexjobs": {"person_ref": SOMEBODY_ELSE},
    "hours-changes": {"effective_hours_per_week": "13.00"},
    "transfers": {"workplace_unit": "Havn"},
    "steps": {"hours": "6.00"},
    "reviews": {"outcome_code": "reassessed"},
    "ordinary": {"effective_hours_per_week": "25.00"},
    "end": {"occurred_on": "2026-05-01"},
    "requests": {"to_municipality": "607"},
    "offers": {"person_ref": SOMEBODY_ELSE},
    "placements": {"occurred_on": "2026-03-02"},
    "sessions": {"managers": 8},
    "snapshots": {"headcount": 21},
}


async def standing(pool: Pool) -> dict[tuple[str, str], Any]:
    """Everything that is registered, as it stands."""
    return {(row["noun"], row["key"]): row["state"] for row in await pool.fetch("SELECT * FROM resource")}


def test_there_is_something_to_correct_at_every_door_but_those_that_undo_and_that_of_the_rules() -> None:
    assert set(DOORS) - set(BETTER) == {"rules", "correct", "retract"}


@pytest.mark.parametrize("group", GROUPS)
async def test_whatever_is_registered_is_corrected_and_taken_back_by_its_event(
    caseworker: Caseworker, pool: Pool, group: list[str]
) -> None:
    for door in [one for one in group if one in BETTER]:
        await caseworker.prepare()
        before = await standing(pool)
        event_id = (await caseworker.done(*caseworker.at(door)))["event_ids"][0]
        registered = await standing(pool)
        path = f"/v1/events/{event_id}"

        corrected = await caseworker.done(
            f"{path}/corrections", {"reason_code": "late_information", "values": BETTER[door]}
        )

        assert BETTER[door].items() <= corrected["versions"][-1]["data"].items(), door
        assert await standing(pool) != registered, door
        taken_back = {"reason_code": "double_entry"}
        await caseworker.done(f"/v1/events/{corrected['event_ids'][0]}/retraction", taken_back)
        assert await standing(pool) == registered, door
        gone = await caseworker.done(f"{path}/retraction", taken_back)
        assert await standing(pool) == before, door
        assert not any(version["in_force"] for version in gone["versions"]), door


async def test_adopted_rules_are_neither_corrected_nor_taken_back(caseworker: Caseworker) -> None:
    adopted = (await caseworker.done(*caseworker.at("rules")))["event_ids"][0]
    for at, body in (
        ("corrections", {"reason_code": "late_information", "values": {"max_months": 6}}),
        ("retraction", {"reason_code": "never_happened"}),
    ):
        answer = await caseworker.post(f"/v1/events/{adopted}/{at}", body)
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "rules-stand")


async def test_a_correction_points_at_the_values_that_are_wrong(caseworker: Caseworker) -> None:
    await caseworker.prepare()
    path = f"/v1/events/{caseworker.known['event']}/corrections"
    for values, reason, pointer in (
        ({"person_ref": "x"}, "late_information", "/values/person_ref"),
        ({"occurred_on": None}, "late_information", "/values/occurred_on"),
        ({"foreign": CPR}, "late_information", "/values"),
        ({"placement_id": str(uuid4())}, "late_information", "/values"),
        ({"occurred_on": "1980-01-01"}, "late_information", "/values/occurred_on"),
        ({"grant_term": "for_ever"}, "late_information", "/values/grant_term"),
        ({"retention": True}, "double_entry", "/reason_code"),
    ):
        answer = await caseworker.post(path, {"reason_code": reason, "values": values})
        await check_refused(answer)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_the_events_of_a_resource_are_shown_in_every_version(caseworker: Caseworker) -> None:
    await caseworker.prepare()
    placement_id = caseworker.known["placement"]
    changed = await caseworker.done(f"/v1/flexjobs/{placement_id}/hours-changes", HOURS)
    corrected = await caseworker.done(
        f"/v1/events/{changed['event_ids'][0]}/corrections",
        {"reason_code": "late_information", "values": {"cause": "task_match"}},
    )
    await caseworker.done(f"/v1/events/{corrected['event_ids'][0]}/retraction", {"reason_code": "wrong_person"})

    seen: list[dict[str, Any]] = []
    cursor: str | None = "0"
    while cursor:
        asked = {"resource": f"flexjobs/{placement_id}", "limit": "1", "cursor": cursor}
        page = (await caseworker.doors.get("/v1/events", params=asked)).json()
        seen, cursor = seen + page["items"], page["next_cursor"]

    assert [(one["kind"], one["in_force"], one["why"], one["retracted_why"]) for one in seen] == [
        ("StartFlexjob", True, None, None),
        ("ChangeHours", True, None, None),
        ("ChangeHours", False, "late_information", "wrong_person"),
    ]
    shown = (await caseworker.doors.get(f"/v1/events/{corrected['event_ids'][0]}")).json()
    assert shown["versions"] == seen[1:]
    assert (await caseworker.doors.get("/v1/events", params={"resource": f"flexjobs/{uuid4()}"})).json()["items"] == []
    for wrong in ("", "?resource=", "?resource=jobs/1", "?resource=flexjobs", f"?resource=flexjobs/{uuid4()}&cursor=x"):
        await check_refused(await caseworker.doors.get(f"/v1/events{wrong}"))
