"""The demo: a year of two municipalities on a fresh stack. It succeeds when every figure is what it must be."""

import asyncio
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import nats.errors
import uvloop
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from local import report, verdict
from local.actions.flexjobs import StartFlexjob
from local.actions.payroll import Message
from local.actions.undo import Correct, Retract
from local.comparison import Line, NotCovered
from local.expected.answers import Answers, Pair, calculated
from local.expected.known import known_at_the_end_of
from local.hall import Hall, Stranger, halls
from local.plan.chance import DAYS, FIRST_DAY, LAST_DAY
from local.plan.story import Year
from local.plan.year import plan_years
from local.simulator import Refused, live, set_clock
from local.stack import REFUSALS, running_stack
from local.verdict import Disagreement

SEED = 2025
PEOPLE = 1500
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
BROKEN_OFF = (Refused, NotCovered, Stranger, BrokenProcessPool, httpx.HTTPError, nats.errors.Error, OSError)


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
            accounts = [await town.account() for town in towns]
    counts = _counts(towns, accounts)
    counts |= {"værdier sammenlignet": len(lines), "sekunder": round(time.monotonic() - began)}
    _show(years, lines, counts, everything=everything)
    verdict.all_agree(lines)
    for town, account in zip(towns, accounts, strict=True):
        verdict.none_is_silent(town.year, lines, LAST_DAY)
        verdict.account_closes(account)
        verdict.copies_are_known(town.year, town.office.duplicates)


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


def _counts(towns: Sequence[Hall], accounts: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How much it was, in words that the last line of the demo has."""
    actions = [action for town in towns for action in town.year.actions]
    starts = [known for known in known_at_the_end_of(LAST_DAY, actions) if isinstance(known, StartFlexjob)]
    told = Counter(map(type, actions))
    return {
        "personer": len({start.person_ref for start in starts}),
        "arbejdspladser": len({start.workplace_unit for start in starts}),
        "registreringer": told.total(),
        "hændelser": sum(account["facts"]["total"]["first_copies"] for account in accounts),
        "rettelser": told[Correct],
        "tilbagekaldelser": told[Retract],
        "beskeder fra lønsystemet": sum(count for kind, count in told.items() if issubclass(kind, Message)),
        "af dem gentaget": sum(town.office.duplicates for town in towns),
    }


def _show(years: Sequence[Year], lines: Sequence[Line], counts: dict[str, int], *, everything: bool) -> None:
    console = report.console()
    for year in years:
        mine = [line for line in lines if line.municipality == year.town.municipality]
        table = report.year_end(year.town.name, mine, last_day=LAST_DAY, earlier=MID_YEAR, everything=everything)
        console.print(table, "")
    console.print(f"{report.summary(counts)}.")
