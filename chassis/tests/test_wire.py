import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.wire import Reading, Sealed, Unreadable, Unsealable, canonical, read, seal
from contracts.envelope import MAX_BYTES
from contracts.event import Event
from contracts.flexjob_pool import BudgetAllocated, RulesAdopted
from contracts.platform import EventRetracted, ServiceHeartbeat

BUDGET = UUID("5b0e6a2c-6f0e-4f2b-9d5e-0d9f6f3b2a11")
TIME = datetime(2026, 3, 5, 9, 12, 44, tzinfo=UTC)


def budget(**changes: Any) -> BudgetAllocated:
    data = {"occurred_on": date(2026, 3, 1), "budget_id": BUDGET, "fiscal_year": 2026, "amount_ore": 100}
    return BudgetAllocated(**data | changes)


def sealed(event: Event | None = None, **changes: Any) -> Sealed:
    attributes: dict[str, Any] = {"municipality": "621", "producer": "flexjob_pool", "id": "event-1", "time": TIME}
    return seal(event or budget(), **attributes | changes)


def message(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(sealed().body)
    return body | changes


def reading_of(body: dict[str, Any]) -> Reading:
    return read(json.dumps(body).encode())


def test_an_event_is_sealed_as_a_cloud_event() -> None:
    assert json.loads(sealed().body) == {
        "specversion": "1.0",
        "id": "event-1",
        "source": "urn:kraftcenter:621:flexjob_pool",
        "type": "dk.kraftcenter.pool.budget_allocated.v1",
        "subject": f"budget/{BUDGET}",
        "time": "2026-03-05T09:12:44Z",
        "datacontenttype": "application/json",
        "dataclassification": "open",
        "data": {"occurred_on": "2026-03-01", "budget_id": str(BUDGET), "fiscal_year": 2026, "amount_ore": 100},
    }


def test_a_sealed_event_knows_where_it_goes_and_who_it_is() -> None:
    event = sealed()

    assert event.nats_subject == "events.621.flexjob_pool.pool.budget_allocated.v1"
    assert event.type == "dk.kraftcenter.pool.budget_allocated.v1"
    assert event.message_id == f"urn:kraftcenter:621:flexjob_pool#event-1#{event.body_hash.hex()[:16]}"


def test_the_attributes_that_only_some_events_have_are_sealed_too() -> None:
    event = sealed(
        budget(reason_code="late_information"),
        corrects="event-0",
        correlationid="c",
        causationid="d",
        source="urn:kraftcenter:621:payroll",
    )
    envelope = read(event.body).envelope

    assert (envelope.corrects, envelope.correlationid, envelope.causationid) == ("event-0", "c", "d")
    assert event.source == envelope.source == "urn:kraftcenter:621:payroll"
    assert event.nats_subject.startswith("events.621.flexjob_pool.")


def test_a_moment_of_any_zone_is_sealed_in_utc() -> None:
    summer = TIME.astimezone(timezone(timedelta(hours=2)))

    assert sealed(time=summer).body == sealed().body


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"id": "x" * 129},
        {"id": "010190-1234"},
        {"municipality": "6210"},
        {"time": TIME.replace(tzinfo=None)},
        {"source": "https://elsewhere"},
    ],
)
def test_what_no_consumer_would_accept_is_not_sealed(changes: dict[str, Any]) -> None:
    with pytest.raises(Unsealable):
        sealed(**changes)


def test_a_personal_number_is_not_sealed_and_not_repeated() -> None:
    event = EventRetracted.model_construct(event_id="mail 010190-1234", reason_code="wrong_person")

    with pytest.raises(Unsealable) as refused:
        sealed(event)

    assert "010190" not in str(refused.value)


def test_data_that_is_not_of_its_type_is_not_sealed() -> None:
    with pytest.raises(Unsealable):
        sealed(budget().model_copy(update={"amount_ore": -1}))


def test_an_event_above_the_limit_is_not_sealed() -> None:
    units = tuple(f"Afdeling-{number:055d}" for number in range(1100))
    event = RulesAdopted(occurred_on=date(2026, 1, 1), rules_version=1, refund_share="0.5", eligible_units=units)

    with pytest.raises(Unsealable, match="too_large"):
        sealed(event)


