"""Whatever is registered, corrected and retracted, in a row or at once: what holds of events, rows and money."""

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from itertools import groupby
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from flexjob_pool.domain.money import steps
from flexjob_pool.domain.rulebook import ASKS
from flexjob_pool.domain.story import tell
from flexjob_pool.retelling import retold
from flexjob_pool.store import decisions
from flexjob_pool.store.documents import document_of, names_of
from flexjob_pool.undo import correct, retract
from flexjob_pool.use_cases import Desk, register
from services.flexjob_pool.tests.domain.asking import (
    ANYTHING,
    GRANTS,
    HOURS,
    NEEDS,
    PERSONS,
    SOME_DAY,
    WISHES,
    beginning,
)

Act = Callable[[Desk], Awaitable[Any]]


def texts(values: Sequence[UUID]) -> st.SearchStrategy[str]:
    return st.sampled_from([str(value) for value in values])


# A value for every field that some ask has; which of them it is put over, the event decides.
VALUES = st.fixed_dictionaries(
    {
        "occurred_on": SOME_DAY.map(date.isoformat),
        "effective_hours_per_week": HOURS,
        "person_ref": texts(PERSONS),
        "grant_id": st.none() | texts(GRANTS),
        "need_id": st.none() | texts(NEEDS),
        "application_id": texts(WISHES),
        "amount_ore": st.integers(1, 300_000),
        "wage_ore": st.integers(1, 300_000),
        "months": st.sampled_from([6, 12]),
        "workplace_unit": st.sampled_from(["Aahaven", "Vej"]),
        "reason_code": st.sampled_from(["other", "pension", "not_used"]),
    }
)
STEPS = st.one_of(
    st.tuples(st.just("ask"), ANYTHING),
    st.tuples(st.just("correct"), st.tuples(st.integers(0, 999), VALUES)),
    st.tuples(st.just("retract"), st.integers(0, 999)),
)
STORIES = st.lists(st.tuples(st.integers(0, 60), st.lists(STEPS, min_size=2, max_size=3)), min_size=8, max_size=12)

# Every example empties the tables, so that the database of the test can serve them all.
on_one_database = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def tried(office: Any, acts: Sequence[Act]) -> None:
    """Perform all at once; refusals are part of the story, a deadlock never is."""

    def lenient(act: Act) -> Act:
        async def run(desk: Desk) -> Any:
            try:
                return await act(desk)
            except ValidationError:
                return None

        return run

    await office.race(*map(lenient, acts))


async def live(office: Any, story: Sequence[tuple[int, Sequence[tuple[str, Any]]]]) -> None:
    await office.wipe()
    for about, ask in beginning():
        await office.ask(about, ask)
    for days, steps_at_once in story:
        office.later(days)
        known = await office.pool.fetch("SELECT event_id, kind FROM event JOIN decision ON decision = position")
        await tried(office, [act_of(step, known) for step in steps_at_once])


def act_of(step: tuple[str, Any], known: Sequence[asyncpg.Record]) -> Act:
    match step:
        case "ask", (about, ask):
            return lambda desk: register(desk, about, ask)
        case "correct", (number, values):
            event_id, kind = known[number % len(known)]
            fields = sorted(values.keys() & ASKS[kind].model_fields.keys())
            value = {field: values[field] for field in fields[number % len(fields) :][:1]}
            return lambda desk: correct(desk, event_id, "late_information", value)
        case "retract", number:
            event_id, _ = known[number % len(known)]
            return lambda desk: retract(desk, event_id, "double_entry")
    raise AssertionError(step)


@on_one_database
@given(story=STORIES, chance=st.randoms(use_true_random=False))
async def test_a_reader_of_the_bus_in_any_order_comes_to_what_is_in_force_here(
    office: Any, story: list[Any], chance: Random
) -> None:
    await live(office, story)
    bodies = await office.told()
    chance.shuffle(bodies)

    read = Reader()
    for body in bodies:
        read.take(body)

    async with office.pool.acquire() as db:
        whole = await decisions.whole_story(db)
    here = {
        str(version.root_id): (str(version.event_id), version.event.model_dump(mode="json", exclude_none=True))
        for version in whole.versions
    }
    assert read.in_force() == here
    shown = await office.pool.fetch(f"{decisions.FIND} ORDER BY number")
    assert {str(row["root_id"]): str(row["event_id"]) for row in shown if row["in_force"]} == {
        root: event_id for root, (event_id, _) in here.items()
    }


