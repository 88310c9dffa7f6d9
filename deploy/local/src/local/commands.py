"""`kraftcenter up` and `kraftcenter demo`: the local stack to work with, and the year that proves it."""

import asyncio
import logging
import os
import re
import signal
import sys
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.table import Table

from chassis import logs
from chassis.cli import CommandError
from chassis.database import UNAVAILABLE
from local import demo as year
from local.instances import MUNICIPALITY, SERVICES, free_ports_for, known_ports
from local.processes import PortTaken, kraftcenter
from local.prometheus import PORTS, NoPrometheus, watched
from local.stack import REFUSALS, Stack, running_stack

DATA = Path("build/up")
TOKEN = Path("build/token")
SETTINGS = Path("build/settings.env")
CODE = re.compile(r"[0-9]{3}")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def up(
    *,
    municipality: Annotated[
        list[str] | None, typer.Option(help="Code of a municipality to serve, 621 if none; repeat.")
    ] = None,
    free_ports: Annotated[bool, typer.Option("--free-ports", help="Use free ports instead of the usual ones.")] = False,
) -> None:
    """Run the local stack until Ctrl-C; its data stay in build/up, a token for everything is in build/token.

    A further municipality has services of its own, ten ports above, and its token in build/token.630, say. Where
    deploy/tools/fetch has fetched Prometheus, it watches.

    Examples:
    kraftcenter up
    kraftcenter up --free-ports
    kraftcenter up --municipality 621 --municipality 630
    """
    municipalities = _codes(municipality or [MUNICIPALITY])
    ports = free_ports_for(SERVICES, municipalities) if free_ports else known_ports(municipalities)
    with _refusals_told(ports_taken=f"Stop that program, or use other ports: {sys.argv[0]} up --free-ports"):
        # Before all else is closed to others: for root PostgreSQL runs as nobody, who must pass through this folder.
        DATA.parent.mkdir(exist_ok=True)
        _begin()
        asyncio.run(_until_asked_to_stop(_up(municipalities, ports, None if free_ports else PORTS)))


def demo(
    *,
    seed: Annotated[int, typer.Option(help="Another seed is another year.")] = year.SEED,
    people: Annotated[
        int, typer.Option(min=1, help="How many people live through the year; some 30 at the least.")
    ] = year.PEOPLE,
    everything: Annotated[bool, typer.Option("--all", help="Print every cut of every figure.")] = False,
) -> None:
    """Live through a year of two municipalities on a fresh stack, and check every figure against the known answers.

    Examples:
    kraftcenter demo
    kraftcenter demo --seed 7 --people 200 --all
    """
    _begin()
    with _refusals_told(ports_taken="They were free a moment ago; run it again, it takes others."):
        raise typer.Exit(year.run(seed=seed, people=people, everything=everything))


def _codes(given: Sequence[str]) -> list[str]:
    """The municipalities, each once."""
    if any(not CODE.fullmatch(code) for code in given):
        raise typer.BadParameter("--municipality must look like 621")
    return list(dict.fromkeys(given))


@contextmanager
def _refusals_told(*, ports_taken: str) -> Iterator[None]:
    """Tell in words why a stack did not start; `ports_taken` says what to do when others have its ports."""
    try:
        yield
    except PortTaken as taken:
        raise CommandError(f"{taken}\n{ports_taken}") from None
    except (*REFUSALS, *UNAVAILABLE) as reason:
        raise CommandError(str(reason) or type(reason).__name__) from None


def _begin() -> None:
    # What the services write may be about persons: it is for this user alone.
    os.umask(0o077)
    logs.configure("local")
    logging.getLogger("httpx").setLevel(logging.WARNING)


async def _until_asked_to_stop(work: Coroutine[Any, Any, None]) -> None:
    """Run the work; Ctrl-C, SIGTERM or a closed terminal cancels it, so that it ends gracefully and well."""
    task = asyncio.ensure_future(work)
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


async def _up(municipalities: Sequence[str], ports: dict[str, int], watching: Mapping[str, int] | None) -> None:
    messages = Console(stderr=True)
    messages.print("Starting PostgreSQL, NATS and the services …")
    files = {code: _token_file(code, municipalities) for code in municipalities}
    kept = {code: file.read_text().strip() for code, file in files.items() if file.exists()}
    async with AsyncExitStack() as running:
        stack = await running.enter_async_context(
            running_stack(DATA, municipalities=municipalities, ports=ports, lasting=True, kept_tokens=kept)
        )
        for code, file in files.items():
            _write(file, f"{stack.tokens[code]}\n")
        _write(SETTINGS, "".join(f"{name.upper()}_DATABASE_URL={url}\n" for name, url in stack.database_urls.items()))
        try:
            prometheus = await running.enter_async_context(watched(stack, ports=watching))
        except NoPrometheus as missing:
            prometheus = None
            messages.print(f"Prometheus does not watch: {missing}", markup=False)
        Console().print(_addresses(stack, prometheus))
        await _print_figures(stack.url_of("impact"))
        messages.print("Running; Ctrl-C stops it.")
        await asyncio.Event().wait()


def _token_file(municipality: str, municipalities: Sequence[str]) -> Path:
    """Where the token of a municipality stays, so that whoever holds it need not fetch it again."""
    return TOKEN if municipality == municipalities[0] else TOKEN.with_name(f"{TOKEN.name}.{municipality}")


def _write(file: Path, text: str) -> None:
    """Write what opens doors, for this user's eyes."""
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(text)


def _addresses(stack: Stack, prometheus: str | None) -> Table:
    """Where everything is; no password is shown."""
    table = Table("What", "Where")
    for service in stack.services:
        table.add_row(service, stack.url_of(service))
    table.add_row("NATS", _place(stack.nats_url))
    table.add_row("PostgreSQL", _place(stack.postgres.dsn))
    if prometheus:
        table.add_row("Prometheus", prometheus)
    table.add_row("Token with every scope", str(TOKEN))
    table.add_row("Settings for verify, rebuild and tokens", str(SETTINGS))
    table.add_row("Data and logs", str(stack.folder))
    return table


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


async def _print_figures(impact_url: str) -> None:
    command = (kraftcenter(), "figures", "--url", impact_url, "--token-file", str(TOKEN))
    await (await asyncio.create_subprocess_exec(*command)).wait()