def test_a_heartbeat_needs_no_date() -> None:
    assert json.loads(sealed(ServiceHeartbeat(producer="flexjob_pool", published=())).body)["data"] == {
        "producer": "flexjob_pool",
        "published": [],
    }


@given(
    amount=st.integers(0, 10**13),
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - made aware
    event_id=st.uuids().map(str),
)
def test_whatever_is_sealed_is_read_with_the_same_hash(amount: int, moment: datetime, event_id: str) -> None:
    event = sealed(budget(amount_ore=amount), time=moment, id=event_id)
    reading = read(event.body)

    assert reading.body_hash == event.body_hash
    assert reading.envelope.time == moment
    assert reading.envelope.id == event_id


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(TEXTS, values, max_size=3),
    max_leaves=8,
)


@given(data=st.dictionaries(TEXTS, JSON, max_size=4), order=st.randoms(use_true_random=False))
def test_the_hash_depends_on_neither_spelling_nor_trace_context(data: dict[str, Any], order: Any) -> None:
    body = message(data=data)
    shuffled = list(body.items())
    order.shuffle(shuffled)
    other = dict(shuffled) | {
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "a=b",
    }

    plain = reading_of(body)
    spaced = read(json.dumps(other, indent=1, ensure_ascii=False).encode())

    assert plain.body_hash == spaced.body_hash
    assert plain.body["data"] == data


@given(body=st.dictionaries(TEXTS, JSON, max_size=4))
@example(body={"a": ["\x7f\x1f'\\/\b\t\n\f\r\u2028é😀", '"']})
@example(body={"\ue000": 1, "😀": 2})
@example(body={"a": [1.0, 1e20, 1e21, 1e-7, -0.0, 0.1, 2**53 - 1, True, None]})
def test_every_body_is_spelled_as_the_rfc_says_by_whichever_way_is_faster(body: dict[str, Any]) -> None:
    assert canonical(body) == rfc8785.dumps(body)


def test_another_body_has_another_hash_and_message_id() -> None:
    assert sealed(budget(amount_ore=101)).message_id != sealed().message_id


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"x" * (MAX_BYTES + 1), "too_large"),
        (b"", "not_json"),
        (b"\xff", "not_json"),
        (b"{", "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b'{"a": "\\ud800"}', "not_json"),
        (b"[" * 20_000, "not_json"),
        (b"[]", "not_an_envelope"),
        (b"{}", "not_an_envelope"),
        (b'{"a": 9007199254740993}', "not_canonical"),
        (b'{"a": 1e999}', "not_canonical"),
        (b'{"a": "\\u0000"}', "holds_nul"),
        (b'{"\\u0000": 1}', "holds_nul"),
        (b'{"a": "\\\\\\u0000"}', "holds_nul"),
        (b'{"traceparent": "\\u0000"}', "holds_nul"),
        (b'{"tracestate": {"\\u0000": 1}}', "holds_nul"),
        (b'{"tracestate": 1e400}', "not_canonical"),
    ],
)
def test_bytes_that_are_no_event_say_why(raw: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as unreadable:
        read(raw)

    assert unreadable.value.reason == reason


def test_a_backslash_before_u0000_is_no_nul() -> None:
    assert reading_of(message(data={"path": "\\u0000"})).body["data"] == {"path": "\\u0000"}


@pytest.mark.parametrize(
    "changes",
    [
        {"specversion": "0.3"},
        {"time": "2026-02-30T00:00:00Z"},
        {"source": "010190-1234"},
        {"subject": ""},
        {"data": []},
    ],
)
def test_a_message_without_a_valid_envelope_is_unreadable(changes: dict[str, Any]) -> None:
    with pytest.raises(Unreadable, match="not_an_envelope"):
        reading_of(message(**changes))


def test_data_of_an_unknown_type_is_readable() -> None:
    reading = reading_of(message(type="dk.kraftcenter.moon.risen.v7", data={"anything": str(uuid4())}))

    assert (reading.envelope.name, reading.envelope.major) == ("moon.risen", 7)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_called_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        read(raw)
