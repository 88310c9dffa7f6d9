"""The doors on the account: what was delivered, what became of it, whether all came, and the trail of one fact."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from chassis.calendar import calendar_of
from chassis.database import Pool
from contracts.catalogue import BY_TYPE
from contracts.streams import Stream
from impact import parked
from impact.catalogue import INDICATORS, measures_of
from impact.conservation import EXPLAINED
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.parked import Decision

Admit = Callable[..., Awaitable[int]]
Issue = Callable[..., Awaitable[dict[str, str]]]

SOURCE = "urn:kraftcenter:621:flexjob_pool"
STREAM = "EVENTS_621_FLEXJOB_POOL"
PERSON, PLACEMENT = str(UUID(int=2)), str(UUID(int=1))
JOB = {
    "placement_id": PLACEMENT,
    "person_ref": PERSON,
    "attendance_hours_per_week": "12.00",
    "effective_hours_per_week": "4.00",
}
STARTED = {
    **JOB,
    "occurred_on": "2026-03-01",
    "department": "Senior",
    "workplace_unit": "Senior-1",
    "grant_term": "permanent",
    "retention": True,
    "scheme": "post2013",
}
CHANGED = {
    **JOB,
    "occurred_on": "2026-04-01",
    "cause": "task_match",
    "effective_hours_per_week": "12.50",
    "reason_code": "late_information",
}
DECISION = Decision("621", "test", "checked")
MEASURES = measures_of(INDICATORS)
RULES = {"occurred_on": "2026-01-01", "rules_version": 1, "refund_share": "0.5", "eligible_units": []}


def message(name: str, event_id: str, data: dict[str, Any], **attributes: str) -> bytes:
    type_name = f"dk.kraftcenter.{name}.v1"
    envelope = {
        "specversion": "1.0",
        "id": event_id,
        "source": SOURCE,
        "type": type_name,
        "subject": "placement/1",
        "time": "2026-06-30T08:00:00Z",
        "datacontenttype": "application/json",
        "dataclassification": BY_TYPE[type_name].contract.classification if type_name in BY_TYPE else "internal",
        **attributes,
        "data": data,
    }
    return json.dumps(envelope).encode()


def retraction(event_id: str, target: str) -> bytes:
    return message("event.retracted", event_id, {"event_id": target, "reason_code": "never_happened"})


def heartbeat(events: int) -> bytes:
    said = {"producer": "flexjob_pool", "published": [{"source": SOURCE, "events": events}]}
    return message("service.heartbeat", f"beat-{events}", said, time="2026-06-30T08:00:05Z")


START = message("flexjob.started", "start", STARTED)
CHANGE = message("flexjob.hours_changed", "change", CHANGED)


@pytest.fixture
async def reader(issue: Issue) -> dict[str, str]:
    """A token that may read the ledger, and exact figures about persons."""
    return await issue("ledger", "figures:exact")


async def read(
    doors: httpx.AsyncClient, path: str, headers: dict[str, str], *, status: int = 200, **query: str
) -> dict[str, Any]:
    answer = await doors.get(path, headers=headers, params=query)
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def trail(doors: httpx.AsyncClient, headers: dict[str, str], event_id: str) -> dict[str, Any]:
    return await read(doors, f"/v1/facts/{SOURCE}/{quote(event_id, safe='')}", headers)


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


async def test_without_the_right_to_exact_figures_a_trail_names_no_person_and_tells_no_amount(
    doors: httpx.AsyncClient, admit: Admit, issue: Issue
) -> None:
    await admit(START)

    answer = await doors.get(f"/v1/facts/{SOURCE}/start", headers=await issue("ledger"))

    assert answer.json()["outcome"] == "counted"
    assert answer.json()["deltas"] is None
    assert PERSON not in answer.text


async def test_the_trail_of_a_fact_that_counts_shows_what_it_moved(
    doors: httpx.AsyncClient, admit: Admit, reader: dict[str, str], pool: Pool
) -> None:
    await admit(START)

    fact = await trail(doors, reader, "start")

    assert (fact["outcome"], fact["parked"], fact["occurred_on"]) == ("counted", None, "2026-03-01")
    assert fact["entries"] == [
        {"position": 1, "kind": "fact", "recorded_at": "2026-06-30T08:00:00Z", "parked": None},
    ]
    assert fact["histories"] == [
        {"kind": "person", "key": PERSON, "in_force": True},
        {"kind": "placement", "key": PLACEMENT, "in_force": True},
    ]
    assert len(fact["deltas"]) == await pool.fetchval("SELECT count(*) FROM delta")
    assert fact["why"]["en"] == f"A rule reads it; {len(fact['deltas'])} deltas."
    started = {
        "position": 1,
        "definition_version": 1,
        "key": PERSON,
        "contributor": PLACEMENT,
        "person": PERSON,
        "cohort": None,
        "date": "2026-03-01",
        "amount": "1",
    }
    assert [delta for delta in fact["deltas"] if started.items() <= delta.items()]
    assert [(member["id"], member["role"], member["in_force"]) for member in fact["chain"]] == [("start", "root", True)]


async def test_a_chain_says_who_stands_in_whose_place(
    doors: httpx.AsyncClient, admit: Admit, reader: dict[str, str]
) -> None:
    again = CHANGED | {"effective_hours_per_week": "10.50"}
    await admit(
        START,
        CHANGE,
        message("flexjob.hours_changed", "right", again, corrects="change"),
        message("flexjob.hours_changed", "wrong", again, corrects="change", time="2026-06-30T09:00:00Z"),
        retraction("undo", "wrong"),
    )
    change, right = await trail(doors, reader, "change"), await trail(doors, reader, "right")
    wrong, undo = await trail(doors, reader, "wrong"), await trail(doors, reader, "undo")

    assert [fact["outcome"] for fact in (change, right, wrong, undo)] == [
        "superseded",
        "counted",
        "retracted",
        "counted",
    ]
    assert change["why"] == {"da": "Erstattet af right.", "en": "Superseded by right."}
    assert right["why"]["en"].startswith("Holds in the place of change")
    assert wrong["why"]["en"] == "Retracted by undo."
    assert undo["why"]["en"].startswith("Retracted wrong")
    assert change["chain"] == right["chain"] == wrong["chain"] == undo["chain"]
    assert [(each["id"], each["position"], each["role"], each["target"]) for each in change["chain"]] == [
        ("change", 2, "root", None),
        ("right", 3, "correction", "change"),
        ("wrong", 4, "correction", "change"),
        ("undo", 5, "retraction", "wrong"),
    ]
    assert [each["id"] for each in change["chain"] if each["in_force"]] == ["right"]


async def test_a_correction_of_what_never_happened_says_so(
    doors: httpx.AsyncClient, admit: Admit, reader: dict[str, str]
) -> None:
    await admit(
        START,
        CHANGE,
        message("flexjob.hours_changed", "right", CHANGED, corrects="change"),
        retraction("undo", "change"),
    )

    assert (await trail(doors, reader, "change"))["why"]["en"] == "Retracted by undo."
    assert (await trail(doors, reader, "right"))["why"]["en"] == "change, which it corrects, was retracted by undo."


ROUND = message("flexjob.hours_changed", "b", CHANGED, corrects="a")
WAITING = {
    "change": (CHANGE, f"Waits for a flexjob.started in force for placement {PLACEMENT}."),
    "undo": (retraction("undo", "x"), "Waits for x of the same source, which has not come, or is parked."),
    "right": (
        message("flexjob.hours_changed", "right", CHANGED, corrects="start"),
        "start, which right corrects, is of another type.",
    ),
    "a": (message("flexjob.hours_changed", "a", CHANGED, corrects="b"), "Waits for b of the same source"),
}


@pytest.mark.parametrize("event_id", WAITING)
async def test_a_fact_that_waits_says_for_what(
    doors: httpx.AsyncClient, admit: Admit, reader: dict[str, str], event_id: str
) -> None:
    waits, why = WAITING[event_id]
    await admit(waits, *([] if event_id == "change" else [START]))

    fact = await trail(doors, reader, event_id)

    assert fact["outcome"] == "waiting"
    assert fact["why"]["en"].startswith(why)
    assert fact["deltas"] == []


async def test_corrections_in_a_circle_and_retractions_of_retractions_say_so(
    doors: httpx.AsyncClient, admit: Admit, reader: dict[str, str]
) -> None:
    await admit(message("flexjob.hours_changed", "a", CHANGED, corrects="b"), ROUND)
    await admit(retraction("undo", "nothing"), retraction("redo", "undo"))

    assert "circle" in (await trail(doors, reader, "a"))["why"]["en"]
    assert "itself a retraction" in (await trail(doors, reader, "redo"))["why"]["en"]


async def test_a_type_that_nobody_reads_says_so(doors: httpx.AsyncClient, admit: Admit, reader: dict[str, str]) -> None:
    await admit(message("pool.rules_adopted", "rules", RULES))

    fact = await trail(doors, reader, "rules")

    assert (fact["outcome"], fact["why"]["en"]) == ("out_of_scope", "No rule reads its type.")


async def test_a_parked_fact_says_why_and_what_was_tried(
    doors: httpx.AsyncClient, admit: Admit, reader: dict[str, str], pool: Pool, clock: str
) -> None:
    await admit(message("flexjob.invented", "unknown", {}))
    async with pool.acquire() as db, db.transaction():
        await parked.replay(db, DECISION, [1], measures=MEASURES, calendar=calendar_of(clock))
    tried = await trail(doors, reader, "unknown")
    async with pool.acquire() as db, db.transaction():
        await parked.discard(db, DECISION, 1, calendar=calendar_of(clock))
    given_up = await trail(doors, reader, "unknown")

    assert (tried["outcome"], tried["parked"]) == ("parked", "unknown_type")
    assert tried["why"]["en"].startswith("Parked because its type")
    assert [entry["kind"] for entry in given_up["entries"]] == ["fact", "replay", "discard"]
    assert "given up for good" in given_up["why"]["en"]
    assert (given_up["chain"], given_up["histories"], given_up["deltas"]) == ([], [], [])


async def test_a_fact_that_was_parked_counts_from_its_replay(
    doors: httpx.AsyncClient, admit: Admit, reader: dict[str, str], pool: Pool, clock: str
) -> None:
    broken = [replace(measure, rule=lambda _: 1 / 0) for measure in MEASURES]  # type: ignore[arg-type, return-value]
    batch = [Delivery(STREAM, 1, {}, START)]
    await ingest(pool, Stream("621", "flexjob_pool"), batch, measures=broken, calendar=calendar_of(clock))
    await admit(message("pool.rules_adopted", "rules", RULES))
    assert (await trail(doors, reader, "start"))["parked"] == "rule_error"

    async with pool.acquire() as db, db.transaction():
        await parked.replay(db, DECISION, [1], measures=MEASURES, calendar=calendar_of(clock))
    fact = await trail(doors, reader, "start")

    assert (fact["outcome"], fact["parked"]) == ("counted", None)
    assert [(entry["position"], entry["parked"]) for entry in fact["entries"]] == [(1, "rule_error"), (3, None)]
    assert {delta["position"] for delta in fact["deltas"]} == {member["position"] for member in fact["chain"]} == {3}


async def test_an_id_may_hold_any_printable_character(
    doors: httpx.AsyncClient, admit: Admit, reader: dict[str, str]
) -> None:
    for event_id in ("a/b", "a%2Fb", "a?b#c", "~!$&'()*+,;=:@", "...", "a//b", "/"):
        await admit(message("pool.rules_adopted", event_id, RULES))

        assert (await trail(doors, reader, event_id))["id"] == event_id


@pytest.mark.parametrize(
    "path", [f"{SOURCE}/nothing", "nowhere/start", f"{SOURCE}/{'x' * 4000}", f"{SOURCE}/%F0%9F%92%A9", f"{SOURCE}/%ff"]
)
async def test_an_unknown_fact_is_a_problem(
    doors: httpx.AsyncClient, admit: Admit, reader: dict[str, str], path: str
) -> None:
    await admit(START)

    problem = await read(doors, f"/v1/facts/{path}", reader, status=404)

    assert problem["type"] == "urn:kraftcenter:problem:unknown-fact"


async def test_the_trail_of_another_municipality_is_unknown(
    doors: httpx.AsyncClient, admit: Admit, issue: Issue, app: FastAPI
) -> None:
    await admit(START)
    app.state.settings = app.state.settings.model_copy(update={"municipalities": ("621", "751")})

    await read(doors, f"/v1/facts/{SOURCE}/start", await issue("ledger", municipality="751"), status=404)


async def test_who_read_a_trail_is_written_down(
    doors: httpx.AsyncClient, admit: Admit, reader: dict[str, str], pool: Pool
) -> None:
    await admit(START)
    await trail(doors, reader, "start")

    (note,) = await pool.fetch("SELECT municipality, actor, action, subject FROM audit")
    assert tuple(note.values()) == ("621", "test", "read_fact", f"{SOURCE}/start")


async def scrape(doors: httpx.AsyncClient) -> dict[tuple[str, ...], float]:
    text = (await doors.get("/metrics")).text
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_an_open_account_is_a_metric(doors: httpx.AsyncClient, admit: Admit, pool: Pool) -> None:
    await admit(START, heartbeat(1))
    assert (await scrape(doors))["impact_conservation_open_accounts", "621"] == 0

    await pool.execute("UPDATE lane SET deliveries = deliveries + 1")
    assert (await scrape(doors))["impact_conservation_open_accounts", "621"] == 1

    await admit(heartbeat(1).replace(b'"events": 1', b'"events": 5').replace(b":05Z", b":06Z"))
    assert (await scrape(doors))["impact_conservation_open_accounts", "621"] == 2


async def test_what_was_given_up_is_parked_no_longer_as_a_metric(
    doors: httpx.AsyncClient, admit: Admit, pool: Pool, clock: str
) -> None:
    await admit(message("flexjob.invented", "one", {}), message("flexjob.invented", "two", {}))
    assert (await scrape(doors))["impact_parked_facts", "621", "unknown_type"] == 2

    async with pool.acquire() as db, db.transaction():
        await parked.discard(db, DECISION, 1, calendar=calendar_of(clock))

    assert (await scrape(doors))["impact_parked_facts", "621", "unknown_type"] == 1
    assert (await scrape(doors))["impact_facts", "621", "parked", SOURCE] == 2


def test_the_document_tells_a_stranger(app: FastAPI) -> None:
    document = app.openapi()

    for path in (BALANCE, "/v1/facts/{source}/{event_id}"):
        operation = document["paths"][path]["get"]
        shown = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert document["components"]["schemas"][shown]["example"]
        assert all(parameter["description"] for parameter in operation["parameters"])
