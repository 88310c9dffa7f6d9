"""What a writer of one schema may write, and whether a reader of another takes it."""

from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft202012Validator

Json = dict[str, Any]
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
