"""The other way of counting, in processes of its own: it needs no service, and works while the year is lived."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache

from local.expected.figures import expected_figures
from local.expected.value import Figure
from local.plan.story import Year
from local.plan.towns import TOWNS
from local.plan.year import plan_years

WORKERS = 2
UNHURRIED = 10

Pair = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Answers:
    """What each figure must come to, by municipality, day and day of knowledge; calculated sooner or later."""

    calculations: Mapping[tuple[str, Pair], Future[dict[str, Figure]]]

    async def of(self, municipality: str, pair: Pair) -> dict[str, Figure]:
        """Every figure of a municipality at a pair of days."""
        return await asyncio.wrap_future(self.calculations[municipality, pair])


@contextmanager
def calculated(seed: int, people: int, pairs: Iterable[Pair]) -> Iterator[Answers]:
    """Begin to calculate; what is not asked for by the end of the block is not calculated any more."""
    codes = [town.municipality for town in TOWNS]
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=fresh, initializer=_stand_back) as pool:
        try:
            yield Answers(
                {(code, pair): pool.submit(_calculate, seed, people, code, pair) for pair in pairs for code in codes}
            )
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            # Whoever broke off, or could not begin, does not wait for what nobody will ask for.
            for worker in multiprocessing.active_children():
                worker.terminate()


def _stand_back() -> None:
    """Calculate while nobody else needs the processor, and not for a demo that was killed."""

    def follow() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
            os._exit(1)

    # Ctrl-C reaches this process too, which has nothing to say to it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.nice(UNHURRIED)
    threading.Thread(target=follow, daemon=True).start()


def _calculate(seed: int, people: int, municipality: str, pair: Pair) -> dict[str, Figure]:
    (year,) = (year for year in _years(seed, people) if year.town.municipality == municipality)
    as_of, known_on = pair
    return expected_figures(year.actions, municipality=municipality, as_of=as_of, known_on=known_on)


@cache
def _years(seed: int, people: int) -> tuple[Year, ...]:
    return plan_years(seed, people)
