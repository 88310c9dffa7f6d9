"""The commands that every installation has: access tokens, and provisioning of streams."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import asyncpg
import nats
import nats.errors
import typer

from chassis import provision as provisioning
from chassis import tokens as stored
from chassis.cli import CommandError, complete
from chassis.database import DSN, DSN_HINT
from chassis.settings import SettingsRefused, variable

CONNECT_SECONDS = 5
ISSUE_EXAMPLE = (
    "Example: FLEXJOB_POOL_DATABASE_URL=postgresql://… kraftcenter tokens issue --service flexjob_pool "
    "--scope write:flexjob_pool --scope read:flexjob_pool --name payroll --expires-days 365"
)

tokens = typer.Typer(help="Access tokens for the HTTP doors.", no_args_is_help=True)
tokens.callback()(lambda: None)


def _shaped(pattern: str, hint: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise typer.BadParameter(f"must look like {hint}")
        return text

    return check


Municipality = Annotated[str, typer.Option(callback=_shaped(r"\d{3}", "621"), help="Code of the municipality.")]


@tokens.command(epilog=ISSUE_EXAMPLE)
def issue(
    service: Annotated[str, typer.Option(callback=_shaped(r"[a-z][a-z_]*", "flexjob_pool"), help="For whose doors.")],
    scope: Annotated[list[str], typer.Option(help="What it may do, as write:flexjob_pool; repeat for more.")],
    name: Annotated[str, typer.Option(callback=_shaped(r"[\w.-]{1,64}", "payroll"), help="Who will hold it.")],
    municipality: Municipality = "621",
    expires_days: Annotated[
        int | None, typer.Option(min=1, max=3660, help="Days until it expires; else it never does.")
    ] = None,
) -> None:
    """Issue a token and print it: this is the only time that it can be seen.

    The database is the one of `<SERVICE>_DATABASE_URL`, or of the file that `<SERVICE>_DATABASE_URL_FILE` names.
    """
    for one in scope:
        if not re.fullmatch(r"[a-z]+(:[a-z_]+)?", one):
            raise typer.BadParameter("must look like write:flexjob_pool", param_hint="--scope")
    typer.echo(complete(_issue(_dsn(service), name, municipality, scope, expires_days)))


async def _issue(dsn: str, name: str, municipality: str, scopes: list[str], days: int | None) -> str:
    now = datetime.now(UTC)
    expires = now + timedelta(days=days) if days else None
    db = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)
    try:
        return await stored.issue(db, name=name, municipality=municipality, scopes=scopes, now=now, expires_at=expires)
    finally:
        await db.close()


def _dsn(service: str) -> str:
    try:
        dsn = variable(name := f"{service.upper()}_DATABASE_URL")
    except SettingsRefused as refusal:
        raise CommandError(str(refusal)) from None
    if not dsn:
        raise CommandError(f"{name} is not set: it tells where the tokens of {service} are kept.")
    if not DSN.fullmatch(dsn):
        raise CommandError(f"{name} must look like {DSN_HINT}.")
    return dsn


def provision(
    municipality: Municipality = "621",
    nats_url: Annotated[
        str, typer.Option(envvar="NATS_URL", help="Where JetStream is; a password belongs in the variable.")
    ] = "nats://127.0.0.1:8642",
) -> None:
    """Make or widen the streams and consumers of a municipality, as the contracts describe them.

    Nothing is shrunk or removed, so it may run as often as one likes.

    Example: kraftcenter provision --municipality 621 --nats-url nats://127.0.0.1:8642
    """
    try:
        changes = asyncio.run(_provision(municipality, nats_url))
    except (OSError, TimeoutError, nats.errors.Error) as error:
        raise CommandError(f"NATS does not answer as it should ({type(error).__name__}): check --nats-url.") from None
    for change in changes:
        typer.echo(change)


async def _provision(municipality: str, url: str) -> list[str]:
    # One attempt more and a short wait are the least that nats-py can be told: its zero means for ever.
    connection = await nats.connect(
        url, connect_timeout=CONNECT_SECONDS, max_reconnect_attempts=1, reconnect_time_wait=0, error_cb=_nothing
    )
    try:
        return await provisioning.provision(connection.jetstream(timeout=CONNECT_SECONDS), municipality)
    finally:
        await connection.close()


async def _nothing(_error: Exception) -> None:
    """The failure is raised too, and told once is enough."""
