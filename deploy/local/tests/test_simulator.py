"""The driver, against doors that note what they are sent."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from local.plan import DAYS, plan_year
from local.simulator import EVERY_SENT_TWICE, Refused, live, register, set_clock

PLAN = plan_year(7, 3)


def doors(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url="http://pool", transport=httpx.MockTransport(answer))


async def nothing_to_wait_for() -> None:
    pass


async def test_every_action_is_sent_on_its_day_under_a_key_of_its_own(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    sent: dict[str, tuple[date, str]] = {}

    def take(request: httpx.Request) -> httpx.Response:
        today = datetime.fromisoformat(clock.read_text().strip()).date()
        sent[request.headers["Idempotency-Key"]] = (today, request.url.path)
        return httpx.Response(201, json=json.loads(request.content))

    async with doors(take) as pool:
        lived = [day async for day in live(PLAN, pool=pool, clock=clock, drained=nothing_to_wait_for)]

    assert tuple(lived) == DAYS
    assert list(sent.values()) == [(action.registered_on, action.request()[0]) for action in PLAN]


async def test_a_day_ends_only_when_it_is_drained(tmp_path: Path) -> None:
    order: list[str] = []

    def take(_: httpx.Request) -> httpx.Response:
        order.append("sent")
        return httpx.Response(201, json={})

    async def drained() -> None:
        order.append("drained")

    async with doors(take) as pool:
        async for _ in live(PLAN, pool=pool, clock=tmp_path / "clock", drained=drained):
            order += ["over"]

    assert ("sent", "drained") in set(pairwise(order))
    assert ("sent", "over") not in set(pairwise(order))


async def test_a_request_sent_twice_must_get_the_same_answer() -> None:
    answers = iter(range(2))
    action = PLAN[0]

    async with doors(lambda _: httpx.Response(201, json={"answer": next(answers)})) as pool:
        with pytest.raises(Refused, match="another answer"):
            await register(pool, action, EVERY_SENT_TWICE)


async def test_a_refusal_ends_the_year_and_says_why() -> None:
    async with doors(lambda _: httpx.Response(409, text="Puljen er brugt")) as pool:
        with pytest.raises(Refused, match=r"409: Puljen er brugt"):
            await register(pool, PLAN[0], 1)


def test_the_clock_holds_an_aware_instant_of_the_danish_day(tmp_path: Path) -> None:
    set_clock(tmp_path / "clock", date(2025, 7, 1))

    assert datetime.fromisoformat((tmp_path / "clock").read_text().strip()) == datetime(2025, 7, 1, 8, tzinfo=UTC)
