"""What must hold of an event that comes from outside: strict on the way in, so that every reader may be tolerant.

Beyond what the contract asks, no field may be unknown to it: a name or a free text would travel unseen.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from chassis.bodies import unfit
from chassis.calendar import danish_date
from chassis.problems import Fault, Said
from chassis.reasons import MOST, OBJECT, faults_of
from chassis.wire import Unreadable, canonical
from contracts.catalogue import BY_TYPE
from contracts.codelists import codes_on
from contracts.envelope import MAX_BYTES, Envelope
from contracts.event import DatedEvent, Event
from contracts.platform import EventRetracted, ServiceHeartbeat
from contracts.reach import is_within_reach
from contracts.types import Day, Instant, OfList

TRACE_PARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
WORDS = ("subject", "dataschema", "correlationid", "causationid")
VERSION = re.compile(r"\.v[0-9]+$")
DAY: TypeAdapter[date] = TypeAdapter(Day)
INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
CORRECTION = OfList("correction_reason")

UNKNOWN_TYPE = Said("er ikke en hændelsestype i kontrakten", "is not an event type of the contract")
UNKNOWN_MAJOR = Said(
    "har en hovedversion, som kontrakten ikke kender", "has a major version that is not in the contract"
)
OF_SERVICES = Said("sendes kun af tjenesterne selv", "is sent by the services themselves alone")
NO_REASON = Said("mangler: en rettelse skal sige hvorfor", "is missing: a correction must say why")
NOT_IN_LIST = Said("er ikke i kodelisten {} på den dato", "is not in the code list {} on that date")
OUT_OF_REACH = Said(
    "skal ligge mellem 1. januar 1990 og to år frem fra i dag",
    "must lie between 1 January 1990 and two years from today",
)
OF_ITSELF = Said("er hændelsens eget id", "is the event's own id")
CORRECTS_NOTHING = Said("må ikke stå i en tilbagetrækning", "must not stand in a retraction")
ONE_WORD = Said(
    "skal være et ord uden mellemrum: en betegnelse, ingen tekst", "must be one word: an identifier, no text"
)
NO_TRACE = Said("skal have W3C's form, 00-…-…-01", "must have the form of the W3C, 00-…-…-01")
TOO_LARGE = Said("Hændelsen må højst fylde 64 KiB.", "The event may be at most 64 KiB.")
INEXACT = Said(
    "Hændelsen har et tal, som JSON ikke kan gengive nøjagtigt.",
    "The event has a number that JSON cannot tell exactly.",
)

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


def faults_in(message: object, *, today: date) -> list[Fault]:
    """Everything that is wrong with a message, once and in order; nothing when it may be admitted.

    Pointers begin at the root of the event. `today` is the Danish date that its dates are judged by.
    """
    if not isinstance(message, dict):
        return [Fault("pointer", "", OBJECT)]
    found = list(dict.fromkeys(_faults(message, today)))
    more = len(found) - MOST
    return found if more <= 0 else [*found[:MOST], _at("", Said(f"og {more} fejl til", f"and {more} errors more"))]


def _at(pointer: str, said: Said) -> Fault:
    return Fault("pointer", pointer, said)


def _faults(message: dict[str, Any], today: date) -> Iterator[Fault]:
    yield from (_at(pointer, said) for pointer, said in unfit(message, ()))
    yield from _of_size(message)
    yield from _against(Envelope, message, ())
    yield from _of_attributes(message, today)
    type_ = message.get("type")
    model = BY_TYPE.get(type_) if isinstance(type_, str) else None
    if model is ServiceHeartbeat:
        yield _at("/type", OF_SERVICES)
    elif model:
        yield from _of_type(model, message, today)
    elif isinstance(type_, str):
        names = {VERSION.sub("", known) for known in BY_TYPE}
        yield _at("/type", UNKNOWN_MAJOR if VERSION.sub("", type_) in names else UNKNOWN_TYPE)


def _of_size(message: dict[str, Any]) -> Iterator[Fault]:
    try:
        if len(canonical(message)) > MAX_BYTES:
            yield _at("", TOO_LARGE)
    except Unreadable as unreadable:
        if unreadable.reason == "not_canonical":
            yield _at("", INEXACT)


def _against(model: type[M], value: dict[str, Any], path: Sequence[str]) -> Iterator[Fault]:
    """What a model says of a value, and then, at any depth, what the model does not know.

    In one pass a list whose items have unknown fields would seem to be short of items.
    """
    errors = _errors(model, value) + [
        error for error in _errors(model, value, extra="forbid") if error["type"] == "extra_forbidden"
    ]
    yield from faults_of([{**error, "loc": ("body", *path, *error["loc"])} for error in errors])


def _errors(model: type[M], value: dict[str, Any], **how: Any) -> list[Any]:
    try:
        model.model_validate(value, **how)
    except ValidationError as invalid:
        return invalid.errors(include_url=False, include_input=False)
    return []


def _of_attributes(message: dict[str, Any], today: date) -> Iterator[Fault]:
    """The contract lets the first of these be any text."""
    for name in WORDS:
        word = message.get(name)
        if isinstance(word, str) and not (word.isprintable() and word.split() == [word]):
            yield _at(f"/{name}", ONE_WORD)
    trace = message.get("traceparent")
    if isinstance(trace, str) and not TRACE_PARENT.fullmatch(trace):
        yield _at("/traceparent", NO_TRACE)
    if isinstance(message.get("corrects"), str) and message["corrects"] == message.get("id"):
        yield _at("/corrects", OF_ITSELF)
    time = _read(INSTANT, message.get("time"))
    if time and not is_within_reach(danish_date(time), today):
        yield _at("/time", OUT_OF_REACH)


def _of_type(model: type[Event], message: dict[str, Any], today: date) -> Iterator[Fault]:
    wanted = model.contract.classification
    if message.get("dataclassification") not in (None, wanted):
        said = Said(f"skal være {wanted} for denne type", f"must be {wanted} for this type")
        yield _at("/dataclassification", said)
    if not isinstance(data := message.get("data"), dict):
        return
    yield from _against(model, data, ("data",))
    corrects = message.get("corrects") is not None
    if corrects and "reason_code" in model.model_fields and data.get("reason_code") is None:
        yield _at("/data/reason_code", NO_REASON)
    if corrects and model is EventRetracted:
        yield _at("/corrects", CORRECTS_NOTHING)
    if model is EventRetracted and isinstance(data.get("event_id"), str) and data["event_id"] == message.get("id"):
        yield _at("/data/event_id", OF_ITSELF)
    yield from _of_date(model, data, today)


def _of_date(model: type[Event], data: dict[str, Any], today: date) -> Iterator[Fault]:
    """What depends on when the event became true; one without a date is judged as of today."""
    day = _read(DAY, data.get("occurred_on")) if issubclass(model, DatedEvent) else None
    if day and not is_within_reach(day, today):
        yield _at("/data/occurred_on", OUT_OF_REACH)
    for pointer, of_list, code in _codes(model, data, "/data"):
        if code not in codes_on(of_list.name, day or today, new_case=model.contract.phase == "start"):
            yield _at(pointer, Said(NOT_IN_LIST.danish.format(of_list.name), NOT_IN_LIST.english.format(of_list.name)))


def _read(adapter: TypeAdapter[T], value: object) -> T | None:
    """The value, when it is one at all; that it is none has been told."""
    try:
        return adapter.validate_python(value) if isinstance(value, str) else None
    except ValidationError:
        return None


def _codes(model: type[BaseModel], data: dict[str, Any], path: str) -> Iterator[tuple[str, OfList, str]]:
    """Every code in the data, at any depth, as (pointer, code list, code)."""
    for name, field in model.model_fields.items():
        marks = [mark for mark in field.metadata if isinstance(mark, OfList)]
        marks = marks or list(_marks(field.annotation))
        if name == "reason_code" and not marks:
            marks = [CORRECTION]  # where a type has no reasons of its own, only a correction needs one
        yield from _coded(field.annotation, marks, data.get(name), f"{path}/{name}")


def _coded(annotation: Any, marks: Sequence[OfList], value: Any, path: str) -> Iterator[tuple[str, OfList, str]]:
    if isinstance(value, str):
        yield from ((path, mark, value) for mark in marks)
    elif isinstance(value, list) and (item := _within(annotation, lambda part: get_origin(part) is tuple)):
        inner = get_args(item)[0]
        for index, one in enumerate(value):
            yield from _coded(inner, list(_marks(inner)), one, f"{path}/{index}")
    elif isinstance(value, dict) and (model := _within(annotation, _is_model)):
        yield from _codes(model, value, path)


def _marks(annotation: Any) -> Iterator[OfList]:
    """The code lists of an annotation, but for those of the items of a list."""
    yield from (mark for mark in getattr(annotation, "__metadata__", ()) if isinstance(mark, OfList))
    if get_origin(annotation) is not tuple:
        for part in get_args(annotation):
            yield from _marks(part)


def _within(annotation: Any, wanted: Callable[[Any], bool]) -> Any:
    """The annotation itself or the first part of it that is wanted; None when no part is."""
    if wanted(annotation):
        return annotation
    return next((found for part in get_args(annotation) if (found := _within(part, wanted))), None)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
