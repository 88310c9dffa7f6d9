"""Rounds of laps: impact and the others in turn, on the same events, so that a slow minute slows all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.contenders.ceiling import CEILING
from tests.bench.contenders.contender import Contender, Promise
from tests.bench.contenders.faststream_batch import FASTSTREAM_BATCH
from tests.bench.contenders.impact import IMPACT
from tests.bench.contenders.naive import NAIVE
from tests.bench.gate import Checked, agree
from tests.bench.progress import Told
from tests.bench.racing import Lap, race
from tests.bench.results import Results
from tests.bench.servers import Servers
from tests.bench.sizes import Sizes
from tests.bench.workload import Workload, publish, workload

SLICE_OF, NAIVE_SLICE_OF = "621", "630"
OF_IMPACT = ("events_per_s", "cpu_s_per_100k", "rebuild_ratio", "rss_mb")
NEEDED_BY = {
    CEILING.name: ("ceiling_events_per_s", "ratio_to_ceiling"),
    FASTSTREAM_BATCH.name: ("ratio_to_faststream_batch",),
    NAIVE.name: ("ratio_to_naive",),
}
KEYS_OF_ROUNDS = (*OF_IMPACT, *(name for names in NEEDED_BY.values() for name in names))


@dataclass(slots=True)
class Track:
    """Events on a stream, and what impact made of them, which whoever takes in the same must come to as well."""

    work: Workload
    last_sequence: int
    right: Checked | None = None


class Rounds:
    """The contenders, and where they run."""

    def __init__(
        self, servers: Servers, sizes: Sizes, results: Results, told: Told, contenders: Sequence[Contender]
    ) -> None:
        self._servers = servers
        self._sizes = sizes
        self._results = results
        self._told = told
        self._contenders = [
            each for each in contenders if each.name not in NEEDED_BY or results.wants(*NEEDED_BY[each.name])
        ]

    async def run(self, seed: int) -> float:
        """All rounds, the gate before them; impact's rate, for what is planned with it. Raises GateRed."""
        usual = await self._track(SLICE_OF, self._sizes.slice, seed)
        short = await self._track(NAIVE_SLICE_OF, self._sizes.naive_slice, seed + 1)
        tracks = {each.name: short if each is NAIVE else usual for each in self._contenders}
        if NAIVE in self._contenders:
            await self._lap(IMPACT, short, 0, Promise.ALL)
        rates = []
        for number in range(1, self._sizes.rounds + 1):
            laps = {each.name: await self._lap(each, tracks[each.name], number) for each in self._contenders}
            rates.append(laps[IMPACT.name].rate)
            self._compare(laps)
        return max(rates)

    async def _track(self, municipality: str, events: int, seed: int) -> Track:
        work = workload(municipality, events, seed=seed)
        await self._servers.provide(municipality)
        return Track(work, await publish(self._servers.nc, work))

    async def _lap(self, contender: Contender, track: Track, number: int, promise: Promise | None = None) -> Lap:
        """A lap through the gate: the first on a track proves what it wrote, the others that they wrote the same."""
        with self._told.doing(f"round {number}: {contender.name}, {len(track.work.arriving):,} events"):
            held_to = promise or (Promise.ALL if track.right is None else Promise.LEDGER | self._retelling(contender))
            lap, seen = await race(self._servers, contender, track.work, track.last_sequence, held_to)
        if contender.promise:
            track.right = track.right or seen
            agree(contender.name, seen, IMPACT.name, track.right)
        if contender is IMPACT and number and seen.retold_seconds:
            self._results.add("rebuild_ratio", seen.facts / seen.retold_seconds / lap.rate)
        self._results.details.setdefault("laps", []).append(
            {"round": number, "contender": lap.contender, "events": lap.events, "seconds": lap.seconds}
            | {
                "cpu_seconds": lap.cpu,
                "rss_mb": lap.rss_mb,
                "cells_proven": seen.cells,
                "retold_seconds": seen.retold_seconds,
            }
        )
        self._told.say(f"round {number}: {contender.name} {lap.rate:,.0f}/s")
        return lap

    def _retelling(self, contender: Contender) -> Promise:
        wanted = contender is IMPACT and self._results.wants("rebuild_ratio")
        return Promise.ROWS if wanted else Promise.NOTHING

    def _compare(self, laps: dict[str, Lap]) -> None:
        impact = laps[IMPACT.name]
        self._results.add("events_per_s", impact.rate)
        self._results.add("cpu_s_per_100k", impact.cpu_per_100k)
        self._results.add("rss_mb", impact.rss_mb)
        if ceiling := laps.get(CEILING.name):
            self._results.add("ceiling_events_per_s", ceiling.rate)
            self._results.add("ratio_to_ceiling", impact.rate / ceiling.rate)
        if naive := laps.get(NAIVE.name):
            self._results.add("ratio_to_naive", impact.rate / naive.rate)
        if batch := laps.get(FASTSTREAM_BATCH.name):
            self._results.add("ratio_to_faststream_batch", impact.rate / batch.rate)


CONTENDERS = (IMPACT, CEILING, FASTSTREAM_BATCH, NAIVE)
