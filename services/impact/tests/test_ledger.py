"""Admission: every delivery becomes a fact, a duplicate, a conflict or evidence, and each fact has its position."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.wire import seal
from contracts.event import Event
from contracts.flexjob_pool import BudgetAllocated, FlexjobEnded, FlexjobHoursChanged, FlexjobStarted
from contracts.platform import EventRetracted, Published, ServiceHeartbeat
from impact.catalogue import INDICATORS, measures_of
from impact.chronicle import Chronicle
from impact.entries.flexjobs import PERSONS_IN_FLEXJOB
from impact.fold import Effect, Fact, Measure
from impact.ledger import (
    Arrival,
    Delivery,
    Entry,
    Evidence,
    Identity,
    Lane,
    Parked,
    Sorted,
    admit,
    chain_ends_of,
    events_of,
    receive,
    sort_out,
)

MEASURES = measures_of(INDICATORS)
SOURCE = "urn:kraftcenter:621:flexjob_pool"
STREAM = "EVENTS_621_FLEXJOB_POOL"
NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)
PLACEMENT, PERSON = UUID(int=1), UUID(int=2)


def body(event: Event, event_id: str, *, municipality: str = "621", **envelope: Any) -> bytes:
    sealed = seal(event, municipality=municipality, producer="flexjob_pool", id=event_id, time=NOON, **envelope)
    return sealed.body


def edited(raw: bytes, **changes: Any) -> bytes:
    return json.dumps(json.loads(raw) | changes).encode()


def budget(amount_ore: int = 100, day: date = date(2026, 1, 1)) -> BudgetAllocated:
    return BudgetAllocated(occurred_on=day, budget_id=UUID(int=3), fiscal_year=2026, amount_ore=amount_ore)


def started(hours: str = "4.00") -> FlexjobStarted:
    return FlexjobStarted(
        occurred_on=date(2026, 1, 1),
        placement_id=PLACEMENT,
        person_ref=PERSON,
        department="Senior",
        workplace_unit="Bakkebo",
        attendance_hours_per_week=Decimal(12),
        effective_hours_per_week=Decimal(hours),
        grant_term="temporary_5y",
        retention=False,
        scheme="post2013",
    )


def changed(hours: str) -> FlexjobHoursChanged:
    return FlexjobHoursChanged(
        occurred_on=date(2026, 2, 1),
        placement_id=PLACEMENT,
        person_ref=PERSON,
        attendance_hours_per_week=Decimal(12),
        effective_hours_per_week=Decimal(hours),
        cause="capacity_up",
    )


def ended() -> FlexjobEnded:
    return FlexjobEnded(
        occurred_on=date(2026, 3, 1), placement_id=PLACEMENT, person_ref=PERSON, reason_code="ordinary_job"
    )


def received(raws: Iterable[bytes]) -> list[Arrival | Evidence]:
    return [receive(Delivery(STREAM, sequence, {}, raw), "621") for sequence, raw in enumerate(raws, start=1)]


def sorted_out(*raws: bytes, known: Mapping[Identity, bytes] | None = None) -> Sorted:
    return sort_out(received(raws), known or {})


def entries_of(*raws: bytes, at: datetime = NOON, measures: Iterable[Measure] = MEASURES) -> list[Entry]:
    return admit(Lane("621", 0, at), sorted_out(*raws).fresh, Chronicle(measures))


def parked(*raws: bytes, at: datetime = NOON) -> list[Parked | None]:
    return [entry.parked for entry in entries_of(*raws, at=at)]


def test_a_second_copy_changes_nothing() -> None:
    raw = body(budget(), "a")

    batch = sorted_out(raw, raw, raw)

    assert (len(batch.fresh), batch.duplicates, batch.evidence) == (1, 2, [])


def test_a_copy_of_what_the_ledger_holds_changes_nothing() -> None:
    raw = body(budget(), "a")
    first = sorted_out(raw).fresh[0]

    batch = sorted_out(raw, known={first.identity: first.reading.body_hash})

    assert (batch.fresh, batch.duplicates) == ([], 1)


def test_another_trace_context_and_another_spelling_of_the_json_are_no_conflict() -> None:
    raw = body(budget(), "a")

    batch = sorted_out(raw, edited(raw, traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))

    assert (len(batch.fresh), batch.duplicates) == (1, 1)


def test_the_same_id_with_another_body_is_a_conflict_and_the_first_stands() -> None:
    first, second = body(budget(100), "a"), body(budget(200), "a")

    batch = sorted_out(first, second)

    assert [arrival.delivery.raw for arrival in batch.fresh] == [first]
    assert [(kept.kind, kept.delivery.raw) for kept in batch.evidence] == [("conflict", second)]
    assert batch.duplicates == 0


def test_the_same_id_from_another_source_is_another_event() -> None:
    own, other = body(budget(), "a"), body(budget(), "a", source="urn:kraftcenter:621:payroll")

    assert len(sorted_out(own, other).fresh) == 2


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"{", "not_json"),
        (b"[1, 2]", "not_an_envelope"),
        (b'{"specversion": "1.0"}', "not_an_envelope"),
        (b'{"amount": 1e999}', "not_canonical"),
        (b'{"id": "\\u0000"}', "holds_nul"),
        (b"x" * 70_000, "too_large"),
    ],
)
def test_what_is_no_event_is_kept_as_it_came(raw: bytes, reason: str) -> None:
    batch = sorted_out(raw)

    assert [(kept.kind, kept.reason, kept.delivery.raw) for kept in batch.evidence] == [("unreadable", reason, raw)]
    assert batch.fresh == []


def test_poison_between_good_events_is_parked_and_the_good_ones_count() -> None:
    good = body(budget(), "good")
    raws = [
        body(budget(), "first"),
        edited(good, id="v2", type="dk.kraftcenter.pool.budget_allocated.v2"),
        edited(good, id="unheard", type="dk.kraftcenter.moon.landed_on.v1"),
        edited(good, id="float", data={"occurred_on": "2026-01-01", "amount_ore": 0.5}),
        edited(good, id="class", dataclassification="confidential"),
        body(budget(), "elsewhere", municipality="630"),
        body(budget(day=date(1989, 12, 31)), "old"),
        body(budget(day=date(2028, 3, 16)), "far"),
        body(budget(200), "last"),
    ]

    entries = entries_of(*raws)

    assert [entry.parked for entry in entries] == [
        None,
        "unknown_type",
        "unknown_type",
        "invalid_data",
        "invalid_data",
        "wrong_municipality",
        "absurd_date",
        "absurd_date",
        None,
    ]
    assert [entry.position for entry in entries] == list(range(1, 10))
    assert [delta.amount for entry in entries for delta in entry.told.deltas] == [100, 100]
    assert all(entry.fact is None for entry in entries if entry.parked)
    assert [entry.told.outcomes for entry in entries if entry.parked] == [{place: "parked"} for place in range(2, 9)]


def test_a_date_may_lie_in_1990_and_two_years_ahead_of_the_danish_date() -> None:
    allowed = [body(budget(day=date(1990, 1, 1)), "a"), body(budget(day=date(2028, 3, 15)), "b")]
    leap_day = datetime(2028, 2, 29, 12, tzinfo=UTC)

    assert parked(*allowed) == [None, None]
    assert parked(body(budget(day=date(2030, 2, 28)), "a"), body(budget(day=date(2030, 3, 1)), "b"), at=leap_day) == [
        None,
        "absurd_date",
    ]


def test_after_eleven_at_night_utc_the_danish_date_is_tomorrow() -> None:
    late = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)

    assert parked(body(budget(day=date(2028, 4, 1)), "a"), at=late) == [None]
    assert parked(body(budget(day=date(2028, 4, 1)), "a"), at=datetime(2026, 3, 31, 21, 30, tzinfo=UTC)) == [
        "absurd_date"
    ]


def test_a_rule_that_raises_parks_its_fact_and_the_lane_goes_on() -> None:
    touchy = replace(PERSONS_IN_FLEXJOB, rule=refuse_two)
    others = [measure for measure in MEASURES if measure is not PERSONS_IN_FLEXJOB]

    entries = entries_of(
        body(started(), "a"), body(changed("12.50"), "b"), body(budget(), "c"), measures=[*others, touchy]
    )

    assert [entry.parked for entry in entries] == [None, "rule_error", None]
    assert entries[1].told.deltas == (), "no rule counts it, though the others did not raise"
    assert entries[2].told.deltas


def refuse_two(facts: Sequence[Fact]) -> list[Effect]:
    if len(facts) > 1:
        raise ZeroDivisionError
    return []


def test_a_correction_takes_the_place_of_its_event_and_a_retraction_takes_both_back() -> None:
    correction = body(started("10.50").model_copy(update={"reason_code": "registration_error"}), "b", corrects="a")
    retraction = body(EventRetracted(event_id="a", reason_code="never_happened"), "c")

    first, *later = entries_of(body(started("4.00"), "a"), correction, retraction)

    assert net([first, later[0]])["effective_hours", date(2026, 1, 1)] == Decimal("10.50")
    assert net([first, *later]) == {}
    assert [entry.told.outcomes for entry in later] == [
        {1: "superseded", 2: "counted"},
        {1: "retracted", 2: "retracted", 3: "counted"},
    ]


def test_a_correction_of_another_type_stands_in_the_ledger_and_waits() -> None:
    correction = body(changed("10.50").model_copy(update={"reason_code": "registration_error"}), "b", corrects="a")

    first, waiting = entries_of(body(started(), "a"), correction)

    assert first.told.deltas
    assert (waiting.parked, waiting.told.deltas, waiting.told.outcomes) == (None, (), {2: "waiting"})


def test_a_heartbeat_enters_no_ledger() -> None:
    said = ServiceHeartbeat(producer="flexjob_pool", published=(Published(source=SOURCE, events=7),))

    batch = sorted_out(body(said, "beat"), body(said, "beat"))

    assert [heartbeat.said for heartbeat in batch.heartbeats] == [said, said]
    assert (batch.fresh, batch.duplicates) == ([], 0)


def test_a_fact_belongs_to_a_history_for_every_key_in_its_data() -> None:
    fact = entries_of(body(started(), "a"))[0].fact

    assert fact is not None
    assert fact.keys == (("placement", str(PLACEMENT)), ("person", str(PERSON)))


def test_only_histories_that_a_rule_reads_or_that_open_others_are_loaded() -> None:
    event = started().model_copy(update={"need_id": UUID(int=9)})
    chronicle = Chronicle([PERSONS_IN_FLEXJOB])

    needed = chain.from_iterable(map(chronicle.histories_of, events_of(sorted_out(body(event, "a")).fresh)))

    assert set(needed) == {("person", str(PERSON)), ("placement", str(PLACEMENT))}


def test_a_chain_is_loaded_from_the_event_and_from_what_it_points_at() -> None:
    correction = body(budget().model_copy(update={"reason_code": "registration_error"}), "b", corrects="a")
    retraction = body(EventRetracted(event_id="b", reason_code="never_happened"), "c")
    unread = edited(correction, id="d", type="dk.kraftcenter.moon.landed_on.v1", corrects="e")

    ends = chain_ends_of(sorted_out(correction, retraction, unread).fresh)

    assert ends == {(SOURCE, name) for name in "abcde"}


@settings(deadline=None)
@given(order=st.lists(st.sampled_from(["started", "changed", "ended"]), max_size=4), last=st.permutations(range(3)))
def test_any_order_with_any_copies_ends_in_the_same_figures(order: list[str], last: list[int]) -> None:
    story = {
        "started": body(started("4.00"), "v1"),
        "changed": body(changed("12.50"), "v2"),
        "ended": body(ended(), "v3"),
    }
    every = [list(story)[number] for number in last]

    arrived = entries_of(*(story[name] for name in [*order, *every, *order]))
    in_order = entries_of(*story.values())

    assert len(arrived) == 3
    assert net(arrived) == net(in_order)


def net(entries: Iterable[Entry]) -> dict[tuple[str, date], Decimal]:
    amounts: defaultdict[tuple[str, date], Decimal] = defaultdict(Decimal)
    for delta in chain.from_iterable(entry.told.deltas for entry in entries):
        amounts[delta.measure, delta.date] += delta.amount
    return {key: amount for key, amount in amounts.items() if amount}


def test_out_of_order_a_held_end_and_a_late_change_fall_into_place() -> None:
    v1, v2, v3 = body(started("4.00"), "v1"), body(changed("12.50"), "v2"), body(ended(), "v3")

    entries = entries_of(v1, v3, v2, v2)

    hours = [[delta.amount for delta in entry.told.deltas if delta.measure == "effective_hours"] for entry in entries]
    assert hours == [[4], [-4], [Decimal("8.5"), Decimal("-8.5")]]
    assert net(entries)["effective_hours", date(2026, 3, 1)] == Decimal("-12.5")
