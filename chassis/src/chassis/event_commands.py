"""`kraftcenter check` and `kraftcenter emit`: judge a file of events without a network, and send it to the gateway."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from chassis.admission import INEXACT, faults_in
from chassis.bodies import NO_NUL
from chassis.cli import calendar
from chassis.client import token_in
from chassis.emitting import Emitter, Receipts, Result, Sending, sending_of
from chassis.event_files import Entry, entries_in
from chassis.problems import Fault, Said
from chassis.reasons import OBJECT
from chassis.wire import Unreadable, canonical, hash_of_body

DEFAULT_URL = "http://127.0.0.1:8600"
STDIN = "-"
INTERRUPTED = 130
OTHER_BODY = Said(
    "er samme kilde og id som {}, med andet indhold", "is the same source and id as {}, with another content"
)

File = Annotated[
    str, typer.Argument(metavar="FILE", help="A file with one JSON event per line, or one JSON document; - is stdin.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def check(file: File, *, as_json: Json = False) -> None:
    """Tell what is wrong with the events of a file, without sending them; exit code 1 when something is.

    Judged as the gateway does it, but for who may send what. Dates are judged by the calendar of today, or by CLOCK.

    Examples:
    kraftcenter check events.jsonl
    kraftcenter check - --json < event.json
    """
    today = calendar().today()
    judged = list(_judged(_entries(file), today))
    if as_json:
        typer.echo(
            json.dumps({"items": [_item(place, faults) for place, faults in judged]}, ensure_ascii=False, indent=2)
        )
    else:
        for place, faults in judged:
            typer.echo("\n".join([f"{place}: {'refused' if faults else 'ok'}", *map(_line, faults)]))
    refused = sum(bool(faults) for _, faults in judged)
    typer.echo(f"{len(judged) - refused} ok, {refused} refused.", err=True)
    raise typer.Exit(1 if refused else 0)


def emit(  # noqa: PLR0913 - one parameter per option of the command
    file: File,
    *,
    url: Annotated[str, typer.Option(help="Address of the gateway.")] = DEFAULT_URL,
    token_file: Annotated[Path, typer.Option(help="File with a token that has the scope write:gateway.")] = Path(
        "build/token"
    ),
    receipts: Annotated[
        Path | None, typer.Option(help="What was accepted; FILE.receipts.jsonl unless given, none for stdin.")
    ] = None,
    stop_on_refusal: Annotated[
        bool, typer.Option("--stop-on-refusal", help="Send nothing after the first refusal.")
    ] = False,
    at_once: Annotated[int, typer.Option(min=1, max=32, help="Sources that are sent side by side.")] = 4,
    patience: Annotated[float, typer.Option(min=0, max=86400, help="Seconds to go on without an answer.")] = 300,
    as_json: Json = False,
) -> None:
    """Send the events of a file to the gateway; run it again to go on where it ended.

    What has a receipt of this gateway is not sent again. The events of one source are sent in their order.
    Exit code 0 when everything is accepted, 1 when something was refused or the gateway does not answer, 2 for a wrong
    command line, 130 after Ctrl-C.

    Examples:
    kraftcenter emit events.jsonl --token-file payroll.token
    payroll-export | kraftcenter emit - --receipts payroll.receipts.jsonl
    """
    entries = _entries(file)
    emitter = Emitter(_address(url), token_in(token_file), patience, at_once)
    if receipts is None and file != STDIN:
        receipts = Path(f"{file}.receipts.jsonl")
    desk = _Desk(stop_on_refusal)
    try:
        sendings = list(desk.readable(entries))
        with Receipts(receipts, emitter.url) as kept:
            fresh = [one for one in sendings if not kept.holds(one)]
            desk.counts["sent_before"] = len(sendings) - len(fresh)
            with desk.progress(len(fresh)):
                asyncio.run(emitter.emit(fresh, kept, desk.tell))
    except _Stopped:
        typer.echo("Stopped at the first refusal.", err=True)
    except KeyboardInterrupt:
        typer.echo("Interrupted: run the same command again to go on.", err=True)
        desk.summarise(as_json=as_json)
        raise typer.Exit(INTERRUPTED) from None
    except BaseException:
        desk.summarise(as_json=as_json)
        raise
    desk.summarise(as_json=as_json)
    raise typer.Exit(1 if desk.refused else 0)


class _Stopped(Exception):
    """Something was refused, and nothing more is to be sent."""


class _Desk:
    """Where results are counted and told as they come."""

    def __init__(self, stop_on_refusal: bool) -> None:
        self.counts = Counter[str](accepted=0, duplicate=0, sent_before=0)
        self.refused: list[dict[str, Any]] = []
        self._stop_on_refusal = stop_on_refusal
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )

    def readable(self, entries: Sequence[Entry]) -> Iterator[Sending]:
        """What can be sent; the rest is refused here and now."""
        for entry in entries:
            try:
                if entry.unreadable or not isinstance(entry.value, dict):
                    self._refuse(entry.place, None, [("", (entry.unreadable or OBJECT).english)])
                else:
                    yield sending_of(entry.place, entry.value, canonical(entry.value), hash_of_body(entry.value))
            except Unreadable as unreadable:
                said = NO_NUL if unreadable.reason == "holds_nul" else INEXACT
                self._refuse(entry.place, None, [("", said.english)])

    @contextmanager
    def progress(self, total: int) -> Iterator[None]:
        """A bar on a terminal while events are sent."""
        self._task = self._progress.add_task("", total=total)
        with self._progress:
            yield

    def tell(self, result: Result) -> None:
        """Count one result; a refusal is told at once."""
        self._progress.advance(self._task)
        if result.outcome == "refused":
            self._refuse(result.sending.place, result.status, result.reasons)
        else:
            self.counts[result.outcome] += 1

    def _refuse(self, place: str, status: int | None, reasons: Sequence[tuple[str, str]]) -> None:
        self.refused.append(
            {"place": place, "status": status, "reasons": [{"pointer": at, "detail": said} for at, said in reasons]}
        )
        lines = [f"{place}: refused", *(f"  {at or '(whole)'}: {said}" for at, said in reasons)]
        self._console.print("\n".join(lines), markup=False)
        if self._stop_on_refusal:
            raise _Stopped

    def summarise(self, *, as_json: bool) -> None:
        """What became of everything so far, on stdout."""
        if as_json:
            typer.echo(json.dumps({**self.counts, "refused": self.refused}, ensure_ascii=False, indent=2))
            return
        accepted, duplicate, before = (self.counts[name] for name in ("accepted", "duplicate", "sent_before"))
        typer.echo(f"{accepted} accepted, {duplicate} duplicates, {before} sent before, {len(self.refused)} refused.")


def _entries(file: str) -> list[Entry]:
    try:
        raw = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name cannot be one"
        raise typer.BadParameter(f"cannot read {file}: {reason}") from None
    return entries_in(raw)


def _address(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = None
    if parsed is None or parsed.scheme not in {"http", "https"} or not parsed.host or parsed.userinfo:
        raise typer.BadParameter(f"--url must look like {DEFAULT_URL}")
    return url.rstrip("/")


def _judged(entries: Sequence[Entry], today: date) -> Iterator[tuple[str, list[Fault]]]:
    """What is wrong with each entry, also beside those before it."""
    first: dict[tuple[str, str], tuple[str, bytes]] = {}
    for entry in entries:
        if entry.unreadable:
            yield entry.place, [Fault("pointer", "", entry.unreadable)]
            continue
        faults = faults_in(entry.value, today=today)
        if not faults:
            body_hash = hash_of_body(entry.value)
            place, known = first.setdefault((entry.value["source"], entry.value["id"]), (entry.place, body_hash))
            if known != body_hash:
                said = Said(OTHER_BODY.danish.format(place), OTHER_BODY.english.format(place))
                faults = [Fault("pointer", "/id", said)]
        yield entry.place, faults


def _line(fault: Fault) -> str:
    return f"  {fault.place or '(whole)'}: {fault.said.english}"


def _item(place: str, faults: Sequence[Fault]) -> dict[str, Any]:
    reasons = [{"pointer": one.place, "detail": {"da": one.said.danish, "en": one.said.english}} for one in faults]
    return {"place": place, "ok": not faults, "reasons": reasons}
