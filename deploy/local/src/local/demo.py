"""The demo: a year of two municipalities on a fresh stack. It succeeds when every figure is what it must be."""

import asyncio
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import httpx
import nats.errors
import uvloop
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from local import report
from local.actions.payroll import Message
from local.actions.undo import Correct, Retract
from local.comparison import Line, NotCovered
from local.expected.answers import Answers, Pair, calculated
from local.hall import Hall, Stranger, halls
from local.plan.chance import DAYS, FIRST_DAY, LAST_DAY
from local.plan.story import Year
from local.plan.year import plan_years
from local.simulator import Refused, live, set_clock
from local.stack import REFUSALS, running_stack

SEED = 2025
PEOPLE = 1500
PLAIN_WIDTH = 120
SHOWN_DIFFERENCES = 40
# With fewer, it may well be that nobody does some of the things that are counted.
ENOUGH_CASES = 200
MID_YEAR = date(2025, 6, 30)
# When it was true, and when that was known: corrections and late registrations lie between the two.
PAIRS: tuple[Pair, ...] = (
    (date(2025, 1, 31), date(2025, 1, 31)),
    (date(2025, 3, 31), date(2025, 3, 31)),
    (date(2025, 3, 31), MID_YEAR),
    (date(2025, 3, 31), LAST_DAY),
    (MID_YEAR, MID_YEAR),
    (MID_YEAR, date(2025, 9, 30)),
    (MID_YEAR, LAST_DAY),
    (date(2025, 9, 30), date(2025, 9, 30)),
    (date(2025, 9, 30), LAST_DAY),
    (date(2025, 11, 30), date(2025, 12, 15)),
    (LAST_DAY, LAST_DAY),
)
LOOKED_AT = {known_on for _, known_on in PAIRS}
BROKEN_OFF = (Refused, NotCovered, Stranger, httpx.HTTPError, nats.errors.Error, OSError)


class Disagreement(Exception):
    """Values of figures are not what they must be, or say nothing."""


def run(*, seed: int = SEED, people: int = PEOPLE, everything: bool = False) -> int:
    """Live the year and print every figure; the exit code is 0 when all agree, else the folder is kept and named.

    Raises one of REFUSALS, and leaves no folder, when the stack cannot start.
    """
    messages = Console(stderr=True, highlight=False)
    try:
        with _fresh_folder(messages) as folder, calculated(seed, people, PAIRS) as answers:
            uvloop.run(_demo(folder, plan_years(seed, people), answers, messages, everything=everything))
    except (*BROKEN_OFF, Disagreement) as failure:
        messages.print(f"{type(failure).__name__}: {failure}", style="red", markup=False)
        return 1
    return 0


@contextmanager
def _fresh_folder(messages: Console) -> Iterator[Path]:
    """A folder that goes when all went well, or nothing went at all, and stays to be looked into otherwise."""
    folder = Path(tempfile.mkdtemp(prefix="kraftcenter-demo-"))
    try:
        yield folder
    except REFUSALS:
        shutil.rmtree(folder)
        raise
    except BaseException:
        messages.print(f"Data and logs are kept in {folder}", markup=False)
        raise
    shutil.rmtree(folder)


async def _demo(folder: Path, years: Sequence[Year], answers: Answers, messages: Console, *, everything: bool) -> None:
    began, clock = time.monotonic(), folder / "clock"
    set_clock(clock, FIRST_DAY)
    codes = [year.town.municipality for year in years]
    with messages.status("Starting PostgreSQL, NATS and the services") as status:
        async with (
            running_stack(folder, municipalities=codes, settings={"CLOCK": f"file:{clock}"}) as stack,
            halls(stack, years) as towns,
        ):
            status.stop()
            for town in towns:
                await town.turns_away(stack.tokens[code] for code in codes if code != town.municipality)
            lines = await _live(towns, clock, answers, messages)
            lines += await _look_back(towns, answers, messages)
            counts = await _counts(towns)
    counts |= {"værdier sammenlignet": len(lines), "sekunder": round(time.monotonic() - began)}
    _show(years, lines, counts, everything=everything)
    _judge(lines)
    if sum(len(year.cases) for year in years) >= ENOUGH_CASES:
        _hear(lines, codes[0])


async def _live(towns: Sequence[Hall], clock: Path, answers: Answers, messages: Console) -> list[Line]:
    """Live the year, and look at some days as soon as they are over."""
    lines: list[Line] = []
    with _progress(messages) as progress:
        bar = progress.add_task("", total=len(DAYS))
        async for day in live([town.office for town in towns], clock=clock, looked_at=LOOKED_AT):
            if (day, day) in PAIRS:
                lines += await _compare(towns, answers, (day, day))
            progress.update(bar, advance=1, description=f"{day:%d.%m.%Y}")
    return lines


async def _look_back(towns: Sequence[Hall], answers: Answers, messages: Console) -> list[Line]:
    """Look at everything again at the end of the year: as it is known now, and as it was known then."""
    lines: list[Line] = []
    with _progress(messages) as progress:
        bar = progress.add_task("", total=len(PAIRS))
        for pair in PAIRS:
            as_of, known_on = pair
            progress.update(bar, description=f"{as_of:%d.%m.} as known on {known_on:%d.%m.}")
            if pair != (LAST_DAY, LAST_DAY):
                lines += await _compare(towns, answers, pair)
            progress.advance(bar)
    return lines


def _progress(messages: Console) -> Progress:
    columns = (TextColumn("{task.description:28}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=messages)


async def _compare(towns: Sequence[Hall], answers: Answers, pair: Pair) -> list[Line]:
    found = await asyncio.gather(*(town.compare(answers, pair) for town in towns))
    return [line for lines in found for line in lines]


async def _counts(towns: Sequence[Hall]) -> dict[str, int]:
    """How much it was, in words that the last line of the demo has."""
    told = Counter(type(action) for town in towns for action in town.year.actions)
    messages = sum(count for kind, count in told.items() if issubclass(kind, Message))
    facts = Counter[str]()
    for town in towns:
        facts.update(await town.facts())
    if facts["parked"] or facts["waiting"]:
        raise Disagreement(f"{facts['parked']} facts are parked and {facts['waiting']} wait, and none should")
    return {
        "registreringer": told.total(),
        "hændelser": facts["first_copies"],
        "rettelser": told[Correct],
        "tilbagekaldelser": told[Retract],
        "beskeder fra lønsystemet": messages,
        "af dem gentaget": sum(town.office.duplicates for town in towns),
    }


def _show(years: Sequence[Year], lines: Sequence[Line], counts: dict[str, int], *, everything: bool) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    for year in years:
        mine = [line for line in lines if line.municipality == year.town.municipality]
        table = report.year_end(year.town.name, mine, last_day=LAST_DAY, earlier=MID_YEAR, everything=everything)
        console.print(table, "")
    console.print(f"{report.summary(counts)}.")


def _judge(lines: Sequence[Line]) -> None:
    """Raise Disagreement unless every value is what it must be."""
    if differing := [f"✗ {line}" for line in lines if not line.agrees]:
        raise Disagreement("\n".join([f"{len(differing)} values, the first of them:", *differing[:SHOWN_DIFFERENCES]]))


def _hear(lines: Sequence[Line], municipality: str) -> None:
    """Raise Disagreement when a figure of a municipality stays silent to the end."""
    last = [line for line in lines if line.municipality == municipality and line.as_of == line.known_on == LAST_DAY]
    if silent := [line for line in last if not line.cut and not line.answered.value]:
        raise Disagreement("\n".join(["figures that say nothing at the year's end:", *map(str, silent)]))
