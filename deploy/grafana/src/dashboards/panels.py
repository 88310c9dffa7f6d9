"""The kinds of panel: each asks Prometheus, and says what it shows, in which unit, and what it means to be empty.

Colours are those of Okabe and Ito, which nearly everybody can tell apart, and never the only sign: states are words,
and series are named with their last value. Series whose names are known here have a colour and a stroke each; how many
others there are nobody knows, and they are shades of one colour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import (
    DashboardRegexMapOptions,
    DashboardSpecialValueMapOptions,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    RegexMap,
    SpecialValueMap,
    SpecialValueMatch,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

DATASOURCE = DataSourceRef(type_val="prometheus", uid="kraftcenter-prometheus")
BLUE, ORANGE, SKY, GREEN, PURPLE, YELLOW = "#0072B2", "#D55E00", "#56B4E9", "#009E73", "#CC79A7", "#E69F00"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY)
GREY = "#808080"
VALUE_SIZE, TITLE_SIZE = 32, 14
# What is counted, with the separators of the reader's language.
COUNT, PER_SECOND = "locale", "suffix:/s"
LEAST = {COUNT: 5, "percentunit": 0.05, "s": 1, PER_SECOND: 1, "Bps": 1000}
"""How high an axis reaches at the least, by unit: else a line at nought stands under 100."""
NO_DATA = "Ingen data"
IN_ORDER, DEVIATES, UNKNOWN = "I orden", "Afviger", "Ukendt"

Builder: TypeAlias = stat.Panel | statetimeline.Panel | table.Panel | timeseries.Panel


class Query(NamedTuple):
    """What is asked; `quiet` says why a healthy system answers it with nothing, where that is so."""

    expr: str
    legend: str = ""
    quiet: str = ""


class Column(NamedTuple):
    """A column of a table: what is asked, and how it is told."""

    query: Query
    unit: str = COUNT
    decimals: int = 0


class Word(NamedTuple):
    """How a value is told, and in which colour."""

    text: str
    colour: str


# Names by which series are told apart, as patterns where more stands around them.
PRODUCERS = ("/flexjob_pool/i", "/gateway/i")
SERVICES = ("flexjob_pool", "gateway", "impact")
SOURCES = ("/:flexjob_pool$/", "/:gateway$/", "/:sd_loen$/")
# The same with what is said instead of the name.
REASONS: Mapping[str, str] = {
    "unknown_type": "ukendt type",
    "invalid_data": "ugyldige data",
    "wrong_municipality": "en anden kommune",
    "absurd_date": "usandsynlig dato",
    "rule_error": "en regel kunne ikke",
}
RESULTS: Mapping[str, str] = {
    "first_copies": "første eksemplar",
    "duplicates": "gentagelse",
    "conflicts": "modstrid",
    "unreadable": "ulæselig",
}
UNDERSCORES = RegexMap(options=DashboardRegexMapOptions(pattern="/_/g", result=ValueMappingResult(text=" ")))
STATES: Mapping[int, Word] = {0: Word(IN_ORDER, BLUE), 1: Word(DEVIATES, ORANGE)}


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel, with its queries."""

    builder: Builder
    queries: tuple[Query, ...]


def number(  # noqa: PLR0913 - what a panel says of itself
    title: str,
    description: str,
    *queries: Query,
    unit: str,
    decimals: int | None = None,
    empty: str = NO_DATA,
    words: Mapping[int, Word] | None = None,
    named: bool = False,
    size: int = VALUE_SIZE,
    width: int = 6,
    height: int = 5,
) -> Panel:
    """The last value, large; of some values, as `words`; `named` shows the names of the series instead."""
    several = len(queries) > 1 or any(map(_is_of_many, queries))
    text = common.BigValueTextMode.VALUE_AND_NAME if several else common.BigValueTextMode.VALUE
    builder = (
        stat.Panel()
        .graph_mode(common.BigValueGraphMode.NONE)
        .color_mode(common.BigValueColorMode.VALUE if words else common.BigValueColorMode.NONE)
        .text_mode(common.BigValueTextMode.NAME if named else text)
        .text(common_builders.VizTextDisplayOptions().value_size(size).title_size(TITLE_SIZE))
        .justify_mode(common.BigValueJustifyMode.AUTO)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    )
    if decimals is not None:
        builder = builder.decimals(decimals)
    _described(builder, title, description, unit, empty, words, width, height)
    return _asking(builder, queries, instant=True)


def state(  # noqa: PLR0913
    title: str, description: str, query: Query, *, size: int = VALUE_SIZE, width: int = 6, height: int = 4
) -> Panel:
    """A query that answers 0 or 1, told in words: in order, or not; unknown when it answers nothing."""
    return number(
        title, description, query, unit="none", empty=UNKNOWN, words=STATES, size=size, width=width, height=height
    )


