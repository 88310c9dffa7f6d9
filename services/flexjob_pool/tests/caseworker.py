"""What a caseworker would send: a good request for every door, and of every noun something to ask about."""

import copy
from typing import Any
from uuid import uuid4

import httpx

from chassis.database import Pool

PERSON = str(uuid4())
CPR = "0101651234"
RULES = {
    "occurred_on": "2026-01-01",
    "refund_share": "0.5",
    "max_weekly_effective_hours": "20",
    "max_months": 12,
    "eligible_units": ["Senior"],
}
BUDGET = {"occurred_on": "2026-01-01", "fiscal_year": 2026, "amount_ore": 100_000}
APPLICATION = {
    "occurred_on": "2026-01-10",
    "department": "Senior",
    "workplace_unit": "Plejecenter-Åhaven",
    "effective_hours_per_week": "8",
    "months": 12,
    "amount_ore": 26_000,
}
FLEXJOB = {
    "occurred_on": "2026-03-01",
    "person_ref": PERSON,
    "department": "Senior",
    "workplace_unit": "Plejecenter-Åhaven",
    "attendance_hours_per_week": "12",
    "effective_hours_per_week": "8.00",
    "grant_term": "temporary_5y",
    "retention": False,
    "scheme": "post2013",
}
HOURS = {
    "occurred_on": "2026-04-01",
    "attendance_hours_per_week": "14",
    "effective_hours_per_week": "12.5",
    "cause": "capacity_up",
}
END = {"occurred_on": "2026-06-01", "reason_code": "ordinary_job"}
NEED = {
    "occurred_on": "2026-01-02",
    "department": "Senior",
    "workplace_unit": "Plejecenter-Åhaven",
    "task_codes": ["care", "kitchen"],
    "effective_hours_per_week_from": "4",
    "effective_hours_per_week_to": "8",
}
REQUEST = {"occurred_on": "2026-01-05", "from_municipality": "621", "to_municipality": "630"}
SNAPSHOT = {
    "occurred_on": "2026-01-31",
    "department": "Børn",
    "headcount": 20,
    "fte": "17.5",
    "trainee_headcount": 2,
    "wage_subsidy_headcount": 1,
}
DAY = {"occurred_on": "2026-01-20"}
PERIOD = {"period_from": "2026-03-01", "period_to": "2026-12-01"}
UNIT = {"department": "Teknik", "workplace_unit": "Vej"}
DOORS: dict[str, tuple[str, dict[str, Any]]] = {
    "rules": ("/v1/rules", RULES),
    "budgets": ("/v1/budgets", BUDGET),
    "adjust-budget": ("/v1/budgets/{budget}/adjustments", {**DAY, "amount_ore": 200_000}),
    "needs": ("/v1/needs", NEED),
    "withdraw-need": ("/v1/needs/{need}/withdraw", {**DAY, "reason_code": "tasks_gone"}),
    "candidates": ("/v1/needs/{need}/candidates", {**DAY, "person_ref": PERSON}),
    "applications": ("/v1/applications", APPLICATION),
    "approve": ("/v1/applications/{submitted}/approve", DAY),
    "reject": ("/v1/applications/{submitted}/reject", {**DAY, "reject_code": "no_match"}),
    "withdraw-application": ("/v1/applications/{submitted}/withdraw", DAY),
    "annul": ("/v1/applications/{approved}/annul-approval", {**DAY, "reason_code": "not_used"}),
    "grants": ("/v1/grants", {"occurred_on": "2026-01-21", "application_id": "{approved}", **PERIOD}),
    "adjust-grant": ("/v1/grants/{grant}/adjustments", {"occurred_on": "2026-02-01", "amount_ore": 900, **PERIOD}),
    "release": ("/v1/grants/{grant}/release", {"occurred_on": "2026-02-01"}),
    "refunds": (
        "/v1/refunds",
        {"occurred_on": "2026-04-01", "grant_id": "{grant}", "payroll_month": "2026-03", "wage_ore": 801},
    ),
    "reverse": ("/v1/refunds/{refund}/reverse", {"occurred_on": "2026-05-01", "reason_code": "posted_twice"}),
    "flexjobs": ("/v1/flexjobs", FLEXJOB),
    "hours-changes": ("/v1/flexjobs/{placement}/hours-changes", HOURS),
    "transfers": ("/v1/flexjobs/{placement}/transfers", {"occurred_on": "2026-04-01", **UNIT}),
    "steps": (
        "/v1/flexjobs/{placement}/development-steps",
        {"occurred_on": "2026-04-01", "step_code": "course", "hours": "7.5"},
    ),
    "reviews": (
        "/v1/flexjobs/{placement}/reviews",
        {"occurred_on": "2026-04-01", "review_kind": "early", "outcome_code": "continues"},
    ),
    "ordinary": (
        "/v1/flexjobs/{placement}/ordinary-employment",
        {"occurred_on": "2026-05-01", "effective_hours_per_week": "20"},
    ),
    "end": ("/v1/flexjobs/{placement}/end", END),
    "requests": ("/v1/job7-requests", REQUEST),
    "offers": ("/v1/job7-requests/{request}/offers", {**DAY, "person_ref": PERSON}),
    "placements": (
        "/v1/job7-requests/{offered}/placements",
        {"occurred_on": "2026-03-01", "person_ref": PERSON, "placement_id": "{placement}"},
    ),
    "sessions": ("/v1/awareness-sessions", {**DAY, "workplaces": [UNIT], "managers": 7}),
    "snapshots": ("/v1/workforce-snapshots", SNAPSHOT),
    "correct": (
        "/v1/events/{event}/corrections",
        {"reason_code": "late_information", "values": {"workplace_unit": "Havn", "need_id": None}},
    ),
    "retract": ("/v1/events/{event}/retraction", {"reason_code": "never_happened"}),
}
# A service takes longer to start than many a door to try, so several doors are tried at each.
GROUPS = [[*DOORS][first::4] for first in range(4)]


