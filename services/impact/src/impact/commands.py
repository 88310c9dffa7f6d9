"""`kraftcenter figures`: what a running impact answers, as a table or as JSON; a wrong input ends as one message."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console
from rich.table import Table

from chassis.client import token_in
from impact.client import DEFAULT_URL, get, not_impact


def figures(  # noqa: PLR0913 - one parameter per option of the command
    indicator: Annotated[str | None, typer.Argument(metavar="ID", help="An indicator, as F1; all without.")] = None,
    *,
    as_of: Annotated[str | None, typer.Option(help="As it was at the end of this day, YYYY-MM-DD.")] = None,
    known_as_of: Annotated[
        str | None, typer.Option(help="As it was known then: an instant, as 2026-03-01T08:00:00Z, or a position.")
    ] = None,
    first: Annotated[
        str | None,
        typer.Option("--from", help="First day of a flow or an average, or first month of a cohort; needs an ID."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="The day after the last one, or the month after; needs an ID.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Split by one or two dimensions, as department or weeks,kind; needs an ID.")
    ] = None,
    definition_version: Annotated[
        str | None, typer.Option(help="By this definition, not the one in force then; needs an ID.")
    ] = None,
    municipality: Annotated[str | None, typer.Option(help="Municipality code, as 621.")] = None,
    url: Annotated[str, typer.Option(help="Address of the impact service.")] = DEFAULT_URL,
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with a token; the scope figures:exact shows figures about persons."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the service's answer as JSON.")] = False,
) -> None:
    """Show the figures of a running impact service.

    Examples:
    kraftcenter figures
    kraftcenter figures F1 --by department --token-file build/token
    kraftcenter figures F1 --from 2026-01-01 --to 2026-07-01
    kraftcenter figures J4 --by weeks,kind --known-as-of 2026-03-01T08:00:00+01:00
    kraftcenter figures J1 --as-of 2026-06-30 --json
    """
    path = "/v1/figures" if indicator is None else f"/v1/figures/{quote(indicator, safe='', errors='replace')}"
    asked = {
        "municipality": municipality,
        "as_of": as_of,
        "known_as_of": known_as_of,
        "from": first,
        "to": until,
        "by": by,
        "definition_version": definition_version,
    }
    answer = get(url, path, {name: text for name, text in asked.items() if text is not None}, token_in(token_file))
    try:
        shown = answer["items"] if indicator is None else [answer]
        table = _table(shown, by)
        suppressed = any(figure["status"] == "suppressed" for figure in shown)
    except (KeyError, TypeError):
        raise not_impact(url) from None
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        Console(markup=False).print(table)
    if suppressed:
        typer.echo("Suppressed: about persons. A token with the scope figures:exact shows it (--token-file).", err=True)


def _table(shown: Sequence[dict[str, Any]], by: str | None) -> Table:
    dimensions = by.split(",") if by else []
    table = Table("Id", "Figure", *dimensions, "Value", "Unit", "Status", "Facts", caption=_clocks(shown))
    for figure in shown:
        rows = [(figure, ["all"] * len(dimensions))]
        rows += [(cell, [str(cell["dimensions"][name]) for name in dimensions]) for cell in figure["cells"]]
        for part, place in rows:
            table.add_row(
                figure["id"],
                figure["title"]["en"],
                *place,
                "-" if part["value"] is None else part["value"],
                figure["unit"],
                part["status"],
                "" if part.get("facts") is None else str(part["facts"]),
            )
    return table


def _clocks(shown: Sequence[dict[str, Any]]) -> str | None:
    """When it was true and what was known; all figures of an answer have both in common."""
    if not shown:
        return None
    figure = shown[0]
    bounds = [f"{bound} {figure[bound]}" for bound in ("from", "to") if len(shown) == 1 and figure[bound]]
    period = f", {' '.join(bounds)}" if bounds else ""
    return f"As of {figure['as_of']}{period}, as known at position {figure['position']}."
