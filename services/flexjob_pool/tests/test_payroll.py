"""Payroll from the gateway's stream to the flexjob's hours and the pool's own events, on real servers."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import nats
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nats.js import JetStreamContext

from chassis import inbox
from chassis.calendar import calendar_of
from chassis.database import Pool
from chassis.wire import Sealed, read, seal
from contracts.event import Event
from contracts.payroll import EmploymentEnded, WorkingTimeChanged
from contracts.platform import EventRetracted
from contracts.streams import Stream
from flexjob_pool.at_the_doors import register
from flexjob_pool.domain.flexjobs import Flexjob
from flexjob_pool.payroll import take
from flexjob_pool.requests.flexjobs import ChangeHours, StartFlexjob
from flexjob_pool.retelling import retold
from flexjob_pool.store import lists
from flexjob_pool.store import payroll as store
from flexjob_pool.sweep import Sweep
from flexjob_pool.use_cases import Desk, at_a_desk
from local.fixtures import Templates
from local.nats import NatsServer
from local.postgres import OwnPostgres, postgres_for
from local.waiting import until

STREAM = Stream("621", "gateway").name
DURABLE = "flexjob_pool"
PERSON, EMPLOYMENT, PLACEMENT = uuid4(), uuid4(), uuid4()
FLEXJOB = {
    "placement_id": str(PLACEMENT),
    "occurred_on": "2026-01-01",
    "person_ref": str(PERSON),
    "department": "Senior",
    "workplace_unit": "Aahaven",
    "attendance_hours_per_week": "12",
    "effective_hours_per_week": "10",
    "grant_term": "temporary_5y",
    "retention": False,
    "scheme": "post2013",
}


def paid(first: str, rate: str, end: str | None = None, **other: UUID | str) -> WorkingTimeChanged:
    """A working time of the employment; 0.5 of full time is 18.5 hours."""
    who: dict[str, Any] = {"employment_ref": EMPLOYMENT, "placement_id": PLACEMENT, "person_ref": PERSON}
    return WorkingTimeChanged(
        occurred_on=date.fromisoformat(first),
        ends_on=date.fromisoformat(end) if end else None,
        occupation_rate=Decimal(rate),
        **(who | other),
    )


def ended(day: str, **other: UUID | str) -> EmploymentEnded:
    who: dict[str, Any] = {"employment_ref": EMPLOYMENT, "placement_id": PLACEMENT, "person_ref": PERSON}
    return EmploymentEnded(occurred_on=date.fromisoformat(day), **(who | other))


def never(event_id: str) -> EventRetracted:
    return EventRetracted(event_id=event_id, reason_code="never_happened")


def sealed(id: str, event: Event, *, at: int, corrects: str | None = None) -> Sealed:  # noqa: A002
    """A message as the gateway publishes it."""
    return seal(
        event.model_copy(update={"reason_code": "registration_error"}) if corrects else event,
        municipality="621",
        producer="gateway",
        source="urn:kraftcenter:621:sd_loen",
        id=id,
        time=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=at),
        corrects=corrects,
    )


class PayrollSystem:
    """What SD Løn's messages look like once the gateway has admitted them, and what came of them."""

    def __init__(self, jetstream: JetStreamContext, doors: httpx.AsyncClient, pool: Pool) -> None:
        self.jetstream = jetstream
        self.doors = doors
        self.pool = pool

    async def tell(self, id: str, event: Event, *, at: int, corrects: str | None = None) -> None:  # noqa: A002
        """Publish an event that payroll registered `at` so many minutes past midnight."""
        message = sealed(id, event, at=at, corrects=corrects)
        await self.jetstream.publish(message.nats_subject, message.body)

    async def told(self) -> None:
        """Wait until all of it is taken in."""

        async def idle() -> bool:
            info = await self.jetstream.consumer_info(STREAM, DURABLE)
            return not info.num_pending and not info.num_ack_pending

        await until(idle)

    async def post(self, path: str, body: object) -> httpx.Response:
        return await self.doors.post(
            path, json=body, headers={"Idempotency-Key": str(uuid4()), "Accept-Language": "en"}
        )

    async def done(self, path: str, body: object) -> dict[str, Any]:
        answer = await self.post(path, body)
        assert answer.status_code == 201, answer.text
        resource: dict[str, Any] = answer.json()
        return resource

    async def start(self, **other: object) -> dict[str, Any]:
        return await self.done("/v1/flexjobs", FLEXJOB | other)

    async def shown(self, path: str) -> dict[str, Any]:
        answer = await self.doors.get(path)
        assert answer.status_code == 200, answer.text
        resource: dict[str, Any] = answer.json()
        return resource

    async def employment(self, employment: UUID = EMPLOYMENT) -> dict[str, Any]:
        return await self.shown(f"/v1/payroll/employments/{employment}")

    async def why(self, employment: UUID = EMPLOYMENT) -> tuple[str, list[tuple[str, str | None]]]:
        shown = await self.employment(employment)
        return shown["status"], [(reason["code"], reason["event_id"]) for reason in shown["why"]]

    async def hours(self, placement: object = PLACEMENT) -> list[tuple[str, str]]:
        """The effective hours of the flexjob, by the day from which they hold."""
        flexjob = await self.shown(f"/v1/flexjobs/{placement}")
        return [(step["occurred_on"], step["effective_hours_per_week"]) for step in flexjob["hours"]]

    async def emitted(self) -> list[dict[str, Any]]:
        """What the pool told because of payroll, in order."""
        rows = await self.pool.fetch("SELECT body FROM outbox ORDER BY position")
        events = [json.loads(row["body"]) for row in rows]
        return [event for event in events if event.get("causationid")]

    async def books(self) -> None:
        """The inbox's counters and rows agree, and resources are what events tell."""
        async with self.pool.acquire() as db:
            assert await inbox.differences(db) == []
            for resource in (await retold(db, "621")).changed.values():
                assert await lists.find(db, resource.noun, resource.key) == resource


