"""Wrong questions at the doors of impact: each is answered with every reason, and nothing that was given comes back."""

import httpx
import pytest
from fastapi import FastAPI

TODAY = "must be from 1990-01-01 to 2028-06-30"
NO_PERIOD = "this indicator is read on the days of its snapshots and has no period; use as_of"
ALL = "municipality, as_of, known_as_of, from, to, by, definition_version"


@pytest.mark.parametrize(
    ("path", "reasons"),
    [
        ("F1?as_of=yesterday", {"as_of": "must be a date, YYYY-MM-DD"}),
        ("F1?as_of=", {"as_of": "must be a date, YYYY-MM-DD"}),
        ("F1?as_of=20260630", {"as_of": "must be a date, YYYY-MM-DD"}),
        ("F1?as_of=2026-02-30", {"as_of": "must be a date, YYYY-MM-DD"}),
        ("F1?as_of=1989-12-31", {"as_of": TODAY}),
        ("F1?as_of=2028-07-01", {"as_of": TODAY}),
        ("F1?to=2026-01-01", {"from": "must be given beside to: a stock is averaged over the period"}),
        ("F2?from=2026-01-01", {"from": NO_PERIOD}),
        ("J4?from=2026-01-02", {"from": "must be the first of a month"}),
        ("J4?by=weeks,weeks", {"by": "names the same dimension twice"}),
        ("J4?by=kind,origin,weeks", {"by": "must be one or two of: kind, origin, weeks, with a comma between"}),
        ("F1?known_as_of=soon", {"known_as_of": "must be an RFC 3339 instant, or a position in digits"}),
        ("F1?definition_version=2", {"definition_version": "must be one of: 1"}),
        ("J1?from=2026-02-01&to=2026-02-01", {"from": "must be before to, which is exclusive"}),
        ("J1?from=2026-02-01&as_of=2026-01-31", {"from": "must not be after as_of"}),
        ("J1?from=2026-07-01", {"from": "must not be after as_of"}),
        ("F1?by=colour", {"by": "must be one of: department"}),
        ("F1?by=", {"by": "must be one of: department"}),
        ("F1?municipality=751", {"municipality": "must be one of: 621"}),
        ("F1?municipality='%20OR%201=1", {"municipality": "must be one of: 621"}),
        ("F1?as_of=2026-01-01&as_of=2026-01-02", {"as_of": "may stand only once"}),
        ("F1?asof=2026-01-01", {"asof": f"does not exist here, only {ALL}"}),
        ("F1?0101901234=x", {"": f"does not exist here, only {ALL}"}),
        ("?by=department", {"by": "does not exist here, only municipality, as_of, known_as_of"}),
        (
            "F1?as_of=x&to=2026-01-01&by=x&municipality=x&known_as_of=x&definition_version=x",
            {
                "as_of": "must be a date, YYYY-MM-DD",
                "from": "must be given beside to: a stock is averaged over the period",
                "by": "must be one of: department",
                "municipality": "must be one of: 621",
                "known_as_of": "must be an RFC 3339 instant, or a position in digits",
                "definition_version": "must be one of: 1",
            },
        ),
    ],
)
async def test_a_wrong_question_is_answered_with_every_reason(
    entrance: httpx.AsyncClient, path: str, reasons: dict[str, str]
) -> None:
    answer = await entrance.get(f"/v1/figures{'/' if path[0] != '?' else ''}{path}")

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert {error["parameter"]: error["detail"] for error in answer.json()["errors"]} == reasons


@pytest.mark.parametrize("path", ["F99", "f1", "F1%00", "x" * 3000, "%F0%9F%98%80", "0101901234"])
@pytest.mark.parametrize("noun", ["figures", "indicators"])
async def test_an_unknown_indicator_is_told_where_to_find_the_known_ones(
    entrance: httpx.AsyncClient, noun: str, path: str
) -> None:
    answer = await entrance.get(f"/v1/{noun}/{path}")

    assert answer.status_code in {400, 404, 414}
    assert answer.headers["content-type"] == "application/problem+json"
    assert path not in answer.text
    if len(path) < 5:
        assert answer.json()["detail"] == "GET /v1/indicators lists every id."


async def test_whoever_serves_several_municipalities_must_be_told_which(
    entrance: httpx.AsyncClient, app: FastAPI
) -> None:
    app.state.settings = app.state.settings.model_copy(update={"municipalities": ("621", "751")})

    answer = await entrance.get("/v1/figures/F5")

    assert answer.json()["errors"] == [{"parameter": "municipality", "detail": "must be one of: 621, 751"}]


async def test_a_problem_is_danish_for_whoever_does_not_ask_for_english(entrance: httpx.AsyncClient) -> None:
    answer = await entrance.get("/v1/figures/F1?as_of=x", headers={"Accept-Language": "da"})

    assert answer.json()["errors"] == [{"parameter": "as_of", "detail": "skal være en dato, ÅÅÅÅ-MM-DD"}]
