"""The account of the ledger as metrics."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from chassis.calendar import calendar_of
from chassis.database import Pool
from impact import parked
from services.impact.tests.doors.messages import DECISION, SOURCE, START, heartbeat, message
from services.impact.tests.doors.small_life import Admit


async def scrape(doors: httpx.AsyncClient) -> dict[tuple[str, ...], float]:
    text = (await doors.get("/metrics")).text
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_an_open_account_is_a_metric(doors: httpx.AsyncClient, admit: Admit, pool: Pool) -> None:
    await admit(START, heartbeat(1))
    assert (await scrape(doors))["impact_conservation_open_accounts", "621"] == 0

    await pool.execute("UPDATE lane SET deliveries = deliveries + 1")
    assert (await scrape(doors))["impact_conservation_open_accounts", "621"] == 1

    await admit(heartbeat(1).replace(b'"events": 1', b'"events": 5').replace(b":05Z", b":06Z"))
    assert (await scrape(doors))["impact_conservation_open_accounts", "621"] == 2


async def test_what_was_given_up_is_parked_no_longer_as_a_metric(
    doors: httpx.AsyncClient, admit: Admit, pool: Pool, clock: str
) -> None:
    await admit(message("flexjob.invented", "one", {}), message("flexjob.invented", "two", {}))
    assert (await scrape(doors))["impact_parked_facts", "621", "unknown_type"] == 2

    async with pool.acquire() as db, db.transaction():
        await parked.discard(db, DECISION, 1, calendar=calendar_of(clock))

    assert (await scrape(doors))["impact_parked_facts", "621", "unknown_type"] == 1
    assert (await scrape(doors))["impact_facts", "621", "parked", SOURCE] == 2
