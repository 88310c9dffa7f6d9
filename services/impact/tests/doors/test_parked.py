"""The doors on parked and waiting facts: who sees what, what a decision does, and what every wrong one is told."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from chassis.database import Pool
from chassis.wire import seal
from contracts.catalogue import BY_TYPE
from contracts.event import Event
from contracts.flexjob_pool import FlexjobHoursChanged
from contracts.placements import PlacementStarted

Admit = Callable[..., Awaitable[int]]
Issue = Callable[..., Awaitable[dict[str, str]]]

LIST, WAITING = "/v1/ledger/parked", "/v1/ledger/waiting"
UNKNOWN = PlacementStarted.contract.type
START, MOON, BROKEN = 10, 11, 12
PERSON = str(UUID(int=9))
CPR = "0101651234"
ASK = {"reason": "type_released"}
JOB = PlacementStarted(
    occurred_on=date(2026, 6, 1),
    placement_id=UUID(int=8),
    person_ref=UUID(PERSON),
    org_id=UUID(int=7),
    employment_kind="small_job",
    origin_code="pension",
    attendance_hours_per_week=Decimal(4),
    effective_hours_per_week=Decimal(4),
)


def sealed(event: Event, event_id: str) -> bytes:
    time = datetime(2026, 6, 30, 8, tzinfo=UTC)
    return seal(event, municipality="621", producer="flexjob_pool", id=event_id, time=time).body


@pytest.fixture
async def parked(admit: Admit, life: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Behind a small life: a type that is known by now, one that never is, and a number that is none."""
    job = sealed(JOB, "job")
    moon = job.replace(b"placement.started", b"moon.landed_on").replace(b'"job"', b'"moon"')
    broken = job.replace(b'"effective_hours_per_week":"4.00"', b'"effective_hours_per_week":4.5').replace(
        b'"job"', b'"x"'
    )
    with monkeypatch.context() as before:
        before.delitem(BY_TYPE, UNKNOWN)
        await admit(job, moon)
    assert life == START - 1
    return await admit(broken)


@pytest.fixture
async def reader(issue: Issue) -> dict[str, str]:
    """A token that may read the ledger."""
    return await issue("ledger")


@pytest.fixture
async def admin(issue: Issue) -> dict[str, str]:
    """A token that may read the ledger and decide on it."""
    return await issue("ledger", "admin")


async def rows(pool: Pool, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in await pool.fetch(statement)]


async def written(pool: Pool) -> list[Any]:
    tables = ("ledger", "outcome", "delta", "audit", "idempotency_key")
    return [await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables]  # noqa: S608 - no input


async def post(
    doors: httpx.AsyncClient, path: str, token: dict[str, str], body: Any = ASK, key: str = "a"
) -> httpx.Response:
    return await doors.post(f"{LIST}/{path}", json=body, headers={**token, "Idempotency-Key": key})


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


@pytest.mark.parametrize(
    ("path", "place", "reason"),
    [
        (f"{LIST}?reason=bad_weather", "reason", "must be one of"),
        (f"{LIST}?limit=0", "limit", "must be at least 1"),
        (f"{LIST}?limit=501", "limit", "must be at most 500"),
        (f"{LIST}?limit=x", "limit", "must be a whole number"),
        (f"{LIST}?cursor=-1", "cursor", "must be at least 0"),
        (f"{LIST}?cursor=9223372036854775808", "cursor", "must be at most"),
        (f"{LIST}?municipality=62", "municipality", "must match"),
        (f"{LIST}?{CPR}=1", "", "does not exist here, only municipality, limit, cursor, reason"),
        (f"{LIST}/0", "position", "must be at least 1"),
        (f"{LIST}/x", "position", "must be a whole number"),
        (f"{LIST}/9007199254740992", "position", "must be at most"),
        (f"{LIST}/10?limit=1", "", "does not exist here, only municipality"),
        (f"{WAITING}?reason=unknown_type", "", "does not exist here, only municipality, limit, cursor"),
        (f"{WAITING}?limit=", "limit", "must be a whole number"),
    ],
)
async def test_a_wrong_question_is_told_what_is_wrong(
    doors: httpx.AsyncClient, reader: dict[str, str], path: str, place: str, reason: str
) -> None:
    answer = await doors.get(path, headers=reader)

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [(error["parameter"], reason in error["detail"]) for error in answer.json()["errors"]] == [(place, True)]
    assert CPR not in answer.text


