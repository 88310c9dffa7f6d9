"""The demo: a year of a flexjob pool on a fresh stack. It succeeds when every figure is what it must be."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import httpx
import nats
import nats.errors
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from contracts.streams import streams_of
from local.actions import Plan
from local.comparison import Line, NotCovered, compare, number
from local.expected.figures import expected_figures
from local.instances import MUNICIPALITY
from local.plan import DAYS, FIRST_DAY, LAST_DAY, plan_year
from local.simulator import Pipeline, Refused, live, set_clock
from local.stack import REFUSALS, Stack, running_stack

SERVICES = ("flexjob_pool", "impact")
SEED = 2025
PEOPLE = 100
PLAIN_WIDTH = 140
SHOWN_DIFFERENCES = 40
MONTH_ENDS = tuple(day for day in DAYS if (day + timedelta(days=1)).day == 1)
BROKEN_OFF = (Refused, NotCovered, httpx.HTTPError, nats.errors.Error, OSError)


@dataclass(frozen=True, slots=True)
class Doors:
    """What the demo reaches of a running stack."""

    pool: httpx.AsyncClient
    impact: httpx.AsyncClient
    pipeline: Pipeline


class Disagreement(Exception):
    """Values of figures are not what they must be."""


def run(*, seed: int = SEED, people: int = PEOPLE) -> int:
    """Live the year and print every figure; the exit code is 0 when all agree, else the folder is kept and named.

    Raises one of REFUSALS, and leaves no folder, when the stack cannot start.
    """
    messages = Console(stderr=True, highlight=False)
    try:
        with _fresh_folder(messages) as folder:
            asyncio.run(_demo(folder, plan_year(seed, people), messages))
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


async def _demo(folder: Path, plan: Plan, messages: Console) -> None:
    clock = folder / "clock"
    set_clock(clock, FIRST_DAY)
    with messages.status("Starting PostgreSQL, NATS and the services") as status:
        settings = {"CLOCK": f"file:{clock}"}
        async with running_stack(folder, services=SERVICES, settings=settings) as stack, _doors(stack) as doors:
            status.stop()
            lines = await _live(plan, clock, doors, messages)
            lines += await _look_back(plan, doors)
            _show([line for line in lines if line.as_of == LAST_DAY])
    messages.print(f"{len(plan)} registrations, {len(lines)} values compared, at every month's end and in hindsight.")
    if differing := [f"✗ {line}" for line in lines if not line.agrees]:
        raise Disagreement("\n".join([f"{len(differing)} values, the first of them:", *differing[:SHOWN_DIFFERENCES]]))


@asynccontextmanager
async def _doors(stack: Stack) -> AsyncIterator[Doors]:
    headers = {"Authorization": f"Bearer {stack.token}"}
    bus = await nats.connect(stack.nats_url)
    try:
        async with (
            httpx.AsyncClient(base_url=stack.url_of("flexjob_pool"), headers=headers) as pool,
            httpx.AsyncClient(base_url=stack.url_of("impact"), headers=headers) as impact,
        ):
            yield Doors(pool, impact, Pipeline(pool, bus.jetstream(), streams_of(MUNICIPALITY)))
    finally:
        await bus.close()


async def _live(plan: Plan, clock: Path, doors: Doors, messages: Console) -> list[Line]:
    """Live the year, and look at every month's end as it is known then."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    lines: list[Line] = []
    with Progress(*columns, console=messages) as progress:
        year = progress.add_task("", total=len(DAYS))
        async for day in live(plan, pool=doors.pool, clock=clock, drained=doors.pipeline.drained):
            if day in MONTH_ENDS:
                lines += await _compare(plan, doors, as_of=day, known_on=day)
            progress.update(year, advance=1, description=f"{day:%d.%m.%Y}")
    return lines


async def _look_back(plan: Plan, doors: Doors) -> list[Line]:
    """Every earlier month's end once more: as it is known now, late registrations and all, and as it was known then."""
    return [
        line
        for day in MONTH_ENDS[:-1]
        for known_on in (LAST_DAY, day)
        for line in await _compare(plan, doors, as_of=day, known_on=known_on)
    ]


async def _compare(plan: Plan, doors: Doors, *, as_of: date, known_on: date) -> list[Line]:
    return await compare(
        doors.impact, expected_figures(plan, as_of=as_of, known_on=known_on), as_of=as_of, known_on=known_on
    )


def _show(lines: Sequence[Line]) -> None:
    table = Table("Indicator", "Title", "Cell", title=f"Figures as of {LAST_DAY}")
    for name in ("Value", "Unit", "Expected", "Facts", ""):
        table.add_column(name, justify="left" if name == "Unit" else "right")
    for line in lines:
        table.add_row(
            line.indicator,
            "" if line.cell else line.title,
            line.cell,
            number(line.answered.value),
            line.unit,
            number(line.expected.value),
            "" if line.facts is None else str(line.facts),
            "[green]✓[/]" if line.agrees else "[red]✗[/]",
        )
    console = Console()
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    console.print(table)
