"""Receipts through the real doors: what a figure is made of, what was left out and why, and what moved it."""

from decimal import Decimal
from uuid import UUID, uuid5

import httpx
import pytest

from contracts.catalogue import BY_TYPE
from contracts.event import Event
from contracts.flexjob_pool import FlexjobHoursChanged, FlexjobStarted
from contracts.placements import PlacementStarted
from contracts.platform import EventRetracted
from impact.catalogue import INDICATORS
from impact.indicator import Indicator
from services.impact.tests.doors.small_life import Admit, Issue, Json, Receipt, sealed

# The life: two budgets, two grants, then Cilla, Anna and Bo start, Bo's hours rise, Cilla leaves.
CILLA_STARTS, ANNA_STARTS, BO_STARTS, BO_RISES, CILLA_LEAVES = (f"event-{position}" for position in range(5, 10))
LATEST = 9


def ref(name: str) -> str:
    return str(uuid5(UUID(int=0), name))


ANNA, BO, CILLA = ref("Anna"), ref("Bo"), ref("Cilla")


def work(person: str, hours: str, day: str, *, job: str | None = None) -> Json:
    return {
        "occurred_on": day,
        "placement_id": ref(job or f"job of {person}"),
        "person_ref": ref(person),
        "attendance_hours_per_week": hours,
        "effective_hours_per_week": hours,
        "reason_code": "late_information",
    }


def start(person: str, hours: str, day: str) -> Event:
    unit = {"department": "Senior", "workplace_unit": "Senior-1"}
    terms = {"grant_term": "temporary_5y", "retention": False, "scheme": "post2013"}
    return FlexjobStarted.model_validate({**work(person, hours, day), **unit, **terms})


def change(person: str, hours: str, day: str, *, job: str | None = None) -> Event:
    return FlexjobHoursChanged.model_validate({**work(person, hours, day, job=job), "cause": "capacity_up"})


def retraction(target: str) -> Event:
    return EventRetracted(event_id=target, reason_code="double_entry")


SMALL_JOB = PlacementStarted.model_validate(
    {
        **work("Dorte", "4", "2026-06-01"),
        "org_id": ref("a shop"),
        "employment_kind": "small_job",
        "origin_code": "pension",
    }
)


def brought(shown: Json) -> list[tuple[str, ...]]:
    return [(each["role"], each["contributor"], each["amount"]) for each in shown["contributions"]]


def behind(shown: Json, person: str) -> dict[str, tuple[str | None, str | None]]:
    """The facts of a person's history, each with why it was left out, and because of which event."""
    facts = (fact for fact in shown["facts"] if fact["history"] == {"kind": "person", "key": person})
    return {fact["id"]: (fact["left_out"], fact["instead"]) for fact in facts}


READ = (None, None)


@pytest.mark.usefixtures("life")
@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda each: each.id)
async def test_a_receipt_is_of_the_figure_that_its_reader_sees(
    doors: httpx.AsyncClient, exact: dict[str, str], receipt: Receipt, indicator: Indicator
) -> None:
    for by in ("", *(f"by={name}" for name in indicator.dimensions)):
        figure = await doors.get(f"/v1/figures/{indicator.id}?{by}", headers=exact)

        assert (await receipt(f"{indicator.id}?{by}"))["figure"] == figure.json()


@pytest.mark.usefixtures("life")
async def test_a_ratio_is_told_by_what_each_contributor_brings_to_both_sides(receipt: Receipt) -> None:
    shown = await receipt("F4")

    assert shown["figure"]["value"] == "11"
    assert sorted(brought(shown)) == sorted(
        [
            ("numerator", ANNA, "12.50"),
            ("denominator", ANNA, "1"),
            ("numerator", BO, "9.50"),
            ("denominator", BO, "1"),
        ]
    )
    assert (behind(shown, ANNA), behind(shown, BO)) == ({ANNA_STARTS: READ}, {BO_STARTS: READ, BO_RISES: READ})
    assert behind(shown, CILLA) == {}
    assert (shown["divisor"], shown["days"], shown["reading"], shown["parked"]) == ("1", None, "sum", {})


@pytest.mark.usefixtures("life")
async def test_an_average_is_told_by_the_sum_of_its_days(receipt: Receipt) -> None:
    shown = await receipt("F1?from=2026-04-21&to=2026-05-11")

    assert (shown["figure"]["value"], shown["days"]) == ("2.5", 20)
    assert {(contributor, amount) for _, contributor, amount in brought(shown)} == {
        (ANNA, "20"),
        (BO, "20"),
        (CILLA, "10"),
    }


