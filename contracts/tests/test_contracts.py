"""The published language is what is committed: schemas, examples and contracts agree with the models."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from contracts.__main__ import generated
from contracts.catalogue import BY_TYPE, EVENTS, UnknownType, data_of, schema_of
from contracts.codelists import CODE_LISTS
from contracts.envelope import Envelope
from contracts.event import Event, key_fields

ROOT = Path(__file__).parents[1]
SCHEMAS, EXAMPLES = ROOT / "schemas", ROOT / "examples"


def name_of(event: type[Event]) -> str:
    return event.contract.file_stem


def example(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return parsed


def codelists_in(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(codelists_in, schema))
    if not isinstance(schema, dict):
        return set()
    own = {schema["x-codelist"]} if "x-codelist" in schema else set()
    return own.union(*map(codelists_in, schema.values()))


GENERATED = generated(ROOT.parent)


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.name)
def test_what_is_committed_follows_from_the_models(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == GENERATED[path], "run `make schemas`, look at the difference, commit it"


def test_every_schema_and_every_example_belongs_to_one_event() -> None:
    names = {name_of(event) for event in EVENTS}

    assert {path.stem for path in SCHEMAS.iterdir()} == names
    assert {path.stem for path in EXAMPLES.iterdir()} == names
    assert len(BY_TYPE) == len(EVENTS)


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_the_example_is_valid_by_schema_and_by_model(event: type[Event]) -> None:
    message = example(name_of(event))
    schema = schema_of(event)

    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(message)
    envelope = Envelope.model_validate(message)
    data = data_of(envelope)

    assert type(data) is event
    assert envelope.subject == data.about
    assert data.model_dump(mode="json", exclude_none=True) == message["data"]


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_every_event_has_owner_description_legal_basis_and_retention(event: type[Event]) -> None:
    contract = event.contract

    assert all([contract.owner, contract.legal_basis, contract.retention, contract.producers, event.__doc__])
    assert event.__doc__ != Event.__doc__


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_every_code_list_that_a_schema_names_exists(event: type[Event]) -> None:
    assert codelists_in(schema_of(event)) <= set(CODE_LISTS)


def loose_texts(schema: Any) -> list[Any]:
    """Every place for text that is neither spelled out as an identifier or code, nor guarded."""
    if isinstance(schema, list):
        return [loose for part in schema for loose in loose_texts(part)]
    if not isinstance(schema, dict):
        return []
    held = {"pattern", "const", "enum", "x-guard"} & schema.keys()
    own = [schema] if schema.get("type") == "string" and not held else []
    return own + [loose for part in schema.values() for loose in loose_texts(part)]


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_no_field_can_hold_a_personal_number_unseen(event: type[Event]) -> None:
    assert not loose_texts(schema_of(event))


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_an_opening_event_carries_the_key_that_it_opens(event: type[Event]) -> None:
    opening = event.contract.opened_by
    if opening is None:
        return
    opener = next(other for other in EVENTS if other.contract.name == opening.name)

    assert opening.key in {kind for _, kind in key_fields(event)}
    assert opening.key in {kind for _, kind in key_fields(opener)}
    assert opener.contract.phase == "start"


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_an_event_about_a_person_says_that_it_is_sensitive(event: type[Event]) -> None:
    if "person_ref" in event.model_fields:
        assert event.contract.classification in {"confidential", "special_category"}


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_no_event_was_registered_at_the_end_of_time(instant: str) -> None:
    with pytest.raises(ValidationError, match="after the year 1 and before the year 9999"):
        Envelope.model_validate(example("flexjob.started.v1") | {"time": instant})


def test_an_unknown_type_is_named_as_such() -> None:
    message = example("flexjob.started.v1") | {"type": "dk.kraftcenter.flexjob.started.v2"}

    with pytest.raises(UnknownType):
        data_of(Envelope.model_validate(message))


def test_a_correction_must_say_why() -> None:
    message = example("flexjob.hours_changed.v1") | {"corrects": "an-earlier-event"}

    with pytest.raises(ValidationError, match="reason_code"):
        data_of(Envelope.model_validate(message))

    message["data"]["reason_code"] = "registration_error"
    assert data_of(Envelope.model_validate(message))


def test_an_event_cannot_be_declared_less_sensitive_than_its_type() -> None:
    message = example("flexjob.started.v1") | {"dataclassification": "open"}

    with pytest.raises(ValidationError, match="dataclassification"):
        data_of(Envelope.model_validate(message))


REQUIRED = (
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "datacontenttype",
    "dataclassification",
    "data",
)


@pytest.mark.parametrize("field", REQUIRED)
def test_nothing_required_is_defaulted_on_the_wire(field: str) -> None:
    message = example("flexjob.started.v1")
    del message[field]

    with pytest.raises(ValidationError):
        Envelope.model_validate(message)


WRONG_DATA: tuple[tuple[str, Any], ...] = (
    ("occurred_on", "2026-02-30"),
    ("occurred_on", "2026-3-1"),
    ("occurred_on", 20260301),
    ("occurred_on", "2026-03-01T00:00:00Z"),
    ("placement_id", "5B0E6A2C-6F0E-4F2B-9D5E-0D9F6F3B2A11"),
    ("placement_id", "5b0e6a2c6f0e4f2b9d5e0d9f6f3b2a11"),
    ("person_ref", None),
    ("effective_hours_per_week", 8),
    ("effective_hours_per_week", 8.5),
    ("effective_hours_per_week", "8,5"),
    ("effective_hours_per_week", "-1"),
    ("effective_hours_per_week", "168.01"),
    ("effective_hours_per_week", "08.50"),
    ("effective_hours_per_week", "8.505"),
    ("effective_hours_per_week", "NaN"),
    ("retention", "false"),
    ("grant_term", "Permanent"),
    ("department", "010190-1234"),
    ("department", "A-010190-1234"),
    ("department", ""),
)


@pytest.mark.parametrize(("field", "value"), WRONG_DATA)
def test_a_value_in_another_spelling_is_refused(field: str, value: Any) -> None:
    message = example("flexjob.started.v1")
    message["data"][field] = value

    with pytest.raises(ValidationError):
        data_of(Envelope.model_validate(message))


def test_a_field_that_is_newer_than_the_reader_is_survived() -> None:
    message = example("flexjob.started.v1")
    message["data"]["tomorrow"] = 1
    message["extension"] = "x"

    assert data_of(Envelope.model_validate(message))


def test_allocations_must_add_up_to_the_amount() -> None:
    message = example("grant.committed.v1")
    message["data"]["amount_ore"] += 1

    with pytest.raises(ValidationError, match="add up"):
        data_of(Envelope.model_validate(message))


def test_a_need_asks_for_no_fewer_hours_than_it_starts_from() -> None:
    message = example("need.reported.v1")
    message["data"]["effective_hours_per_week_from"] = "12.01"

    with pytest.raises(ValidationError, match="must not be above"):
        data_of(Envelope.model_validate(message))


def test_trainees_are_within_the_headcount() -> None:
    message = example("workforce.snapshot_taken.v1")
    message["data"]["trainee_headcount"] = message["data"]["headcount"] + 1

    with pytest.raises(ValidationError, match="must not be above"):
        data_of(Envelope.model_validate(message))


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "2026-4", "26-04", "2026-04-01", "2026-04\n"])
def test_a_payroll_month_is_a_month(month: str) -> None:
    message = example("refund.posted.v1")
    message["data"]["payroll_month"] = month

    with pytest.raises(ValidationError, match="payroll_month"):
        data_of(Envelope.model_validate(message))


def test_a_department_is_a_history_of_snapshots_alone() -> None:
    kinds = {event.contract.name for event in EVENTS if "department" in {kind for _, kind in key_fields(event)}}

    assert kinds == {"workforce.snapshot_taken"}


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_a_workplace_is_never_without_its_department(event: type[Event]) -> None:
    assert "workplace_unit" not in event.model_fields or "department" in event.model_fields


def test_job7_is_of_seven_municipalities() -> None:
    names = {entry.code: entry.danish for entry in CODE_LISTS["job7_municipality"]}

    assert names == {
        "410": "Middelfart",
        "510": "Haderslev",
        "530": "Billund",
        "575": "Vejen",
        "607": "Fredericia",
        "621": "Kolding",
        "630": "Vejle",
    }
