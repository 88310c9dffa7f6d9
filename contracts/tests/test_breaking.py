"""What breaks a released contract is refused, and the field that breaks it is named."""

from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, Phase, find, settings

from contracts.compat import differences
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
    demanded,
    edited,
    field_at,
    found_between,
    of_contract,
    removed,
    set_to,
    without,
)
from contracts.tests.messages import Json, is_read_by, written_by

DAY, NEED, TERM, YEAR = "/data/occurred_on", "/data/need_id", "/data/grant_term", f"{PARTS}/*/fiscal_year"
REFUND, RULES, MONTHS, UNITS = "/data/refund_share", "/data/rules_version", "/data/max_months", "/data/eligible_units"
TWO, THREE = ({"type": "string", "enum": values} for values in (["a", "b"], ["a", "b", "c"]))
# Who writes a message that the other side refuses; "nobody" when it is its meaning that changed.
Writer = Literal["released", "current", "both", "nobody"]


def closed(root: Json, path: str) -> None:
    field_at(root, path.rpartition("/")[0])["additionalProperties"] = False


def added_though_closed(root: Json, path: str) -> None:
    closed(root, path)
    added(WORD)(root, path)


def renamed(root: Json, path: str) -> None:
    removed(root, path)
    added(WORD, required=True)(root, f"{path}_new")


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
        return edited(self.event, self.path, self.before), edited(self.event, self.path, self.edit)


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
    Break("a text may be shorter", STARTED, "/subject", set_to(minLength=0), "current"),
    Break("a text must be longer", STARTED, "/subject", set_to(minLength=4), "released"),
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


def refusal(writer: Json, reader: Json) -> Any:
    """A message that one side writes and the other refuses; NoSuchExample when none is found."""
    return find(
        written_by(writer),
        lambda message: not is_read_by(reader, message),
        settings=settings(
            max_examples=200, phases=[Phase.generate], database=None, suppress_health_check=[*HealthCheck]
        ),
    )


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


def test_every_keyword_of_what_is_published_has_a_breaking_change_that_touches_it() -> None:
    published = {keyword for schema in CURRENT.values() for _, keyword, _ in said_by(schema)}
    touched = {keyword for each in BREAKS for _, keyword, _ in said_by(each.sides()[0]) ^ said_by(each.sides()[1])}

    # Texts for people may change; and what a name stands for is compared, not how it is named.
    assert published - touched <= {"title", "description", "$ref"}


def said_by(schema: Any, place: str = "") -> set[tuple[str, str, str]]:
    """Every (place, keyword, value) of a schema, within fields, lists and choices too."""
    found = set()
    for keyword, value in schema.items():
        if keyword in {"properties", "$defs", "anyOf"}:
            inner = value.items() if isinstance(value, dict) else enumerate(value)
            found |= {said for name, each in inner for said in said_by(each, f"{place}/{name}")}
        elif keyword == "items":
            found |= said_by(value, f"{place}/*")
        if keyword not in {"properties", "$defs"}:
            found.add((place, keyword, repr(value)))
    return found


def test_a_type_that_vanishes_is_named() -> None:
    gone = {name: schema for name, schema in CURRENT.items() if name != STARTED}

    (found,) = differences(gone, {"0.1.0": CURRENT})

    assert str(found) == f"{STARTED}: the event type is gone since 0.1.0; put it back, a released major version stays"


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
