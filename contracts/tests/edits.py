"""Changes of what is published today, each at the path of one field."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from contracts.catalogue import published
from contracts.compat import differences
from contracts.tests.messages import Json, resolved

STARTED, COMMITTED, ADOPTED = "flexjob.started.v1", "grant.committed.v1", "pool.rules_adopted.v1"
SCHEME, PARTS = "/data/scheme", "/data/allocations"
WORD = {"type": "string", "pattern": "^[a-z]{1,9}$"}
NULLABLE = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}], "default": None}
CURRENT = published()

# Of a whole schema, at the path of one field.
Edit = Callable[[Json, str], object]


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


def of_contract(**values: Any) -> Edit:
    return lambda root, _: root["x-contract"].update(values)


def found_between(old: Json, new: Json) -> list[str]:
    return [str(found) for found in differences({"x.y.v1": new}, {"0.1.0": {"x.y.v1": old}})]


def edited(event: str, path: str, edit: Edit) -> Json:
    """The schema of an event after a change."""
    schema = deepcopy(CURRENT[event])
    edit(schema, path)
    return schema
