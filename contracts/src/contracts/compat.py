"""Whether the schemas of today and each released one read what the other writes.

Within a major version a field may be added when it is optional, at any depth where others are not forbidden, and so may
an event type, a producer and other words. Everything else is another major version. A writer writes only the fields
that it knows; a reader survives those that it does not know.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
Schemas = Mapping[str, Schema]
# What a field or event changed, and what to do about it.
Change = tuple[str, str, str]

WORDS = frozenset({"title", "description"})
FREE = frozenset({"owner", "legal_basis", "retention"})
WALKED = frozenset({"properties", "required", "items", "anyOf", "$defs", "x-contract"})
SAID = {
    "x-key": "the kind of history that it is a key of",
    "x-codelist": "its code list",
    "x-unit": "its unit",
    "x-guard": "its guard",
}
NONE = "none"


@dataclass(frozen=True, slots=True)
class Difference:
    """One change that another major version is needed for; the pointer leads into the message, `*` being any item."""

    event: str
    pointer: str
    change: str
    advice: str
    releases: tuple[str, ...]

    def __str__(self) -> str:
        """One line that names the field and says what to do."""
        place = " ".join(filter(None, (self.event, self.pointer)))
        return f"{place}: {self.change} since {', '.join(self.releases)}; {self.advice}"


def differences(current: Schemas, releases: Mapping[str, Schemas]) -> list[Difference]:
    """Every way in which the schemas of today, by file stem, disagree with any release; empty when fully compatible."""
    found: dict[tuple[str, Change], list[str]] = {}
    for version, schemas in releases.items():
        for event, schema in sorted(schemas.items()):
            for change in _changes(event, schema, current.get(event)):
                found.setdefault((event, change), []).append(version)
    return [Difference(event, *change, tuple(versions)) for (event, change), versions in found.items()]


def _changes(event: str, old: Schema, new: Schema | None) -> Iterator[Change]:
    if new is None:
        yield "", "the event type is gone", "put it back, a released major version stays"
        return
    name, _, major = event.rpartition(".v")
    otherwise = f"or make it {name}.v{int(major) + 1}"
    for pointer, change, remedy in (*_walk(_inlined(old, old), _inlined(new, new), ""), *_contract(old, new)):
        yield pointer, change, f"{remedy}, {otherwise}"


def _inlined(part: Any, root: Schema, within: tuple[str, ...] = ()) -> Any:
    """The schema without references, so that the name of a definition does not matter."""
    if isinstance(part, list):
        return [_inlined(item, root, within) for item in part]
    if not isinstance(part, Mapping):
        return part
    reference = part.get("$ref")
    if reference is None or reference in within:
        return {key: _inlined(value, root, within) for key, value in part.items() if key != "$defs"}
    definition = root["$defs"][reference.rpartition("/")[2]]
    beside = {key: value for key, value in part.items() if key != "$ref"}
    return _inlined({**definition, **beside}, root, (*within, reference))


def _walk(old: Schema, new: Schema, at: str) -> Iterator[Change]:
    yield from _fields(old, new, at)
    for key in sorted((old.keys() | new.keys()) - WORDS - WALKED):
        yield from _value(key, old, new, at)
    if "items" in old and "items" in new:
        yield from _walk(old["items"], new["items"], f"{at}/*")
    elif "items" in old or "items" in new:
        yield from _value("items", old, new, at)
    if len(old.get("anyOf", ())) == len(new.get("anyOf", ())):
        for before, after in zip(old.get("anyOf", ()), new.get("anyOf", ()), strict=True):
            yield from _walk(before, after, at)
    else:
        yield from _value("anyOf", old, new, at)


def _fields(old: Schema, new: Schema, at: str) -> Iterator[Change]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed, needs = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted({*before, *after, *needed, *needs}):
        place = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
        if name in before and name not in after:
            yield place, "was removed", "put it back"
        elif name in needs and name not in before:
            yield place, "is new and required", "make it optional"
        elif name in needs - needed:
            yield place, "became required", "make it optional again"
        elif name in needed - needs:
            yield place, "became optional", "make it required again"
        elif name not in before and old.get("additionalProperties", True) is not True:
            yield place, "is new where other fields were forbidden", "take it out"
        if name in before and name in after:
            yield from _walk(before[name], after[name], place)


def _contract(old: Schema, new: Schema) -> Iterator[Change]:
    before, after = old.get("x-contract", {}), new.get("x-contract", {})
    for producer in sorted(set(before.get("producers", ())) - set(after.get("producers", ()))):
        yield "/x-contract/producers", f"{producer} was removed", "put it back"
    for key in sorted((before.keys() | after.keys()) - FREE - {"producers"}):
        yield from _value(key, before, after, "/x-contract/" + key)


def _value(key: str, old: Schema, new: Schema, at: str) -> Iterator[Change]:
    was, is_ = (json.dumps(part[key], sort_keys=True) if key in part else NONE for part in (old, new))
    if was != is_:
        yield at, f"{SAID.get(key, key)} was {was} and is {is_}", "take it back"
