import asyncio

import pytest

from chassis import health as module
from chassis.health import Health


async def test_a_service_without_checks_is_well() -> None:
    assert await Health().ask() == {}


async def test_each_check_answers_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.05)

    async def silent() -> None:
        await asyncio.Event().wait()

    async def unwell() -> str:
        return "not connected for 31 s"

    def broken() -> None:
        raise ConnectionRefusedError("10.0.0.1 knows person 0101701234")

    health = Health()
    health.add("well", lambda: None)
    health.add("silent", silent)
    health.add("unwell", unwell)
    health.add("broken", broken)

    assert await health.ask() == {
        "well": "ok",
        "silent": "no answer within 0.05 s",
        "unwell": "not connected for 31 s",
        "broken": "failed: ConnectionRefusedError",
    }
