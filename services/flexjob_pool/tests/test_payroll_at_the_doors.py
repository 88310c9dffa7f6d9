"""What payroll told beside what caseworkers register of the same flexjob, and beside the pool's money."""

from services.flexjob_pool.tests.payroll_system import PLACEMENT, PayrollSystem, ended, never, paid


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
