"""The commands that every installation has: access tokens, phantoms, and provisioning of streams."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from chassis import phantoms as strangers
from chassis import provision as provisioning
from chassis import tokens as stored
from chassis.addresses import nats_url as checked_nats_url
from chassis.bus import BusUnreachable, short_job
from chassis.cli import CommandError, at_database, calendar
from chassis.database import Connection
from chassis.drift import Difference, drift_of
from chassis.settings import SettingsRefused, address
from contracts.codelists import codes_on

ISSUE_EXAMPLE = (
    "Example: FLEXJOB_POOL_DATABASE_URL=postgresql://… kraftcenter tokens issue --service flexjob_pool "
    "--scope write:flexjob_pool --scope read:flexjob_pool --name payroll --expires-days 365"
)
REVOKE_EXAMPLE = "Example: kraftcenter tokens revoke --service flexjob_pool payroll"
LIST_EXAMPLE = "Example: kraftcenter tokens list --service flexjob_pool"
PHANTOMS_EXAMPLE = "Example: kraftcenter phantoms list --service flexjob_pool --open"
RETRACT_EXAMPLE = (
    "Example: kraftcenter phantoms retract --service flexjob_pool --reason-code double_entry "
    "019c8f3e-7b1a-7c55-9d3e-2f6f4a1b8c07"
)
KEEP_EXAMPLE = "Example: kraftcenter phantoms keep --service flexjob_pool 019c8f3e-7b1a-7c55-9d3e-2f6f4a1b8c07"
NATS_HERE = "nats://127.0.0.1:8642"
GIB = 1024**3
INSTANT = "%Y-%m-%dT%H:%M:%SZ"
SHAPES = {
    "--service": (r"[a-z][a-z_]*", "flexjob_pool"),
    "--name": (r"[\w.-]{1,64}", "payroll"),
    "--municipality": (r"[0-9]{3}", "621"),
}

tokens = typer.Typer(help="Access tokens for the HTTP doors.", no_args_is_help=True)
tokens.callback()(lambda: None)

Service = Annotated[str, typer.Option(help="For whose doors; `<SERVICE>_DATABASE_URL`, or _FILE, is its database.")]
Municipality = Annotated[str, typer.Option(help="Code of the municipality.")]


@tokens.command(epilog=ISSUE_EXAMPLE)
def issue(
    service: Service,
    scope: Annotated[list[str], typer.Option(help="What it may do, as write:flexjob_pool; repeat for more.")],
    name: Annotated[str, typer.Option(help="Who will hold it.")],
    municipality: Municipality = "621",
    expires_days: Annotated[
        int | None, typer.Option(min=1, max=3660, help="Days until it expires; else it never does.")
    ] = None,
) -> None:
    """Issue a token and print it: this is the only time that it can be seen."""
    scopes = (f"read:{service}", f"write:{service}", "figures:exact", "ledger", "admin")
    wrong = [] if set(scope) <= set(scopes) else [f"--scope must be one of {', '.join(scopes)}"]
    _require({"--service": service, "--name": name, "--municipality": municipality}, wrong)
    now = datetime.now(UTC)
    expires = now + timedelta(days=expires_days) if expires_days else None

    async def issued(db: Connection) -> str:
        return await stored.issue(db, name=name, municipality=municipality, scopes=scope, now=now, expires_at=expires)

    typer.echo(at_database(service, issued))


@tokens.command(epilog=REVOKE_EXAMPLE)
def revoke(service: Service, name: Annotated[str, typer.Argument(help="Whose tokens.")]) -> None:
    """End every token of a name, at once and for good."""
    _require({"--service": service})
    revoked = at_database(service, lambda db: stored.revoke(db, name=name, now=datetime.now(UTC)))
    if not revoked:
        raise CommandError(f"No token of that name is in force: see `kraftcenter tokens list --service {service}`.")
    typer.echo(f"{revoked} revoked")


@tokens.command(name="list", epilog=LIST_EXAMPLE)
def list_(service: Service) -> None:
    """Show whom tokens were issued to, what they may do and how long; never the tokens."""
    _require({"--service": service})
    now = datetime.now(UTC)
    for one in at_database(service, stored.issued):
        typer.echo(f"{one.name}  {one.municipality}  {' '.join(one.scopes)}  {_validity(one, now)}")


def _validity(token: stored.Issued, now: datetime) -> str:
    if token.revoked_at:
        return f"revoked {token.revoked_at:%Y-%m-%d}"
    if token.expires_at:
        return f"{'valid until' if token.expires_at > now else 'expired'} {token.expires_at:%Y-%m-%d}"
    return "valid"


def _require(given: dict[str, str], wrong: Sequence[str] = ()) -> None:
    """Leave with all reasons at once unless every option has its shape and nothing else is wrong."""
    reasons = [f"{name} must look like {SHAPES[name][1]}" for name in given if not _has_shape(name, given[name])]
    if reasons := [*reasons, *wrong]:
        raise typer.BadParameter("; ".join(reasons))


def _has_shape(option: str, text: str) -> bool:
    return re.fullmatch(SHAPES[option][0], text) is not None


phantoms = typer.Typer(
    help="Events that a service's stream holds and its outbox does not know, as after a restore from a backup.",
    no_args_is_help=True,
)
phantoms.callback()(lambda: None)

Producer = Annotated[str, typer.Option(help="Whose stream; `<SERVICE>_DATABASE_URL`, or _FILE, is its database.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of phantoms, as the list shows them.")]
Source = Annotated[str | None, typer.Option(help="Whose ids they are, where several sources have used one.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask first.")]


@phantoms.command(name="list", epilog=PHANTOMS_EXAMPLE)
def list_phantoms(
    service: Producer,
    *,
    only_open: Annotated[bool, typer.Option("--open", help="Only those that wait for a decision.")] = False,
) -> None:
    """Show every phantom, and what was decided about it.

    They are counted by whoever reads the stream. Restore a later backup, and the service looks again when it starts;
    or register what happened again, and retract the phantom.
    """
    _require({"--service": service})
    for each in at_database(service, strangers.all_of):
        if only_open and _became(each):
            continue
        named = f"{each.id}  {each.source}" if each.id else "(no id)"
        when = f"stored {each.stored_at:{INSTANT}}, found {each.found_at:{INSTANT}}"
        typer.echo(f"{named}  {each.subject}  sequence {each.stream_sequence}  {when}{_became(each)}")


def _became(phantom: strangers.Phantom) -> str:
    """What the list says of it beyond what it is; empty while it waits."""
    if phantom.retraction_id:
        how = f"retracted {phantom.decided_at:{INSTANT}} by {phantom.retraction_id} ({phantom.reason_code})"
    elif phantom.decided_at:
        how = f"kept {phantom.decided_at:{INSTANT}}"
    else:
        how = "known again" if phantom.known_again else ""
    return how and f", {how}"


@phantoms.command(epilog=RETRACT_EXAMPLE)
def retract(
    ids: Ids,
    service: Producer,
    reason_code: Annotated[str, typer.Option(help="Why: double_entry for what was registered again.")],
    source: Source = None,
    *,
    yes: Yes = False,
) -> None:
    """Have a service tell that phantoms never happened: their effects vanish from all periods. All of them, or none."""
    clock = calendar()
    reasons = sorted(codes_on("retraction_reason", clock.today()))
    wrong = [] if reason_code in reasons else [f"--reason-code must be one of {', '.join(reasons)}"]
    _require({"--service": service}, wrong)
    if not yes:
        typer.confirm(f"Retract {len({*ids})} of the events of {service} for good?", abort=True, err=True)
    now = datetime.now(UTC)

    async def retracted(db: Connection) -> int:
        return await strangers.retract(db, ids, reason_code, source=source, time=clock.now(), now=now)

    typer.echo(f"{_decided(service, retracted)} retracted")


@phantoms.command(epilog=KEEP_EXAMPLE)
def keep(ids: Ids, service: Producer, source: Source = None) -> None:
    """Let phantoms stand as they are, since they are true, or say what cannot be unsaid. All of them, or none.

    They are counted as before, and alarm no more.
    """
    _require({"--service": service})
    now = datetime.now(UTC)
    kept = _decided(service, lambda db: strangers.keep(db, ids, source=source, now=now))
    typer.echo(f"{kept} kept")


def _decided(service: str, decide: Callable[[Connection], Awaitable[int]]) -> int:
    try:
        return at_database(service, decide)
    except strangers.Undecided as undecided:
        raise CommandError(str(undecided)) from None


def _nats_url(given: str | None) -> str:
    """The option, else what NATS_URL or NATS_URL_FILE say, else this machine's."""
    try:
        return address("NATS_URL", checked_nats_url) or NATS_HERE if given is None else checked_nats_url(given)
    except ValueError as error:
        raise typer.BadParameter(error.args[0].english) from None
    except SettingsRefused as refusal:
        raise typer.BadParameter(str(refusal)) from None


