"""The AsyncAPI document is one, by the official schema, and says what the catalogue and the streams say."""

import gzip
import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from contracts.__main__ import examples
from contracts.asyncapi import document, services
from contracts.catalogue import EVENTS, published

EXAMPLES = examples(Path(__file__).parents[1] / "examples")
WHOLE = document(examples=EXAMPLES)

Json = dict[str, Any]


@pytest.fixture(scope="session")
def official() -> Draft7Validator:
    """The official schema of AsyncAPI 3.0.0, as the npm package @asyncapi/specs 6.11.1 has it (Apache-2.0)."""
    packed = (Path(__file__).parent / "asyncapi" / "3.0.0.json.gz").read_bytes()
    return Draft7Validator(json.loads(gzip.decompress(packed)))


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from references(each)


def at(whole: Json, reference: str) -> Any:
    place: Any = whole
    for step in reference.removeprefix("#/").split("/"):
        place = place[step]
    return place


@pytest.mark.parametrize("service", [None, *sorted(services())])
def test_the_document_is_valid_by_the_official_schema(service: str | None, official: Draft7Validator) -> None:
    assert [error.message for error in official.iter_errors(document(service, EXAMPLES))] == []


@pytest.mark.parametrize("service", [None, *sorted(services())])
def test_every_reference_leads_somewhere_within_the_document(service: str | None) -> None:
    described = document(service)

    assert all(at(described, reference) for reference in references(described))


def test_the_official_schema_does_refuse(official: Draft7Validator) -> None:
    broken = deepcopy(WHOLE)
    next(iter(broken["operations"].values()))["action"] = "publish"
    without_info = {key: value for key, value in WHOLE.items() if key != "info"}

    assert not official.is_valid(broken)
    assert not official.is_valid(without_info)
    assert not official.is_valid({**WHOLE, "asyncapi": "2.6.0"})


def test_every_event_has_a_channel_per_producer_a_message_and_an_example() -> None:
    routes = {(producer, event.contract.file_stem) for event in EVENTS for producer in event.contract.producers}

    assert set(WHOLE["channels"]) == {f"{producer}.{stem}" for producer, stem in routes}
    assert set(WHOLE["components"]["messages"]) == {event.contract.file_stem for event in EVENTS}
    assert all(message["examples"] for message in WHOLE["components"]["messages"].values())


def test_a_channel_is_the_subject_with_the_municipality_left_open() -> None:
    channel = WHOLE["channels"]["flexjob_pool.flexjob.started.v1"]

    assert channel["address"] == "events.{municipality}.flexjob_pool.flexjob.started.v1"
    assert channel["x-stream"] == "EVENTS_{municipality}_FLEXJOB_POOL"


@pytest.mark.parametrize("name", published())
def test_a_payload_within_the_document_admits_what_its_schema_admits(name: str) -> None:
    payload = {"$ref": WHOLE["components"]["messages"][name]["payload"]["$ref"], "components": WHOLE["components"]}
    reader = Draft202012Validator(payload)
    example = EXAMPLES[name]

    assert reader.is_valid(example)
    assert not reader.is_valid({**example, "data": {}})


def test_a_service_sees_what_it_sends_and_what_its_durables_receive() -> None:
    operations = document("flexjob_pool")["operations"]

    assert operations["flexjob_pool.sends.flexjob_pool.flexjob.started.v1"]["action"] == "send"
    assert operations["flexjob_pool.receives.gateway.payroll.employment_ended.v1"]["x-durable"] == "flexjob_pool"
    assert {name.split(".")[0] for name in operations} == {"flexjob_pool"}
    assert {each["action"] for each in document("impact")["operations"].values()} == {"receive"}


def test_the_slices_make_up_the_whole() -> None:
    slices = [document(service, EXAMPLES) for service in services()]

    assert {name: each for part in slices for name, each in part["operations"].items()} == WHOLE["operations"]
    assert {name: each for part in slices for name, each in part["channels"].items()} == WHOLE["channels"]


def test_a_service_that_nobody_knows_has_no_events() -> None:
    assert document("nobody")["channels"] == {}