@pytest.fixture
def templates(request: pytest.FixtureRequest, templates: Templates) -> Templates:
    """Those of a server that a test may kill where it has one of its own."""
    own = "own_postgres" in request.fixturenames
    return Templates(request.getfixturevalue("own_postgres")) if own else templates


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[OwnPostgres]:
    server = postgres_for(tmp_path / "postgres")
    if not isinstance(server, OwnPostgres):
        pytest.skip("a server that others run is not killed")
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def payroll(nats_server: NatsServer, doors: httpx.AsyncClient, pool: Pool) -> AsyncIterator[PayrollSystem]:
    async with await nats.connect(nats_server.url) as client:
        system = PayrollSystem(client.jetstream(), doors, pool)
        yield system
        await system.books()


def set_clock(clock: str, instant: str) -> None:
    Path(clock.removeprefix("file:")).write_text(instant)


def of(event: dict[str, Any]) -> tuple[Any, ...]:
    """An event of the pool in short: type, date, hours, and the event of payroll that it follows from."""
    kind = event["type"].removeprefix("dk.kraftcenter.").removesuffix(".v1")
    data = event["data"]
    return kind, data.get("occurred_on"), data.get("effective_hours_per_week"), event["causationid"]


async def test_a_working_time_changes_hours_from_its_day_and_an_end_ends_the_flexjob(payroll: PayrollSystem) -> None:
    await payroll.start()
    await payroll.tell("up", paid("2026-02-01", "0.5"), at=1)
    await payroll.tell("end", ended("2026-06-01"), at=2)
    await payroll.told()

    assert await payroll.hours() == [("2026-01-01", "10.00"), ("2026-02-01", "18.50")]
    flexjob = await payroll.shown(f"/v1/flexjobs/{PLACEMENT}")
    assert (flexjob["ended_on"], flexjob["ended_by"], flexjob["reason_code"]) == (
        "2026-06-01",
        str(EMPLOYMENT),
        "not_stated",
    )
    changed, over = await payroll.emitted()
    assert of(changed) == ("flexjob.hours_changed", "2026-02-01", "18.50", "up")
    assert (changed["data"]["cause"], changed["data"]["attendance_hours_per_week"]) == ("not_stated", "18.50")
    assert "employment_ref" not in changed["data"]
    assert of(over) == ("flexjob.ended", "2026-06-01", None, "end")
    assert await payroll.why() == ("applied", [])


