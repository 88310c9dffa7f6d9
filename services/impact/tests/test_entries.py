"""What an entry moves, the histories that it belongs to, and those that are loaded for it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import chain
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.platform import EventRetracted
from impact.chronicle import Chronicle
from impact.entries.flexjobs import PERSONS_IN_FLEXJOB
from impact.ledger import (
    Entry,
    chain_ends_of,
    events_of,
)
from services.impact.tests.admission import (
    PERSON,
    PLACEMENT,
    SOURCE,
    body,
    budget,
    changed,
    edited,
    ended,
    entries_of,
    sorted_out,
    started,
)


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
