"""The table that a controller reads at the year's end, in Danish: what is true, and what was thought in summer."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts.codelists import CODE_LISTS
from local.comparison import Line
from local.expected.value import Value

GROUPS = {"J": "Job", "F": "Fleksjob på kommunens egne arbejdspladser", "E": "Kommunens ansatte"}
OTHER_GROUP = "Andre nøgletal"
UNITS = {
    "placements": "job",
    "persons": "pers.",
    "fte": "årsværk",
    "hours_per_week": "t./uge",
    "days": "dage",
    "share": "%",
}
DECIMALS = {"share": 1, "fte": 2, "hours_per_week": 2, "days": 1}
# The cuts that a controller looks at first; the others are shown on demand.
SHOWN_CUTS = {("F1", "department"), ("F3", "cause"), ("F5", "fiscal_year"), ("F7", "review_kind"), ("J4", "weeks")}
CODES = {
    "cause": "hours_change_cause",
    "kind": "employment_kind",
    "origin": "placement_origin",
    "review_kind": "review_kind",
    "to_municipality": "job7_municipality",
}
# What no code list has, since no event says it.
OF_IMPACT = {
    ("cause", "other_job"): "Andet fleksjob kom til eller ophørte",
    ("cause", "unknown"): "Ukendt",
    ("partner", "yes"): "Med partnerskab",
    ("partner", "no"): "Uden partnerskab",
}
MONEY = "F5"
ORE_IN_MILLION = 100_000_000
TABLE_WIDTH = 120

Place = tuple[str, str, str]


def year_end(name: str, lines: Sequence[Line], *, last_day: date, earlier: date, everything: bool = False) -> Table:
    """One municipality's figures: at the year's end, and of an earlier day as known then and as known now."""
    now = {_place(line): line for line in lines if line.as_of == line.known_on == last_day}
    then = {_place(line): line for line in lines if line.as_of == line.known_on == earlier}
    hindsight = {_place(line): line for line in lines if line.as_of == earlier and line.known_on == last_day}
    table = _empty_table(name, last_day=last_day, earlier=earlier)
    group = ""
    for place, line in now.items():
        indicator, cut, _ = place
        if cut and not everything and (indicator, cut) not in SHOWN_CUTS:
            continue
        if not cut and indicator[0] != group:
            group = indicator[0]
            table.add_row()
            table.add_row("", Text(GROUPS.get(group, OTHER_GROUP), style="bold"))
        table.add_row(*_row(line, then.get(place), hindsight.get(place)))
    return table


def _empty_table(name: str, *, last_day: date, earlier: date) -> Table:
    """The columns, and what they say to somebody who sees them for the first time."""
    now, then = f"{last_day:%d.%m.}", f"{earlier:%d.%m.}"
    table = Table(
        title=f"{name}, {last_day:%d.%m.%Y}",
        caption=f"Dengang: som kendt den {then}; set nu: som kendt den {now}; = uændret. Fakta: hændelser bag tallet. "
        "✓: hele rækken stemmer med en beregning uden fælles kode.",
        caption_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("", width=3, no_wrap=True)
    table.add_column("Nøgletal", width=47, no_wrap=True)
    table.add_column(now, width=9, justify="right", no_wrap=True)
    table.add_column("", width=7, no_wrap=True)
    table.add_column("heraf / ud af", width=21, justify="right")
    table.add_column("fakta", width=6, justify="right", no_wrap=True)
    table.add_column(f"{then}\ndengang", width=9, justify="right", no_wrap=True)
    table.add_column(f"{then}\nset nu", width=9, justify="right", no_wrap=True)
    table.add_column("", width=1, no_wrap=True)
    return table


def _row(line: Line, then: Line | None, hindsight: Line | None) -> Iterable[str]:
    """One value: its name, what it is, and what it was half a year ago, if that has changed since."""
    before, after = (_value(each.answered if each else Value(), line.unit) for each in (then, hindsight))
    agrees = all(each.agrees for each in (line, then, hindsight) if each)
    return (
        "" if line.cut else line.indicator,
        f"  {_label(line)}" if line.cut else line.title,
        _value(line.answered, line.unit),
        "" if line.answered.value is None else UNITS.get(line.unit, line.unit),
        _ratio(line),
        "" if line.facts is None or line.cut else _number(Decimal(line.facts)),
        before,
        after if after != before else "=",
        "[green]✓[/]" if agrees else "[red]✗[/]",
    )


def _place(line: Line) -> Place:
    return line.indicator, line.cut, line.cell


def _label(line: Line) -> str:
    """A cell in words."""
    if line.cut == "weeks":
        return f"efter {line.cell} uger"
    entries = CODE_LISTS.get(CODES.get(line.cut, ""), ())
    listed = {(line.cut, entry.code): entry.danish for entry in entries}
    return (OF_IMPACT | listed).get((line.cut, line.cell), line.cell.replace("_", " "))


def _value(value: Value, unit: str) -> str:
    if value.value is None:
        return "-"
    shown = value.value * 100 if unit == "share" else value.value
    return _number(shown, DECIMALS.get(unit, 0))


def _ratio(line: Line) -> str:
    """What stands above and below the line; of a median, over how many it is taken."""
    over, under = line.answered.numerator, line.answered.denominator
    if under is None:
        return ""
    if line.indicator == MONEY:
        return f"{_number((over or Decimal()) / ORE_IN_MILLION, 2)} / {_number(under / ORE_IN_MILLION, 2)} mio. kr."
    if over is None:
        return f"af {_number(under)}"
    return f"{_number(over, 0 if over == int(over) else 2)} / {_number(under)}"


def _number(amount: Decimal, decimals: int = 0) -> str:
    """As Danes write it: a comma before the decimals, a point between thousands."""
    rounded = amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return f"{rounded:,f}".translate(str.maketrans(",.", ".,"))


def console() -> Console:
    """Where tables go: a terminal that is too narrow breaks their lines, for a shortened number is another number."""
    output = Console(highlight=False)
    output.width = max(output.width, TABLE_WIDTH)
    return output


def summary(counts: Mapping[str, int]) -> str:
    """One line of how much it was."""
    return ", ".join(f"{_number(Decimal(count))} {what}" for what, count in counts.items())
