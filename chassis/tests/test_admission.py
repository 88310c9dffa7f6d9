import copy
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.admission import faults_in
from chassis.reasons import BY_TEXT, MOST
from chassis.wire import canonical, carry, read
from contracts.catalogue import data_of
from contracts.envelope import MAX_BYTES

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 2)
EXAMPLES = {file.stem: json.loads(file.read_text()) for file in sorted((ROOT / "contracts/examples").glob("*.json"))}
FROM_OUTSIDE = [name for name in EXAMPLES if not name.startswith("service.")]
WORKING_TIME = "payroll.working_time_changed.v1"
CPR = "010190-1234"
VALUE = "Karen Blixen"
OUT_OF_REACH = "must lie between 1 January 1990 and two years from today"
UNKNOWN_MAJOR = "has a major version that is not in the contract"
UNKNOWN_FIELD = "has a field that is not known here"
SESSION = "awareness.session_held.v1"
WORKPLACE = {"department": "A", "workplace_unit": "B"}
RETRACTED = "event.retracted.v1"


def not_in(name: str) -> str:
    return f"is not in the code list {name} on that date"


def example(name: str = WORKING_TIME, **attributes: Any) -> dict[str, Any]:
    message: dict[str, Any] = copy.deepcopy(EXAMPLES[name])
    return message | attributes


def with_data(name: str = WORKING_TIME, **data: Any) -> dict[str, Any]:
    message = example(name)
    message["data"] |= data
    return message


def reasons(message: object) -> list[tuple[str, str]]:
    return [(fault.place, fault.said.english) for fault in faults_in(message, today=TODAY)]


@pytest.mark.parametrize("name", FROM_OUTSIDE)
def test_every_example_of_the_contract_may_come_from_outside(name: str) -> None:
    assert reasons(example(name)) == []


def test_attributes_that_the_contract_knows_are_let_in() -> None:
    known = {
        "dataschema": "https://kraftcenter.dk/schemas/payroll.working_time_changed.v1.json",
        "correlationid": "run-2026-03",
        "causationid": "sd-2026-000416",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "corrects": "sd-2026-000001",
    }
    message = with_data(reason_code="registration_error") | known

    assert reasons(message) == []
    assert reasons(example(dataschema=None)) == []


def test_all_reasons_are_told_at_once_each_with_its_place() -> None:
    message = example(
        subject=VALUE, time="2031-01-01T00:00:00Z", dataclassification="open", corrects="sd-1", leader=VALUE
    )
    message["data"] |= {"occurred_on": "1989-12-31", "employment_ref": 7, "occupation_rate": "1.5", "note": VALUE}
    del message["specversion"], message["data"]["person_ref"]

    assert reasons(message) == [
        ("/specversion", "is missing"),
        ("", UNKNOWN_FIELD),
        ("/subject", "must be one word: an identifier, no text"),
        ("/time", OUT_OF_REACH),
        ("/dataclassification", "must be special_category for this type"),
        ("/data/employment_ref", "must be a UUID in lower case with hyphens"),
        ("/data/person_ref", "is missing"),
        ("/data/occupation_rate", 'must be a share from 0 to 1 as a decimal string, as "0.5"'),
        ("/data", UNKNOWN_FIELD),
        ("/data/reason_code", "is missing: a correction must say why"),
        ("/data/occurred_on", OUT_OF_REACH),
    ]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ([], ("", "must be a JSON object")),
        ("text", ("", "must be a JSON object")),
        (None, ("", "must be a JSON object")),
        (example(id=""), ("/id", "must match ^[\\x21-\\x7e]{1,128}$")),
        (example(id=CPR), ("/id", "holds a personal number (CPR); use a person_ref instead")),
        (example(subject=f"x/{CPR}"), ("/subject", "holds a personal number (CPR); use a person_ref instead")),
        (example(correlationid=CPR), ("/correlationid", "holds a personal number (CPR); use a person_ref instead")),
        (example(causationid="two words"), ("/causationid", "must be one word: an identifier, no text")),
        (example(dataschema="a\u200bb c"), ("/dataschema", "must be one word: an identifier, no text")),
        (example(traceparent=VALUE), ("/traceparent", "must have the form of the W3C, 00-…-…-01")),
        (example(subject="a\0b"), ("/subject", "must not hold NUL characters")),
        (example(time="2026-03-05T09:12:44"), ("/time", "must be an instant in UTC, YYYY-MM-DDThh:mm:ssZ")),
        (example(time="0001-01-01T00:00:00Z"), ("/time", "must be after the year 1 and before the year 9999")),
        (example(data=[]), ("/data", "must be a JSON object")),
        (example(data={}), ("/data/occurred_on", "is missing")),
        (example(tracestate="x=1"), ("", UNKNOWN_FIELD)),
        (example(type="dk.kraftcenter.payroll.paid.v1"), ("/type", "is not an event type of the contract")),
        (example(type=f"dk.kraftcenter.{WORKING_TIME[:-1]}2"), ("/type", UNKNOWN_MAJOR)),
        (EXAMPLES["service.heartbeat.v1"], ("/type", "is sent by the services themselves alone")),
        (with_data(amount=2**60), ("", "The event has a number that JSON cannot tell exactly.")),
        (with_data(note="x" * MAX_BYTES), ("", "The event may be at most 64 KiB.")),
        (with_data(occurred_on="2028-11-03"), ("/data/occurred_on", OUT_OF_REACH)),
        (with_data(ends_on="2026-03-01"), ("/data", "ends_on must be after occurred_on")),
        (with_data(reason_code="because"), ("/data/reason_code", not_in("correction_reason"))),
        (
            with_data(RETRACTED, reason_code="bored"),
            ("/data/reason_code", not_in("retraction_reason")),
        ),
        (with_data(RETRACTED, event_id=EXAMPLES[RETRACTED]["id"]), ("/data/event_id", "is the event's own id")),
        (example(RETRACTED, corrects="x"), ("/corrects", "must not stand in a retraction")),
        (with_data("flexjob.started.v1", scheme="pre2013"), ("/data/scheme", not_in("flexjob_scheme"))),
        (
            with_data("need.reported.v1", task_codes=["care", "magic"]),
            ("/data/task_codes/1", not_in("task")),
        ),
        (
            with_data(SESSION, workplaces=[WORKPLACE | {"leader": VALUE}]),
            ("/data/workplaces/0", UNKNOWN_FIELD),
        ),
        (
            with_data(SESSION, workplaces=[WORKPLACE | {"workplace_unit": f"B-{CPR}"}]),
            ("/data/workplaces/0/workplace_unit", "holds a personal number (CPR); use a person_ref instead"),
        ),
    ],
)  # fmt: skip
def test_each_reason_is_told_at_its_place(message: object, reason: tuple[str, str]) -> None:
    assert reason in reasons(message)