class Reader:
    """A consumer that knows the contract alone: of a chain the latest correction by (time, id) holds, if any does."""

    def __init__(self) -> None:
        self.facts: dict[str, dict[str, Any]] = {}
        self.gone: set[str] = set()

    def take(self, body: dict[str, Any]) -> None:
        if body["type"] == "dk.kraftcenter.event.retracted.v1":
            self.gone.add(body["data"]["event_id"])
        else:
            self.facts[body["id"]] = body

    def root(self, body: dict[str, Any]) -> str:
        return self.root(self.facts[body["corrects"]]) if "corrects" in body else str(body["id"])

    def in_force(self) -> dict[str, tuple[str, dict[str, Any]]]:
        ordered = sorted(self.facts.values(), key=lambda one: (datetime.fromisoformat(one["time"]), one["id"]))
        held: dict[str, dict[str, Any]] = {}
        for body in sorted(ordered, key=lambda one: "corrects" in one):
            if body["id"] not in self.gone:
                held[self.root(body)] = body
        return {root: (body["id"], body["data"]) for root, body in held.items() if root not in self.gone}


@on_one_database
@given(story=STORIES)
async def test_events_rows_keys_and_movements_are_the_story_told_again(office: Any, story: list[Any]) -> None:
    await live(office, story)

    async with office.pool.acquire() as db:
        whole = await decisions.whole_story(db)
        from_events = await retold(db, "621")
    again = tell(whole.decisions, municipality="621", rules=whole.rules)

    rows = await office.pool.fetch("SELECT noun, key, state FROM resource")
    stored = {(row["noun"], row["key"]): row["state"] for row in rows}
    assert stored == {place: document_of(one) for place, one in again.resources.items()}
    assert stored == {place: document_of(one) for place, one in from_events.changed.items()}
    assert {version.decision for version in whole.versions} == {position for position, _ in again.events}
    keys = await office.pool.fetch("SELECT position, keys FROM decision")
    told = {row["position"]: set(row["keys"]) for row in keys if row["position"] in again.looked_at}
    assert told == {position: names_of(places) for position, places in again.looked_at.items()}
    moved = await office.pool.fetch("SELECT fiscal_year, occurred_on, amount_ore FROM movement")
    assert sorted(map(tuple, moved)) == sorted(step for one in again.resources.values() for step in steps(one))


@on_one_database
@given(story=STORIES)
async def test_no_day_of_a_year_is_overdrawn_and_what_happens_once_happened_once(office: Any, story: list[Any]) -> None:
    await live(office, story)

    moved = await office.pool.fetch("SELECT * FROM movement ORDER BY fiscal_year, occurred_on, amount_ore DESC")
    for _, of_year in groupby(moved, key=lambda row: row["fiscal_year"]):
        free = 0
        for _, of_day in groupby(of_year, key=lambda row: row["occurred_on"]):
            free += sum(row["amount_ore"] for row in of_day)
            assert free >= 0
    in_force = await office.pool.fetch("SELECT type, data FROM standing WHERE event_id = root_id")
    for types, key in (
        (("application.approved", "application.rejected", "application.withdrawn"), "application_id"),
        (("grant.released",), "grant_id"),
        (("flexjob.started",), "placement_id"),
        (("flexjob.ended",), "placement_id"),
        (("flexjob.review_due",), "review_id"),
        (("flexjob.review_held",), "review_id"),
    ):
        keys = [row["data"][key] for row in in_force if row["type"].split("kraftcenter.")[1][:-3] in types]
        assert len(set(keys)) == len(keys), types


async def test_the_outbox_holds_what_the_rows_hold(office: Any) -> None:
    placement_id, _ = await office.running_flexjob()
    rows = {str(row["event_id"]): row["data"] for row in await office.pool.fetch("SELECT event_id, data FROM event")}

    assert {body["id"]: body["data"] for body in await office.told()} == rows
    assert json.dumps(str(placement_id)) in json.dumps(rows)
