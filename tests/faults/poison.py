"""Poison: what no relay would send, put on producers' streams, must end as evidence, parked, or as a fact apart."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
from nats.js.errors import APIError

from chassis.wire import Unreadable, read
from contracts.envelope import source_of
from contracts.payroll import WorkingTimeChanged
from local.waiting import until
from tests.faults.fault import Fault
from tests.faults.patience import PATIENCE_SECONDS
from tests.faults.readers import FORGED, MORE_MEBIBYTES, unspoilt
from tests.faults.town import MUNICIPALITY, PRODUCERS, Town

GROUP = "strangers"
FACT = "fact"
TOO_LARGE_FOR_THE_STREAM = 10054
GARBAGE = 30
LINE = f'none"}}\n{{"event": "{FORGED}"}}\n'
# By raw body or by its hash: what it became, or nothing yet.
BECAME = """
SELECT reason FROM evidence WHERE raw = $1
UNION ALL SELECT coalesce(parked, $3) FROM ledger WHERE kind = 'fact' AND body_hash = $2
"""


@dataclass(frozen=True, slots=True)
class Poison:
    """A body of one kind, and what impact must make of it: the reason of its evidence or of its parking, or a fact."""

    kind: str
    body: bytes
    becomes: str


def _event(dice: Random, producer: str, **changes: Any) -> dict[str, Any]:
    """A change of working time that impact counts nowhere, of an employment that nobody knows; an id of its own."""
    contract = WorkingTimeChanged.contract
    data = {
        "occurred_on": "2026-03-01",
        "employment_ref": _ref(dice),
        "placement_id": _ref(dice),
        "person_ref": _ref(dice),
        "occupation_rate": "0.5",
    }
    return {
        "specversion": "1.0",
        "id": _ref(dice),
        "source": source_of(MUNICIPALITY, producer),
        "type": contract.type,
        "subject": "employment/none",
        "time": "2026-03-01T09:00:00Z",
        "datacontenttype": "application/json",
        "dataclassification": contract.classification,
        "data": data | changes.pop("data", {}),
    } | changes


def poisons(dice: Random, producer: str) -> list[Poison]:
    """One of each kind, on a producer's stream."""
    return [*_no_json(dice, producer), *_no_envelopes(dice, producer), *_no_facts(dice, producer)]


def _no_json(dice: Random, producer: str) -> Iterable[Poison]:
    """What a reader of JSON, of canonical JSON or of text in PostgreSQL trips over."""
    event = partial(_event, dice, producer)
    sound = _bytes(event())
    rate = b'"occupation_rate": "0.5"'
    yield Poison("nothing", b"", "not_json")
    yield Poison("invalid JSON", sound[:-1], "not_json")
    yield Poison("more after its end", sound + b"{}", "not_json")
    for number in (b"NaN", b"Infinity", b"-Infinity"):
        yield Poison(number.decode(), sound.replace(rate, b'"occupation_rate": ' + number), "not_json")
    yield Poison("too large for a double", sound.replace(rate, b'"occupation_rate": 1e999'), "not_canonical")
    yield Poison("huge integer", sound.replace(rate, b'"occupation_rate": ' + b"9" * 4000), "not_canonical")
    yield Poison("deep nesting", sound.replace(rate, b'"deep": ' + b"[" * 30_000 + b"]" * 30_000), "not_json")
    yield Poison("invalid UTF-8", sound.replace(b"employment/none", b"employment/\xff\xfe"), "not_json")
    yield Poison("byte order mark", b"\xef\xbb\xbf" + sound, "not_json")
    yield Poison("UTF-16", _text(event()).encode("utf-16"), "not_json")
    yield Poison("lone surrogate", sound.replace(b"employment/none", rb"employment/\ud800"), "not_json")
    yield Poison("NUL", sound.replace(b"employment/none", rb"employment/\u0000"), "holds_nul")
    yield Poison("bare NUL", sound.replace(b"employment/none", b"employment/\0"), "not_json")
    yield Poison("too large", _bytes(event(data={"more": "x" * 66_000})), "too_large")


def _no_envelopes(dice: Random, producer: str) -> Iterable[Poison]:
    """JSON that is no event of ours."""
    event = partial(_event, dice, producer)
    yield Poison("array of arrays", b"[" + b"[]," * 20_000 + b"[]]", "not_an_envelope")
    yield Poison("nothing in an object", b"{}", "not_an_envelope")
    yield Poison("a personal number for an id", _bytes(event(id="0101701234")), "not_an_envelope")
    yield Poison("unknown classification", _bytes(event(dataclassification="secret")), "not_an_envelope")
    yield Poison("no classification", _bytes(_without(event(), "dataclassification")), "not_an_envelope")
    yield Poison("a source of its own kind", _bytes(event(source="https://example.org/")), "not_an_envelope")
    yield Poison("local time", _bytes(event(time="2026-03-01T09:00:00+01:00")), "not_an_envelope")
    yield Poison("registered at the end of time", _bytes(event(time="9999-12-31T23:59:59.999999Z")), "not_an_envelope")
    yield Poison("registered at its beginning", _bytes(event(time="0001-01-01T00:00:00Z")), "not_an_envelope")
    yield Poison("a line for the log in a type", _bytes(event(type=LINE)), "not_an_envelope")
    yield Poison("data that is text", _bytes(event() | {"data": "text"}), "not_an_envelope")


