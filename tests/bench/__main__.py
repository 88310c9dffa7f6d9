"""`make bench`: impact beside what else there is, in one run on one machine. See docs/performance.md."""

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

from tests.bench.bench import run
from tests.bench.gate import GateRed
from tests.bench.keys import NAMES
from tests.bench.report import FILE, WIDTH, table, write
from tests.bench.sizes import Sizes

EVENTS, ROUNDS, SEED = 200_000, 3, 2026


def bench(  # noqa: PLR0913 - one parameter per option
    *,
    events: Annotated[int, typer.Option(min=20, help="How many events impact takes in on the whole.")] = EVENTS,
    rounds: Annotated[int, typer.Option(min=1, help="How often the contenders take turns.")] = ROUNDS,
    seed: Annotated[int, typer.Option(help="Another seed is another year.")] = SEED,
    only: Annotated[list[str] | None, typer.Option(help="Measure this key alone; repeat for more.")] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Take the time for all events, and for ten times as many.")
    ] = False,
    output: Annotated[Path, typer.Option(help="Where the run is kept.")] = FILE,
) -> None:
    """Measure, print a table, and keep the run in build/bench.json; the exit code is 1 when the gate is red.

    Examples:
    python -m tests.bench
    python -m tests.bench --events 2000 --rounds 1 --only events_per_s
    """
    if odd := set(only or ()) - set(NAMES):
        raise typer.BadParameter(f"no key {', '.join(sorted(odd))}; there are {', '.join(NAMES)}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        results, sizes, minutes = asyncio.run(
            run(Sizes(events, rounds, full), seed=seed, wanted=frozenset(only or NAMES))
        )
    except GateRed as red:
        Console(stderr=True).print(f"The gate is red. {red}", style="red", markup=False)
        raise typer.Exit(1) from None
    kept = write(results, seed=seed, sizes=sizes, minutes=minutes, file=output)
    console = Console(width=WIDTH)
    console.print(table(results))
    for note in kept["notes"]:
        console.print(f"- {note}", markup=False)
    console.print(f"{minutes:.1f} minutes; kept in {output}", markup=False)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(bench)
    app()
