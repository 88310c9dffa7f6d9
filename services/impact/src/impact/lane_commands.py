"""`kraftcenter verify` and `kraftcenter rebuild`: work on the database of impact itself, by those who operate it."""

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from chassis.calendar import calendar_of
from chassis.cli import CommandError, complete, dsn_of
from chassis.database import Connection, Pool, create_pool
from contracts.reach import BEGINNING
from impact.catalogue import INDICATORS, measures_of
from impact.fold import RuleError
from impact.rebuild import GateClosed, Rebuilt, compare, rebuild
from impact.store.definitions import DefinitionMissing
from impact.store.figures import BeyondLane, snapshot
from impact.store.ledger import position_of
from impact.store.replay import NotAsAdmitted
from impact.verify.drift import Drift, Pair, Verification, verify
from impact.verify.lane import LEDGER, Odd, open_accounts, retold
from impact.verify.watch import HORIZON, kept, named, pairs_of, proven

CODE = re.compile(r"[0-9]{3}")
MEASURES = measures_of(INDICATORS)

T = TypeVar("T")
Municipality = Annotated[str, typer.Option(help="Municipality code, as 621.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


def verify_figures(
    *,
    at: Annotated[
        list[str] | None,
        typer.Option(help="A day, or a day and a position as 2026-03-31@1204; repeat for more. Else now and one past."),
    ] = None,
    municipality: Municipality = "621",
    thorough: Annotated[bool, typer.Option("--thorough", help="Also compare with the ledger told again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Prove every figure by the second implementation: plain SQL over the raw ledger. Exit code 1 on drift.

    Compares every figure, whole and in one-way cuts, by each definition kept; and closes the accounts of the lane.
    Only --thorough finds every edited body, and edits that neither figures nor accounts show: see `rebuild --check`.
    Needs IMPACT_DATABASE_URL (or _FILE).

    Examples:
    kraftcenter verify
    kraftcenter verify --at 2026-03-31 --at 2026-03-31@1204
    kraftcenter verify --thorough
    """
    pairs = [_pair(text) for text in at or []]

    async def work(pool: Pool, progress: Callable[[int, int], None]) -> tuple[Verification, list[Odd]]:
        async with snapshot(pool, readonly=False) as db:
            await _require_facts(db, municipality)
            if not (entries := await kept(db, municipality, INDICATORS)):
                raise CommandError(f"The facts of {municipality} are not counted yet: `kraftcenter rebuild` does that.")
            asked = pairs or await pairs_of(db, municipality, calendar_of("system").today())
            try:
                found = await verify(db, municipality, entries, asked, progress)
            except BeyondLane as beyond:
                raise CommandError(f"The ledger of {municipality} ends at position {beyond.position}.") from None
            odd = await open_accounts(db, municipality, INDICATORS)
        return found, odd + (await retold(pool, municipality, INDICATORS, progress) if thorough else [])

    _show_verified(*_with_progress("Verifying", work), as_json=as_json)


def _show_verified(found: Verification, odd: Sequence[Odd], *, as_json: bool) -> None:
    """Print what was found. Raises CommandError on drift."""
    if as_json:
        drift = [*(named(drift) | _values(drift) for drift in found.drift), *(each.named for each in odd)]
        typer.echo(json.dumps({"cells": found.cells, "drift": drift}, ensure_ascii=False, indent=2))
    elif found.drift or odd:
        Console(markup=False).print(_drift_table(found, odd))
    else:
        typer.echo(f"{found.cells} cells proven.")
    if odd:
        raise CommandError(
            f"{len(found.drift)} of {found.cells} cells are not what the ledger says, and rows do not agree with it: "
            + ", ".join(f"{each.kind} {each.name}" for each in odd)
        )
    if found.drift:
        raise CommandError(f"{len(found.drift)} of {found.cells} cells are not what the ledger says.")


def rebuild_lane(
    *,
    municipality: Municipality = "621",
    check: Annotated[bool, typer.Option("--check", help="Compare only; exit code 1 if rows differ.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell the whole ledger again beside the live figures, and put right what differs, once the figures are proven.

    Needs IMPACT_DATABASE_URL (or _FILE). Traffic goes on meanwhile.

    Examples:
    kraftcenter rebuild --check
    kraftcenter rebuild --municipality 630
    """

    async def work(pool: Pool, progress: Callable[[int, int], None]) -> Rebuilt:
        async with snapshot(pool) as db:
            await _require_facts(db, municipality)
        if check:
            return await compare(pool, municipality, MEASURES, progress=progress)
        return await rebuild(
            pool, municipality, MEASURES, calendar=calendar_of("system"), gate=proven(municipality), progress=progress
        )

    try:
        rebuilt = _with_progress("Telling again", work)
    except GateClosed as closed:
        raise CommandError(
            f"Nothing was replaced: {closed.cells} rebuilt cells are not what the second implementation says. "
            "See `kraftcenter verify`."
        ) from None
    except RuleError as error:
        raise CommandError(f"Nothing was replaced: the rule {error} does not take what was once counted.") from None
    except NotAsAdmitted as error:
        raise CommandError(
            f"Nothing was replaced: the fact at position {error.position} is not as it was admitted."
        ) from None
    except DefinitionMissing as error:
        raise CommandError(f"The lane keeps {error}, which this program does not know: use the newer one.") from None
    _show_rebuilt(rebuilt, check=check, as_json=as_json)


async def _require_facts(db: Connection, municipality: str) -> None:
    """A lane that nobody has told anything is more likely a slip. Raises CommandError."""
    if not CODE.fullmatch(municipality) or not await position_of(db, municipality):
        raise CommandError(f"The ledger has no facts of {municipality!r}: a municipality is named by its code, as 621.")


def _pair(text: str) -> Pair:
    day, at, position = text.partition("@")
    try:
        pair = Pair(date.fromisoformat(day), int(position) if at else None)
    except ValueError:
        raise typer.BadParameter(f"--at must look like 2026-03-31 or 2026-03-31@1204, not {text!r}") from None
    if not BEGINNING <= pair.as_of <= HORIZON or (pair.position or 0) < 0:
        raise typer.BadParameter(f"--at must be from {BEGINNING} to {HORIZON}, at a position from 0 on, not {text!r}")
    return pair


def _with_progress(what: str, work: Callable[[Pool, Callable[[int, int], None]], Awaitable[T]]) -> T:
    """Work on impact's database with a progress bar on stderr. Raises CommandError."""
    dsn = dsn_of("impact")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())

    async def worked() -> T:
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=None)
            async with await create_pool(dsn, name="kraftcenter", max_size=1) as pool:
                return await work(pool, lambda done, total: bar.update(task, completed=done, total=total))

    return complete(worked())


def _drift_table(found: Verification, odd: Iterable[Odd]) -> Table:
    table = Table("Id", "As of", "Position", "Read from", "Cell", "Figure", "Proof")
    for drift in found.drift:
        cell = ", ".join(f"{name}={value}" for name, value in drift.cell) or "all"
        values = _values(drift)
        place = (drift.indicator, drift.as_of.isoformat(), str(drift.position), drift.read_from, cell)
        table.add_row(*place, values["figure"], values["proof"])
    for each in odd:
        table.add_row(LEDGER, "", "", "", f"{each.kind}={each.name}", "", "")
    return table


def _values(drift: Drift) -> dict[str, str]:
    return {name: " / ".join(map(str, parts)) for name, parts in (("figure", drift.figure), ("proof", drift.proof))}


def _show_rebuilt(rebuilt: Rebuilt, *, check: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"position": rebuilt.position, "differences": rebuilt.differences}, indent=2))
    else:
        table = Table("Table", "Rows that differed")
        for name, rows in rebuilt.differences.items():
            table.add_row(name, str(rows))
        Console(markup=False).print(table)
        typer.echo(f"Told again up to position {rebuilt.position}.", err=True)
    if check and rebuilt.differing:
        raise CommandError("Rows differ: `kraftcenter rebuild` puts them right.")