@pytest.mark.usefixtures("life")
async def test_a_dimension_that_is_held_leaves_the_others_out(receipt: Receipt) -> None:
    held, cut = await receipt("F5?since=0"), await receipt("F5?by=fiscal_year&since=0")

    assert {each["dimensions"]["fiscal_year"] for each in held["contributions"] + held["moved"]} == {"2026"}
    assert {each["dimensions"]["fiscal_year"] for each in cut["contributions"] + cut["moved"]} == {"2026", "2027"}


@pytest.mark.usefixtures("life")
async def test_a_correction_stands_beside_what_it_took_the_place_of(receipt: Receipt, admit: Admit) -> None:
    await admit(sealed(start("Anna", "10.00", "2026-02-01"), "anna-again", corrects=ANNA_STARTS))

    now, then = await receipt("F4"), await receipt(f"F4?known_as_of={LATEST}")

    assert ("numerator", ANNA, "10.00") in brought(now)
    assert behind(now, ANNA) == {ANNA_STARTS: ("superseded", "anna-again"), "anna-again": READ}
    assert {fact["id"]: fact["corrects"] for fact in now["facts"]}["anna-again"] == ANNA_STARTS
    assert ("numerator", ANNA, "12.50") in brought(then)
    assert behind(then, ANNA) == {ANNA_STARTS: READ}


@pytest.mark.usefixtures("life")
async def test_a_retracted_fact_names_its_retraction(receipt: Receipt, admit: Admit) -> None:
    await admit(sealed(retraction(BO_RISES), "undone"))

    shown = await receipt("F4")

    assert ("numerator", BO, "6.00") in brought(shown)
    assert behind(shown, BO) == {BO_STARTS: READ, BO_RISES: ("retracted", "undone")}


@pytest.mark.usefixtures("life")
async def test_a_retracted_correction_gives_the_fact_before_it_back(receipt: Receipt, admit: Admit) -> None:
    await admit(
        sealed(change("Bo", "30.00", "2026-04-01"), "too-much", corrects=BO_RISES),
        sealed(retraction("too-much"), "undone"),
    )

    shown = await receipt("F4")

    assert behind(shown, BO) == {BO_STARTS: READ, BO_RISES: READ, "too-much": ("retracted", "undone")}
    assert behind(await receipt("F4?known_as_of=10"), BO)[BO_RISES] == ("superseded", "too-much")


@pytest.mark.usefixtures("life")
async def test_a_change_that_waits_for_its_start_is_left_out_until_it_comes(receipt: Receipt, admit: Admit) -> None:
    await admit(sealed(change("Anna", "20.00", "2026-05-01", job="another job"), "early"))
    before = await receipt("F4")
    await admit(
        sealed(
            start("Anna", "3.00", "2026-04-01").model_copy(update={"placement_id": UUID(ref("another job"))}), "late"
        )
    )
    after = await receipt("F4")

    assert behind(before, ANNA) == {ANNA_STARTS: READ, "early": ("waiting", None)}
    assert behind(after, ANNA) == {ANNA_STARTS: READ, "early": READ, "late": READ}
    assert ("numerator", ANNA, "32.50") in brought(after)


@pytest.mark.usefixtures("life")
async def test_a_change_is_read_though_what_opened_it_is_in_another_history(receipt: Receipt, admit: Admit) -> None:
    await admit(sealed(change("Anna", "20.00", "2026-05-01", job="job of Bo"), "of-bo"))
    await admit(sealed(change("Anna", "20.00", "2026-05-02", job="job of Cilla"), "of-cilla"))
    opened = await receipt("F4")
    await admit(sealed(retraction(CILLA_STARTS), "never-was"))
    closed = await receipt("F4")

    assert behind(opened, ANNA) == {ANNA_STARTS: READ, "of-bo": READ, "of-cilla": READ}
    assert behind(closed, ANNA) == {ANNA_STARTS: READ, "of-bo": READ, "of-cilla": ("waiting", None)}


@pytest.mark.usefixtures("life")
async def test_a_correction_of_what_never_came_is_left_out(receipt: Receipt, admit: Admit) -> None:
    await admit(sealed(change("Bo", "30.00", "2026-05-01"), "lost", corrects="nowhere"))

    assert behind(await receipt("F1"), BO)["lost"] == ("waiting", None)


