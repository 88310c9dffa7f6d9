"""The order of a run: rounds of contenders first, then one impact with all the events, then the producers."""

from collections.abc import Sequence
from dataclasses import replace

from tests.bench.commanding import KEYS_OF_COMMANDING, commanding
from tests.bench.contenders.contender import Contender
from tests.bench.growth import KEYS_OF_GROWTH, growth
from tests.bench.progress import Told
from tests.bench.relaying import KEYS_OF_RELAYING, relaying
from tests.bench.results import Results
from tests.bench.rounds import CONTENDERS, KEYS_OF_ROUNDS, Rounds
from tests.bench.servers import Servers, running_servers
from tests.bench.sizes import Sizes
from tests.bench.whole import KEYS_OF_WHOLE, Whole

# What impact may take for all the events at once, so that the run is over within a quarter of an hour.
WHOLE_SECONDS = 150
USUAL_RATE = 500


async def run(
    sizes: Sizes,
    *,
    seed: int,
    wanted: frozenset[str],
    contenders: Sequence[Contender] = CONTENDERS,
    lasting: bool = True,
) -> tuple[Results, Sizes, float]:
    """Measure what is wanted; the results, the sizes that there was time for, and how many minutes. Raises GateRed."""
    told, results = Told(), Results(wanted)
    async with running_servers(lasting=lasting) as servers:
        told.say("PostgreSQL and NATS run")
        rate = 0.0
        if results.wants(*KEYS_OF_ROUNDS):
            rate = await Rounds(servers, sizes, results, told, contenders).run(seed)
        if results.wants(*KEYS_OF_WHOLE):
            sizes = _affordable(sizes, rate or USUAL_RATE, results)
            await Whole(servers, sizes, results, told).run(seed)
        if results.wants(*KEYS_OF_GROWTH):
            await growth(servers, sizes, results, told, seed)
        await _producers(servers, sizes, results, told, seed)
    return results, sizes, told.minutes


async def _producers(servers: Servers, sizes: Sizes, results: Results, told: Told, seed: int) -> None:
    if results.wants(*KEYS_OF_RELAYING):
        await relaying(servers, sizes, results, told, seed)
    if results.wants(*KEYS_OF_COMMANDING):
        await commanding(servers, sizes, results, told, seed)


def _affordable(sizes: Sizes, rate: float, results: Results) -> Sizes:
    """As many of the events as there is time for."""
    affordable = max(1, round(rate * WHOLE_SECONDS / 10_000)) * 10_000
    if sizes.full or affordable >= sizes.whole:
        return sizes
    results.note(
        f"impact took in {affordable:,} of {sizes.whole:,} events on the whole, for want of time; --full takes all"
    )
    return replace(sizes, whole=affordable)
