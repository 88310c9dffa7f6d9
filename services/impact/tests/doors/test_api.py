"""The doors of impact: figures by hand from a small life, what they say of themselves, and who may see them."""

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chassis.database import Pool
from contracts.catalogue import BY_TYPE
from impact.catalogue import INDICATORS
from services.impact.tests.doors.small_life import Admit, Issue

ALL = "municipality, as_of, known_as_of, from, to, by, definition_version"
PERSONAL = [indicator for indicator in INDICATORS if indicator.about_persons]


@pytest.fixture
async def exact(issue: Issue) -> dict[str, str]:
    return await issue("figures:exact")


async def figure(doors: httpx.AsyncClient, path: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    answer = await doors.get(f"/v1/figures/{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


BY_HAND = [
    ("J1", "2"),
    ("J1?from=2025-01-01&to=2026-01-01", "1"),
    ("J1?from=2025-11-01&to=2026-02-01", "1"),
    ("J1?from=2025-11-01&to=2026-02-02", "2"),
    ("J1?from=2025-11-01", "3"),
    ("J1?as_of=2026-02-28", "1"),
    ("J1?as_of=2025-12-31", "1"),
    ("J1?as_of=2026-02-28&to=2026-07-01", "1"),
    ("J2", "0.5"),
    ("J2?to=2026-02-02", "0.337838"),
    ("F1", "2"),
    ("F1?as_of=2026-04-30", "3"),
    ("F1?as_of=2026-05-01", "2"),
    ("F1?as_of=2025-10-31", "0"),
    ("F4", "11"),
    ("F4?as_of=2026-03-31", "7.5"),
    ("F5", "0.5928"),
    ("F5?as_of=2026-02-04", "0.3328"),
    ("F5?as_of=2027-01-01", "0.2"),
]


@pytest.mark.usefixtures("life")
async def test_figures_are_what_a_hand_works_out(
    doors: httpx.AsyncClient, exact: dict[str, str], subtests: pytest.Subtests
) -> None:
    for path, value in BY_HAND:
        with subtests.test(path):
            assert (await figure(doors, path, exact))["value"] == value


async def test_a_figure_says_what_it_is_and_when_it_was_known(
    doors: httpx.AsyncClient, exact: dict[str, str], life: int
) -> None:
    f4 = await figure(doors, "F4?by=department", exact)

    title = f4.pop("title")
    assert title["en"] == "Mean effective hours"
    assert f4 == {
        "id": "F4",
        "municipality": "621",
        "value": "11",
        "numerator": "22",
        "denominator": "2",
        "unit": "hours_per_week",
        "status": "provisional",
        "as_of": "2026-06-30",
        "from": None,
        "to": None,
        "known_as_of": "2026-06-30T08:00:00Z",
        "position": life,
        "release": None,
        "definition_version": 1,
        "facts": 5,
        "cells": [
            {
                "dimensions": {"department": "Senior"},
                "value": "12.5",
                "numerator": "12.5",
                "denominator": "1",
                "status": "provisional",
            },
            {
                "dimensions": {"department": "Teknik"},
                "value": "9.5",
                "numerator": "9.5",
                "denominator": "1",
                "status": "provisional",
            },
        ],
    }


@pytest.mark.usefixtures("life")
async def test_facts_that_are_parked_or_wait_do_not_lie_behind_a_figure(
    doors: httpx.AsyncClient, exact: dict[str, str], admit: Admit, a_start: bytes
) -> None:
    before = await figure(doors, "F1", exact)
    start = json.loads(a_start)
    parked = start | {"id": "parked", "data": start["data"] | {"occurred_on": "1989-06-01"}}
    reason = {"reason_code": "registration_error"}
    waiting = start | {"id": "waiting", "corrects": "event-6", "data": start["data"] | reason}
    await admit(json.dumps(parked).encode(), json.dumps(waiting).encode())

    after = await figure(doors, "F1", exact)

    assert (after["facts"], after["position"]) == (before["facts"], before["position"] + 2)


async def test_nothing_is_known_from_any_instant_before_the_first_fact(doors: httpx.AsyncClient, admit: Admit) -> None:
    await admit(b"noise")

    f5 = await figure(doors, "F5")

    assert (f5["known_as_of"], f5["position"]) == (None, 0)


@pytest.mark.usefixtures("life")
async def test_a_flow_says_which_days_it_counts(doors: httpx.AsyncClient, exact: dict[str, str]) -> None:
    j1 = await figure(doors, "J1?to=2026-03-01", exact)

    assert (j1["from"], j1["to"], j1["as_of"], j1["facts"]) == ("2026-01-01", "2026-03-01", "2026-02-28", 1)


@pytest.mark.usefixtures("life")
async def test_the_cells_of_a_cut_add_up_to_the_whole(doors: httpx.AsyncClient, exact: dict[str, str]) -> None:
    f1 = await figure(doors, "F1?by=department&as_of=2026-04-30", exact)

    assert [(cell["dimensions"]["department"], cell["value"]) for cell in f1["cells"]] == [
        ("Senior", "2"),
        ("Teknik", "1"),
    ]
    assert sum(Decimal(cell["value"]) for cell in f1["cells"]) == Decimal(f1["value"])


@pytest.mark.usefixtures("life")
async def test_pool_utilisation_is_open_to_all_and_cut_by_fiscal_year(doors: httpx.AsyncClient) -> None:
    f5 = await figure(doors, "F5?by=fiscal_year")

    assert [(cell["dimensions"]["fiscal_year"], cell["value"]) for cell in f5["cells"]] == [
        ("2026", "0.5928"),
        ("2027", "0.2"),
    ]


@pytest.mark.usefixtures("life")
async def test_a_year_without_a_budget_has_no_data(doors: httpx.AsyncClient) -> None:
    f5 = await figure(doors, "F5?as_of=2025-06-30")

    assert (f5["value"], f5["status"]) == (None, "no_data")


@pytest.mark.usefixtures("life")
async def test_without_the_scope_nothing_about_persons_leaves(
    doors: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    for indicator in PERSONAL:
        with subtests.test(indicator.id):
            cut = f"?by={','.join(indicator.dimensions[:2])}" if indicator.dimensions else ""
            shown = await figure(doors, indicator.id + cut)

            assert shown["status"] == "suppressed"
            told = {name: shown[name] for name in ("value", "numerator", "denominator", "facts", "cells")}
            assert told == {"value": None, "numerator": None, "denominator": None, "facts": None, "cells": []}


@pytest.mark.usefixtures("life")
async def test_a_token_without_the_scope_sees_no_more_than_nobody(doors: httpx.AsyncClient, issue: Issue) -> None:
    assert (await figure(doors, "F1", await issue("read:flexjob_pool")))["status"] == "suppressed"


async def test_all_figures_come_from_one_snapshot(doors: httpx.AsyncClient, exact: dict[str, str], life: int) -> None:
    answer = await doors.get("/v1/figures?as_of=2026-04-30", headers=exact)

    items = answer.json()["items"]
    values = {item["id"]: item["value"] for item in items}
    assert list(values) == [indicator.id for indicator in INDICATORS]
    assert {id_: values[id_] for id_ in ("J1", "J2", "F1", "F4", "F5", "F6")} == {
        "J1": "2",
        "J2": "0.5",
        "F1": "3",
        "F4": "8.666667",
        "F5": "0.5928",
        "F6": None,
    }
    assert {item["position"] for item in items} == {life}
    assert answer.headers["cache-control"] == "no-store"


async def test_the_catalogue_says_what_every_figure_means(entrance: httpx.AsyncClient) -> None:
    items = (await entrance.get("/v1/indicators")).json()["items"]

    assert [item["id"] for item in items] == [indicator.id for indicator in INDICATORS]
    for item in items:
        assert (await entrance.get(f"/v1/indicators/{item['id']}")).json() == item
        assert item["title"]["da"]
        assert item["definition"]["en"]
        assert set(item["events"]) <= BY_TYPE.keys()


async def test_whoever_shows_credentials_is_recognised_or_refused(
    doors: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    for path in ("/v1/figures", "/v1/figures/F5", "/v1/indicators", "/v1/indicators/F5", "/metrics/exact"):
        for credentials in ("Bearer wrong", "Bearer", "Bearer ", "Basic dTpw", "kc_token", ""):
            with subtests.test(path, credentials=credentials):
                answer = await doors.get(path, headers={"Authorization": credentials})

                assert answer.status_code == 401
                assert "www-authenticate" in answer.headers


async def test_a_token_of_another_municipality_opens_nothing(doors: httpx.AsyncClient, issue: Issue) -> None:
    foreign = await issue("figures:exact", municipality="751")

    for path in ("/v1/figures/F1", "/metrics/exact"):
        assert (await doors.get(path, headers=foreign)).status_code == 403


@pytest.mark.usefixtures("life")
async def test_a_token_shows_exact_figures_of_its_own_municipality_alone(
    doors: httpx.AsyncClient, app: FastAPI, exact: dict[str, str]
) -> None:
    app.state.settings = app.state.settings.model_copy(update={"municipalities": ("621", "751")})

    assert (await figure(doors, "F1?municipality=621", exact))["status"] == "provisional"
    assert (await figure(doors, "F1?municipality=751", exact))["status"] == "suppressed"


async def test_without_a_database_a_question_is_to_be_asked_again_later(doors: httpx.AsyncClient, pool: Pool) -> None:
    await pool.close()

    answer = await doors.get("/v1/figures/F5")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert (await doors.get("/readyz")).json()["checks"]["database"] != "ok"
    assert (await doors.get("/livez")).status_code == 200


async def test_nothing_can_be_written(entrance: httpx.AsyncClient) -> None:
    assert (await entrance.post("/v1/figures/F1", json={})).status_code == 405


async def test_the_parameters_are_described_with_examples(app: FastAPI) -> None:
    operation = app.openapi()["paths"]["/v1/figures/{indicator_id}"]["get"]

    query = {each["name"]: each for each in operation["parameters"] if each["in"] == "query"}
    assert ", ".join(query) == ALL
    assert all(each["description"] and each["examples"] for each in query.values())
    for kind in ("Stock", "Flow", "Cohort"):
        assert f"**{kind}**" in query["from"]["description"]
    assert list(operation["responses"]) == ["200", "400", "401", "403", "404", "409", "422", "503"]
    named = {code: operation["responses"][code]["content"]["application/problem+json"] for code in ("404", "409")}
    assert {example["example"]["type"] for example in named.values()} == {
        "urn:kraftcenter:problem:unknown-indicator",
        "urn:kraftcenter:problem:definition-not-in-force",
    }