def test_an_event_that_corrects_itself_is_refused() -> None:
    message = with_data(reason_code="registration_error")

    assert reasons(message | {"corrects": message["id"]}) == [("/corrects", "is the event's own id")]


def test_a_list_whose_items_have_unknown_fields_is_not_said_to_be_short() -> None:
    assert reasons(with_data(SESSION, workplaces=[WORKPLACE | {"leader": VALUE}])) == [
        ("/data/workplaces/0", UNKNOWN_FIELD)
    ]


def test_no_reason_repeats_a_value_or_the_name_of_an_unknown_field() -> None:
    message = example(
        id=VALUE, subject=VALUE, type=VALUE, traceparent=VALUE, corrects=VALUE, **{VALUE: VALUE, CPR: CPR}
    )
    message["data"] |= dict.fromkeys(message["data"], VALUE) | {VALUE: CPR}

    said = [f"{fault.place} {fault.said.danish} {fault.said.english}" for fault in faults_in(message, today=TODAY)]

    assert said
    assert not [text for text in said if "Karen" in text or "010190" in text]


def test_a_message_with_very_many_faults_is_told_some_and_how_many_more() -> None:
    message = with_data("need.reported.v1", task_codes=["magic"] * 150)

    assert len(reasons(message)) == MOST + 1
    assert reasons(message)[-1] == ("", "and 50 errors more")


def test_every_text_of_the_contracts_has_its_danish() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "contracts/src/contracts").glob("*.py"))
    raised = re.findall(r'raise ValueError\("([^"]+)"\)', sources)
    spelled = re.findall(r"spelled\(\w+, \w+, (\"[^\"]+\"|'[^']+')\)", sources)
    texts = {*raised, *(text[1:-1] for text in spelled)}

    assert len(texts) > 10
    assert texts - BY_TEXT.keys() == set()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(CPR) | st.just("care"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """An example of the contract with some fields dropped, replaced or added."""
    message = example(draw(st.sampled_from(sorted(EXAMPLES))))
    for _ in range(draw(st.integers(0, 3))):
        inner = message.get("data")
        place = inner if isinstance(inner, dict) and draw(st.booleans()) else message
        name = draw(st.sampled_from(sorted(place))) if place and draw(st.booleans()) else draw(st.text(max_size=6))
        if draw(st.booleans()):
            place.pop(name, None)
        else:
            place[name] = draw(JSON_VALUES)
    return message


@given(message=mutated())
def test_whatever_is_let_in_is_what_every_reader_accepts(message: dict[str, Any]) -> None:
    if faults_in(message, today=TODAY):
        return

    reading = read(canonical(message))
    sealed = carry(reading, producer="gateway")

    assert data_of(reading.envelope)
    assert read(sealed.body).body == message


@given(message=JSON_VALUES)
def test_anything_at_all_is_judged(message: object) -> None:
    assert faults_in(message, today=TODAY)


def test_what_is_carried_keeps_source_id_and_body_and_its_trace_is_no_part_of_its_identity() -> None:
    trace = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
    plain, traced = (carry(read(canonical(message)), producer="gateway") for message in (example(), example() | trace))

    assert (traced.source, traced.id) == ("urn:kraftcenter:621:sd_loen", "sd-2026-000417")
    assert traced.nats_subject == "events.621.gateway.payroll.working_time_changed.v1"
    assert json.loads(traced.body) == example() | trace
    assert traced.body_hash == plain.body_hash == read(plain.body).body_hash