@pytest.mark.usefixtures("life")
async def test_a_parked_fact_is_counted_until_its_replay_and_then_stands_where_that_was(
    doors: httpx.AsyncClient, issue: Issue, receipt: Receipt, admit: Admit, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = sealed(SMALL_JOB, "small-job")
    with monkeypatch.context() as before:
        before.delitem(BY_TYPE, PlacementStarted.contract.type)
        await admit(job)
    admin = {**await issue("ledger", "admin"), "Idempotency-Key": "a"}
    while_parked = await receipt("J1")
    replay = await doors.post("/v1/ledger/parked/10/replay", json={"reason": "type_released"}, headers=admin)
    assert replay.status_code == 200, replay.text
    after = await receipt("J1?since=10")

    assert (while_parked["parked"], while_parked["figure"]["value"]) == ({"unknown_type": 1}, "2")
    assert (after["parked"], after["figure"]["value"]) == ({}, "3")
    assert [fact["position"] for fact in after["facts"] if fact["id"] == "small-job"] == [11]
    assert [(cause["position"], cause["id"], cause["amount"]) for cause in after["moved"]] == [(11, "small-job", "1")]
    assert (await receipt("J1?known_as_of=10"))["parked"] == {"unknown_type": 1}
    assert (await receipt("J1?known_as_of=9"))["parked"] == {}


@pytest.mark.usefixtures("life")
async def test_what_moved_a_figure_names_the_fact_and_the_amount(receipt: Receipt, admit: Admit) -> None:
    await admit(
        sealed(retraction(BO_RISES), "undone"),
        sealed(start("Anna", "10.00", "2026-02-01"), "anna-again", corrects=ANNA_STARTS),
    )
    shown = await receipt(f"F4?since={LATEST}")

    assert [(cause["id"], cause["role"], cause["contributor"], cause["amount"]) for cause in shown["moved"]] == [
        ("undone", "numerator", BO, "-3.50"),
        ("anna-again", "numerator", ANNA, "-2.50"),
    ]
    assert (shown["since"], shown["moved_in_all"]) == (LATEST, 2)
    assert (await receipt("F4"))["since"] is None
    assert (await receipt("F4?since=2026-06-30T08:00:00Z"))["moved"] == []
    assert (await receipt("F1?since=2026-06-30T07:00:00Z&known_as_of=4"))["since"] == 0


@pytest.mark.usefixtures("life")
async def test_pages_are_of_one_receipt_whatever_comes_in_between(receipt: Receipt, admit: Admit) -> None:
    whole = await receipt("F4?as_of=2026-04-30&since=4")
    question = f"F4?as_of=2026-04-30&since=4&known_as_of={LATEST}&limit=2"
    pages, cursor = list[Json](), 0
    while cursor is not None:
        pages.append(await receipt(f"{question}&cursor={cursor}"))
        cursor = pages[-1]["next_cursor"]
        await admit(start(f"newcomer {cursor}", "5.00", "2026-01-01"))

    assert len(pages) == 4
    for part in ("contributions", "moved"):
        assert [each for page in pages for each in page[part]] == whole[part]
    assert {fact["id"] for page in pages for fact in page["facts"]} == {fact["id"] for fact in whole["facts"]}
    assert all(page["figure"]["value"] == whole["figure"]["value"] for page in pages)
    assert {(page["contributions_in_all"], page["moved_in_all"]) for page in pages} == {(6, 7)}
    assert (await receipt(f"{question}&cursor=1000"))["contributions"] == []


async def test_before_its_first_fact_a_lane_has_empty_receipts(receipt: Receipt) -> None:
    shown = await receipt("F4?since=0")

    assert (shown["figure"]["status"], shown["contributions"], shown["facts"], shown["moved"]) == (
        "no_data",
        [],
        [],
        [],
    )


async def test_openapi_tells_what_moved_means_where_it_does_not_add_up(entrance: httpx.AsyncClient) -> None:
    schema = (await entrance.get("/openapi.json")).json()
    moved = schema["components"]["schemas"]["ReceiptShown"]["properties"]["moved"]["description"]
    names = [each["name"] for each in schema["paths"]["/v1/figures/{indicator_id}/receipt"]["get"]["parameters"]]

    assert "**Median**" in moved
    assert "F2" in moved
    assert {"since", "limit", "cursor", "by", "known_as_of", "definition_version"} <= set(names)


@pytest.mark.usefixtures("life")
async def test_amounts_are_exact_decimals(receipt: Receipt) -> None:
    shown = await receipt("J2")

    assert shown["divisor"] == "37"
    assert sum(Decimal(amount) for _, _, amount in brought(shown)) == Decimal("18.50")
