"""Events in a file: one JSON object per line, or one JSON document with one event or a list of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from chassis.bodies import not_json
from chassis.problems import Said

IT = Said("Det", "It")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands at one place of a file: a JSON value, or why there is none."""

    place: str
    value: Any = None
    unreadable: Said | None = None


def entries_in(raw: bytes) -> list[Entry]:
    """Everything in a file, each with its place: `line 3`, or `item 3` of a list."""
    raw = raw.removeprefix(BYTE_ORDER_MARK)
    if not raw.strip():
        return []
    try:
        document = _parsed(raw)
    except ValueError as error:
        by_line = list(_lines(raw))
        if any(isinstance(entry.value, dict) for entry in by_line):
            return by_line
        return [Entry("the file", unreadable=not_json(str(error), what=IT))]
    if isinstance(document, list):
        return [Entry(f"item {number}", value) for number, value in enumerate(document, 1)]
    return [Entry("line 1", document)]


def _lines(raw: bytes) -> Iterator[Entry]:
    for number, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            yield Entry(f"line {number}", _parsed(line))
        except ValueError as error:
            yield Entry(f"line {number}", unreadable=not_json(str(error), what=IT))


def _parsed(raw: bytes) -> Any:
    return from_json(raw, allow_inf_nan=False, cache_strings="none")
