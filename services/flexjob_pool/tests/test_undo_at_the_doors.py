"""Corrections and retractions from outside: of whatever was registered, by the id of its event."""

from typing import Any
from uuid import uuid4

from services.flexjob_pool.tests.caseworker import CPR, HOURS, Caseworker, check_refused


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
