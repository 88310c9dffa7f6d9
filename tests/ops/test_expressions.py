"""Every expression of every panel and rule, asked of a real Prometheus that watches a town which has lived a year."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from pathlib import Path

import httpx
import pytest

from dashboards.expressions import COUNTER, selections
from impact.catalogue import INDICATORS
from impact.metrics import name_of
from local.hall import Hall, halls
from local.instances import SERVICES
from local.plan.chance import DAYS
from local.plan.towns import KOLDING
from local.plan.year import plan_year
from local.prometheus import watched
from local.simulator import live_day, set_clock
from local.stack import running_stack
from local.waiting import until
from tests.ops.asking import Prometheus, Question, alarms, of_panels, of_rules, wrong

# Enough for no figure to be hidden, or to be of nobody.
PEOPLE = 360
# Prometheus watches the last days alone: each scrape reads every figure.
WATCHED = DAYS[-3:]
EVERY = "5s"
WINDOW = "1m"
SCRAPES = 4
# What exporters call a gauge although it only grows.
GAUGES_BY_NAME = ("gnatsd_", "jetstream_")
HISTOGRAM = re.compile("_(bucket|count|sum)$")


@asynccontextmanager
async def year_that_is_watched(folder: Path) -> AsyncIterator[Prometheus]:
    """Live Kolding's year, have Prometheus watch its end, and yield once everything has been scraped some times."""
    clock, year = folder / "clock", plan_year(1, KOLDING, PEOPLE)
    set_clock(clock, DAYS[0])
    settings = {"CLOCK": f"file:{clock}", "IMPACT_VERIFY_SECONDS": "20", "IMPACT_RELEASE_SECONDS": "2"}
    settings |= {f"{service.upper()}_HEARTBEAT_SECONDS": "2" for service in SERVICES}
    async with running_stack(folder / "stack", settings=settings) as stack, halls(stack, [year]) as (town,):
        await lives(town, clock, DAYS[: -len(WATCHED)])
        async with watched(stack, every=EVERY) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
            prometheus = Prometheus(client)
            await lives(town, clock, WATCHED)
            await until_told(prometheus)
            await until(partial(is_asked, town, prometheus), seconds=60, message="no request is counted")
            yield prometheus


async def lives(town: Hall, clock: Path, days: Sequence[date]) -> None:
    for day in days:
        await live_day([town.office], day, clock=clock)
    await town.office.pipeline.counted()


async def until_told(prometheus: Prometheus) -> None:
    """Return when every figure is released and verified, and everything has been scraped some times."""
    names = "|".join(name_of(indicator) for indicator in INDICATORS)

    async def figures() -> bool:
        return len(await prometheus.ask(f'count by (__name__) ({{__name__=~"{names}"}})')) == len(INDICATORS)

    async def scrapes() -> bool:
        return bool(await prometheus.ask(f"min(count_over_time(up[{WINDOW}])) >= {SCRAPES} and min(up) == 1"))

    await until(figures, seconds=60, message="not every figure is released")
    await until(scrapes, seconds=60, message="not everything is scraped")
    await until(partial(prometheus.ask, "impact_verified_cells > 0"), seconds=60, message="nothing is verified")


async def is_asked(town: Hall, prometheus: Prometheus) -> bool:
    """Ask for something, and say whether requests are counted just now: ratios and durations are of nothing else."""
    await town.impact.get("/v1/indicators")
    return bool(await prometheus.ask(f'sum(rate(http_requests_total{{job="impact", kind!="probe"}}[{WINDOW}])) > 0'))


async def not_counters(prometheus: Prometheus) -> list[str]:
    """What panels read as a counter, by its name, and was exposed as something else."""
    read = {each.name for question in of_panels() for each in selections(question.expr)}
    types = await prometheus.types()
    counters = {name for name in read if COUNTER.fullmatch(name) and not name.startswith(GAUGES_BY_NAME)}
    return sorted(name for name in counters if types.get(HISTOGRAM.sub("", name)) not in {"counter", "histogram"})


BROKEN = {
    Question("", 'sum(rate(impact_deliveries_totl{municipality="$municipality"}[$__rate_interval]))'): "by nothing",
    Question("", 'impact_headcount_persons{municipality="$municipality", departement!=""}'): "by nothing",
    Question("", "0 * impact_drift_cells / 0"): "by nothing",
    Question("", "impact_drift_cells + on (municipality) up"): "cannot be evaluated",
    Question("", "sum(rate(up[$__rate_interval])"): "cannot be evaluated",
    Question("", "up", "Nobody is asked."): "although it is said",
}


@pytest.mark.timeout(900)
async def test_a_town_that_has_lived_a_year_answers_every_expression_and_a_broken_one_is_noticed(
    tmp_path: Path,
) -> None:
    async with year_that_is_watched(tmp_path) as prometheus:
        assert await wrong(prometheus, [*of_panels(), *of_rules()], window=WINDOW) == []
        assert await alarms(prometheus) == []
        assert await not_counters(prometheus) == []
        for broken, said in BROKEN.items():
            (found,) = await wrong(prometheus, [broken], window=WINDOW)
            assert said in found
