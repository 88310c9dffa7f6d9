"""One impact that takes in all the events, and what is asked of it with that ledger behind it."""

from collections.abc import Sequence
from itertools import count

import httpx

from contracts.streams import Stream
from tests.bench.contenders.contender import Promise
from tests.bench.contenders.impact import IMPACT
from tests.bench.freshness import fresh, percentile
from tests.bench.gate import check
from tests.bench.progress import Told
from tests.bench.racing import Runner, ready
from tests.bench.restatement import Exits, correction, restate
from tests.bench.results import Results
from tests.bench.servers import Servers, issued, peak_mb
from tests.bench.sizes import SLICE, Sizes
from tests.bench.workload import Workload, once_each, publish, workload

WHOLE_OF = "607"
SLOW, FAST = 200, 2000
ANSWER_SECONDS = 60
FEWEST_CORRECTIONS = 3
EXACT_SCOPES = ("figures:exact", "ledger")
FRESHNESS = ("freshness_p50_ms", "freshness_p99_ms")
FAST_FRESHNESS = "freshness_2000_p99_ms"
KEYS_OF_WHOLE = (*FRESHNESS, FAST_FRESHNESS, "restatement_ms", "rss_mb")


class Whole:
    """An impact with all the events behind it."""

    def __init__(self, servers: Servers, sizes: Sizes, results: Results, told: Told) -> None:
        self._servers = servers
        self._sizes = sizes
        self._results = results
        self._told = told
        self._seeds = count(1000)

    async def run(self, seed: int) -> None:
        """Take it all in, ask, and hold the ledger against what was sent. Raises GateRed."""
        with self._told.doing(f"{self._sizes.whole:,} events are told"):
            work = workload(WHOLE_OF, self._sizes.whole, seed=seed + 2)
            await self._servers.provide(WHOLE_OF)
            last = await publish(self._servers.nc, work)
        works = [work]
        with self._servers.database() as dsn:
            async with ready(self._servers, IMPACT, work, dsn) as runner:
                with self._told.doing(f"impact takes in {len(work.arriving):,} events"):
                    lap = await runner.go(work, last)
                self._results.details["whole"] = {"events": lap.events, "seconds": lap.seconds, "cpu_seconds": lap.cpu}
                self._told.say(f"impact, {lap.events:,} events at once: {lap.rate:,.0f}/s")
                for _ in range(self._sizes.rounds):
                    works += await self._fresh(dsn, work.stream)
                works += await self._restate(dsn, runner, work.stream)
                self._results.details["whole"]["rss_mb"] = peak = peak_mb(runner.child.pid)
                self._results.rounds["rss_mb"] = [peak]
            with self._told.doing("the gate looks at the whole ledger"):
                await self._check(dsn, works)

    async def _fresh(self, dsn: str, stream: Stream) -> list[Workload]:
        """One round at each rate that is asked for; the events that it took."""
        taken = []
        for rate, events, keys in (
            (SLOW, self._sizes.fresh, FRESHNESS),
            (FAST, self._sizes.fresh_fast, (FAST_FRESHNESS,)),
        ):
            if self._results.wants(*keys):
                taken.append(more := self._more(stream, events))
                with self._told.doing(f"freshness at {rate:,}/s, {events:,} events"):
                    waits = await fresh(self._servers, dsn, stream, more.arriving, rate)
                for key in keys:
                    self._results.add(key, percentile(waits, 50 if "p50" in key else 99))
                self._told.say(f"{rate:,}/s: p50 {percentile(waits, 50):,.1f} ms, p99 {percentile(waits, 99):,.1f} ms")
        return taken

    def _more(self, stream: Stream, events: int) -> Workload:
        """Further people, who come once each."""
        seed = next(self._seeds)
        return once_each(stream.municipality, events, seed=seed, name=f"more{seed}-", more=True)

    async def _restate(self, dsn: str, runner: Runner, stream: Stream) -> list[Workload]:
        """A correction of each of some placements; the events that it took."""
        if not self._results.wants("restatement_ms"):
            return []
        stories = [correction(stream) for _ in range(max(FEWEST_CORRECTIONS, self._sizes.rounds))]
        headers = {"Authorization": f"Bearer {await issued(dsn, stream.municipality, EXACT_SCOPES)}"}
        async with httpx.AsyncClient(base_url=runner.url, headers=headers, timeout=ANSWER_SECONDS) as client:
            exits = Exits(client, stream.municipality)
            for story in stories:
                with self._told.doing("a correction 24 months back"):
                    took = await restate(self._servers, exits, story, stream)
                self._results.add("restatement_ms", took)
                self._told.say(f"restatement: {took:,.0f} ms")
        self._results.note("restatement_ms: released totals stay as released by design, and move with the next release")
        return [Workload(stream, [event for story in stories for event in story])]

    async def _check(self, dsn: str, works: Sequence[Workload]) -> None:
        """All that impact promises where there is time for it, else the ledger and the account of deliveries."""
        all_of_it = self._sizes.full or self._sizes.whole <= SLICE
        if not all_of_it:
            self._results.note("the whole ledger was held against what was sent; rows and figures were on the slices")
        await check(dsn, "impact, on the whole", Promise.ALL if all_of_it else Promise.LEDGER, works)
