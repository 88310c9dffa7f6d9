"""Panels of effects, from impact's catalogue: a new entry has its panels at once."""

from collections.abc import Iterable, Iterator

from dashboards.panels import COUNT, Column, Panel, Query, matrix, number, trend
from impact.board.words import DECIMALS
from impact.indicator import Indicator
from impact.metrics import name_of

SUPPRESSED = "Undertrykt eller ingen data"
UNITS = {
    "placements": "ansættelser",
    "persons": "personer",
    "fte": "årsværk",
    "hours_per_week": "timer/uge",
    "days": "dage",
    "share": "%",
}
LEVELS = {"activity": "Aktivitet", "output": "Resultat", "outcome": "Effekt"}
DIRECTIONS = {
    "up": "Mere er fremgang.",
    "down": "Mindre er fremgang.",
    "neutral": "Hverken mere eller mindre er i sig selv fremgang.",
}
DIMENSIONS = {"department": "forvaltning", "fiscal_year": "budgetår"}
HERE = 'municipality="$municipality"'
PRODUCED_HERE = f"and on (job, instance) relay_active{{{HERE}}}"
"""Behind a metric of a process that serves one municipality and does not say which."""
SIZES = {"department": (16, 14), "fiscal_year": (8, 6)}
"""Width and height of a table: for as many rows as there are, nobody should have to scroll within it."""
RARE = "En udgivelse undertrykker tal, som for få personer står bag."


def effect(indicator: Indicator) -> Iterator[Panel]:
    """A figure as it is now, and how it has moved."""
    title = f"{indicator.id} {indicator.title.danish}"
    told = Query(whole(indicator), indicator.title.danish)
    decimals = DECIMALS.get(indicator.unit, 0)
    text = description(indicator)
    shown = Query(_in_unit(indicator, told.expr), told.legend)
    yield number(title, text, shown, unit=unit_of(indicator), decimals=decimals, empty=SUPPRESSED, width=7)
    # The axis has no room for words: they stand beside it.
    axis = "percentunit" if indicator.unit == "share" else COUNT
    yield trend(f"{indicator.id} over tid", text, told, unit=axis, empty=SUPPRESSED, legend=False, width=5, height=5)


def cuts(indicators: Iterable[Indicator]) -> Iterator[Panel]:
    """A table for each dimension by which figures leave for everybody: those that are not about persons."""
    dimensions: dict[str, list[Indicator]] = {}
    for indicator in indicators:
        if indicator.dimensions and not indicator.about_persons:
            dimensions.setdefault(indicator.dimensions[0], []).append(indicator)
    for dimension, cut in dimensions.items():
        name = DIMENSIONS.get(dimension, dimension)
        width, height = SIZES.get(dimension, (12, 7))
        yield matrix(
            f"Efter {name}",
            "\n\n".join(f"{each.id} {each.title.danish}: {each.definition.danish}" for each in cut),
            dimension,
            {f"{each.id} {each.title.danish}": _column(each, dimension) for each in cut},
            row_title=name.capitalize(),
            row_width=150,
            spaced=True,
            width=width,
            height=height,
        )


def _column(indicator: Indicator, dimension: str) -> Column:
    query = Query(_in_unit(indicator, f'{name_of(indicator)}{{{HERE}, {dimension}!=""}}'))
    return Column(query, unit_of(indicator), DECIMALS.get(indicator.unit, 0))


def whole(indicator: Indicator) -> str:
    """Asks for the figure whole: cells of a sum add up to it, a ratio stands beside its cells without labels."""
    name = name_of(indicator)
    if indicator.denominator is None:
        return f"sum by (municipality) ({name}{{{HERE}}})"
    blank = "".join(f', {dimension}=""' for dimension in indicator.dimensions)
    return f"{name}{{{HERE}{blank}}}"


def _in_unit(indicator: Indicator, expr: str) -> str:
    return f"100 * {expr}" if indicator.unit == "share" else expr


def unit_of(indicator: Indicator) -> str:
    """The unit as Grafana writes it."""
    return unit_named(UNITS.get(indicator.unit, indicator.unit))


def unit_named(name: str) -> str:
    """A unit by its name; of Grafana's formats money's alone has one and the separators of the reader's language."""
    return f"currency:financial: {name}:suffix"


def description(indicator: Indicator) -> str:
    """What the figure is, what it is not, how to read it, over which days it counts, and of which day it tells."""
    day = "Fra den seneste udgivelse." if indicator.about_persons else "Opgjort til og med i dag."
    reading = f"{LEVELS[indicator.level]}. {DIRECTIONS[indicator.direction]} {period_of(indicator)} {day}"
    parts = (indicator.definition.danish, reading)
    return "\n\n".join([*parts, *([RARE] if indicator.about_persons else [])])


def period_of(indicator: Indicator) -> str:
    """Over which days a figure counts when nobody chooses any; its trend falls where they begin anew."""
    if indicator.kind == "cohort":
        return "Tæller alle måneder til og med dagen."
    if indicator.kind == "stock":
        return "Gælder ved udgangen af dagen."
    if indicator.months:
        return f"Tæller de seneste {indicator.months} måneder til og med dagen."
    return "Tæller fra 1. januar til og med dagen og begynder forfra hvert år."