async def test_late_intervals_take_the_place_that_they_would_have_had_in_time(payroll: PayrollSystem) -> None:
    await payroll.start()
    await payroll.tell("new", paid("2026-02-15", "0.5"), at=2)
    await payroll.tell("old", paid("2026-02-01", "0.4"), at=1)
    await payroll.told()
    assert await payroll.hours() == [("2026-01-01", "10.00"), ("2026-02-01", "14.80"), ("2026-02-15", "18.50")]


async def test_a_repeated_message_changes_nothing_and_another_body_under_its_id_is_kept_as_a_conflict(
    payroll: PayrollSystem,
) -> None:
    await payroll.start()
    for rate in ("0.5", "0.5", "0.4"):
        await payroll.tell("same-id", paid("2026-02-01", rate), at=1)
    await payroll.told()
    assert await payroll.hours() == [("2026-01-01", "10.00"), ("2026-02-01", "18.50")]
    assert len(await payroll.emitted()) == 1
    metrics = (await payroll.doors.get("/metrics")).text
    for outcome, number in {"applied": 1, "duplicate": 1, "conflict": 1}.items():
        assert f'inbox_events{{outcome="{outcome}",stream="{STREAM}"}} {number}.0' in metrics


async def test_what_contradicts_the_flexjob_is_kept_and_shown_and_the_rest_holds(payroll: PayrollSystem) -> None:
    await payroll.start()
    await payroll.tell("right", paid("2026-02-01", "0.5"), at=1)
    await payroll.tell("wrong-person", paid("2026-03-01", "0.4", person_ref=uuid4()), at=2)
    await payroll.tell("before", paid("2025-12-01", "0.4", "2026-01-15"), at=3)
    await payroll.told()
    assert await payroll.hours() == [("2026-01-01", "10.00"), ("2026-02-01", "18.50")]
    status, why = await payroll.why()
    assert status == "differs"
    assert sorted(why) == [("another-person", "wrong-person"), ("outside-flexjob", "before")]
    differing = await payroll.shown("/v1/payroll/employments?status=differs")
    assert [item["employment_ref"] for item in differing["items"]] == [str(EMPLOYMENT)]
    assert 'payroll_employments{status="differs"} 1.0' in (await payroll.doors.get("/metrics")).text


async def test_a_future_dated_interval_is_registered_at_once_and_its_end_lets_the_doors_hours_hold_again(
    payroll: PayrollSystem,
) -> None:
    await payroll.start()
    await payroll.tell("summer", paid("2026-07-01", "0.5", "2026-09-01"), at=1)
    await payroll.told()
    assert await payroll.hours() == [("2026-01-01", "10.00"), ("2026-07-01", "18.50"), ("2026-09-01", "10.00")]


async def test_what_is_too_far_ahead_waits_for_its_day(payroll: PayrollSystem, clock: str) -> None:
    await payroll.start()
    await payroll.tell("far", paid("2028-03-03", "0.5"), at=1)
    await payroll.told()
    assert await payroll.why() == ("differs", [("too-far-ahead", "far")])

    set_clock(clock, "2026-03-03T08:00:00Z")
    await Sweep("621", calendar_of(clock), every=1).sweep(payroll.pool)
    assert await payroll.hours() == [("2026-01-01", "10.00"), ("2028-03-03", "18.50")]
    assert await payroll.why() == ("applied", [])


async def test_a_correction_of_payroll_is_a_correction_of_the_pool(payroll: PayrollSystem) -> None:
    await payroll.start()
    await payroll.tell("root", paid("2026-02-01", "0.5"), at=1)
    await payroll.tell("better", paid("2026-02-01", "0.4"), at=2, corrects="root")
    await payroll.told()
    assert await payroll.hours() == [("2026-01-01", "10.00"), ("2026-02-01", "14.80")]
    first, second = await payroll.emitted()
    assert second["corrects"] == first["id"]
    assert of(second) == ("flexjob.hours_changed", "2026-02-01", "14.80", "better")
    assert second["data"]["reason_code"] == "late_information"
    shown = await payroll.employment()
    assert [(told["event_id"], told["standing"]) for told in shown["intervals"]] == [
        ("root", "superseded"),
        ("better", "in_force"),
    ]


