"""`kraftcenter sources`: which systems may tell the gateway something, of which types, and with which token."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from chassis.cli import CommandError, at_database
from chassis.database import Connection
from contracts.catalogue import BY_TYPE
from contracts.cpr import contains_personal_number
from contracts.envelope import TYPE_PREFIX, source_of
from contracts.platform import EventRetracted, ServiceHeartbeat
from contracts.streams import PRODUCERS
from gateway import store

SERVICE = "gateway"
SCOPE = "write:gateway"
ADD_EXAMPLE = (
    "Example: kraftcenter sources add sd_loen --type payroll.working_time_changed.v1 "
    "--type payroll.employment_ended.v1 --token-name payroll"
)
SYSTEM = re.compile(r"[a-z][a-z0-9_]{0,62}")
TOKEN_NAME = re.compile(r"[\w.-]{1,64}")
MUNICIPALITY = re.compile(r"[0-9]{3}")
OF_EVERYBODY = (EventRetracted.contract.type, ServiceHeartbeat.contract.type)

sources = typer.Typer(
    help="Systems that may send events to the gateway; needs GATEWAY_DATABASE_URL (or _FILE).", no_args_is_help=True
)
sources.callback()(lambda: None)

System = Annotated[str, typer.Argument(metavar="SYSTEM", help="Name of the system, as sd_loen.")]
Municipality = Annotated[str, typer.Option(help="Code of the municipality.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@sources.command(epilog=ADD_EXAMPLE)
def add(
    system: System,
    types: Annotated[
        list[str], typer.Option("--type", help="What it may send, as payroll.employment_ended.v1; repeat.")
    ],
    token_name: Annotated[str, typer.Option(help="Name of the token that it sends with.")],
    municipality: Municipality = "621",
) -> None:
    """Let a system send events of these types, besides those that it may send already.

    It may always retract its own events. A source that was revoked begins anew, with these types alone.
    """
    given = [name if name.startswith(TYPE_PREFIX) else f"{TYPE_PREFIX}{name}" for name in types]
    _require([*_of_source(system, municipality), *_of_types(given), *_of_token(token_name)])
    now = datetime.now(UTC)

    async def added(db: Connection) -> tuple[list[str], bool]:
        source = source_of(municipality, system)
        registered = await store.register(db, source, given, token_name=token_name, now=now)
        opens = await store.may_write(db, token_name=token_name, municipality=municipality, scope=SCOPE, now=now)
        return registered, opens

    registered, opens = at_database(SERVICE, added)
    typer.echo(f"{source_of(municipality, system)} may send {', '.join(map(_short, registered))} with {token_name}")
    if not opens:
        issue = f"kraftcenter tokens issue --service gateway --scope {SCOPE} --name {token_name}"
        typer.echo(f"No token of that name opens the door yet: {issue} --municipality {municipality}", err=True)


@sources.command(name="list", epilog="Example: kraftcenter sources list --json")
def list_(*, as_json: Json = False) -> None:
    """Show every source: what it may send, with which token, since when, and when its last event came."""
    found = at_database(SERVICE, store.registered)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=2, default=_told))
        return
    table = Table()
    for name in ("source", "types", "token", "since", "last event", "state"):
        table.add_column(name, overflow="fold")  # a name that is cut short is no name
    for one in found:
        state = "may send" if one.revoked_at is None else f"revoked {_told(one.revoked_at)}"
        last = _told(one.last_event_at) if one.last_event_at else "-"
        types = "\n".join(map(_short, one.types))
        table.add_row(one.source, types, one.token_name, _told(one.registered_at), last, state)
    if found:
        Console(markup=False).print(table)
    else:
        typer.echo("No source is registered.", err=True)


@sources.command(epilog="Example: kraftcenter sources revoke sd_loen")
def revoke(system: System, municipality: Municipality = "621") -> None:
    """Let a system send nothing more, at once; what it has sent stays."""
    _require(_of_source(system, municipality))
    source = source_of(municipality, system)
    if not at_database(SERVICE, lambda db: store.revoke(db, source, now=datetime.now(UTC))):
        raise CommandError("No such source may send: see `kraftcenter sources list`.")
    typer.echo(f"{source} is revoked")


def _of_source(system: str, municipality: str) -> list[str]:
    reasons = []
    if not SYSTEM.fullmatch(system) or contains_personal_number(system):
        reasons.append("SYSTEM must look like sd_loen")
    if system in {*PRODUCERS, "impact"}:
        reasons.append("SYSTEM must not be one of our own services")
    if not MUNICIPALITY.fullmatch(municipality):
        reasons.append("--municipality must look like 621")
    return reasons


def _of_types(types: Sequence[str]) -> list[str]:
    reasons = []
    if any(name not in BY_TYPE for name in types):
        reasons.append(
            "--type must be an event type of the contract with its major version, as payroll.employment_ended.v1"
        )
    if any(name in OF_EVERYBODY for name in types):
        reasons.append("--type must not be event.retracted, which every source may send, nor service.heartbeat")
    return reasons


def _of_token(name: str) -> list[str]:
    return [] if TOKEN_NAME.fullmatch(name) else ["--token-name must look like payroll"]


def _require(reasons: Sequence[str]) -> None:
    """Leave with all reasons at once, if there are any."""
    if reasons:
        raise typer.BadParameter("; ".join(reasons))


def _short(type_: str) -> str:
    return type_.removeprefix(TYPE_PREFIX)


def _told(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
