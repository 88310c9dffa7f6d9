"""Expressions as PromQL's own parser reads them: which series they select, and what they do with each."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import promql_parser

# What Grafana puts in before it asks; to read an expression, any window will do that nobody writes down.
CHOSEN_WINDOW = timedelta(seconds=61)
VARIABLES = {"$__rate_interval": "61s", "$municipality": "621", "${municipality}": "621"}
# What only grows, by the names of its exporters: some of theirs are called gauges, and many do not end in _total.
COUNTER = re.compile(
    r".+_total|http_request_duration_seconds_(bucket|count|sum)|gnatsd_varz_(in|out)_(msgs|bytes)|jetstream_stream_last_seq"
    r"|pg_stat_database_(xact_commit|xact_rollback|blks_hit|blks_read|deadlocks|temp_bytes|tup_\w+)"
)
PARTS = ("lhs", "rhs", "expr", "param")


class Selected(NamedTuple):
    """A selection of series, as `up{job="a"}`, with the function that is applied to it at once, over which window."""

    name: str
    text: str
    function: str | None
    window: timedelta | None


def filled(expr: str, window: str = VARIABLES["$__rate_interval"]) -> str:
    """The expression as Grafana asks it, with a window for rates."""
    for variable, value in (VARIABLES | {"$__rate_interval": window}).items():
        expr = expr.replace(variable, value)
    return expr


def selections(expr: str) -> list[Selected]:
    """All series that an expression selects; ValueError when it is no PromQL."""
    return list(_selected(promql_parser.parse(filled(expr)), None, None))


def _selected(part: Any, function: str | None, window: timedelta | None) -> Iterator[Selected]:
    match part:
        case promql_parser.VectorSelector():
            yield Selected(part.name or "", part.prettify().partition(" offset ")[0], function, window)
        case promql_parser.MatrixSelector():
            yield from _selected(part.vector_selector, function, part.range)
        case promql_parser.Call():
            for argument in part.args:
                yield from _selected(argument, part.func.name, None)
        case _:
            for child in filter(None, (getattr(part, name, None) for name in PARTS)):
                yield from _selected(child, None, None)
