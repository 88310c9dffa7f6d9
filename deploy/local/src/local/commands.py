"""`kraftcenter up` and `kraftcenter demo`: the local stack to work with, and the year that proves it."""

import asyncio
import logging
import shutil
import signal
import sys
import sysconfig
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import asyncpg
import nats.errors
import typer
from rich.console import Console
from rich.table import Table

from chassis import logs
from chassis.cli import CommandError
from local import demo as year
from local.nats import NoNatsServer
from local.postgres import NoPostgres, RootRefused
from local.processes import PortTaken, StartFailed
from local.stack import KNOWN_PORTS, SERVICES, FolderInUse, Stack, free_ports_for, running_stack

DATA = Path("build/up")
TOKEN = Path("build/token")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
REFUSALS = (FolderInUse, NoNatsServer, NoPostgres, RootRefused, StartFailed)
UNREACHABLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, nats.errors.Error)


def up(
    *,
    free_ports: Annotated[bool, typer.Option("--free-ports", help="Use free ports instead of the usual ones.")] = False,
) -> None:
    """Run the local stack until Ctrl-C; its data stay in build/up, a token for everything is in build/token.

    Examples:
    kraftcenter up
    kraftcenter up --free-ports
    """
    _log()
    ports = free_ports_for(SERVICES) if free_ports else KNOWN_PORTS
    try:
        asyncio.run(_until_asked_to_stop(_up(ports)))
    except PortTaken as taken:
        raise CommandError(f"{taken}\nStop that program, or use other ports: {sys.argv[0]} up --free-ports") from None
    except REFUSALS as reason:
        raise CommandError(str(reason)) from None
    except UNREACHABLE as reason:
        told = f"The stack cannot start: {type(reason).__name__}: {reason}"
        raise CommandError(f"{told}\nIf DATABASE_URL or NATS_URL is set, check it.") from None


def demo(
    *,
    seed: Annotated[int, typer.Option(help="Another seed is another year.")] = year.SEED,
    people: Annotated[int, typer.Option(min=1, help="How many people live through the year.")] = year.PEOPLE,
) -> None:
    """Live through a year on a fresh stack, and check every figure against the known answers.

    Examples:
    kraftcenter demo
    kraftcenter demo --seed 7 --people 30
    """
    _log()
    raise typer.Exit(year.run(seed=seed, people=people))


def _log() -> None:
    logs.configure("local")
    logging.getLogger("httpx").setLevel(logging.WARNING)


async def _until_asked_to_stop(work: Coroutine[Any, Any, None]) -> None:
    """Run the work; Ctrl-C, SIGTERM or a closed terminal cancels it, so that it ends gracefully and well."""
    task = asyncio.ensure_future(work)
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


async def _up(ports: dict[str, int]) -> None:
    messages = Console(stderr=True)
    messages.print("Starting PostgreSQL, NATS and the services …")
    async with running_stack(DATA, ports=ports, token=_kept_token()) as stack:
        _write_token(stack.token)
        Console().print(_addresses(stack))
        await _print_figures(stack.url_of("impact"))
        messages.print("Running; Ctrl-C stops it.")
        await asyncio.Event().wait()


def _kept_token() -> str | None:
    """The token of the last time, so that whoever holds it need not fetch it again."""
    return TOKEN.read_text().strip() if TOKEN.exists() else None


def _write_token(token: str) -> None:
    TOKEN.touch(mode=0o600)
    TOKEN.chmod(0o600)
    TOKEN.write_text(f"{token}\n")


def _addresses(stack: Stack) -> Table:
    """Where everything is; no password is shown."""
    table = Table("What", "Where")
    for service in stack.services:
        table.add_row(service, stack.url_of(service))
    table.add_row("NATS", _place(stack.nats_url))
    table.add_row("PostgreSQL", _place(stack.postgres.dsn))
    table.add_row("Token with every scope", str(TOKEN))
    table.add_row("Data and logs", str(stack.folder))
    return table


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


async def _print_figures(impact_url: str) -> None:
    kraftcenter = shutil.which("kraftcenter", path=sysconfig.get_path("scripts")) or "kraftcenter"
    command = (kraftcenter, "figures", "--url", impact_url, "--token-file", str(TOKEN))
    await (await asyncio.create_subprocess_exec(*command)).wait()
