"""An employment whose flexjob payroll names wrongly or too early, and how it comes to the right one."""

from uuid import uuid4

from services.flexjob_pool.tests.payroll_system import EMPLOYMENT, PLACEMENT, PayrollSystem, of, paid


async def test_an_unknown_employment_is_shown_and_taken_up_when_its_flexjob_starts(payroll: PayrollSystem) -> None:
    await payroll.tell("early", paid("2026-02-01", "0.5"), at=1)
    await payroll.told()
    assert await payroll.why() == ("unknown", [("flexjob-unknown", None)])
    assert "\npayroll_employments_unsettled 1.0" in (await payroll.doors.get("/metrics")).text

    started = await payroll.start()
    assert [step["effective_hours_per_week"] for step in started["hours"]] == ["10.00", "18.50"]
    (changed,) = await payroll.emitted()
    assert started["event_ids"][-1] == changed["id"]
    assert of(changed) == ("flexjob.hours_changed", "2026-02-01", "18.50", "early")
    assert await payroll.why() == ("applied", [])
    assert "\npayroll_employments_unsettled 0.0" in (await payroll.doors.get("/metrics")).text


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


async def test_employments_are_listed_by_what_became_of_them_and_page_by_page(payroll: PayrollSystem) -> None:
    known, unknown = sorted((uuid4(), uuid4()), key=str)
    nowhere = uuid4()
    await payroll.start()
    await payroll.tell("known", paid("2026-02-01", "0.5", employment_ref=known), at=1)
    await payroll.tell("unknown", paid("2026-02-01", "0.4", employment_ref=unknown, placement_id=nowhere), at=2)
    await payroll.told()

    async def listed(query: str) -> list[str]:
        items = (await payroll.shown(f"/v1/payroll/employments?{query}"))["items"]
        return [item["employment_ref"] for item in items]

    for query, found in {
        "": [known, unknown],
        "status=applied": [known],
        "status=unknown": [unknown],
        "status=differs": [],
        f"employment_ref={unknown}": [unknown],
        f"placement_id={PLACEMENT}": [known],
        f"placement_id={nowhere}": [unknown],
        f"status=unknown&placement_id={PLACEMENT}": [],
    }.items():
        assert await listed(query) == [str(employment) for employment in found], query
    first = await payroll.shown("/v1/payroll/employments?limit=1")
    assert first["next_cursor"] == str(known)
    second = await payroll.shown(f"/v1/payroll/employments?limit=1&cursor={first['next_cursor']}")
    assert ([item["employment_ref"] for item in second["items"]], second["next_cursor"]) == ([str(unknown)], None)