async def test_a_retraction_that_comes_before_what_it_retracts_leaves_nothing(payroll: PayrollSystem) -> None:
    await payroll.start()
    await payroll.tell("gone", never("root"), at=2)
    await payroll.tell("root", paid("2026-02-01", "0.5"), at=1)
    await payroll.told()
    assert await payroll.hours() == [("2026-01-01", "10.00")]
    assert await payroll.emitted() == []
    assert await payroll.why() == ("not_in_force", [])


async def test_a_retraction_takes_back_what_was_registered(payroll: PayrollSystem) -> None:
    await payroll.start()
    await payroll.tell("root", paid("2026-02-01", "0.5"), at=1)
    await payroll.tell("end", ended("2026-06-01"), at=2)
    await payroll.tell("gone", never("root"), at=3)
    await payroll.tell("on", never("end"), at=4)
    await payroll.told()
    assert await payroll.hours() == [("2026-01-01", "10.00")]
    changed, over, *back = await payroll.emitted()
    assert [(event["data"]["event_id"], event["causationid"]) for event in back] == [
        (changed["id"], "gone"),
        (over["id"], "on"),
    ]
    assert (await payroll.shown(f"/v1/flexjobs/{PLACEMENT}"))["status"] == "running"


async def test_an_unknown_employment_is_shown_and_taken_up_when_its_flexjob_starts(payroll: PayrollSystem) -> None:
    await payroll.tell("early", paid("2026-02-01", "0.5"), at=1)
    await payroll.told()
    assert await payroll.why() == ("unknown", [("flexjob-unknown", None)])
    assert 'payroll_employments{status="unknown"} 1.0' in (await payroll.doors.get("/metrics")).text

    started = await payroll.start()
    assert [step["effective_hours_per_week"] for step in started["hours"]] == ["10.00", "18.50"]
    (changed,) = await payroll.emitted()
    assert started["event_ids"][-1] == changed["id"]
    assert of(changed) == ("flexjob.hours_changed", "2026-02-01", "18.50", "early")
    assert await payroll.why() == ("applied", [])


async def test_an_employment_under_a_wrong_placement_id_is_matched_by_a_caseworker(payroll: PayrollSystem) -> None:
    await payroll.start()
    await payroll.tell("wrong-id", paid("2026-02-01", "0.5", placement_id=uuid4()), at=1)
    await payroll.told()
    assert (await payroll.why())[0] == "unknown"

    match = f"/v1/payroll/employments/{EMPLOYMENT}/match"
    matched = await payroll.done(match, {"placement_id": str(PLACEMENT)})
    assert (matched["status"], matched["matched"], len(matched["event_ids"])) == ("applied", True, 1)
    assert await payroll.hours() == [("2026-01-01", "10.00"), ("2026-02-01", "18.50")]

    await payroll.tell("wrong-again", paid("2026-04-01", "0.4", placement_id=uuid4()), at=2)
    await payroll.told()
    assert (await payroll.hours())[-1] == ("2026-04-01", "14.80")


async def test_a_second_match_moves_everything_to_the_right_flexjob(payroll: PayrollSystem) -> None:
    other = uuid4()
    await payroll.start()
    await payroll.start(placement_id=str(other))
    await payroll.tell("up", paid("2026-02-01", "0.5"), at=1)
    await payroll.told()
    await payroll.done(f"/v1/payroll/employments/{EMPLOYMENT}/match", {"placement_id": str(other)})
    assert await payroll.hours() == [("2026-01-01", "10.00")]
    assert await payroll.hours(other) == [("2026-01-01", "10.00"), ("2026-02-01", "18.50")]


async def test_a_match_with_what_cannot_be_the_flexjob_is_refused(payroll: PayrollSystem) -> None:
    stranger = str(uuid4())
    await payroll.start(placement_id=stranger, person_ref=str(uuid4()))
    await payroll.tell("one", paid("2026-02-01", "0.5"), at=1)
    await payroll.told()
    match = f"/v1/payroll/employments/{EMPLOYMENT}/match"
    for placement, problem in ((stranger, "another-person"), (str(uuid4()), "flexjob-unknown")):
        answer = await payroll.post(match, {"placement_id": placement})
        assert answer.status_code == 422
        assert answer.json()["type"] == f"urn:kraftcenter:problem:{problem}"
        assert answer.json()["errors"][0]["pointer"] == "/placement_id"
    nobody = await payroll.post(f"/v1/payroll/employments/{uuid4()}/match", {"placement_id": stranger})
    assert nobody.status_code == 404


