"""The catalogue as a page for people: what each event says, who owns it, on what legal basis, and for how long."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import groupby
from typing import Any

from pydantic import TypeAdapter

from contracts import types
from contracts.catalogue import EVENTS, schema_of
from contracts.codelists import CODE_LISTS, Entry
from contracts.envelope import Envelope, EventId, Source, TypeName
from contracts.event import Event, key_fields
from contracts.reach import BEGINNING
from contracts.streams import PRODUCERS

INTRODUCTION = """\
# Events (hændelser)

What the municipality's services tell each other, and why they may. An event is a fact that somebody owns: it happened,
it is dated, and it is never edited. This page follows from the models in `contracts/`: change them, then run
`make schemas`.

- *When*: an event that begins something opens what later ones belong to; one whose opening is not in force waits.
- *Sensitivity*: `open`, `internal`, `confidential` (fortrolig), or `special_category` (følsom: it may tell of health,
  GDPR art. 9).
- *Histories* are told by key: all events with the same person, placement or grant belong together.
- No event carries a personal number, a name, or free text about a citizen: a person is a random `person_ref`.

"""
ENVELOPE = """\
## What every event says about itself (konvolut)

The envelope is CloudEvents 1.0. `time` is when the source registered the event, `data.occurred_on` when it became true.

"""
UNDO = """\
## What is undone (rettelse og tilbagetrækning)

Nothing is edited. What was wrong is undone by another event of the same source; what was known before stays known-then.

- **Correction (rettelse)**: the same type of event again, whole and with the right values, dates and keys included.
  `corrects` names the event that was wrong, and `reason_code` says why: from `correction_reason`, or from the event's
  own list of reasons. Of several corrections the latest by `time` and `id` holds.
- **Retraction (tilbagetrækning)**: `event.retracted` names an event that never happened; its effects vanish from all
  periods. The retraction of a correction restores the version before it. A retraction is not retracted.
- **A change in life** is neither: who works fewer hours from May on gets a new event dated in May; April stays.

