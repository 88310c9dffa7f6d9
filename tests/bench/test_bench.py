"""The bench itself: a tiny run has every key, and its gate tells a wrong result from a right one."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from chassis.wire import canonical
from tests.bench import restatement
from tests.bench.bench import run
from tests.bench.careless import careless
from tests.bench.contenders.contender import Promise
from tests.bench.gate import GateRed
from tests.bench.growth import of_others
from tests.bench.keys import KEYS, NAMES
from tests.bench.racing import race
from tests.bench.report import write
from tests.bench.restatement import Exits
from tests.bench.results import Results
from tests.bench.servers import running_servers
from tests.bench.sizes import Sizes
from tests.bench.workload import publish, workload

TINY = 120
BY_HAND = "not measured in this run"


@pytest.mark.timeout(240)
async def test_a_tiny_run_has_every_key_and_passes_its_gate(tmp_path: Path) -> None:
    sizes = Sizes(TINY, rounds=1)
    results, taken, minutes = await run(sizes, seed=1, wanted=frozenset(NAMES), lasting=False)

    kept = write(results, seed=1, sizes=taken, minutes=minutes, file=tmp_path / "bench.json")

    assert kept == json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert {name for name in NAMES if kept[name] is None} == {"ratio_at_10x_ledger"}
    assert BY_HAND in kept["reasons"]["ratio_at_10x_ledger"]
    assert {"machine", "versions", "settings", "commit", "seed", "rounds"} <= kept.keys()
    assert kept["ratio_to_naive"] == kept["rounds"]["ratio_to_naive"][0]
    laps = {(lap["round"], lap["contender"]) for lap in kept["details"]["laps"]}
    assert laps == {(0, "impact"), *((1, name) for name in ("impact", "ceiling", "faststream_batch", "naive"))}


@pytest.mark.timeout(120)
async def test_the_gate_is_red_for_who_drops_an_event_or_counts_one_twice() -> None:
    work = workload("621", TINY, seed=2)
    async with running_servers(lasting=False) as servers:
        await servers.provide("621")
        last = await publish(servers.nc, work)
        with pytest.raises(GateRed, match="the ledger is not what was sent, 1 entries"):
            await race(servers, careless("drops"), work, last)
        with pytest.raises(GateRed, match=r"its rows are not what the ledger gives: .*'running_sum': 2"):
            await race(servers, careless("doubles"), work, last)
        with pytest.raises(GateRed, match="are not what the second implementation says"):
            await race(servers, careless("doubles"), work, last, Promise.FIGURES)
        await race(servers, careless("nothing"), work, last)


def test_the_same_seed_gives_the_same_events_with_copies_and_corrections_among_them() -> None:
    work, again = workload("621", 1000, seed=3), workload("621", 1000, seed=3)

    assert work == again
    assert len(work.arriving) == 1000
    assert len(work.first_copies) == 980
    assert sum(b'"corrects":' in event.body for event in work.arriving) >= 8


def test_what_is_copied_for_a_larger_ledger_is_of_others_and_as_canonical() -> None:
    body = next(event.body for event in workload("621", 1000, seed=3).arriving if b'"corrects":' in event.body)
    other = of_others(body, 3)

    assert other.count(b"copy3-") == 2
    assert canonical(json.loads(other)) == other
    assert of_others(body, 0) == body


@pytest.mark.parametrize(("value", "reached"), [(7.9, "no"), (8, "yes"), (15, "stretch"), (None, "")])
def test_a_ratio_is_reached_from_its_target_on(value: float | None, reached: str) -> None:
    [ratio] = [key for key in KEYS if key.name == "ratio_to_naive"]

    assert ratio.reached(value) == reached


def test_a_latency_is_reached_up_to_its_target() -> None:
    [latency] = [key for key in KEYS if key.name == "freshness_p50_ms"]

    assert [latency.reached(value) for value in (10.1, 10, 3)] == ["no", "yes", "stretch"]


def test_a_key_that_was_not_asked_for_has_no_value_and_a_reason() -> None:
    results = Results(frozenset({"events_per_s"}))
    for rate in (5, 1, 3):
        results.add("events_per_s", rate)
    results.add("rss_mb", 90)

    kept = results.written({})

    assert (kept["events_per_s"], kept["rss_mb"]) == (3, None)
    assert kept["reasons"].keys() == set(NAMES) - {"events_per_s"}


async def test_an_exit_that_lags_behind_a_correction_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restatement, "LONGEST_SECONDS", 0.05)

    async def told(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        position = 4 if request.url.path == "/v1/ledger/balance" else 5
        if request.url.path == "/metrics/exact":
            return httpx.Response(200, text=f'impact_lane_position{{municipality="621"}} {position}')
        shown = {"value": "1", "position": position, "balanced": True}
        return httpx.Response(200, json={**shown, "items": [shown]})

    async with httpx.AsyncClient(base_url="http://impact", transport=httpx.MockTransport(told)) as client:
        with pytest.raises(TimeoutError, match=r"^/v1/ledger/balance does not tell position 5 within"):
            await Exits(client, "621").until_they_agree(1, 1, 5)
