"""The command `kraftcenter`: every installed package adds its own commands through entry points."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

import asyncpg
import typer
from rich.console import Console

from chassis.addresses import postgres_dsn
from chassis.calendar import Calendar, calendar_of
from chassis.database import CONNECT_SECONDS, UNAVAILABLE, Connection
from chassis.migrate import MigrationRefused
from chassis.settings import SettingsRefused, address, variable

GROUP = "kraftcenter.commands"
HELP = "Kraftcenter: from events to figures."

T = TypeVar("T")


class CommandError(Exception):
    """Something that the user can put right; the text says what, and is all that is shown."""


def main() -> None:
    """Run `kraftcenter` with the commands of all installed packages."""
    app = new_app(HELP)
    known = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    # To load them all takes seconds, and is needed only by whoever wants to know which there are.
    for entry in [entry for entry in known if entry.name in sys.argv[1:2]] or known:
        add(app, entry)
    run(app, "kraftcenter")


def new_app(text: str) -> typer.Typer:
    """A command-line application in the house style, also with a single command."""
    app = typer.Typer(help=text, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    return app


def add(app: typer.Typer, entry: EntryPoint) -> None:
    """Add the command of one package: a Typer as a group, a function as a command. A broken one harms no other."""
    try:
        command = entry.load()
    except Exception as error:  # noqa: BLE001 - a package that cannot be imported may raise anything
        _say(f"The command `{entry.name}` ({entry.value}) cannot be loaded: {type(error).__name__}: {error}")
        return
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=entry.name)
    else:
        app.command(name=entry.name)(command)


def run(app: typer.Typer, program: str) -> None:
    """Run the application and leave the process: 0 done, 1 a CommandError on stderr, 2 a wrong command line."""
    try:
        app(prog_name=program)
    except CommandError as error:
        _say(str(error))
        sys.exit(1)


def calendar() -> Calendar:
    """The calendar that CLOCK names, else the machine's. Raises BadParameter."""
    try:
        return calendar_of(variable("CLOCK") or "system")
    except (SettingsRefused, ValueError) as error:
        raise typer.BadParameter(f"CLOCK: {error}") from None


def complete(work: Coroutine[Any, Any, T]) -> T:
    """Run work on a database to its end. Raises CommandError when the database does not answer, or does not fit."""
    try:
        return asyncio.run(work)
    except MigrationRefused as refusal:
        raise CommandError(str(refusal)) from None
    except asyncpg.UndefinedTableError:
        raise CommandError("The database is not migrated: run `python -m <service> migrate` first.") from None
    except UNAVAILABLE as error:
        raise CommandError(f"The database does not answer ({type(error).__name__}): check that it runs.") from None


def dsn_of(service: str) -> str:
    """Where the database of a service is, which `<SERVICE>_DATABASE_URL` tells. Raises CommandError."""
    name = f"{service.upper()}_DATABASE_URL"
    try:
        dsn = address(name, postgres_dsn)
    except SettingsRefused as refusal:
        raise CommandError(str(refusal)) from None
    if not dsn:
        raise CommandError(f"{name} is not set: it tells where {service} keeps what it knows.")
    return dsn


def at_database(service: str, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Do work on the database of a service. Raises CommandError."""
    return complete(_worked(dsn_of(service), work))


async def _worked(dsn: str, work: Callable[[Connection], Awaitable[T]]) -> T:
    db = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)
    try:
        return await work(db)
    finally:
        await db.close()


def _say(text: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, markup=False)