async def test_hours_that_a_caseworker_registers_from_the_same_day_take_over(payroll: PayrollSystem) -> None:
    await payroll.start()
    await payroll.tell("up", paid("2026-02-01", "0.5"), at=1)
    await payroll.told()
    hours = {"attendance_hours_per_week": "15", "effective_hours_per_week": "15", "cause": "capacity_up"}
    changed = await payroll.done(f"/v1/flexjobs/{PLACEMENT}/hours-changes", hours | {"occurred_on": "2026-02-01"})
    assert await payroll.hours() == [("2026-01-01", "10.00"), ("2026-02-01", "15.00")]
    assert len(changed["event_ids"]) == 2
    assert await payroll.why() == ("differs", [("other-hours-registered", "up")])

    await payroll.done(f"/v1/events/{changed['event_ids'][0]}/retraction", {"reason_code": "never_happened"})
    assert await payroll.hours() == [("2026-01-01", "10.00"), ("2026-02-01", "18.50")]
    assert await payroll.why() == ("applied", [])


async def test_an_end_that_a_caseworker_registers_takes_over_from_payrolls(payroll: PayrollSystem) -> None:
    await payroll.start()
    await payroll.tell("end", ended("2026-06-01"), at=1)
    await payroll.told()
    over = await payroll.done(
        f"/v1/flexjobs/{PLACEMENT}/end", {"occurred_on": "2026-06-01", "reason_code": "ordinary_job"}
    )
    assert (over["ended_on"], over["ended_by"], over["reason_code"]) == ("2026-06-01", None, "ordinary_job")
    assert await payroll.why() == ("applied", [])
    ends = [event for event in await payroll.emitted() if event["type"].endswith("event.retracted.v1")]
    assert len(ends) == 1, "payroll's own end is taken back"


async def test_what_payroll_registered_is_corrected_in_payroll_alone(payroll: PayrollSystem) -> None:
    await payroll.start()
    await payroll.tell("up", paid("2026-02-01", "0.5"), at=1)
    await payroll.told()
    (changed,) = await payroll.emitted()
    event = f"/v1/events/{changed['id']}"
    corrected = await payroll.post(
        f"{event}/corrections", {"reason_code": "registration_error", "values": {"occurred_on": "2026-02-02"}}
    )
    retracted = await payroll.post(f"{event}/retraction", {"reason_code": "never_happened"})
    for answer in (corrected, retracted):
        assert answer.status_code == 409
        assert answer.json()["type"] == "urn:kraftcenter:problem:follows-from-payroll"


async def test_a_caseworker_states_the_cause_that_payroll_does_not_know_and_it_stays(payroll: PayrollSystem) -> None:
    await payroll.start()
    await payroll.tell("up", paid("2026-02-01", "0.5"), at=1)
    await payroll.told()
    (changed,) = await payroll.emitted()
    stated = {"reason_code": "late_information", "values": {"cause": "capacity_up"}}
    await payroll.done(f"/v1/events/{changed['id']}/corrections", stated)
    await payroll.tell("better", paid("2026-02-01", "0.4"), at=2, corrects="up")
    await payroll.told()
    flexjob = await payroll.shown(f"/v1/flexjobs/{PLACEMENT}")
    assert [(step["effective_hours_per_week"], step["cause"]) for step in flexjob["hours"]] == [
        ("10.00", None),
        ("14.80", "capacity_up"),
    ]


async def test_payrolls_registrations_follow_the_flexjob_when_its_start_is_corrected_or_retracted(
    payroll: PayrollSystem,
) -> None:
    started = await payroll.start()
    await payroll.tell("up", paid("2026-02-01", "0.5"), at=1)
    await payroll.told()
    event = f"/v1/events/{started['event_ids'][0]}"
    later = {"reason_code": "registration_error", "values": {"occurred_on": "2026-02-15"}}
    await payroll.done(f"{event}/corrections", later)
    assert await payroll.hours() == [("2026-02-15", "10.00")]
    assert await payroll.why() == ("differs", [("outside-flexjob", "up")])

    again = {"reason_code": "registration_error", "values": {"occurred_on": "2026-01-15"}}
    await payroll.done(f"{event}/corrections", again)
    assert await payroll.hours() == [("2026-01-15", "10.00"), ("2026-02-01", "18.50")]

    await payroll.done(f"{event}/retraction", {"reason_code": "double_entry"})
    assert (await payroll.doors.get(f"/v1/flexjobs/{PLACEMENT}")).status_code == 404
    assert await payroll.why() == ("unknown", [("flexjob-unknown", None)])


