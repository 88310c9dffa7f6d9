"""Who may ask for a receipt, that it is noted, and what a wrong question is told."""

import httpx
import pytest
from fastapi import FastAPI

from chassis.database import Pool
from services.impact.tests.doors.small_life import Issue


@pytest.mark.usefixtures("life")
async def test_an_exact_reading_about_persons_is_noted_and_never_cached(
    doors: httpx.AsyncClient, exact: dict[str, str], pool: Pool
) -> None:
    answer = await doors.get("/v1/figures/F1/receipt?as_of=2026-04-30&limit=5", headers=exact)
    await doors.get("/v1/figures/F5/receipt", headers=exact)
    await doors.get("/v1/figures/F1/receipt?limit=0", headers=exact)

    (row,) = await pool.fetch("SELECT actor, action, subject, detail FROM audit")
    door = {"door": "/v1/figures/F1/receipt", "as_of": "2026-04-30", "limit": "5"}
    assert tuple(row) == ("test", "read_exact", "F1", door)
    assert answer.headers["cache-control"] == "no-store"


async def test_a_receipt_needs_the_scope_for_exact_figures(doors: httpx.AsyncClient, issue: Issue, pool: Pool) -> None:
    for headers, status in (({}, 401), (await issue("ledger", "admin"), 403)):
        answer = await doors.get("/v1/figures/E1/receipt", headers=headers)

        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert await pool.fetchval("SELECT count(*) FROM audit") == 0


async def test_a_receipt_of_another_municipality_is_refused(
    doors: httpx.AsyncClient, exact: dict[str, str], app: FastAPI, pool: Pool
) -> None:
    app.state.settings = app.state.settings.model_copy(update={"municipalities": ("621", "751")})
    answer = await doors.get("/v1/figures/F1/receipt?municipality=751", headers=exact)

    assert (answer.status_code, answer.json()["type"]) == (403, "urn:kraftcenter:problem:other-municipality")
    assert (await doors.get("/v1/figures/F1/receipt?municipality=621", headers=exact)).status_code == 200
    assert await pool.fetchval("SELECT count(*) FROM audit") == 1


POSITIONS = "must be an RFC 3339 instant, or a position in digits"
REFUSED = [
    ("F1?limit=0", {"limit": "must be a whole number in 1..1000"}),
    ("F1?limit=1001", {"limit": "must be a whole number in 1..1000"}),
    ("F1?limit=many", {"limit": "must be a whole number in 1..1000"}),
    ("F1?limit=", {"limit": "must be a whole number in 1..1000"}),
    ("F1?cursor=-1", {"cursor": "must be a whole number in 0..999999999"}),
    ("F1?cursor=%D9%A1", {"cursor": "must be a whole number in 0..999999999"}),
    ("F1?since=soon", {"since": POSITIONS}),
    ("F1?since=10", {"since": "must not be beyond the latest position, which is 9"}),
    ("F1?since=9&known_as_of=8", {"since": "must not be after known_as_of"}),
    ("F1?since=2026-07-01T00:00:00Z&known_as_of=8", {"since": "must not be after known_as_of"}),
    ("F1?known_as_of=10", {"known_as_of": "must not be beyond the latest position, which is 9"}),
    (
        "F2?from=2026-01-01",
        {"from": "this indicator is read on the days of its snapshots and has no period; use as_of"},
    ),
    (
        "F1?as_of=x&since=y&limit=z&cursor=w&by=colour&from=v",
        {
            "as_of": "must be a date, YYYY-MM-DD",
            "from": "must be a date, YYYY-MM-DD",
            "by": "must be one of: department",
            "since": POSITIONS,
            "limit": "must be a whole number in 1..1000",
            "cursor": "must be a whole number in 0..999999999",
        },
    ),
]


@pytest.mark.usefixtures("life")
@pytest.mark.parametrize(("question", "reasons"), REFUSED, ids=lambda case: case if isinstance(case, str) else "")
async def test_a_wrong_question_is_told_every_reason(
    doors: httpx.AsyncClient, exact: dict[str, str], question: str, reasons: dict[str, str]
) -> None:
    indicator, _, query = question.partition("?")
    headers = {**exact, "Accept-Language": "en"}
    answer = await doors.get(f"/v1/figures/{indicator}/receipt?{query}", headers=headers)

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:kraftcenter:problem:invalid-question")
    assert {error["parameter"]: error["detail"] for error in answer.json()["errors"]} == reasons


async def test_an_unknown_indicator_has_no_receipt(doors: httpx.AsyncClient, exact: dict[str, str]) -> None:
    answer = await doors.get("/v1/figures/F99/receipt", headers=exact)

    assert (answer.status_code, answer.json()["type"]) == (404, "urn:kraftcenter:problem:unknown-indicator")
