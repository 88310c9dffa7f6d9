"""Admission: every delivery becomes a fact, a duplicate, a conflict or evidence, and each fact has its position."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from contracts.platform import Published, ServiceHeartbeat
from impact.entries.flexjobs import PERSONS_IN_FLEXJOB
from impact.fold import Effect, Fact
from impact.ledger import (
    Parked,
)
from services.impact.tests.admission import (
    MEASURES,
    NOON,
    SOURCE,
    body,
    budget,
    changed,
    edited,
    entries_of,
    sorted_out,
    started,
)


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


def test_a_heartbeat_enters_no_ledger() -> None:
    said = ServiceHeartbeat(producer="flexjob_pool", published=(Published(source=SOURCE, events=7),))

    batch = sorted_out(body(said, "beat"), body(said, "beat"))

    assert [heartbeat.said for heartbeat in batch.heartbeats] == [said, said]
    assert (batch.fresh, batch.duplicates) == ([], 0)