def provision(  # noqa: PLR0913 - an option each
    municipality: Municipality = "621",
    nats_url: Annotated[
        str | None,
        typer.Option(
            show_default=NATS_HERE,
            help="Where JetStream is; a URL with a password belongs in NATS_URL, or a file that NATS_URL_FILE names.",
        ),
    ] = None,
    *,
    ack_wait_seconds: Annotated[
        float, typer.Option(min=1, max=3600, help="How long a message may be under way before it is delivered again.")
    ] = provisioning.ACK_WAIT_SECONDS,
    max_gib: Annotated[
        int, typer.Option(min=0, help="Raise what each stream may hold to so many GiB; it is never lowered.")
    ] = 0,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing: say what differs; exit code 1 if anything does.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --check: print the differences as JSON.")] = False,
) -> None:
    """Make or widen the streams and consumers of a municipality, as the contracts describe them.

    Nothing is shrunk or removed, so it may run as often as one likes.

    Examples: kraftcenter provision --municipality 621 --nats-url nats://127.0.0.1:8642; kraftcenter provision --check
    """
    wrong = ["--json goes with --check"] if as_json and not check else []
    wrong += ["--check changes nothing, so --max-gib does not go with it"] if max_gib and check else []
    _require({"--municipality": municipality}, wrong)
    try:
        url = _nats_url(nats_url)
        if check:
            _tell(asyncio.run(_drift(municipality, url, ack_wait_seconds)), as_json=as_json)
            return
        changes = asyncio.run(_provision(municipality, url, ack_wait_seconds, max_gib * GIB))
    except (BusUnreachable, provisioning.ConsumerUnfit) as reason:
        raise CommandError(str(reason)) from None
    for change in changes:
        typer.echo(change)


def _tell(differences: Sequence[Difference], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in differences], ensure_ascii=False))
    else:
        for each in differences:
            typer.echo(str(each))
    if differences:
        raise typer.Exit(1)


async def _provision(municipality: str, url: str, ack_wait_seconds: float, max_bytes: int) -> list[str]:
    async with short_job(url) as jetstream:
        return await provisioning.provision(
            jetstream, municipality, ack_wait_seconds=ack_wait_seconds, max_bytes=max_bytes
        )


async def _drift(municipality: str, url: str, ack_wait_seconds: float) -> list[Difference]:
    async with short_job(url) as jetstream:
        return await drift_of(jetstream, municipality, ack_wait_seconds=ack_wait_seconds)
