"""The door on the account: what was delivered, what became of it, and whether all came."""

import json

import httpx
import pytest
from fastapi import FastAPI

from chassis.database import Pool
from impact.conservation import EXPLAINED
from services.impact.tests.doors.messages import (
    CHANGE,
    RULES,
    SOURCE,
    START,
    STARTED,
    STREAM,
    heartbeat,
    message,
    read,
    retraction,
)
from services.impact.tests.doors.small_life import Admit, Issue

BALANCE = "/v1/ledger/balance"


async def test_the_balance_counts_every_delivery_and_every_fact(
    doors: httpx.AsyncClient, admit: Admit, reader: dict[str, str]
) -> None:
    other = message("flexjob.started", "start", STARTED | {"department": "Teknik"})
    await admit(START, START, other, b"noise", CHANGE, message("pool.rules_adopted", "rules", RULES), heartbeat(3))

    balance = await read(doors, BALANCE, reader)

    assert (balance["balanced"], balance["complete"], balance["open"]) == (True, True, [])
    assert (balance["municipality"], balance["position"], balance["thorough"]) == ("621", 3, False)
    counts = {"delivered": 6, "first_copies": 3, "duplicates": 1, "conflicts": 1, "unreadable": 1}
    day = {"stream": STREAM, "received_on": "2026-06-30"}
    assert balance["deliveries"] == {"total": counts, "days": [day | counts]}
    outcomes = dict.fromkeys(("parked", "retracted", "superseded", "waiting"), 0) | {"counted": 2, "out_of_scope": 1}
    counts = {"first_copies": 3} | outcomes
    assert balance["facts"] == {
        "total": counts,
        "days": [{"source": SOURCE, "received_on": "2026-06-30"} | counts],
    }
    (source,) = balance["completeness"]
    assert source.pop("heartbeats")[0]["sent_at"] == "2026-06-30T08:00:05Z"
    assert source == {"source": SOURCE, "status": "complete", "published": 3, "received": 3, "missing": 0}


async def test_the_thorough_balance_looks_at_every_account(
    doors: httpx.AsyncClient, admit: Admit, reader: dict[str, str]
) -> None:
    await admit(START, CHANGE, retraction("undo", "change"), heartbeat(3))

    balance = await read(doors, BALANCE, reader, thorough="true", municipality="621")

    assert (balance["balanced"], balance["thorough"], balance["open"]) == (True, True, [])
    assert set(balance["checked"]) == set(EXPLAINED)


async def test_an_account_that_does_not_close_shows_both_sides(
    doors: httpx.AsyncClient, admit: Admit, reader: dict[str, str], pool: Pool
) -> None:
    await admit(START, heartbeat(1))
    await pool.execute("DELETE FROM history WHERE kind = 'person'")

    assert (await read(doors, BALANCE, reader))["balanced"]
    balance = await read(doors, BALANCE, reader, thorough="true")

    assert not balance["balanced"]
    (account,) = balance["open"]
    assert account.pop("title")["en"] == "Every fact stands in its histories"
    assert account == {
        "account": "histories",
        "of": "person",
        "left": {"is": "keys in the raw bodies", "count": 1},
        "right": {"is": "history rows", "count": 0},
        "odd": 1,
    }


async def test_a_loss_on_the_way_is_told_apart_from_a_loss_within(
    doors: httpx.AsyncClient, admit: Admit, reader: dict[str, str]
) -> None:
    await admit(START, heartbeat(3))

    balance = await read(doors, BALANCE, reader)

    assert (balance["balanced"], balance["complete"]) == (True, False)
    assert [(each["account"], each["of"]) for each in balance["open"]] == [("completeness", SOURCE)]
    assert balance["completeness"][0]["missing"] == 2


@pytest.mark.parametrize("path", [BALANCE, f"/v1/facts/{SOURCE}/start"])
@pytest.mark.parametrize(("scopes", "status"), [((), 401), (("figures:exact",), 403)])
async def test_the_account_needs_the_scope(
    doors: httpx.AsyncClient, issue: Issue, path: str, scopes: tuple[str, ...], status: int
) -> None:
    headers = await issue(*scopes) if scopes else {}

    await read(doors, path, headers, status=status)


async def test_a_token_shows_the_account_of_its_own_municipality_alone(
    doors: httpx.AsyncClient, reader: dict[str, str]
) -> None:
    problem = await read(doors, BALANCE, reader, status=403, municipality="751")

    assert problem["type"] == "urn:kraftcenter:problem:other-municipality"


WRONG = [
    ({"thorough": "perhaps"}, "thorough", "must be true or false"),
    ({"municipality": "Kolding"}, "municipality", "must match"),
    ({"municipality": ""}, "municipality", "must match"),
    ({"as_of": "2026-01-01"}, "", "does not exist here, only municipality, thorough"),
    ({"12345-6789": "x"}, "", "does not exist here"),
]


@pytest.mark.parametrize(("query", "place", "said"), WRONG)
async def test_a_wrong_question_is_refused_with_its_reasons(
    doors: httpx.AsyncClient, reader: dict[str, str], query: dict[str, str], place: str, said: str
) -> None:
    problem = await read(doors, BALANCE, reader, status=422, **query)

    assert [error["parameter"] for error in problem["errors"]] == [place]
    assert said in problem["errors"][0]["detail"]
    assert not any(value in json.dumps(problem["errors"]) for value in ("perhaps", "Kolding", "6789"))


async def test_all_that_is_wrong_is_said_at_once(doors: httpx.AsyncClient, reader: dict[str, str]) -> None:
    problem = await read(doors, BALANCE, reader, status=422, thorough="x", municipality="x")

    assert len(problem["errors"]) == 2


def test_the_document_tells_a_stranger(app: FastAPI) -> None:
    document = app.openapi()

    for path in (BALANCE, "/v1/facts/{source}/{event_id}"):
        operation = document["paths"][path]["get"]
        shown = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert document["components"]["schemas"][shown]["example"]
        assert all(parameter["description"] for parameter in operation["parameters"])
