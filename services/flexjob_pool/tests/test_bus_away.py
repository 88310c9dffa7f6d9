"""The doors while NATS is away, on a running service."""

from functools import partial
from time import monotonic

import pytest

from chassis import bus
from chassis.watchdog import Watchdog
from flexjob_pool import app
from local.nats import NatsServer
from local.waiting import until
from services.flexjob_pool.tests.caseworker import FLEXJOB, Caseworker, metric

# More than one attempt to connect may take.
PATIENCE_SECONDS = 4.0


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service whose patience with a client that has given up ends soon."""
    monkeypatch.setattr(bus, "RECONNECT_SECONDS", 0.05)
    monkeypatch.setattr(app, "Watchdog", partial(Watchdog, look_seconds=0.05, patience_seconds=PATIENCE_SECONDS))


@pytest.mark.usefixtures("impatient")
async def test_doors_stay_open_however_long_the_bus_is_away_and_nothing_is_lost(
    caseworker: Caseworker, nats_server: NatsServer
) -> None:
    await until(lambda: is_ready(caseworker), message="the service does not get ready")
    nats_server.kill()
    await until(lambda: is_unready(caseworker), message="the service does not notice")

    away_since = monotonic()
    await until(lambda: monotonic() - away_since > 2 * PATIENCE_SECONDS, seconds=60)
    await caseworker.done("/v1/flexjobs", FLEXJOB)
    assert await metric(caseworker, "outbox_pending") == 1

    nats_server.start()
    await until(lambda: is_drained(caseworker), seconds=30, message="the outbox does not drain")
    assert await metric(caseworker, "outbox_parked") == await metric(caseworker, "relay_regressions_total") == 0


async def is_ready(caseworker: Caseworker) -> bool:
    return (await caseworker.doors.get("/readyz")).status_code == 200


async def is_unready(caseworker: Caseworker) -> bool:
    answer = await caseworker.doors.get("/readyz")
    return answer.status_code == 503 and answer.json()["checks"]["database"] == "ok"


async def is_drained(caseworker: Caseworker) -> bool:
    return await metric(caseworker, "outbox_pending") == 0
