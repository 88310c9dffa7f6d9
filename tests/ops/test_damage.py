"""What is done to a living stack is found by the rules, on a real Prometheus.

How long an alert then waits before it fires is shown by the unit tests, and so are those that look back for minutes.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest

from chassis.bus import short_job
from contracts.streams import Stream
from local.prometheus import watched
from local.stack import Stack, running_stack
from local.waiting import until
from tests.ops.cluster import ROOT

# An exporter takes a second to say that PostgreSQL is away.
EVERY = "2s"
OFTEN = {
    "IMPACT_VERIFY_SECONDS": "1",
    "FLEXJOB_POOL_HEARTBEAT_SECONDS": "1",
    "GATEWAY_HEARTBEAT_SECONDS": "1",
}
PAYROLL: dict[str, Any] = json.loads(
    (ROOT / "contracts" / "examples" / "payroll.working_time_changed.v1.json").read_text()
)
POOL, GATEWAY = Stream("621", "flexjob_pool"), Stream("621", "gateway")
WELL = {"DeadMansSwitch"}
EVERYTHING = """
count(up == 1) == 7 and on () impact_verified_cells > 0 and on () count(impact_heartbeat_sent_timestamp_seconds) == 2
"""
FALLS_SILENT = """
UPDATE heartbeat SET published = published + 2, sent_at = sent_at - interval '1 hour' WHERE producer = 'flexjob_pool'
"""

ROWS = {
    "impact": (
        "UPDATE lane SET deliveries = deliveries + 1",
        "DELETE FROM outcome WHERE position = 1",
    ),
    "flexjob_pool": (
        """INSERT INTO outbox (source, event_id, type, subject, message_id, body, body_hash, appended_at, parked_reason)
           SELECT source, 'parked', type, subject, 'parked', body, body_hash, appended_at, 'too large'
           FROM outbox LIMIT 1""",
        """INSERT INTO inbox (
               stream, stream_sequence, source, event_id, type, body_hash, outcome, reason, body, received_at)
           SELECT stream, 1000, source, 'failed', type, body_hash, 'failed', 'KeyError', '{}', now()
           FROM inbox LIMIT 1""",
        "UPDATE inbox_stream SET delivered = delivered + 1, failed = failed + 1",
    ),
}


@asynccontextmanager
async def living(folder: Path) -> AsyncIterator[tuple[Stack, httpx.AsyncClient]]:
    """A stack to which payroll has told something, and the Prometheus that watches it."""
    async with running_stack(folder, settings=OFTEN) as stack, watched(stack, every=EVERY) as url:
        for number in range(3):
            await tell(stack, event(f"sd-{number}"))
        async with httpx.AsyncClient(base_url=url, timeout=30) as prometheus:
            yield stack, prometheus


def event(id_: str, **changes: Any) -> dict[str, Any]:
    return PAYROLL | {"id": id_} | changes


async def tell(stack: Stack, body: dict[str, Any]) -> int:
    headers = {"Authorization": f"Bearer {stack.token}", "Idempotency-Key": str(uuid4())}
    headers |= {"Content-Type": "application/cloudevents+json"}
    async with httpx.AsyncClient(base_url=stack.url_of("gateway"), headers=headers, timeout=30) as client:
        answer = await client.post("/v1/events", content=json.dumps(body))
        return answer.status_code


async def alerts(prometheus: httpx.AsyncClient) -> list[dict[str, Any]]:
    """What Prometheus finds wrong just now, whether it fires already or waits."""
    known: list[dict[str, Any]] = (await prometheus.get("/api/v1/alerts")).json()["data"]["alerts"]
    return known


async def found(prometheus: httpx.AsyncClient) -> dict[str, list[dict[str, str]]]:
    """The same as labels by alert."""
    by_name: dict[str, list[dict[str, str]]] = {}
    for alert in await alerts(prometheus):
        by_name.setdefault(alert["labels"]["alertname"], []).append(alert["labels"])
    return by_name


async def until_found(prometheus: httpx.AsyncClient, *names: str) -> dict[str, list[dict[str, str]]]:
    """Return once all of these are found."""

    async def all_of_them() -> bool:
        return set(names) <= set(await found(prometheus))

    try:
        await until(all_of_them, seconds=90)
    except TimeoutError:
        pytest.fail(f"not found: {set(names) - set(await found(prometheus))}")
    return await found(prometheus)


async def until_well(prometheus: httpx.AsyncClient) -> None:
    """Return once everything answers, was verified and heard of, and nothing is wrong."""

    async def well() -> bool:
        answer = (await prometheus.get("/api/v1/query", params={"query": EVERYTHING})).json()
        return bool(answer["data"]["result"]) and set(await found(prometheus)) == WELL

    await until(well, seconds=60, message="a stack that nothing befell is not well")


async def assert_readable(prometheus: httpx.AsyncClient) -> None:
    """Every alert says what it has to say, and Prometheus itself serves its runbook."""
    for alert in await alerts(prometheus):
        texts = alert["annotations"]
        assert not [text for text in texts.values() if not text or "<error" in text or "no value" in text], texts
        page = await prometheus.get(urlsplit(texts["runbook_url"]).path)
        assert page.text.startswith(f"# {alert['labels']['alertname']}\n")


async def execute(dsn: str, *statements: str) -> None:
    db = await asyncpg.connect(dsn)
    for statement in statements:
        await db.execute(statement)
    await db.close()


async def publish(stack: Stack, stream: Stream, *bodies: bytes) -> None:
    """Put on a stream what its relay did not send."""
    async with short_job(stack.nats_url) as jetstream:
        for body in bodies:
            await jetstream.publish(stream.subjects.replace(">", "any.thing.v1"), body)


@pytest.mark.usefixtures("tools")
@pytest.mark.timeout(500)
async def test_whatever_befalls_a_stack_is_found(tmp_path: Path) -> None:
    async with living(tmp_path) as (stack, prometheus):
        await until_well(prometheus)

        for service, statements in ROWS.items():
            await execute(stack.database_urls[service], *statements)
        other = json.dumps(event("sd-0", subject="employment/other")).encode()
        unknown = json.dumps(event("moon", type="dk.kraftcenter.moon.landed_on.v1")).encode()
        await publish(stack, GATEWAY, b"noise", other, unknown)
        for number in range(20):
            assert await tell(stack, event(f"wrong-{number}", data={})) == 422
        await until_found(
            prometheus,
            "ConservationOpen",
            "FiguresDrift",
            "OutboxParked",
            "EventsSetAside",
            "UnreadableDeliveries",
            "ConflictingFacts",
            "ParkedFacts",
            "SourceRefused",
        )
        # The relay meets what it did not send as soon as it has something to publish.
        assert await tell(stack, event("sd-next")) == 202
        await until_found(prometheus, "Phantoms")
        await assert_readable(prometheus)

        stack.services["flexjob_pool"].kill()
        await execute(stack.database_urls["impact"], FALLS_SILENT)
        told = await until_found(prometheus, "ServiceDown", "CanaryMissing", "CompletenessOpen")
        assert [each["job"] for each in told["ServiceDown"]] == ["flexjob_pool"]
        assert [each["producer"] for each in told["CanaryMissing"]] == ["flexjob_pool"]
        assert [each["source"] for each in told["CompletenessOpen"]] == ["urn:kraftcenter:621:flexjob_pool"]

        stack.services["impact"].kill()
        async with short_job(stack.nats_url) as jetstream:
            await jetstream.delete_consumer(POOL.name, "impact")
        told = await until_found(prometheus, "ServiceDown", "ConsumerDeaf")
        assert [each["stream_name"] for each in told["ConsumerDeaf"]] == [POOL.name]

        stack.postgres.stop()
        try:
            await until_found(prometheus, "PostgresDown", "CollectorsFailed")
        finally:
            # What has watched it takes its role back when it ends.
            stack.postgres.start()
        stack.nats.stop()
        await until_found(prometheus, "NatsDown")
        await assert_readable(prometheus)