@pytest.mark.parametrize(
    "case",
    [
        ({}, "/reason", "is missing"),
        ({"reason": ""}, "/reason", "at least 1"),
        ({"reason": "x" * 257}, "/reason", "at most 256"),
        ({"reason": 7}, "/reason", "must be a string"),
        ({"reason": None}, "/reason", "must be a string"),
        ({"reason": f"about {CPR}"}, "/reason", "personal number"),
        ({"reason": "x", "why": CPR}, "", "not known here"),
        ([], "", "must be a JSON object"),
    ],
)
@pytest.mark.parametrize("path", [f"{START}/replay", f"{START}/discard"])
@pytest.mark.usefixtures("parked")
async def test_a_wrong_decision_is_told_what_is_wrong_and_writes_nothing(
    doors: httpx.AsyncClient, pool: Pool, admin: dict[str, str], path: str, case: tuple[Any, str, str]
) -> None:
    body, place, reason = case
    before = await written(pool)

    answer = await post(doors, path, admin, body)

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [(error["pointer"], reason in error["detail"]) for error in answer.json()["errors"]] == [(place, True)]
    assert CPR not in answer.text
    assert await written(pool) == before


@pytest.mark.parametrize(
    ("positions", "place"),
    [
        ([], "/positions"),
        (list(range(1, 102)), "/positions"),
        ("10", "/positions"),
        ([START, 0], "/positions/1"),
        ([START, "11"], "/positions/1"),
        ([START, 2**53], "/positions/1"),
        ([START, 1.5], "/positions/1"),
        ([START, True], "/positions/1"),
    ],
)
@pytest.mark.usefixtures("parked")
async def test_wrong_positions_are_told_and_nothing_is_written(
    doors: httpx.AsyncClient, pool: Pool, admin: dict[str, str], positions: Any, place: str
) -> None:
    before = await written(pool)

    answer = await post(doors, "replay", admin, {"positions": positions, **ASK})

    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [place])
    assert await written(pool) == before


@pytest.mark.parametrize("position", [1, 9, 13, 99, 2**53 - 1])
@pytest.mark.usefixtures("parked")
async def test_where_nothing_was_ever_parked_nothing_is_found(
    doors: httpx.AsyncClient, pool: Pool, admin: dict[str, str], position: int
) -> None:
    before = await written(pool)

    answers = [
        await doors.get(f"{LIST}/{position}", headers=admin),
        await post(doors, f"{position}/replay", admin),
        await post(doors, f"{position}/discard", admin),
        await post(doors, "replay", admin, {"positions": [position], **ASK}),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert {answer.json()["errors"][0]["detail"] for answer in answers} == {"nothing was parked here"}
    assert await written(pool) == before


@pytest.mark.usefixtures("parked")
async def test_nobody_reads_or_decides_without_the_right_token(
    doors: httpx.AsyncClient, pool: Pool, issue: Issue, reader: dict[str, str]
) -> None:
    before = await written(pool)
    elsewhere, other = await issue("ledger", "admin", municipality="630"), await issue("figures:exact", "admin")
    paths = (LIST, f"{LIST}/{START}", WAITING)
    decisions = (f"{START}/replay", f"{START}/discard", "replay")

    assert [(await doors.get(path)).status_code for path in paths] == [401] * 3
    assert [(await doors.get(path, headers=other)).status_code for path in paths] == [403] * 3
    assert [(await doors.get(path, headers=elsewhere)).status_code for path in paths] == [403] * 3
    assert [(await doors.get(f"{path}?municipality=630", headers=reader)).status_code for path in paths] == [403] * 3
    for token, status in (({}, 401), (reader, 403), (elsewhere, 403)):
        assert [(await post(doors, path, token)).status_code for path in decisions] == [status] * 3
    assert await written(pool) == before


@pytest.mark.usefixtures("parked")
async def test_a_decision_needs_a_key_of_its_own(doors: httpx.AsyncClient, pool: Pool, admin: dict[str, str]) -> None:
    before = await written(pool)
    missing = await doors.post(f"{LIST}/{START}/replay", json=ASK, headers=admin)
    assert (missing.status_code, await written(pool)) == (400, before)

    await post(doors, f"{START}/replay", admin)
    reused = await post(doors, f"{MOON}/replay", admin)

    assert (reused.status_code, reused.json()["type"]) == (422, "urn:kraftcenter:problem:idempotency-key-reused")


@pytest.mark.usefixtures("parked")
async def test_a_lane_that_must_be_told_again_takes_no_replay(
    doors: httpx.AsyncClient, pool: Pool, admin: dict[str, str]
) -> None:
    await pool.execute("DELETE FROM definition")
    before = await written(pool)

    answer = await post(doors, f"{START}/replay", {**admin, "Accept-Language": "da"})

    assert (answer.status_code, answer.json()["title"]) == (503, "Kommunens tal skal genopbygges først")
    assert await written(pool) == before
