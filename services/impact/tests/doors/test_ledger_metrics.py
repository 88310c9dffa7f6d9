"""The account of the ledger as metrics."""

from datetime import datetime
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from chassis.calendar import COPENHAGEN, calendar_of
from chassis.database import Pool
from impact import parked, pipeline
from services.impact.tests.doors.messages import DECISION, RULES, SOURCE, START, heartbeat, message
from services.impact.tests.doors.small_life import Admit


async def scrape(doors: httpx.AsyncClient) -> dict[tuple[str, ...], float]:
    text = (await doors.get("/metrics")).text
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def set_day(clock: str, day: str) -> None:
    Path(clock.removeprefix("file:")).write_text(f"{day}T08:00:00Z")


async def test_an_open_account_is_a_metric(doors: httpx.AsyncClient, admit: Admit, pool: Pool) -> None:
    await admit(START, heartbeat(1))
    shown = await scrape(doors)
    accounts = {key[2]: value for key, value in shown.items() if key[0] == "impact_conservation_open_accounts"}
    assert set(accounts) >= {"deliveries", "completeness"}
    assert set(accounts.values()) == {0}

    await pool.execute("UPDATE lane SET deliveries = deliveries + 1")
    shown = await scrape(doors)
    assert shown["impact_conservation_open_accounts", "621", "deliveries"] == 1
    assert shown["impact_conservation_open_accounts", "621", "completeness"] == 0

    await admit(heartbeat(1).replace(b'"events": 1', b'"events": 5').replace(b":05Z", b":06Z"))
    shown = await scrape(doors)
    assert shown["impact_conservation_open_accounts", "621", "completeness"] == 1
    assert shown["impact_missing_events", "621", SOURCE] == 4


async def test_of_sources_named_together_none_makes_up_for_what_is_missing_of_another(
    doors: httpx.AsyncClient, admit: Admit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "MOST_SOURCES", 1)
    others = [message("pool.rules_adopted", "adopted", RULES, source=f"urn:kraftcenter:621:z{n}") for n in range(3)]
    await admit(*others, START, heartbeat(1).replace(SOURCE.encode(), b"urn:kraftcenter:621:z9"))

    shown = await scrape(doors)

    assert shown["impact_received_events", "621", "other"] == 3
    assert shown["impact_missing_events", "621", "other"] == 1


async def test_a_source_is_due_by_its_own_rhythm_and_stays_so_until_it_is_heard(
    doors: httpx.AsyncClient, admit: Admit, clock: str
) -> None:
    for number, day in enumerate(("2026-06-02", "2026-06-09", "2026-06-19", "2026-06-30")):
        set_day(clock, day)
        await admit(message("pool.rules_adopted", f"told-{number}", RULES | {"rules_version": number + 1}))
    last, due = datetime(2026, 6, 30, tzinfo=COPENHAGEN), datetime(2026, 7, 14, tzinfo=COPENHAGEN)
    set_day(clock, "2026-07-28")
    await admit(heartbeat(4))

    shown = await scrape(doors)
    assert shown["impact_source_received_timestamp_seconds", "621", SOURCE] == last.timestamp()
    assert shown["impact_source_due_timestamp_seconds", "621", SOURCE] == due.timestamp()
    assert shown["impact_as_of_timestamp_seconds", "621"] > due.timestamp()

    await admit(message("pool.rules_adopted", "told-again", RULES | {"rules_version": 9}))
    shown = await scrape(doors)
    assert shown["impact_source_due_timestamp_seconds", "621", SOURCE] > shown["impact_as_of_timestamp_seconds", "621"]


async def test_a_source_that_was_heard_once_is_not_due(doors: httpx.AsyncClient, admit: Admit) -> None:
    await admit(START)

    shown = await scrape(doors)

    assert ("impact_source_received_timestamp_seconds", "621", SOURCE) in shown
    assert "impact_source_due_timestamp_seconds" not in {name for name, *_ in shown}


async def test_timeliness_is_the_median_from_the_time_of_an_event_to_its_receipt(
    doors: httpx.AsyncClient, admit: Admit
) -> None:
    for number, time in enumerate(("08:00:00", "07:59:30", "07:00:00")):
        data = RULES | {"rules_version": number + 1}
        await admit(message("pool.rules_adopted", f"at-{number}", data, time=f"2026-06-30T{time}Z"))

    assert (await scrape(doors))["impact_source_timeliness_seconds", "621", SOURCE] == 30


async def test_what_was_given_up_is_parked_no_longer_as_a_metric(
    doors: httpx.AsyncClient, admit: Admit, pool: Pool, clock: str
) -> None:
    await admit(message("flexjob.invented", "one", {}), message("flexjob.invented", "two", {}))
    assert (await scrape(doors))["impact_parked_facts", "621", "unknown_type"] == 2

    async with pool.acquire() as db, db.transaction():
        await parked.discard(db, DECISION, 1, calendar=calendar_of(clock))

    assert (await scrape(doors))["impact_parked_facts", "621", "unknown_type"] == 1
    assert (await scrape(doors))["impact_facts", "621", "parked", SOURCE] == 2