"""
NOUNS = {
    "event": "Tilbagetrækninger",
    "service": "Livstegn fra tjenester",
    "pool": "Fleksjobpuljen",
    "application": "Ansøgninger til puljen",
    "grant": "Tilsagn",
    "refund": "Refusioner",
    "flexjob": "Fleksjob",
    "ordinary_employment": "Ordinær ansættelse",
    "need": "Behov på en arbejdsplads",
    "candidate": "Kandidater",
    "job7": "Job7-samarbejdet",
    "awareness": "Oplysning til ledere",
    "workforce": "Medarbejdertal",
    "placement": "Job og praktik hos eksterne arbejdsgivere",
    "payroll": "Løn",
}
DANISH = {
    "effective_hours_per_week": "effektive timer",
    "attendance_hours_per_week": "fremmødetimer",
    "department": "forvaltning",
    "workplace_unit": "arbejdsplads",
    "grant_id": "tilsagn",
    "application_id": "ansøgning",
    "allocations": "andele af tilsagnet",
    "retention": "fastholdelsesfleksjob",
    "scheme": "ordning",
    "occupation_rate": "beskæftigelsesgrad",
}
PHASES = {"start": "It begins something", "change": "It changes something", "end": "It ends something"}
UNITS = {
    "h/week": "hours per week",
    "h": "hours",
    "fte": "full-time equivalents (årsværk)",
    "share": "share from 0 to 1",
    "DKK 0.01": "money in øre",
}
FORMATS = {"uuid": "identifier (UUID)", "date": "date", "date-time": "instant in UTC"}
PLAIN = {"integer": "whole number", "boolean": "yes or no", "string": "text", "object": "what its type says"}
SPELLED: tuple[tuple[Any, str], ...] = (
    (types.Code, "code"),
    (types.Month, "month"),
    (types.OrganisationUnit, "name of a unit"),
    (types.PNumber, "P-number"),
    (types.MunicipalityCode, "municipality code"),
    (EventId, "id of an event"),
    (Source, "source (`urn:kraftcenter:…`)"),
    (TypeName, "type (`dk.kraftcenter.…`)"),
)

Json = Mapping[str, Any]


def page() -> str:
    """The page in Markdown."""
    by_noun = [(noun, list(events)) for noun, events in groupby(_by_noun(), key=_noun)]
    parts = [INTRODUCTION, _contents(by_noun), ENVELOPE, _field_table(Envelope.model_json_schema()), UNDO]
    for noun, events in by_noun:
        parts += [f"## {noun.capitalize().replace('_', ' ')} ({NOUNS.get(noun, noun)})\n\n", *map(_event, events)]
    parts += ["## Code lists (kodelister)\n\nA code may be used from its first day until the day before its last.\n\n"]
    return "".join((*parts, *(_code_list(name, entries) for name, entries in CODE_LISTS.items()))).rstrip() + "\n"


def _by_noun() -> list[type[Event]]:
    """The events, those of one noun together, nouns in the order of the catalogue."""
    nouns = list(dict.fromkeys(map(_noun, EVENTS)))
    return sorted(EVENTS, key=lambda event: nouns.index(_noun(event)))


def _noun(event: type[Event]) -> str:
    return event.contract.name.partition(".")[0]


def _contents(by_noun: Iterable[tuple[str, list[type[Event]]]]) -> str:
    rows = ((NOUNS.get(noun, noun), " · ".join(map(_link, events))) for noun, events in by_noun)
    return _table(("About", "Events"), rows)


def _link(event: type[Event]) -> str:
    contract = event.contract
    return f"[{contract.name}](#{contract.file_stem.replace('.', '')})"


def _event(event: type[Event]) -> str:
    contract = event.contract
    stem = contract.file_stem
    files = f"[Example](../contracts/examples/{stem}.json) · [schema](../contracts/schemas/{stem}.json)"
    schema = schema_of(event)
    fields = _field_table(schema["properties"]["data"], schema)
    return f"### {stem}\n\n{event.__doc__}\n\n{_table(('', ''), _facts(event))}{fields}{files}\n\n"


def _facts(event: type[Event]) -> Iterator[tuple[str, str]]:
    contract = event.contract
    opening = contract.opened_by
    readers = sorted({reader for producer in contract.producers for reader in PRODUCERS.get(producer, ())})
    waits = f"; counts when `{opening.name}` of the same {opening.key} does" if opening else ""
    yield "When", PHASES[contract.phase] + waits
    yield "Owner", contract.owner
    yield "Legal basis", contract.legal_basis
    yield "Kept", contract.retention
    yield "Sensitivity", f"`{contract.classification}`"
    yield "Histories", ", ".join(f"{kind} (`{name}`)" for name, kind in key_fields(event)) or "none"
    yield "Published by", ", ".join(contract.producers)
    yield "Read by", ", ".join(readers) or "nobody yet"


def _field_table(part: Json, root: Json | None = None) -> str:
    return _table(("Field", "What", "Must be given", "Code list"), _fields(part, root or part))


def _fields(part: Json, root: Json, within: str = "") -> Iterator[tuple[str, str, str, str]]:
    """A row per field, those within a list after it."""
    for name, field in part["properties"].items():
        plain = _without_null(field)
        said = f"`{within}{name}`" + (f" ({DANISH[name]})" if name in DANISH else "")
        code_list = field.get("x-codelist") or plain.get("items", {}).get("x-codelist")
        link = f"[{code_list}](#{code_list})" if code_list else ""
        yield said, _kind(plain, root), "yes" if name in part.get("required", ()) else "no", link
        if reference := plain.get("items", {}).get("$ref"):
            yield from _fields(_definition(reference, root), root, f"{within}{name} / ")


def _kind(field: Json, root: Json) -> str:
    if field.get("type") == "array":
        items = field["items"]
        return f"list of {_definition(items['$ref'], root)['title'].lower() if '$ref' in items else _kind(items, root)}"
    if "const" in field:
        return f"always `{field['const']}`"
    if unit := field.get("x-unit"):
        return UNITS[unit]
    if values := field.get("enum"):
        return f"one of {', '.join(f'`{value}`' for value in values)}"
    return FORMATS.get(field.get("format", "")) or _spelled().get(field.get("pattern", "")) or PLAIN[field["type"]]


@cache
def _spelled() -> dict[str, str]:
    return {TypeAdapter(annotated).json_schema()["pattern"]: words for annotated, words in SPELLED}


def _without_null(field: Json) -> Json:
    """The field's schema when it is given."""
    return {**field, **field["anyOf"][0]} if "anyOf" in field else field


def _definition(reference: str, root: Json) -> Json:
    found: Json = root["$defs"][reference.rpartition("/")[2]]
    return found


def _code_list(name: str, entries: Iterable[Entry]) -> str:
    head = ("Code", "Dansk", "English", "From", "Closed for new cases from", "Until")
    return f"### {name}\n\n{_table(head, map(_entry, entries))}"


def _entry(entry: Entry) -> tuple[str, ...]:
    first = None if entry.valid_from == BEGINNING else entry.valid_from
    dates = (str(day or "") for day in (first, entry.closed_for_new_from, entry.valid_to))
    return (f"`{entry.code}`", entry.danish, entry.english, *dates)


def _table(head: tuple[str, ...], rows: Iterable[Iterable[str]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"
