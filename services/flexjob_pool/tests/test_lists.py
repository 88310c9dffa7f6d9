"""Lists of resources: page by page, and narrowed."""

from datetime import date, timedelta
from typing import Any

import pytest

from flexjob_pool.doors.nouns import NOUNS
from services.flexjob_pool.tests.caseworker import (
    APPLICATION,
    BUDGET,
    FLEXJOB,
    PERSON,
    REQUEST,
    RULES,
    SNAPSHOT,
    Caseworker,
    check_refused,
)

LIVELY = ("candidates", "approve", "reverse", "transfers", "reviews", "placements", "snapshots")


async def test_lists_are_narrowed_by_what_resources_say(caseworker: Caseworker) -> None:
    await caseworker.prepare()
    known = caseworker.known
    old = await caseworker.done("/v1/flexjobs", {**FLEXJOB, "occurred_on": "2023-10-01"})
    [ends] = [grant["period_to"] for grant in await listed(caseworker, "/v1/grants")]
    later = date.fromisoformat(ends) + timedelta(days=1)
    for query, count in {
        "budgets?fiscal_year=2026": 1,
        "budgets?fiscal_year=2027": 0,
        "needs?status=open&department=Senior": 1,
        "needs?status=filled": 0,
        "applications?status=approved": 2,
        f"applications?need_id={known['need']}": 0,
        f"grants?application_id={known['granted']}&status=committed": 1,
        "grants?status=released": 0,
        f"grants?ends_before={ends}": 0,
        f"grants?ends_before={later}": 1,
        f"refunds?grant_id={known['grant']}&payroll_month=2026-06&status=posted": 1,
        f"flexjobs?person_ref={PERSON}": 3,
        "flexjobs?workplace_unit=Vej": 0,
        f"reviews?status=due&placement_id={old['placement_id']}": 1,
        "reviews?status=due&due_before=2026-04-01": 0,
        "reviews?status=due&due_before=2026-04-02": 1,
        "job7-requests?status=offered&to_municipality=630": 1,
        "awareness-sessions": 0,
        "workforce-snapshots?department=Senior": 0,
    }.items():
        answer = await caseworker.doors.get(f"/v1/{query}")
        assert (answer.status_code, len(answer.json()["items"])) == (200, count), query
    for wrong in (
        "needs?status=gone",
        "grants?ends_before=soon",
        "flexjobs?person_ref=x",
        "reviews?due_before=x",
        "refunds?payroll_month=2026",
    ):
        await check_refused(await caseworker.doors.get(f"/v1/{wrong}"))


async def test_every_filter_shows_all_that_has_its_value_and_nothing_else(caseworker: Caseworker) -> None:
    await live(caseworker)
    for noun in NOUNS:
        everything = await listed(caseworker, noun.path)
        for name in noun.filters.keys() - noun.before.keys():
            said = [said_of(one, name, among=noun.among.get(name)) for one in everything]
            values = set().union(*said)
            assert values, (noun.path, name)
            for value in values:
                expected = [one for one, has in zip(everything, said, strict=True) if value in has]
                assert await listed(caseworker, noun.path, **{name: value}) == expected, (noun.path, name)


def said_of(one: dict[str, Any], name: str, *, among: str | None) -> set[Any]:
    """The values that a resource has under a name, itself or in one of its lists."""
    return {each[name] for each in one[among]} if among else {one[name]} - {None}


async def live(caseworker: Caseworker) -> None:
    """Of every noun several, that name each other and differ."""
    await caseworker.prepare()
    for door in LIVELY:
        await caseworker.done(*caseworker.at(door))
    await caseworker.prepare()
    known = caseworker.known
    need = {"need_id": known["need"]}
    await caseworker.done("/v1/applications", {**APPLICATION, **need})
    await caseworker.done("/v1/job7-requests", {**REQUEST, **need})
    await caseworker.done("/v1/job7-requests", {**REQUEST, "from_municipality": "607", "to_municipality": "621"})
    await caseworker.done("/v1/flexjobs", {**FLEXJOB, **need, "grant_id": known["grant"]})
    await caseworker.done("/v1/flexjobs", {**FLEXJOB, "occurred_on": "2023-10-01"})
    await caseworker.done("/v1/budgets", {**BUDGET, "fiscal_year": 2027})
    await caseworker.done("/v1/workforce-snapshots", {**SNAPSHOT, "department": "Teknik"})


async def listed(caseworker: Caseworker, path: str, **narrowed: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await caseworker.doors.get(path, params=narrowed)).json()["items"]
    return items


async def test_pages_of_a_list_show_everything_once(caseworker: Caseworker) -> None:
    for number in range(12):
        await caseworker.done("/v1/rules", RULES)
        await caseworker.done("/v1/budgets", {**BUDGET, "amount_ore": number})
        await caseworker.done("/v1/workforce-snapshots", {**SNAPSHOT, "department": f"Å{number}"})
    for noun, key in (("rules", "rules_version"), ("budgets", "budget_id"), ("workforce-snapshots", "department")):
        seen, cursor, pages = [], None, 0
        while pages == 0 or cursor is not None:
            asked = {"limit": 5} | ({"cursor": cursor} if cursor is not None else {})
            page = (await caseworker.doors.get(f"/v1/{noun}", params=asked)).json()
            seen += [item[key] for item in page["items"]]
            cursor, pages = page["next_cursor"], pages + 1
        assert (len(set(seen)), len(seen), pages) == (12, 12, 3)
        if noun == "rules":
            assert seen == list(range(1, 13))


@pytest.mark.parametrize("noun", [noun.path for noun in NOUNS])
async def test_a_list_takes_a_sane_limit_and_cursor(caseworker: Caseworker, noun: str) -> None:
    for query in ("limit=0", "limit=501", "limit=x", "limit=1e9", "cursor=x", "cursor=-1", "cursor=%00"):
        await check_refused(await caseworker.doors.get(f"{noun}?{query}"))
