"""`kraftcenter receipt`: what a figure is made of, as tables or as JSON; a wrong input ends as one message."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console
from rich.table import Table

from chassis.calendar import COPENHAGEN
from chassis.client import token_in
from impact.client import DEFAULT_URL, get, not_impact

MOST = 1000
SECONDS = 60.0
PAGED = ("contributions", "facts", "moved")

Json = dict[str, Any]
Line = tuple[str, ...]


def receipt(  # noqa: PLR0913 - one parameter per option of the command
    indicator: Annotated[str, typer.Argument(metavar="ID", help="An indicator, as F1.")],
    *,
    as_of: Annotated[str | None, typer.Option(help="As it was at the end of this day, YYYY-MM-DD.")] = None,
    known_as_of: Annotated[
        str | None, typer.Option(help="As it was known then: an instant, as 2026-03-01T08:00:00Z, or a position.")
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="First day of a flow or an average, or first month of a cohort.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="The day after the last one, or the month after.")] = None,
    by: Annotated[str | None, typer.Option(help="Split by one or two dimensions, as department or weeks,kind.")] = None,
    definition_version: Annotated[
        str | None, typer.Option(help="By this definition, not the one in force then.")
    ] = None,
    municipality: Annotated[str | None, typer.Option(help="Municipality code, as 621.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Also show what moved it after this moment: an instant, or a position.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many contributions to show.")] = 20,
    every: Annotated[bool, typer.Option("--all", help="Show every contribution, whatever --limit says.")] = False,
    url: Annotated[str, typer.Option(help="Address of the impact service.")] = DEFAULT_URL,
    token_file: Annotated[Path | None, typer.Option(help="File with a token that has the scope figures:exact.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the service's answer as JSON.")] = False,
) -> None:
    """Show what a figure is made of: who brings how much, by which facts, and which facts were left out and why.

    Examples:
    kraftcenter receipt F1 --token-file build/token
    kraftcenter receipt F4 --by department --as-of 2026-06-30 --all --token-file build/token
    kraftcenter receipt F5 --since 2026-03-01T08:00:00+01:00 --token-file build/token
    kraftcenter receipt J4 --from 2026-01-01 --to 2026-04-01 --known-as-of 1204 --json --token-file build/token
    """
    asked = {
        "municipality": municipality,
        "as_of": as_of,
        "known_as_of": known_as_of,
        "from": first,
        "to": until,
        "by": by,
        "definition_version": definition_version,
        "since": since,
        "limit": str(MOST if every else limit),
    }
    path, token = f"/v1/figures/{quote(indicator, safe='', errors='replace')}/receipt", token_in(token_file)

    def page(query: Mapping[str, str | None]) -> Json:
        given = {name: text for name, text in query.items() if text is not None}
        answer: Json = get(url, path, given, token, seconds=SECONDS)
        return answer

    try:
        shown = _whole(page, asked) if every else page(asked)
        parts, remarks = list(_parts(shown)), list(_remarks(shown))
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        raise not_impact(url) from None
    if as_json:
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        # What a source named itself is no markup of ours.
        console = Console(markup=False, highlight=False, emoji=False)
        for part in parts:
            console.print(part)
    for remark in remarks:
        typer.echo(remark, err=True)


def _whole(page: Callable[[Mapping[str, str | None]], Json], asked: Mapping[str, str | None]) -> Json:
    """All pages as one, all at the position and the day of the first: what comes in meanwhile changes none of them."""
    whole = following = page(asked)
    parts = {name: {json.dumps(each): each for each in whole[name]} for name in PAGED}
    figure = whole["figure"]
    pinned = {**asked, "known_as_of": str(figure["position"]), "as_of": figure["as_of"]}
    if asked["since"] is not None:
        pinned["since"] = str(whole["since"])
    while following["next_cursor"] is not None:
        following = page({**pinned, "cursor": str(following["next_cursor"])})
        for name, found in parts.items():
            found |= {json.dumps(each): each for each in following[name]}
    return {**whole, **{name: list(found.values()) for name, found in parts.items()}, "next_cursor": None}


def _parts(shown: Json) -> Iterator[Table | str]:
    yield _figure(shown)
    yield _clocks(shown)
    yield _contributions(shown)
    yield _facts(shown)
    if shown["since"] is not None:
        yield _moved(shown)
        yield f"After position {shown['since']}, up to {shown['figure']['position']}."


def _figure(shown: Json) -> Table:
    figure = shown["figure"]
    names = list(figure["cells"][0]["dimensions"]) if figure["cells"] else []
    table = Table(
        *names, "Value", "Numerator", "Denominator", "Status", title=f"{figure['id']} {figure['title']['en']}"
    )
    rows = [(figure, ["all"] * len(names))]
    rows += [(cell, [cell["dimensions"][name] for name in names]) for cell in figure["cells"]]
    for part, place in rows:
        numbers = [part[name] or "-" for name in ("value", "numerator", "denominator")]
        table.add_row(*place, f"{numbers[0]} {figure['unit']}", *numbers[1:], part["status"])
    return table


def _clocks(shown: Json) -> str:
    figure = shown["figure"]
    bounds = [f"{bound} {figure[bound]}" for bound in ("from", "to") if figure[bound]]
    steps = [] if Decimal(shown["divisor"]) == 1 else [f"numerators are divided by {shown['divisor']}"]
    steps += [] if shown["days"] is None else [f"amounts are sums over {shown['days']} days"]
    steps += [] if shown["reading"] == "sum" else ["the figure is the median"]
    when = " ".join(["As of", ", ".join([figure["as_of"], *bounds])])
    return "; ".join([f"{when}, as known at position {figure['position']}", *steps]) + "."


def _contributions(shown: Json) -> Table:
    """A line per contributor and cell, with what it brings above and below the line; then their sums."""
    names = sorted({name for each in shown["contributions"] for name in each["dimensions"]})
    table = Table("History", "Contributor", *names, title="Contributions")
    for heading in ("Numerator", "Denominator"):
        table.add_column(heading, justify="right")
    lines: dict[Line, dict[str, Decimal]] = {}
    for each in shown["contributions"]:
        cell = [each["dimensions"].get(name, "-") for name in names]
        sides = lines.setdefault((_history(each), each["contributor"], *cell), {})
        sides[each["role"]] = sides.get(each["role"], Decimal(0)) + Decimal(each["amount"])
    for line, sides in lines.items():
        table.add_row(*line, *_sides([sides]))
    table.add_section()
    table.add_row(
        "all" if shown["next_cursor"] is None else "shown here", "", *("" for _ in names), *_sides(lines.values())
    )
    return table


def _sides(lines: Iterable[Mapping[str, Decimal]]) -> list[str]:
    lines = list(lines)
    amounts = {role: [line[role] for line in lines if role in line] for role in ("numerator", "denominator")}
    return [f"{sum(found, Decimal(0)):f}" if found else "-" for found in amounts.values()]


def _facts(shown: Json) -> Table:
    """Under each history its facts, in order of admission, and why the rule did not see some of them."""
    table = Table("Occurred on", "Admitted", "Position", "Type", "Id", "Left out", "Because of", title="Facts behind")
    before = None
    for fact in shown["facts"]:
        if (history := (fact["history"]["kind"], fact["history"]["key"])) != before:
            table.add_section()
            table.add_row("", "", "", *history, style="bold")
        before = history
        dates = (fact["occurred_on"] or "-", _admitted(fact), str(fact["position"]))
        why = (fact["left_out"] or "", fact["instead"] or "")
        table.add_row(*dates, _short(fact["type"]), fact["id"], *why, style="dim" if fact["left_out"] else None)
    return table


def _moved(shown: Json) -> Table:
    table = Table("Admitted", "Position", "Type", "Id", "Contributor", "Cell", "Side", title="What moved it")
    table.add_column("By", justify="right")
    for cause in shown["moved"]:
        fact = (_admitted(cause), str(cause["position"]), _short(cause["type"]), cause["id"])
        cell = ", ".join(cause["dimensions"].values())
        table.add_row(*fact, cause["contributor"], cell, cause["role"], f"{Decimal(cause['amount']):+f}")
    return table


def _remarks(shown: Json) -> Iterator[str]:
    if shown["next_cursor"] is not None:
        contributions = f"{len(shown['contributions'])} of {shown['contributions_in_all']} contributions"
        causes = f", {len(shown['moved'])} of {shown['moved_in_all']} movements" if shown["since"] is not None else ""
        yield f"Shown: {contributions}{causes}. --all shows every one."
    if shown["parked"]:
        reasons = ", ".join(f"{reason} {facts}" for reason, facts in shown["parked"].items())
        yield f"Parked, and in no history: {reasons}. See kraftcenter parked list."


def _history(shown: Json) -> str:
    """Its kind, and its key where the contributor does not tell it."""
    kind, key = shown["history"]["kind"], shown["history"]["key"]
    return kind if shown["contributor"].split("/")[0] == key else f"{kind} {key}"


def _admitted(shown: Json) -> str:
    """The Danish date."""
    return datetime.fromisoformat(shown["recorded_at"]).astimezone(COPENHAGEN).date().isoformat()


def _short(event_type: str) -> str:
    """The noun and the verb alone."""
    return event_type.removeprefix("dk.kraftcenter.")
