"""The door on the trail of one fact: what became of it and why, what it moved, and who may read it."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI

from chassis.calendar import calendar_of
from chassis.database import Pool
from contracts.streams import Stream
from impact import parked
from impact.ingest import ingest
from impact.ledger import Delivery
from services.impact.tests.doors.messages import (
    CHANGE,
    CHANGED,
    DECISION,
    MEASURES,
    PERSON,
    PLACEMENT,
    RULES,
    SOURCE,
    START,
    STREAM,
    message,
    read,
    retraction,
)
from services.impact.tests.doors.small_life import Admit, Issue


@pytest.fixture
async def reader(issue: Issue) -> dict[str, str]:
    """A token that may read the ledger, and exact figures about persons."""
    return await issue("ledger", "figures:exact")


async def trail(doors: httpx.AsyncClient, headers: dict[str, str], event_id: str) -> dict[str, Any]:
    return await read(doors, f"/v1/facts/{SOURCE}/{quote(event_id, safe='')}", headers)


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