def trend(  # noqa: PLR0913
    title: str,
    description: str,
    *queries: Query,
    unit: str,
    decimals: int | None = None,
    empty: str = NO_DATA,
    named: Sequence[str] | Mapping[str, str] = (),
    stacked: bool = False,
    legend: bool = True,
    top: float | None = None,
    width: int = 12,
    height: int = 7,
) -> Panel:
    """Values over time; series that are known by name, or by a `/pattern/`, each have a colour and a stroke.

    A mapping of names says what each is called instead. `top` is how high the axis reaches at the least.
    """
    listed = common_builders.VizLegendOptions().display_mode(common.LegendDisplayMode.LIST).calcs(["lastNotNull"])
    builder = (
        timeseries.Panel()
        .legend(listed.placement(common.LegendPlacement.BOTTOM).show_legend(legend))
        .tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
        .line_width(2)
        .fill_opacity(10 if stacked else 0)
        .show_points(common.VisibilityMode.AUTO)
        .color_scheme(FieldColor().mode(FieldColorModeId.SHADES).fixed_color(BLUE))
        .axis_soft_min(0)
    )
    if decimals is not None:
        builder = builder.decimals(decimals)
    if stacked:
        builder = builder.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
    if least := top or LEAST.get(unit):
        builder = builder.axis_soft_max(least)
    for place, name in enumerate(named):
        of_name = builder.override_by_regexp if name.startswith("/") else builder.override_by_name
        called = [DynamicConfigValue("displayName", named[name])] if isinstance(named, Mapping) else []
        builder = of_name(name, [*_stroke(place), *called])
    for place, query in enumerate(queries):
        if not _is_of_many(query):
            builder = builder.override_by_query(_ref(place), _stroke(place))
    _described(builder, title, description, unit, empty, None, width, height)
    return _asking(builder, queries, instant=False)


def timeline(
    title: str,
    description: str,
    *queries: Query,
    words: Mapping[int, Word] = STATES,
    width: int = 24,
    height: int = 8,
) -> Panel:
    """States over time, each a bar with its word in it."""
    builder = (
        statetimeline.Panel()
        .show_value(common.VisibilityMode.AUTO)
        .merge_values(True)
        .row_height(0.8)
        .fill_opacity(80)
        .legend(common_builders.VizLegendOptions().show_legend(True).placement(common.LegendPlacement.BOTTOM))
    )
    _described(builder, title, description, "none", UNKNOWN, words, width, height)
    return _asking(builder, queries, instant=False)


def matrix(  # noqa: PLR0913
    title: str,
    description: str,
    by: str,
    columns: Mapping[str, Column],
    *,
    row_title: str,
    row_width: int = 230,
    spaced: bool = False,
    empty: str = "-",
    width: int = 24,
    height: int = 7,
) -> Panel:
    """A table: a row for each value of the label `by`, a column for each query; `spaced` tells `a_b` as `a b`."""
    queries = tuple(column.query for column in columns.values())
    names = {f"Value #{_ref(place)}": title for place, title in enumerate(columns)}
    order = {name: place for place, name in enumerate((by, *names))}
    renamed = {"indexByName": order, "renameByName": {by: row_title, **names}}
    builder = (
        table.Panel()
        .show_header(True)
        .filterable(False)
        # Grafana's own would push columns out of sight.
        .min_width(80)
        .with_transformation(DataTransformerConfig(id_val="joinByField", options={"byField": by, "mode": "outer"}))
        .with_transformation(
            DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"names": [by, *names]}})
        )
        .with_transformation(DataTransformerConfig(id_val="organize", options=renamed))
    )
    for name, column in columns.items():
        told = [DynamicConfigValue("unit", column.unit), DynamicConfigValue("decimals", column.decimals)]
        builder = builder.override_by_name(name, told)
    named = [DynamicConfigValue("custom.width", row_width)]
    if spaced:
        named.append(DynamicConfigValue("mappings", [UNDERSCORES]))
    builder = builder.override_by_name(row_title, named)
    # A name may look like a number, as a year does.
    _described(builder, title, description, "string", empty, None, width, height)
    return _asking(builder, queries, instant=True, as_table=True)


def _described(  # noqa: PLR0913, PLR0917
    builder: Builder,
    title: str,
    description: str,
    unit: str,
    empty: str,
    words: Mapping[int, Word] | None,
    width: int,
    height: int,
) -> None:
    """What every panel has."""
    builder.title(title).description(description).datasource(DATASOURCE)
    builder.unit(unit).no_value(empty).span(width).height(height)
    colours = [Threshold(value=None, color=BLUE)]
    builder.thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(colours))
    if words:
        builder.mappings(_mappings(words, empty))


def _mappings(words: Mapping[int, Word], empty: str) -> list[ValueMapping]:
    told = {str(value): ValueMappingResult(text=word.text, color=word.colour) for value, word in words.items()}
    nothing = ValueMappingResult(text=empty, color=GREY)
    special = DashboardSpecialValueMapOptions(match=SpecialValueMatch.NULL_AND_NAN, result=nothing)
    return [ValueMap(options=told), SpecialValueMap(options=special)]


def _asking(builder: Builder, queries: Sequence[Query], *, instant: bool, as_table: bool = False) -> Panel:
    for place, query in enumerate(queries):
        target = prometheus.Dataquery().expr(query.expr).ref_id(_ref(place)).datasource(DATASOURCE)
        target = target.instant() if instant else target.range()
        target = target.legend_format(query.legend or "__auto")
        builder.with_target(target.format(PromQueryFormat.TABLE if as_table else PromQueryFormat.TIME_SERIES))
    return Panel(builder, tuple(queries))


def _is_of_many(query: Query) -> bool:
    """Whether its series are told apart by their labels."""
    return "{{" in query.legend


def _ref(place: int) -> str:
    """The letter by which a panel knows its query."""
    return chr(ord("A") + place)


def _stroke(place: int) -> list[DynamicConfigValue]:
    """A colour and a kind of line, so that either tells series apart."""
    colour = DynamicConfigValue("color", {"mode": "fixed", "fixedColor": COLOURS[place % len(COLOURS)]})
    dash = {"fill": "solid"} if place == 0 else {"fill": "dash", "dash": [12 - 3 * (place % 4), 3 + 2 * (place % 3)]}
    return [colour, DynamicConfigValue("custom.lineStyle", dash)]