def _no_facts(dice: Random, producer: str) -> Iterable[Poison]:
    """Events by their envelope: parked where they say what nobody can count, and facts apart where they may stand."""
    event = partial(_event, dice, producer)
    duplicate = _text(event()).replace('"occupation_rate": "0.5"', '"occupation_rate": "9", "occupation_rate": "0.5"')
    yield Poison("unknown type", _bytes(event(type="dk.kraftcenter.weather.changed.v1")), "unknown_type")
    yield Poison("newer major", _bytes(event(type="dk.kraftcenter.flexjob.started.v2")), "unknown_type")
    yield Poison("other municipality", _bytes(event(source=source_of("461", producer))), "wrong_municipality")
    yield Poison("far future", _bytes(event(data={"occurred_on": "9999-12-31"})), "absurd_date")
    yield Poison("ancient", _bytes(event(data={"occurred_on": "0001-01-01"})), "absurd_date")
    yield Poison("no such day", _bytes(event(data={"occurred_on": "2026-02-30"})), "invalid_data")
    yield Poison("a share of nine", _bytes(event(data={"occupation_rate": "9"})), "invalid_data")
    yield Poison("a number for a share", _bytes(event(data={"occupation_rate": 0.5})), "invalid_data")
    yield Poison("another's classification", _bytes(event(dataclassification="open")), "invalid_data")
    yield Poison("a correction without a reason", _bytes(event(corrects="none")), "invalid_data")
    yield Poison("duplicate keys: the last one holds", duplicate.encode(), FACT)
    yield Poison("unknown extension attribute", _bytes(event(extension="1", data={"newer": [1, {}]})), FACT)
    yield Poison("a line for the log", _bytes(event(subject=LINE)), FACT)
    yield Poison("right-to-left override", _bytes(event(subject="employment/\u202e\u2066none")), FACT)
    yield Poison("registered in a far future", _bytes(event(time="9998-12-31T23:59:59.999999Z")), FACT)
    yield Poison("deep enough to be read", _bytes(event(data={"deep": json.loads("[" * 150 + "]" * 150)})), FACT)
    yield Poison("corrects what is not there", _bytes(event(corrects="none", data={"reason_code": "typing"})), FACT)


def garbage(dice: Random, producer: str) -> Iterable[bytes]:
    """Noise, and an event of which one byte is another."""
    for _ in range(GARBAGE):
        yield dice.randbytes(dice.randint(1, 500))
        event = bytearray(_bytes(_event(dice, producer)))
        event[dice.randrange(len(event))] = dice.randrange(256)
        yield bytes(event)


async def _is_put_on_each_stream(town: Town, dice: Random) -> None:
    async with unspoilt(town):
        for producer in PRODUCERS:
            given = poisons(dice, producer)
            dice.shuffle(given)
            for poison in given:
                await town.slip_in(producer, poison.body)
            await _until_each_became(town, {poison.kind: (poison.body, poison.becomes) for poison in given})
            await _is_refused(town, producer, b"[" + b"0," * 40_000 + b"0]")


async def _is_garbage(town: Town, dice: Random) -> None:
    async with unspoilt(town):
        for producer in PRODUCERS:
            for body in garbage(dice, producer):
                await town.slip_in(producer, body)


async def _until_each_became(town: Town, given: dict[str, tuple[bytes, str]]) -> None:
    """Return once impact has made of each what it must. Raises AssertionError for all of which it has not."""
    db = await asyncpg.connect(town.stack.database_urls["impact"])
    try:
        for kind, (body, becomes) in given.items():
            ask = partial(db.fetchval, BECAME, body, _hash_of(body), FACT)
            became = await until(ask, seconds=PATIENCE_SECONDS, message=f"{kind} became nothing")
            assert became == becomes, f"{kind} became {became}, not {becomes}"
    finally:
        await db.close()


async def _is_refused(town: Town, producer: str, body: bytes) -> None:
    """What the stream holds no place for never gets onto it."""
    try:
        await town.slip_in(producer, body)
    except APIError as refusal:
        assert refusal.err_code == TOO_LARGE_FOR_THE_STREAM, refusal  # noqa: PT017 - the code is what counts
    else:
        raise AssertionError(f"the stream took {len(body)} bytes")


def _hash_of(body: bytes) -> bytes | None:
    try:
        return read(body).body_hash
    except Unreadable:
        return None


def _ref(dice: Random) -> str:
    return str(UUID(int=dice.getrandbits(128), version=4))


def _without(event: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != name}


def _text(event: dict[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False)


def _bytes(event: dict[str, Any]) -> bytes:
    return _text(event).encode()


UNSPOILT = f"whoever reads them has no more than {MORE_MEBIBYTES} MiB more in memory, and every line of its log is JSON"
FAULTS = (
    Fault(
        "poison on the streams",
        "a stranger puts some forty kinds of poison on each producer's stream under load: no JSON, no event, absurd "
        "data, unknown types and versions, lines for a log; an array of 40,000 numbers, and so one of 10^6, is more "
        "than the 72 KiB that the stream takes, and refused by the server",
        "each kind is evidence, parked or a fact apart, for its own reason; all before and behind it counts; "
        f"{UNSPOILT}",
        _is_put_on_each_stream,
        GROUP,
        short=True,
    ),
    Fault(
        "garbage on the streams",
        f"a stranger puts random bytes on each producer's stream under load, and events with one random byte changed, "
        f"{GARBAGE} of each",
        f"each is evidence, parked or a fact apart; all before and behind it counts; {UNSPOILT}",
        _is_garbage,
        GROUP,
    ),
)