class Caseworker:
    """Sends what a caseworker would, with a fresh Idempotency-Key unless one is given."""

    def __init__(self, doors: httpx.AsyncClient) -> None:
        self.doors = doors
        self.known: dict[str, str] = {}

    async def post(self, path: str, body: object, *, key: str | None = None, language: str = "da") -> httpx.Response:
        headers = {"Idempotency-Key": key or str(uuid4()), "Accept-Language": language}
        return await self.doors.post(path, json=body, headers=headers)

    async def done(self, path: str, body: object) -> dict[str, Any]:
        answer = await self.post(path, body)
        assert answer.status_code == 201, answer.text
        resource: dict[str, Any] = answer.json()
        return resource

    async def prepare(self) -> None:
        """Of every noun something that can be decided on."""
        await self.done("/v1/rules", RULES)
        self.known["budget"] = (await self.done("/v1/budgets", BUDGET))["budget_id"]
        self.known["need"] = (await self.done("/v1/needs", NEED))["need_id"]
        for name in ("submitted", "approved", "granted"):
            asked = APPLICATION if name != "granted" else {**APPLICATION, "amount_ore": 1000}
            self.known[name] = (await self.done("/v1/applications", asked))["application_id"]
        for name in ("approved", "granted"):
            await self.done(f"/v1/applications/{self.known[name]}/approve", DAY)
        grant = {"occurred_on": "2026-01-21", "application_id": self.known["granted"], **PERIOD}
        self.known["grant"] = (await self.done("/v1/grants", grant))["grant_id"]
        refund = {"occurred_on": "2026-03-01", "grant_id": self.known["grant"], "payroll_month": "2026-06"}
        self.known["refund"] = (await self.done("/v1/refunds", {**refund, "wage_ore": 100}))["refund_id"]
        self.known["placement"] = (await self.done("/v1/flexjobs", FLEXJOB))["placement_id"]
        self.known["event"] = (await self.done("/v1/flexjobs", FLEXJOB))["event_ids"][0]
        for name in ("request", "offered"):
            self.known[name] = (await self.done("/v1/job7-requests", REQUEST))["request_id"]
        offer = {"occurred_on": "2026-01-06", "person_ref": PERSON}
        await self.done(f"/v1/job7-requests/{self.known['offered']}/offers", offer)

    def at(self, door: str) -> tuple[str, dict[str, Any]]:
        """Path and good body of a door, with what was prepared filled in."""
        path, body = DOORS[door]
        filled = {
            name: value.format_map(self.known) if isinstance(value, str) else copy.copy(value)
            for name, value in body.items()
        }
        return path.format_map(self.known), filled


async def stored(pool: Pool) -> dict[str, int]:
    """How many rows there are of everything that a request may leave; heartbeats beat by themselves."""
    tables = ("decision", "event", "resource", "movement", "idempotency_key")
    counts = {table: await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables}  # noqa: S608 - above
    counts["outbox"] = await pool.fetchval("SELECT count(*) FROM outbox WHERE type NOT LIKE '%heartbeat%'")
    return counts


async def check_refused(answer: httpx.Response) -> None:
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert CPR not in answer.text
    assert answer.json()["detail"]


async def metric(caseworker: Caseworker, name: str) -> float:
    scrape = (await caseworker.doors.get("/metrics")).text
    [value] = [line.split()[1] for line in scrape.splitlines() if line.split()[0] == name]
    return float(value)