async def test_what_the_rules_refuse_is_kept_with_its_reason_and_tried_again(payroll: PayrollSystem) -> None:
    rules = {"refund_share": "0.5", "eligible_units": ["Senior"], "occurred_on": "2026-01-01"}
    await payroll.done("/v1/rules", rules)
    budget = {"occurred_on": "2026-01-01", "fiscal_year": 2026, "amount_ore": 100_000}
    budget_id = (await payroll.done("/v1/budgets", budget))["budget_id"]
    grant_id = await granted(payroll, amount_ore=100_000)
    await payroll.start(grant_id=grant_id)
    await payroll.tell("end", ended("2026-02-01"), at=1)
    await payroll.told()
    # What the end gave back is spent on another, so that the flexjob cannot go on.
    await granted(payroll, amount_ore=80_000)
    await payroll.tell("on", never("end"), at=2)
    await payroll.told()
    assert await payroll.why() == ("refused", [("budget-exceeded", None)])
    assert (await payroll.shown(f"/v1/flexjobs/{PLACEMENT}"))["ended_on"] == "2026-02-01"

    await payroll.done(f"/v1/budgets/{budget_id}/adjustments", {"occurred_on": "2026-01-01", "amount_ore": 300_000})
    assert await payroll.why() == ("not_in_force", [])
    assert (await payroll.shown(f"/v1/flexjobs/{PLACEMENT}"))["status"] == "running"


async def test_an_end_that_takes_over_needs_no_money_that_payrolls_end_gave_back(payroll: PayrollSystem) -> None:
    rules = {"refund_share": "0.5", "eligible_units": ["Senior"], "occurred_on": "2026-01-01"}
    await payroll.done("/v1/rules", rules)
    await payroll.done("/v1/budgets", {"occurred_on": "2026-01-01", "fiscal_year": 2026, "amount_ore": 100_000})
    grant_id = await granted(payroll, amount_ore=100_000)
    await payroll.start(grant_id=grant_id)
    await payroll.tell("end", ended("2026-02-01"), at=1)
    await payroll.told()
    released = await payroll.shown(f"/v1/grants/{grant_id}")
    await granted(payroll, amount_ore=90_000)

    await payroll.done(f"/v1/flexjobs/{PLACEMENT}/end", {"occurred_on": "2026-02-01", "reason_code": "resigned"})
    assert await payroll.shown(f"/v1/grants/{grant_id}") == released
    assert await payroll.why() == ("applied", [])


async def granted(payroll: PayrollSystem, *, amount_ore: int) -> str:
    """A grant over the year."""
    asked = {
        "occurred_on": "2026-01-01",
        "department": "Senior",
        "workplace_unit": "Aahaven",
        "effective_hours_per_week": "10",
        "months": 12,
        "amount_ore": amount_ore,
    }
    application_id = (await payroll.done("/v1/applications", asked))["application_id"]
    await payroll.done(f"/v1/applications/{application_id}/approve", {"occurred_on": "2026-01-01"})
    period = {"period_from": "2026-01-01", "period_to": "2027-01-01", "occurred_on": "2026-02-01"}
    grant = await payroll.done("/v1/grants", {"application_id": application_id} | period)
    return str(grant["grant_id"])


async def test_the_database_is_killed_in_the_middle_and_nothing_is_lost_or_done_twice(
    own_postgres: OwnPostgres, payroll: PayrollSystem
) -> None:
    await payroll.start()
    rates = ["0.4", "0.5"] * 10
    for number, rate in enumerate(rates):
        day = date(2026, 2, 1) + timedelta(days=number)
        await payroll.tell(f"step-{number}", paid(day.isoformat(), rate), at=number)
        if number == len(rates) // 2:
            own_postgres.kill()
    own_postgres.start()
    await payroll.told()
    assert [effective for _, effective in await payroll.hours()] == ["10.00", *["14.80", "18.50"] * 10]
    assert [event["causationid"] for event in await payroll.emitted()] == [f"step-{each}" for each in range(20)]


