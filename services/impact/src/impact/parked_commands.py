"""`kraftcenter parked`: what is parked and why, and what to do about it; a wrong input ends as one message."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from chassis.cli import CommandError
from chassis.client import token_in
from impact.client import DEFAULT_URL, get, not_impact, post

LISTED = "/v1/ledger/parked"
AT_ONCE = 100
REPLAY_SECONDS = 60.0
LIST_EXAMPLE = "Example: kraftcenter parked list --reason unknown_type --token-file build/token"
SHOW_EXAMPLE = "Example: kraftcenter parked show 1204 --token-file build/token"
REPLAY_EXAMPLE = "Example: kraftcenter parked replay --all --reason unknown_type --token-file build/token"
DISCARD_EXAMPLE = "Example: kraftcenter parked discard 1204 --why test_event --token-file build/token"

Url = Annotated[str, typer.Option(help="Address of the impact service.")]
Json = Annotated[bool, typer.Option("--json", help="Print the service's answer as JSON.")]
Reader = Annotated[Path | None, typer.Option(help="File with a token that has the scope ledger; admin shows data.")]
Admin = Annotated[Path | None, typer.Option(help="File with a token that has the scope admin, for --all ledger too.")]
Reason = Annotated[str | None, typer.Option(help="Only what is parked for this reason, as unknown_type.")]
Why = Annotated[str, typer.Option(help="Why, for the audit: a code or a short text without anything personal.")]
Place = Annotated[int, typer.Argument(min=1, metavar="POSITION", help="The position at which it was parked.")]

parked = typer.Typer(help="Facts that are parked: no rule counts them until they are replayed.", no_args_is_help=True)
parked.callback()(lambda: None)


@parked.command(name="list", epilog=LIST_EXAMPLE)
def list_(*, reason: Reason = None, url: Url = DEFAULT_URL, token_file: Reader = None, as_json: Json = False) -> None:
    """Show what is parked now, the oldest first."""
    items = [item for page in _pages(url, token_in(token_file), reason) for item in page]
    columns = ("position", "reason", "type", "source", "event_id", "recorded_at")
    _tell(url, {"items": items}, columns, as_json=as_json)
    typer.echo(f"{len(items)} parked." if items else "Nothing is parked.", err=True)


@parked.command(epilog=SHOW_EXAMPLE)
def show(position: Place, *, url: Url = DEFAULT_URL, token_file: Reader = None, as_json: Json = False) -> None:
    """Show one parked fact: what it says about itself, and everything that was tried."""
    found = get(url, f"{LISTED}/{position}", {}, token_in(token_file))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    try:
        typer.echo(f"Position {found['position']}: {found['state']} ({found['reason']})")
        for tried in found["attempts"]:
            came = tried["reason"] or "done"
            typer.echo(f"  {tried['kind']} at position {tried['position']}, {tried['recorded_at']}: {came}")
        typer.echo(json.dumps(found["envelope"], ensure_ascii=False, indent=2))
    except (KeyError, TypeError):
        raise not_impact(url) from None


@parked.command(epilog=REPLAY_EXAMPLE)
def replay(  # noqa: PLR0913 - one parameter per option of the command
    positions: Annotated[
        list[int] | None, typer.Argument(min=1, metavar="POSITION", help="The positions at which they were parked.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Everything that is parked, or all of one --reason.")] = False,
    reason: Reason = None,
    why: Why = "replayed_by_command",
    url: Url = DEFAULT_URL,
    token_file: Admin = None,
    as_json: Json = False,
) -> None:
    """Read parked facts again with today's contracts and rules; exit code 1 when one stays parked."""
    if bool(positions) == every or (reason is not None and not every):
        raise typer.BadParameter("give either positions, or --all with or without --reason")
    token, decided = token_in(token_file), list[dict[str, Any]]()
    groups = _positions(url, token, reason) if every else _in_groups(sorted(set(positions or ())))
    try:
        for group in groups:
            ask = {"positions": group, "reason": why}
            decided += _items(url, post(url, f"{LISTED}/replay", ask, token, seconds=REPLAY_SECONDS))
    except CommandError as refusal:
        before = f"\n{len(decided)} were decided on before that." if decided else ""
        raise CommandError(f"{refusal}{before}") from None
    _tell(url, {"items": decided}, ("position", "state", "reason", "outcome", "decided_at"), as_json=as_json)
    left = sum(item["state"] == "parked" for item in decided)
    if left:
        raise CommandError(f"{left} of {len(decided)} stay parked.")
    typer.echo(f"{len(decided)} replayed." if decided else "Nothing is parked.", err=True)


@parked.command(epilog=DISCARD_EXAMPLE)
def discard(  # noqa: PLR0913 - one parameter per option of the command
    position: Place,
    *,
    why: Why,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    url: Url = DEFAULT_URL,
    token_file: Admin = None,
    as_json: Json = False,
) -> None:
    """Give a parked fact up: it stays in the ledger, and nothing replays it."""
    token = token_in(token_file)
    if not yes:
        typer.confirm(f"Give up the fact that was parked at position {position} for good?", abort=True, err=True)
    decided = post(url, f"{LISTED}/{position}/discard", {"reason": why}, token)
    if as_json:
        typer.echo(json.dumps(decided, ensure_ascii=False, indent=2))
    else:
        typer.echo(f"Position {position} is discarded.")


def _pages(url: str, token: str | None, reason: str | None) -> Iterator[list[dict[str, Any]]]:
    asked = {"limit": str(AT_ONCE)} | ({} if reason is None else {"reason": reason})
    cursor: int | None = 0
    while cursor is not None:
        answer = get(url, LISTED, asked | {"cursor": str(cursor)}, token)
        yield _items(url, answer)
        cursor = answer.get("next_cursor")


def _positions(url: str, token: str | None, reason: str | None) -> Iterator[list[int]]:
    """Groups that may be replayed together; a page is asked for after the one before is replayed."""
    for page in _pages(url, token, reason):
        if page:
            yield [item["position"] for item in page]


def _in_groups(positions: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(positions), AT_ONCE):
        yield list(positions[start : start + AT_ONCE])


def _items(url: str, answer: Any) -> list[dict[str, Any]]:
    if not isinstance(answer, dict) or not isinstance(answer.get("items"), list):
        raise not_impact(url)
    return list(answer["items"])


def _tell(url: str, answer: Mapping[str, Any], columns: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    elif answer["items"]:
        table = Table(*(name.replace("_", " ") for name in columns))
        try:
            for item in answer["items"]:
                table.add_row(*("" if item[name] is None else str(item[name]) for name in columns))
        except (KeyError, TypeError):
            raise not_impact(url) from None
        Console(markup=False).print(table)
