"""`kraftcenter figures`: what a running impact answers, as a table or as JSON; a wrong input ends as one message."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer
from rich.console import Console
from rich.table import Table

from chassis.cli import CommandError

DEFAULT_URL = "http://127.0.0.1:8604"
TIMEOUT_SECONDS = 10


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
    answer = _get(url, path, {name: text for name, text in asked.items() if text is not None}, _token(token_file))
    try:
        shown = answer["items"] if indicator is None else [answer]
        table = _table(shown, by)
        suppressed = any(figure["status"] == "suppressed" for figure in shown)
    except (KeyError, TypeError):
        raise CommandError(f"{url} answers, but not as an impact service. Check --url.") from None
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        Console().print(table)
    if suppressed:
        typer.echo("Suppressed: about persons. A token with the scope figures:exact shows it (--token-file).", err=True)


def _token(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        token = file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise CommandError(f"Cannot read the token file {file}: {error.strerror}.") from None
    except ValueError:
        raise CommandError(f"{file} holds no token.") from None
    if not token.isprintable() or " " in token or not token:
        raise CommandError(f"{file} holds no token: it must be one line of text without spaces.")
    return token


def _get(url: str, path: str, query: dict[str, str], token: str | None) -> Any:
    headers = {"Accept-Language": "en"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        answer = httpx.get(url.rstrip("/") + path, params=query, headers=headers, timeout=TIMEOUT_SECONDS)
        body = answer.json()
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise CommandError(f"{url} is not an address. Give --url as {DEFAULT_URL}.") from None
    except httpx.RequestError:
        raise CommandError(f"No answer from {url}. Is impact running? `kraftcenter up` starts it.") from None
    except UnicodeEncodeError:
        raise CommandError("An argument holds bytes that are no text.") from None
    except ValueError:
        raise CommandError(f"{url} answers, but not as an impact service. Check --url.") from None
    if not answer.is_success:
        raise CommandError(_reasons(body, answer.status_code))
    return body


def _reasons(problem: Any, status: int) -> str:
    """A problem+json as lines for a terminal: what is wrong, then each reason with its place."""
    if not isinstance(problem, dict) or "title" not in problem:
        return f"The service answered with status {status}."
    places = ("parameter", "header", "pointer")
    reasons = [
        f"  {next((error[place] for place in places if place in error), '')}: {error.get('detail', '')}"
        for error in problem.get("errors", [])
    ]
    return "\n".join([f"{problem['title']}. {problem.get('detail', '')}".strip(), *reasons])


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
