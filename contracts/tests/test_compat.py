"""What was released and what is published today read each other's messages, or the difference is named."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from contracts.catalogue import published
from contracts.compat import differences
from contracts.released import read

RELEASED = Path(__file__).parents[1] / "released"
STARTED, COMMITTED, ADOPTED = "flexjob.started.v1", "grant.committed.v1", "pool.rules_adopted.v1"

Json = dict[str, Any]
# Of a whole schema, at the path of one field.
Edit = Callable[[Json, str], object]
# Who writes a message that the other side refuses; "nobody" when it is its meaning that changed.
Writer = Literal["released", "current", "both", "nobody"]

BY_FORMAT: dict[str, st.SearchStrategy[str]] = {
    "uuid": st.uuids().map(str),
    "date": st.dates().map(str),
    "date-time": st.dates().map(lambda day: f"{day}T09:12:44Z"),
}


def is_read_by(schema: Json, message: Any) -> bool:
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).is_valid(message)


def resolved(schema: Json, root: Json) -> Json:
    return root["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def written_by(schema: Json, root: Json | None = None) -> st.SearchStrategy[Any]:
    """What a writer of the schema may write: the fields that it knows, and no others."""
    root = root or schema
    schema = resolved(schema, root)
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    if "anyOf" in schema:
        return st.one_of([written_by(each, root) for each in schema["anyOf"]])
    if schema.get("type") == "object":
        fields = {name: written_by(field, root) for name, field in schema["properties"].items()}
        needed = {name: fields.pop(name) for name in schema.get("required", ())}
        return st.fixed_dictionaries(needed, optional=fields)
    if schema.get("type") == "array":
        least = schema.get("minItems", 0)
        return st.lists(written_by(schema["items"], root), min_size=least, max_size=schema.get("maxItems", least + 2))
    return plain(schema)


def plain(schema: Json) -> st.SearchStrategy[Any]:
    """Text, whole numbers, truth values, and nothing."""
    if "format" in schema:
        return BY_FORMAT[schema["format"]]
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True)
    return {
        None: st.none(),
        "string": st.text(min_size=schema.get("minLength", 0), max_size=schema.get("maxLength", 9)),
        "integer": st.integers(schema.get("minimum"), schema.get("maximum")),
        "boolean": st.booleans(),
        "null": st.none(),
    }[schema.get("type")]


def field_at(root: Json, path: str) -> Json:
    """The field of a message, as `/data/allocations/*/amount_ore`."""
    field = root
    for step in path.split("/")[1:]:
        field = resolved(field["items"] if step == "*" else field["properties"][step], root)
    return field


def changed(edit: Callable[[Json], object]) -> Edit:
    return lambda root, path: edit(field_at(root, path))


def set_to(**values: Any) -> Edit:
    named = {name.replace("x_", "x-"): value for name, value in values.items()}
    return changed(lambda field: field.update(named))


def without(*keys: str) -> Edit:
    return changed(lambda field: [field.pop(key) for key in keys])


def removed(root: Json, path: str) -> None:
    parent, _, name = path.rpartition("/")
    del field_at(root, parent)["properties"][name]
    demanded(now=False)(root, path)


def added(field: Json, *, required: bool = False) -> Edit:
    def edited(root: Json, path: str) -> None:
        parent, _, name = path.rpartition("/")
        field_at(root, parent)["properties"][name] = field
        demanded(now=required)(root, path)

    return edited


def demanded(*, now: bool) -> Edit:
    def edited(root: Json, path: str) -> None:
        parent, _, name = path.rpartition("/")
        required = field_at(root, parent)["required"]
        field_at(root, parent)["required"] = [each for each in required if each != name] + [name] * now

    return edited


def closed(root: Json, path: str) -> None:
    field_at(root, path.rpartition("/")[0])["additionalProperties"] = False


def added_though_closed(root: Json, path: str) -> None:
    closed(root, path)
    added(WORD)(root, path)


def renamed(root: Json, path: str) -> None:
    removed(root, path)
    added(WORD, required=True)(root, f"{path}_new")


def of_contract(**values: Any) -> Edit:
    return lambda root, _: root["x-contract"].update(values)


def unchanged(root: Json, path: str) -> None:
    """Leave it."""


@dataclass(frozen=True, slots=True)
class Break:
    """A change within a major version, the field that must be named, and whose messages the other side refuses."""

    kind: str
    event: str
    path: str
    edit: Edit
    refused: Writer
    before: Edit = unchanged

    def sides(self) -> tuple[Json, Json]:
        """The schema as it was released and as it is today."""
        old, new = deepcopy(CURRENT[self.event]), deepcopy(CURRENT[self.event])
        self.before(old, self.path)
        self.edit(new, self.path)
        return old, new


DAY, NEED, SCHEME, TERM = "/data/occurred_on", "/data/need_id", "/data/scheme", "/data/grant_term"
REFUND, RULES, MONTHS, UNITS = "/data/refund_share", "/data/rules_version", "/data/max_months", "/data/eligible_units"
PARTS, YEAR = "/data/allocations", "/data/allocations/*/fiscal_year"
WORD = {"type": "string", "pattern": "^[a-z]{1,9}$"}
NULLABLE = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}], "default": None}
TWO, THREE = ({"type": "string", "enum": values} for values in (["a", "b"], ["a", "b", "c"]))
BREAKS = (
    Break("a required field is removed", STARTED, TERM, removed, "current"),
    Break("an optional field is removed", STARTED, NEED, removed, "nobody"),
    Break("a field is renamed", STARTED, TERM, renamed, "both"),
    Break("a required field is added", STARTED, "/data/note", added(WORD, required=True), "released"),
    Break(
        "a required field is added within a list", COMMITTED, f"{PARTS}/*/note", added(WORD, required=True), "released"
    ),
    Break("an optional field becomes required", STARTED, NEED, demanded(now=True), "released"),
    Break("a required field becomes optional", STARTED, SCHEME, demanded(now=False), "current"),
    Break("the type", ADOPTED, RULES, set_to(type="string"), "both"),
    Break("a pattern is narrowed", STARTED, SCHEME, set_to(pattern="^[a-f]$"), "released"),
    Break("a pattern is widened", STARTED, SCHEME, set_to(pattern="^[A-Za-z]{1,9}$"), "current"),
    Break("a pattern is dropped", STARTED, SCHEME, without("pattern"), "current"),
    Break("a format is dropped", STARTED, DAY, without("format"), "current"),
    Break("a format is set", STARTED, SCHEME, set_to(format="date"), "both"),
    Break("a maximum is raised", COMMITTED, YEAR, set_to(maximum=9999), "current"),
    Break("a maximum is lowered", COMMITTED, YEAR, set_to(maximum=2030), "released"),
    Break("a minimum is lowered", ADOPTED, RULES, set_to(minimum=0), "current"),
    Break("a minimum is raised", ADOPTED, RULES, set_to(minimum=2), "released"),
    Break("a text may be longer", STARTED, "/subject", set_to(), "current", before=set_to(maxLength=3)),
    Break("a text may not be as long", STARTED, "/subject", set_to(maxLength=3), "released"),
    Break("a constant", STARTED, "/specversion", set_to(const="1.1"), "both"),
    Break("values are listed", STARTED, "/data/retention", set_to(enum=[True]), "released"),
    Break("a value is added", STARTED, "/data/mark", added(THREE), "current", before=added(TWO)),
    Break("a value is removed", STARTED, "/data/mark", added(TWO), "released", before=added(THREE)),
    Break("a list must be longer", COMMITTED, PARTS, set_to(minItems=2), "released"),
    Break("a list may be empty", COMMITTED, PARTS, set_to(minItems=0), "current"),
    Break("a list may not be as long", ADOPTED, UNITS, set_to(maxItems=1), "released"),
    Break("what a list holds", ADOPTED, f"{UNITS}/*", set_to(pattern="^[0-9]$"), "both"),
    Break("null is forbidden", ADOPTED, MONTHS, changed(lambda field: field["anyOf"].pop()), "released"),
    Break("null is allowed", STARTED, "/data/mark", added(NULLABLE), "current", before=added({"type": "integer"})),
    Break("the kind of history", STARTED, NEED, set_to(x_key="grant"), "nobody"),
    Break("a key is none any more", STARTED, NEED, without("x-key"), "nobody"),
    Break("the code list", STARTED, SCHEME, set_to(x_codelist="task"), "nobody"),
    Break("the unit", ADOPTED, REFUND, set_to(x_unit="percent"), "nobody"),
    Break("the guard against personal numbers", STARTED, "/subject", without("x-guard"), "nobody"),
    Break("what silence means", ADOPTED, MONTHS, set_to(default=12), "nobody"),
    Break("other fields are forbidden", STARTED, "/data", set_to(additionalProperties=False), "nobody"),
    Break("a field where others were forbidden", STARTED, "/data/note", added_though_closed, "current", before=closed),
    Break("the sensitivity", STARTED, "/dataclassification", set_to(const="open"), "both"),
    Break("the phase", STARTED, "/x-contract/phase", of_contract(phase="change"), "nobody"),
    Break("what opens it", STARTED, "/x-contract/opened_by", of_contract(opened_by="need.reported"), "nobody"),
    Break("a producer is gone", STARTED, "/x-contract/producers", of_contract(producers=[]), "nobody"),
)
CURRENT = published()


def found_between(old: Json, new: Json) -> list[str]:
    return [str(found) for found in differences({"x.y.v1": new}, {"0.1.0": {"x.y.v1": old}})]


def refusal(writer: Json, reader: Json) -> Any:
    """A message that one side writes and the other refuses; NoSuchExample when none is found."""
    return find(
        written_by(writer),
        lambda message: not is_read_by(reader, message),
        settings=settings(
            max_examples=200, phases=[Phase.generate], database=None, suppress_health_check=[*HealthCheck]
        ),
    )


def test_what_is_published_today_fits_every_release() -> None:
    assert differences(CURRENT, read(RELEASED)) == []


@pytest.mark.parametrize("change", BREAKS, ids=lambda change: change.kind)
def test_a_breaking_change_is_refused_and_its_field_named(change: Break) -> None:
    lines = found_between(*change.sides())

    assert any(line.startswith(f"x.y.v1 {change.path}: ") for line in lines), lines
    assert all(line.endswith("or make it x.y.v2") for line in lines)


@pytest.mark.parametrize(
    "change", [each for each in BREAKS if each.refused != "nobody"], ids=lambda change: change.kind
)
def test_a_message_of_one_side_of_a_breaking_change_is_refused_by_the_other(change: Break) -> None:
    old, new = change.sides()

    assert change.refused == "current" or refusal(writer=old, reader=new)
    assert change.refused == "released" or refusal(writer=new, reader=old)
    assert found_between(new, old)


def test_a_type_that_vanishes_is_named() -> None:
    gone = {name: schema for name, schema in CURRENT.items() if name != STARTED}

    (found,) = differences(gone, {"0.1.0": CURRENT})

    assert str(found) == f"{STARTED}: the event type is gone since 0.1.0; put it back, a released major version stays"


def edited(event: str, path: str, edit: Edit) -> Json:
    return Break("", event, path, edit, "nobody").sides()[1]


def test_a_field_does_not_come_back_with_another_meaning() -> None:
    """That a release had dropped it excuses nothing: today is held against every release, not only the last."""
    releases = {"0.1.0": {STARTED: CURRENT[STARTED]}, "0.2.0": {STARTED: edited(STARTED, NEED, removed)}}

    (found,) = differences({STARTED: edited(STARTED, NEED, set_to(x_key="grant"))}, releases)

    assert (found.pointer, found.releases) == (NEED, ("0.1.0",))


def test_all_differences_are_told_at_once_and_each_once_for_all_releases() -> None:
    new = edited(STARTED, NEED, removed)
    removed(new, TERM)
    releases = {version: {STARTED: CURRENT[STARTED]} for version in ("0.1.0", "0.2.0")}

    found = differences({STARTED: new}, releases)

    assert [(each.pointer, each.releases) for each in found] == [(path, ("0.1.0", "0.2.0")) for path in (TERM, NEED)]


def rename_definition(root: Json, path: str) -> None:
    root["$defs"]["Share"] = root["$defs"].pop("Allocation")
    field_at(root, path.removesuffix("/*"))["items"]["$ref"] = "#/$defs/Share"


KEY = {"type": "string", "format": "uuid", "x-key": "clause"}
COMPATIBLE: dict[str, tuple[str, str, Edit]] = {
    "an optional field": (STARTED, "/data/note", added(WORD)),
    "an optional field that may be null": (STARTED, "/data/note", added(NULLABLE)),
    "an optional key": (STARTED, "/data/clause_id", added(KEY)),
    "an optional field within a list": (COMMITTED, f"{PARTS}/*/note", added(WORD)),
    "an optional field of the envelope": (STARTED, "/partitionkey", added(WORD)),
    "other words": (STARTED, SCHEME, set_to(title="x", description="y")),
    "another order": (STARTED, "/data", changed(lambda field: field["required"].reverse())),
    "another name of a definition": (COMMITTED, f"{PARTS}/*", rename_definition),
    "another owner, legal basis and retention": (STARTED, "", of_contract(owner="x", legal_basis="y", retention="z")),
    "one more producer": (STARTED, "", of_contract(producers=["flexjob_pool", "gateway"])),
}


def test_a_new_type_fits() -> None:
    assert differences({**CURRENT, "need.adjusted.v1": CURRENT[STARTED]}, {"0.1.0": CURRENT}) == []


@pytest.mark.parametrize("kind", COMPATIBLE)
@settings(max_examples=10)
@given(data=st.data())
def test_messages_of_both_sides_of_a_compatible_change_are_read_by_the_other(kind: str, data: st.DataObject) -> None:
    event = COMPATIBLE[kind][0]
    old, new = CURRENT[event], edited(*COMPATIBLE[kind])

    assert new != old
    assert found_between(old, new) == []
    assert is_read_by(new, data.draw(written_by(old)))
    assert is_read_by(old, data.draw(written_by(new)))


def nodes(part: Any) -> list[Json]:
    """Every object within a schema, itself included."""
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return ([part] if isinstance(part, dict) else []) + [node for each in inner for node in nodes(each)]


NAMES = st.sampled_from(["type", "minimum", "pattern", "enum", "title", "description", "x-unit", "x"])
ADDED = st.sampled_from([{"type": "boolean"}, WORD, NULLABLE])
SET: tuple[Json, ...] = (
    {"pattern": "^[a-z]$"},
    {"minimum": 2},
    {"maxLength": 1},
    {"format": "date"},
    {"enum": ["x"]},
    {"type": "null"},
    {"minItems": 2},
    {"required": []},
    {"title": "x"},
)


@st.composite
def mutated(draw: st.DrawFn, schema: Json) -> Json:
    """The schema after some changes anywhere in it, sensible or not."""
    schema = deepcopy(schema)
    if draw(st.booleans()):
        fields = nodes(schema["properties"]["data"]) + nodes(schema.get("$defs"))
        field = draw(st.sampled_from([each for each in fields if "type" in each]))
        if draw(st.booleans()):
            field.update(deepcopy(draw(st.sampled_from(SET))))
        else:
            del field[draw(st.sampled_from([*field]))]
    for _ in range(draw(st.integers(0, 2))):
        holders = [each for each in nodes(schema) if isinstance(each.get("properties"), dict)]
        holder = draw(st.sampled_from(holders or [{"properties": {}}]))
        holder["properties"][draw(NAMES)] = deepcopy(draw(ADDED))
        holder[draw(st.sampled_from(["title", "description"]))] = "x"
    return schema


@given(event=st.sampled_from([STARTED, COMMITTED, ADOPTED]), data=st.data())
@settings(max_examples=120)
def test_whatever_is_called_compatible_is_read_by_both_sides(event: str, data: st.DataObject) -> None:
    old, new = CURRENT[event], data.draw(mutated(CURRENT[event]))
    try:
        Draft202012Validator.check_schema(new)
    except SchemaError:
        return

    if not found_between(old, new):
        assert is_read_by(new, data.draw(written_by(old)))
        assert is_read_by(old, data.draw(written_by(new)))


def test_the_reader_of_this_test_does_refuse() -> None:
    example = json.loads((RELEASED.parent / "examples" / f"{STARTED}.json").read_text(encoding="utf-8"))

    assert is_read_by(CURRENT[STARTED], example)
    assert not is_read_by(CURRENT[STARTED], {**example, "specversion": "2.0"})
