"""What every wrong question about parked facts, and every wrong decision on them, is told."""

from typing import Any

import httpx
import pytest

from chassis.database import Pool
from services.impact.tests.doors.parked_facts import ASK, CPR, LIST, MOON, START, WAITING, post, written
from services.impact.tests.doors.small_life import Issue


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
