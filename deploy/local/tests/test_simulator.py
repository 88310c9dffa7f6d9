"""The driver, against doors that note what they are sent."""

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.actions.flexjobs import HoldReview, StartFlexjob
from local.actions.payroll import Message
from local.actions.undo import Correct, Retract
from local.plan.chance import DAYS
from local.plan.story import Year
from local.plan.towns import VEJLE
from local.plan.year import plan_year
from local.simulator import EVERY_SENT_TWICE, Office, Refused, live, set_clock

YEAR = plan_year(7, VEJLE, 12)
START = next(action for action in YEAR.actions if isinstance(action, StartFlexjob))
Answer = Callable[[httpx.Request], httpx.Response]


class Nothing:
    """What has nothing to wait for."""

    def __init__(self) -> None:
        self.days: list[date] = []
        self.heard = 0
        self.counts_after: list[date] = []

    async def over(self, day: date, *, payroll: bool) -> None:
        self.days.append(day)
        self.heard += payroll

    async def counted(self) -> None:
        self.counts_after.append(self.days[-1])


def taken(request: httpx.Request) -> httpx.Response:
    """What a door answers that takes everything."""
    if request.method == "GET":
        return httpx.Response(200, json={"items": [{"review_id": "the-review"}]})
    return httpx.Response(201, json={"event_ids": [f"event-of-{request.headers['Idempotency-Key']}"]})


def office(answer: Answer, *, year: Year = YEAR, waits: Nothing | None = None) -> Office:
    pool, gateway = (
        httpx.AsyncClient(base_url=f"http://{name}", transport=httpx.MockTransport(answer))
        for name in ("pool", "gateway")
    )
    return Office(year, pool, gateway, waits or Nothing())


async def test_every_action_is_sent_on_its_day_and_each_case_keeps_its_order(tmp_path: Path) -> None:
    clock, waits = tmp_path / "clock", Nothing()
    sent: list[tuple[date, httpx.Request]] = []

    def take(request: httpx.Request) -> httpx.Response:
        today = datetime.fromisoformat(clock.read_text().strip()).date()
        sent.append((today, request))
        return taken(request)

    one = office(take, waits=waits)
    looked_at = DAYS[30::60]
    lived = [day async for day in live([one], clock=clock, looked_at=looked_at)]

    posted = {request.headers["Idempotency-Key"]: day for day, request in sent if request.method == "POST"}
    assert tuple(lived) == DAYS == tuple(waits.days)
    assert tuple(waits.counts_after) == looked_at
    assert sorted(posted.values()) == [action.registered_on for action in YEAR.actions]
    assert set(one.events) == set(YEAR.actions)
    keys = {action: int(events[0].rpartition("-")[2]) for action, events in one.events.items()}
    assert all(keys[before] < keys[after] for case in YEAR.cases for before, after in pairwise(case))


async def test_payroll_speaks_to_the_gateway_and_everybody_else_to_the_pool(tmp_path: Path) -> None:
    heard: dict[str, list[Any]] = defaultdict(list)

    def take(request: httpx.Request) -> httpx.Response:
        heard[request.url.host].append(json.loads(request.content or "{}"))
        return taken(request)

    waits = Nothing()
    async for _ in live([office(take, waits=waits)], clock=tmp_path / "clock", looked_at=()):
        pass

    assert waits.heard == len({action.registered_on for action in YEAR.actions if isinstance(action, Message)})
    assert {event["source"] for event in heard["gateway"]} == {"urn:kraftcenter:630:sd_loen"}
    assert {event["type"] for event in heard["gateway"]} == {
        "dk.kraftcenter.payroll.working_time_changed.v1",
        "dk.kraftcenter.payroll.employment_ended.v1",
        "dk.kraftcenter.event.retracted.v1",
    }
    assert not any("specversion" in body for body in heard["pool"])


async def test_what_is_undone_is_named_by_the_event_that_it_became() -> None:
    paths: list[str] = []

    def take(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return taken(request)

    day = START.registered_on
    correction = Correct(registered_on=day, action=START, reason_code="late_information", values=(("retention", True),))
    one = office(take)
    for action in (START, correction, Retract(registered_on=day, action=correction, reason_code="never_happened")):
        await one.register(action)

    assert paths[1:] == [
        "/v1/events/event-of-action-1/corrections",
        "/v1/events/event-of-action-2/retraction",
    ]


@pytest.mark.parametrize(("kind", "named"), [("m30", "the-review"), ("early", None)])
async def test_a_review_that_was_called_for_is_named_by_its_id(kind: str, named: str | None) -> None:
    bodies: list[Any] = []

    def take(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content or "{}"))
        return taken(request)

    day = date(2025, 3, 3)
    review = HoldReview(
        registered_on=day,
        occurred_on=day,
        placement_id=START.placement_id,
        review_kind=kind,
        outcome_code="continues",
    )
    await office(take).register(review)

    assert bodies[-1].get("review_id") == named


async def test_a_request_sent_twice_must_get_the_same_answer() -> None:
    answers = iter(range(2 * EVERY_SENT_TWICE))
    one = office(lambda _: httpx.Response(201, json={"answer": next(answers)}))

    for _ in range(EVERY_SENT_TWICE - 1):
        await one.register(START)
    with pytest.raises(Refused, match="another answer"):
        await one.register(START)


async def test_a_refusal_ends_the_year_and_says_why() -> None:
    with pytest.raises(Refused, match=r"409: Puljen er brugt"):
        await office(lambda _: httpx.Response(409, text="Puljen er brugt")).register(YEAR.actions[0])


def test_a_message_is_an_event_with_an_identity_of_its_own() -> None:
    messages = [action for action in YEAR.actions if isinstance(action, Message)]
    events = [message.event("630") for message in messages]

    assert all(event["specversion"] == "1.0" for event in events)
    assert len({event["id"] for event in events}) < len(events), "one message comes twice"
    assert all(event["data"].get("reason_code") for event in events if "corrects" in event)  # type: ignore[union-attr]


def test_the_clock_holds_an_aware_instant_of_the_danish_day(tmp_path: Path) -> None:
    set_clock(tmp_path / "clock", date(2025, 7, 1))

    assert datetime.fromisoformat((tmp_path / "clock").read_text().strip()) == datetime(2025, 7, 1, 8, tzinfo=UTC)


def test_a_request_is_the_path_and_the_body_of_its_door() -> None:
    path, body = START.request()

    assert path == "/v1/flexjobs"
    assert body["occurred_on"] == START.occurred_on.isoformat()
    assert body["effective_hours_per_week"] == str(START.effective_hours_per_week)
    assert "registered_on" not in body
