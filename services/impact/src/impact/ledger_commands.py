"""`kraftcenter ledger`: whether anything was lost or left out, as tables or as JSON; it fails when something was."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from chassis.cli import CommandError
from chassis.client import token_in
from impact.client import DEFAULT_URL, SECONDS, get, not_impact

THOROUGH_SECONDS = 600.0
DELIVERIES = ("delivered", "first_copies", "duplicates", "conflicts", "unreadable")
FACTS = ("first_copies", "parked", "retracted", "superseded", "waiting", "counted", "out_of_scope")
COMPLETE = {
    True: "Everything that was published has arrived.",
    False: "Something that was published has not arrived.",
    None: "Whether everything has arrived cannot be told: of some source no heartbeat was heard.",
}


def ledger(
    *,
    municipality: Annotated[
        str | None, typer.Option(help="Municipality code, as 621; the token's own without.")
    ] = None,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Also compare counters with rows, and rows with raw bodies; slower.")
    ] = False,
    url: Annotated[str, typer.Option(help="Address of the impact service.")] = DEFAULT_URL,
    token_file: Annotated[Path | None, typer.Option(help="File with a token that has the scope ledger.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the service's answer as JSON.")] = False,
) -> None:
    """Show whether every delivery and every fact is accounted for; exit code 1 when not, or when something is missing.

    Examples:
    kraftcenter ledger --token-file build/token
    kraftcenter ledger --thorough --token-file build/token
    kraftcenter ledger --municipality 621 --json --token-file build/token
    """
    asked = ({"municipality": municipality} if municipality is not None else {}) | (
        {"thorough": "true"} if thorough else {}
    )
    seconds = THOROUGH_SECONDS if thorough else SECONDS
    balance = get(url, "/v1/ledger/balance", asked, token_in(token_file), seconds=seconds)
    try:
        tables, complaints = list(_tables(balance)), list(_complaints(balance))
        verdict, well = _verdict(balance), balance["balanced"] and balance["complete"] is not False
    except (KeyError, TypeError):
        raise not_impact(url) from None
    if as_json:
        typer.echo(json.dumps(balance, ensure_ascii=False, indent=2))
    else:
        for table in tables:
            Console(markup=False).print(table)
        typer.echo(verdict)
    if not well:
        raise CommandError("\n".join(["The account does not close:", *complaints]))
    for complaint in complaints:
        typer.echo(complaint, err=True)


def _verdict(balance: Mapping[str, Any]) -> str:
    accounts = f"{len(balance['checked'])} accounts at position {balance['position']}"
    says = "every one closes" if balance["balanced"] else "not every one closes"
    return f"{accounts}: {says}. {COMPLETE[balance['complete']]}"


def _tables(balance: Mapping[str, Any]) -> Iterator[Table]:
    yield _counts("Deliveries", "Stream", DELIVERIES, balance["deliveries"])
    yield _counts("Facts", "Source", FACTS, balance["facts"])
    completeness = Table("Source", "Published", "Received", "Missing", "Said", "Status", title="Completeness")
    for each in balance["completeness"]:
        numbers = (each["published"], each["received"], each["missing"])
        said = max((beat["sent_at"] for beat in each["heartbeats"]), default="-")
        completeness.add_row(each["source"], *("-" if n is None else str(n) for n in numbers), said, each["status"])
    yield completeness


def _counts(title: str, of: str, names: tuple[str, ...], counted: Mapping[str, Any]) -> Table:
    """A line for all days of each stream or source, and one for all of them."""
    table = Table(of, *(name.replace("_", " ") for name in names), title=title)
    places: dict[str, Counter[str]] = {}
    for day in counted["days"]:
        places.setdefault(day[of.lower()], Counter()).update({name: day[name] for name in names})
    for place, total in sorted(places.items()):
        table.add_row(place, *(str(total[name]) for name in names))
    table.add_section()
    table.add_row("all", *(str(counted["total"][name]) for name in names))
    return table


def _complaints(balance: Mapping[str, Any]) -> Iterator[str]:
    for account in balance["open"]:
        left, right = account["left"], account["right"]
        odd = f"; {account['odd']} rows differ" if account["odd"] else ""
        place = f" [{account['of']}]" if account["of"] else ""
        yield f"  {account['account']}{place}: {left['is']}: {left['count']}; {right['is']}: {right['count']}{odd}"
    for each in balance["completeness"]:
        if each["status"] == "unheard":
            yield f"  {each['source']}: {each['received']} events, and no heartbeat says how many there should be"
