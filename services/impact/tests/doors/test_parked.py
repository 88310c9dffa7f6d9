"""The doors on parked and waiting facts: who sees what, and what a decision does."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import httpx
import pytest

from chassis.database import Pool
from contracts.flexjob_pool import FlexjobHoursChanged
from services.impact.tests.doors.parked_facts import (
    ASK,
    BROKEN,
    LIST,
    MOON,
    PERSON,
    START,
    UNKNOWN,
    WAITING,
    post,
    rows,
    written,
)
from services.impact.tests.doors.small_life import Admit, sealed


@pytest.mark.usefixtures("parked")
async def test_the_list_tells_what_is_parked_and_why_without_its_data(
    doors: httpx.AsyncClient, reader: dict[str, str]
) -> None:
    answer = await doors.get(LIST, headers=reader)

    assert answer.status_code == 200
    items = answer.json()["items"]
    assert [(item["position"], item["reason"], item["state"]) for item in items] == [
        (START, "unknown_type", "parked"),
        (MOON, "unknown_type", "parked"),
        (BROKEN, "invalid_data", "parked"),
    ]
    assert (items[0]["event_id"], items[0]["type"], items[0]["occurred_on"]) == ("job", UNKNOWN, None)
    assert answer.json()["next_cursor"] is None
    assert PERSON not in answer.text


@pytest.mark.usefixtures("parked")
async def test_the_list_comes_in_pages_and_by_reason(doors: httpx.AsyncClient, reader: dict[str, str]) -> None:
    first = (await doors.get(f"{LIST}?limit=2", headers=reader)).json()
    second = (await doors.get(f"{LIST}?limit=2&cursor={first['next_cursor']}", headers=reader)).json()
    invalid = (await doors.get(f"{LIST}?reason=invalid_data&municipality=621", headers=reader)).json()

    assert [[item["position"] for item in page["items"]] for page in (first, second, invalid)] == [
        [START, MOON],
        [BROKEN],
        [BROKEN],
    ]
    assert (first["next_cursor"], second["next_cursor"]) == (MOON, None)


@pytest.mark.usefixtures("parked")
async def test_data_are_shown_to_an_administrator_alone_and_every_look_is_written_down(
    doors: httpx.AsyncClient, pool: Pool, reader: dict[str, str], admin: dict[str, str]
) -> None:
    hidden = await doors.get(f"{LIST}/{START}", headers=reader)
    assert (hidden.status_code, hidden.json()["envelope"]["id"], PERSON in hidden.text) == (200, "job", False)
    assert await rows(pool, "SELECT action FROM audit") == []

    shown = await doors.get(f"{LIST}/{START}", headers=admin)

    assert shown.json()["envelope"]["data"]["person_ref"] == PERSON
    assert shown.headers["cache-control"] == "no-store"
    noted = await rows(pool, "SELECT municipality, actor, action, subject, detail FROM audit")
    assert noted == [("621", "test", "read_parked", str(START), {})]


@pytest.mark.usefixtures("parked")
async def test_a_replay_takes_effect_and_the_fact_tells_what_was_tried(
    doors: httpx.AsyncClient, pool: Pool, admin: dict[str, str]
) -> None:
    answer = await post(doors, f"{START}/replay", admin)

    assert (answer.status_code, answer.json()) == (
        200,
        {"position": START, "decided_at": 13, "state": "replayed", "reason": None, "outcome": "counted"},
    )
    listed = (await doors.get(LIST, headers=admin)).json()["items"]
    assert [item["position"] for item in listed] == [MOON, BROKEN]
    whole = (await doors.get(f"{LIST}/{START}", headers=admin)).json()
    tried = [(each["position"], each["kind"], each["reason"]) for each in whole["attempts"]]
    assert (whole["state"], tried) == ("replayed", [(13, "replay", None)])
    noted = await rows(pool, "SELECT actor, action, subject, detail FROM audit ORDER BY id LIMIT 1")
    assert noted == [("test", "replay_parked", str(START), {"why": "type_released", "position": 13})]


@pytest.mark.usefixtures("parked")
async def test_a_replay_in_vain_is_an_answer_too(doors: httpx.AsyncClient, admin: dict[str, str]) -> None:
    answer = await post(doors, f"{MOON}/replay", admin)

    told = {"position": MOON, "decided_at": 13, "state": "parked", "reason": "unknown_type", "outcome": "parked"}
    assert (answer.status_code, answer.json()) == (200, told)
    whole = (await doors.get(f"{LIST}/{MOON}", headers=admin)).json()
    assert [each["reason"] for each in whole["attempts"]] == ["unknown_type"]


@pytest.mark.usefixtures("parked")
async def test_the_same_request_again_gets_the_same_answer_and_another_one_is_refused(
    doors: httpx.AsyncClient, pool: Pool, admin: dict[str, str]
) -> None:
    first = await post(doors, f"{START}/replay", admin)
    before = await written(pool)

    again = await post(doors, f"{START}/replay", admin)
    other = await post(doors, f"{START}/replay", admin, key="b")

    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    assert (other.status_code, other.json()["type"]) == (409, "urn:kraftcenter:problem:no-longer-parked")
    assert other.json()["errors"] == [{"pointer": "", "detail": "has taken effect since"}]
    assert await written(pool) == before


@pytest.mark.usefixtures("parked")
async def test_several_are_replayed_together_in_order_of_position(
    doors: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    answer = await post(doors, "replay", admin, {"positions": [MOON, START], **ASK})

    items = answer.json()["items"]
    assert [(item["position"], item["decided_at"], item["state"]) for item in items] == [
        (START, 13, "replayed"),
        (MOON, 14, "parked"),
    ]


@pytest.mark.usefixtures("parked")
async def test_several_are_decided_on_together_or_not_at_all(
    doors: httpx.AsyncClient, pool: Pool, admin: dict[str, str]
) -> None:
    await post(doors, f"{MOON}/discard", admin)
    before = await written(pool)

    answer = await post(doors, "replay", admin, {"positions": [START, MOON, 1], **ASK}, key="b")

    assert answer.status_code == 409
    assert answer.json()["errors"] == [
        {"pointer": "/positions/2", "detail": "nothing was parked here"},
        {"pointer": "/positions/1", "detail": "was given up for good"},
    ]
    assert await written(pool) == before


@pytest.mark.usefixtures("parked")
async def test_what_is_discarded_is_never_replayed(doors: httpx.AsyncClient, admin: dict[str, str]) -> None:
    answer = await post(doors, f"{BROKEN}/discard", admin)

    told = {"position": BROKEN, "decided_at": 13, "state": "discarded", "reason": "invalid_data", "outcome": "parked"}
    assert (answer.status_code, answer.json()) == (200, told)
    for decision in ("replay", "discard"):
        refused = await post(doors, f"{BROKEN}/{decision}", admin, key=decision)
        assert (refused.status_code, refused.json()["errors"][0]["detail"]) == (409, "was given up for good")
    listed = (await doors.get(LIST, headers=admin)).json()["items"]
    assert [item["position"] for item in listed] == [START, MOON]


@pytest.mark.usefixtures("life")
async def test_what_waits_tells_for_what(doors: httpx.AsyncClient, reader: dict[str, str], admit: Admit) -> None:
    hours = FlexjobHoursChanged(
        occurred_on=date(2026, 6, 1),
        placement_id=UUID(int=8),
        person_ref=UUID(PERSON),
        attendance_hours_per_week=Decimal(4),
        effective_hours_per_week=Decimal(4),
        cause="capacity_up",
    )
    await admit(sealed(hours, "hours"))

    answer = await doors.get(WAITING, headers=reader)

    (item,) = answer.json()["items"]
    waits_for = {name: value for name, value in item["waits_for"].items() if value is not None}
    assert (item["position"], item["event_id"]) == (10, "hours")
    assert waits_for == {"what": "opening", "event": "flexjob.started", "kind": "placement", "key": str(UUID(int=8))}
    assert (answer.json()["next_cursor"], PERSON in answer.text) == (None, False)
    assert (await doors.get(f"{WAITING}?cursor=10&limit=1", headers=reader)).json()["items"] == []
