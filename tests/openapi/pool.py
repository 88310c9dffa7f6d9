"""What happened in the flexjob pool until today: of each noun several, in every state."""

from typing import Any
from uuid import UUID

from local.instances import MUNICIPALITY

WORK = {"attendance_hours_per_week": "12.00", "effective_hours_per_week": "8.00"}
UNIT = {"department": "Senior", "workplace_unit": "Olivenhaven"}
PERIOD = {"period_from": "2026-02-01", "period_to": "2026-10-01"}
MUCH = 1_000_000_000
SNAPSHOT_ON = "2026-03-31"
# Its first review falls due this summer.
OLD = "2024-01-01"

GRANTED, APPROVED, SUBMITTED = slice(0, 12), slice(12, 24), slice(24, 40)

Asked = tuple[str, dict[str, Any]]


def refs(noun: int, count: int) -> list[str]:
    """Ids of a noun."""
    return [str(UUID(int=noun * 100 + number)) for number in range(1, count + 1)]


PERSONS, NEEDS, APPLICATIONS, GRANTS = refs(1, 12), refs(2, 9), refs(3, 40), refs(4, 12)
# Nobody has them yet.
FREE = refs(10, 40)
FLEXJOBS, REFUNDS, BUDGETS, JOB7, SESSIONS = refs(5, 12), refs(6, 4), refs(7, 2), refs(8, 6), refs(9, 1)
# What payroll tells of, too.
PAID = {"placement_id": FLEXJOBS[0], "person_ref": PERSONS[0]}


def story() -> list[Asked]:
    """What was asked at which door, in this order."""
    return [*_money(), *_needs(), *_granted(), *_flexjobs(), *_around()]


def _money() -> list[Asked]:
    rules = {"occurred_on": "2022-01-01", "refund_share": "0.5", "eligible_units": [UNIT["department"]]}
    budget = {"occurred_on": "2026-01-01", "amount_ore": MUCH}
    budgets = [{**budget, "budget_id": each, "fiscal_year": 2026 + n} for n, each in enumerate(BUDGETS)]
    return [("rules", rules), *(("budgets", each) for each in budgets)]


def _needs() -> list[Asked]:
    hours = {"effective_hours_per_week_from": "4", "effective_hours_per_week_to": "12"}
    need = {"occurred_on": "2026-01-02", **UNIT, "task_codes": ["care"], **hours}
    return [("needs", {**need, "need_id": each}) for each in NEEDS]


def _granted() -> list[Asked]:
    ask = {"occurred_on": "2026-01-03", **UNIT, "effective_hours_per_week": "8", "months": 12, "amount_ore": 100_000}
    grant = {"occurred_on": "2026-01-05", **PERIOD}
    return [
        *(("applications", {**ask, "application_id": each}) for each in APPLICATIONS),
        *((f"applications/{each}/approve", {"occurred_on": "2026-01-04"}) for each in APPLICATIONS[:24]),
        *(
            ("grants", {**grant, "grant_id": each, "application_id": application})
            for each, application in zip(GRANTS, APPLICATIONS[GRANTED], strict=True)
        ),
    ]


def _flexjobs() -> list[Asked]:
    start: dict[str, Any] = {**UNIT, **WORK, "grant_term": "permanent", "retention": False, "scheme": "post2013"}
    refund = {"occurred_on": "2026-06-01", "grant_id": GRANTS[0], "wage_ore": 1000}
    paid: list[dict[str, str]] = [{"occurred_on": "2026-02-01", "grant_id": grant} for grant in GRANTS[:6]]
    begun = [{"occurred_on": OLD}] * (len(FLEXJOBS) - len(paid)) + paid
    return [
        *(
            ("flexjobs", {**start, "placement_id": each, "person_ref": person, **how})
            for each, person, how in zip(FLEXJOBS, PERSONS, begun, strict=True)
        ),
        *(
            ("refunds", {**refund, "refund_id": each, "payroll_month": f"2026-0{month}"})
            for month, each in enumerate(REFUNDS, start=2)
        ),
    ]


def _around() -> list[Asked]:
    asked = {"occurred_on": "2026-03-01", "from_municipality": MUNICIPALITY, "to_municipality": "630"}
    offer = {"occurred_on": "2026-03-02", "person_ref": PERSONS[0]}
    session = {"occurred_on": "2026-03-03", "workplaces": [UNIT], "managers": 9}
    staff = {"headcount": 100, "fte": "80.00", "trainee_headcount": 4, "wage_subsidy_headcount": 2}
    return [
        *(("job7-requests", {**asked, "request_id": each}) for each in JOB7),
        *((f"job7-requests/{each}/offers", offer) for each in JOB7[:3]),
        *(("awareness-sessions", {**session, "session_id": each}) for each in SESSIONS),
        ("workforce-snapshots", {"occurred_on": SNAPSHOT_ON, "department": UNIT["department"], **staff}),
    ]