Step = Callable[[Desk], Awaitable[object]]
START = StartFlexjob.model_validate({name: value for name, value in FLEXJOB.items() if name != "placement_id"})


def message(id: str, event: Event, *, at: int, corrects: str | None = None) -> Step:  # noqa: A002
    reading = read(sealed(id, event, at=at, corrects=corrects).body)
    return lambda desk: take(desk.db, reading, municipality=desk.municipality, calendar=desk.calendar)


async def test_a_message_and_the_start_of_its_flexjob_at_the_same_time_never_miss_each_other(
    pool: Pool, clock: str
) -> None:
    async def starting(placement: UUID, desk: Desk) -> object:
        return await register(desk, placement, START)

    async def at_once(barrier: asyncio.Barrier, step: Step) -> None:
        async with pool.acquire() as db:
            await barrier.wait()
            await at_a_desk(db, "621", calendar_of(clock), step)

    for number in range(10):
        employment, placement, barrier = uuid4(), uuid4(), asyncio.Barrier(2)
        event = paid("2026-02-01", "0.5", employment_ref=employment, placement_id=placement)
        await asyncio.gather(
            at_once(barrier, message(f"race-{number}", event, at=1)),
            at_once(barrier, partial(starting, placement)),
        )
        async with pool.acquire() as db:
            flexjob = await lists.find(db, Flexjob.noun, str(placement))
            assert isinstance(flexjob, Flexjob)
            assert [step.employment_ref for step in flexjob.hours] == [None, employment]
            assert (await store.outcomes(db, [employment]))[employment].status == "applied"


OTHER = uuid4()
CHANGE = ChangeHours.model_validate(
    {
        "occurred_on": "2026-03-15",
        "attendance_hours_per_week": "12",
        "effective_hours_per_week": "11",
        "cause": "task_match",
    }
)
STORY: list[Step] = [
    lambda desk: register(desk, PLACEMENT, START),
    lambda desk: register(desk, PLACEMENT, CHANGE),
    message("below", paid("2026-02-01", "0.5"), at=1),
    message("above", paid("2026-02-15", "0.4", "2026-04-01"), at=2),
    message("better", paid("2026-02-15", "0.3", "2026-04-15"), at=9, corrects="above"),
    message("worse", paid("2026-02-15", "0.9"), at=10, corrects="better"),
    message("not-worse", never("worse"), at=11),
    message("mistaken", paid("2026-02-20", "0.6"), at=3),
    message("gone", never("mistaken"), at=12),
    message("end", ended("2026-05-01"), at=4),
    message("later", ended("2026-06-01"), at=13, corrects="end"),
    message("someone-else", paid("2026-02-25", "0.7", person_ref=uuid4()), at=5),
    message("second-employment", paid("2026-03-01", "0.8", employment_ref=OTHER), at=6),
]


async def came_to(desk: Desk) -> object:
    """The flexjob as it stands, and what became of the employments."""
    flexjob = await lists.find(desk.db, Flexjob.noun, str(PLACEMENT))
    assert isinstance(flexjob, Flexjob)
    outcomes = await store.outcomes(desk.db, [EMPLOYMENT, OTHER])
    return flexjob.hours, flexjob.ended_on, flexjob.ended_by, outcomes


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(1, len(STORY))), start=st.integers(0, len(STORY) - 2))
async def test_in_any_order_the_flexjob_comes_to_the_same(
    pool: Pool, clock: str, order: Sequence[int], start: int
) -> None:
    """The flexjob starts somewhere among the messages; what a caseworker changes comes after that."""
    steps = [STORY[number] for number in order]
    position = min(start, steps.index(STORY[1]))
    results = []
    for told in (STORY, [*steps[:position], STORY[0], *steps[position:]]):
        async with pool.acquire() as db:
            transaction = db.transaction()
            await transaction.start()
            for act in (*told, came_to):
                came = await at_a_desk(db, "621", calendar_of(clock), act)
            results.append(came)
            await transaction.rollback()
    assert results[0] == results[1]
