"""What was released and what is published today read each other's messages, wherever no difference is named."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from contracts.compat import differences
from contracts.released import read
from contracts.tests.edits import (
    ADOPTED,
    COMMITTED,
    CURRENT,
    NULLABLE,
    PARTS,
    SCHEME,
    STARTED,
    WORD,
    Edit,
    added,
    changed,
    edited,
    field_at,
    found_between,
    of_contract,
    set_to,
)
from contracts.tests.messages import Json, is_read_by, written_by

RELEASED = Path(__file__).parents[1] / "released"


def test_what_is_published_today_fits_every_release() -> None:
    assert differences(CURRENT, read(RELEASED)) == []


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
