"""The gateway when its client of NATS will never try again: what it takes would not leave any more."""

from functools import partial

import httpx
import nats
import pytest

from chassis import bus
from chassis.bus import EXIT_CLOSED, Bus
from chassis.provision import provision
from chassis.watchdog import Watchdog
from gateway import app
from local.nats import NatsServer
from local.waiting import until


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The codes that a gateway would end with whose client gives up as soon as an attempt fails."""
    codes: list[int] = []

    async def give_up(_: Bus, error: Exception) -> None:
        if isinstance(error, OSError):
            raise error

    monkeypatch.setattr(Bus, "_tell_error", give_up)
    monkeypatch.setattr(bus, "RECONNECT_SECONDS", 0.05)
    monkeypatch.setattr(app, "Watchdog", partial(Watchdog, look_seconds=0.05, patience_seconds=1.0))
    monkeypatch.setattr("chassis.watchdog.os._exit", codes.append)
    return codes


async def test_the_gateway_ends_for_its_supervisor_to_start_it_anew(
    exits: list[int], doors: httpx.AsyncClient, nats_server: NatsServer
) -> None:
    async def is_ready() -> bool:
        return (await doors.get("/readyz")).status_code == 200

    async with await nats.connect(nats_server.url) as client:
        await provision(client.jetstream(), "621")
    await until(is_ready)
    assert not exits

    nats_server.kill()

    await until(lambda: exits, message="the gateway goes on")
    assert exits[0] == EXIT_CLOSED
