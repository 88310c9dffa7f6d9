"""The events as an AsyncAPI 3 document: who sends and who receives what, where, and what is in it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

from contracts.catalogue import EVENTS, published
from contracts.event import Event
from contracts.streams import PRODUCERS, Stream, subject_of

CONTENT_TYPE = "application/cloudevents+json"
ANY_MUNICIPALITY = "{municipality}"
NO_EXAMPLES: Mapping[str, Any] = MappingProxyType({})
MUNICIPALITY = {"description": "Code of the municipality, as 621 for Kolding.", "examples": ["621"]}
HEADERS = {
    "type": "object",
    "required": ["Nats-Msg-Id"],
    "properties": {
        "Nats-Msg-Id": {
            "type": "string",
            "description": "`<source>#<id>#<first 16 hex of the body's hash>`: another body is no copy.",
        }
    },
}
SERVER = {
    "host": "{address}",
    "protocol": "nats",
    "description": "NATS JetStream; the stream of a channel is its `x-stream`.",
    "variables": {"address": {"default": "127.0.0.1:8642", "description": "Host and port, as in `NATS_URL`."}},
}

Json = dict[str, Any]
# An event on its way from one producer.
Route = tuple[str, type[Event]]


def document(service: str | None = None, examples: Mapping[str, Any] = NO_EXAMPLES) -> Json:
    """The whole document, or what one service sends and receives; examples are by `<noun>.<verb>.v<major>`."""
    routes = [(producer, event) for event in EVENTS for producer in event.contract.producers]
    operations = {
        name: operation for route in routes for actor, name, operation in _operations(route) if service in (None, actor)
    }
    used = {operation["channel"]["$ref"] for operation in operations.values()}
    routes = [route for route in routes if f"#/channels/{_channel_id(route)}" in used]
    events = {event.contract.file_stem: event for _, event in routes}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"Kraftcenter {service}" if service else "Kraftcenter",
            "version": version("kraftcenter-contracts"),
            "description": "From events to figures: what happened, in CloudEvents 1.0, structured JSON.",
            "license": {"name": "MPL-2.0", "url": "https://www.mozilla.org/MPL/2.0/"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"nats": SERVER},
        "channels": {_channel_id(route): _channel(route) for route in routes},
        "operations": operations,
        "components": {
            "parameters": {"municipality": MUNICIPALITY},
            "schemas": {"headers": HEADERS} | _payloads(events),
            "messages": {name: _message(event, examples.get(name)) for name, event in events.items()},
        },
    }


def services() -> set[str]:
    """Who sends or receives any event."""
    routes = ((producer, event) for event in EVENTS for producer in event.contract.producers)
    return {actor for route in routes for actor, _, _ in _operations(route)}


def _operations(route: Route) -> Iterator[tuple[str, str, Json]]:
    """Who acts on a route, and how."""
    producer, event = route
    channel = _channel_id(route)
    common = {
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{event.contract.file_stem}"}],
    }
    yield producer, f"{producer}.sends.{channel}", {"action": "send", **common}
    for consumer in PRODUCERS.get(producer, ()):
        # The workers of a durable share its messages, as those of a queue do.
        bindings = {"nats": {"queue": consumer, "bindingVersion": "0.1.0"}}
        receive = {"action": "receive", **common, "bindings": bindings, "x-durable": consumer}
        yield consumer, f"{consumer}.receives.{channel}", receive


def _channel_id(route: Route) -> str:
    producer, event = route
    return f"{producer}.{event.contract.file_stem}"


def _channel(route: Route) -> Json:
    producer, event = route
    name = event.contract.file_stem
    return {
        "address": subject_of(ANY_MUNICIPALITY, producer, event.contract),
        "summary": event.__doc__,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "parameters": {"municipality": {"$ref": "#/components/parameters/municipality"}},
        "servers": [{"$ref": "#/servers/nats"}],
        "tags": [{"name": producer}],
        "x-stream": Stream(ANY_MUNICIPALITY, producer).name,
    }


def _message(event: type[Event], example: Any | None) -> Json:
    contract = event.contract
    return {
        "name": contract.type,
        "title": contract.name,
        "summary": event.__doc__,
        "contentType": CONTENT_TYPE,
        "headers": {"$ref": "#/components/schemas/headers"},
        "payload": {"$ref": f"#/components/schemas/{contract.file_stem}"},
        "tags": [{"name": contract.name.partition(".")[0]}, {"name": contract.classification}],
        **({"examples": [{"name": contract.file_stem, "payload": example}]} if example else {}),
        "x-contract": {
            "owner": contract.owner,
            "legal_basis": contract.legal_basis,
            "retention": contract.retention,
            "classification": contract.classification,
        },
    }


def _payloads(names: Iterable[str]) -> Json:
    """The schemas, whose references to their own definitions now lead through the document."""
    schemas = published()
    return {
        name: json.loads(json.dumps(schemas[name]).replace('"#/$defs/', f'"#/components/schemas/{name}/$defs/'))
        for name in names
    }
