"""The fold: what a fact changes depends on the facts before it alone, and the sum of it all on none of their order."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.event import Event
from contracts.flexjob_pool import BudgetAllocated
from contracts.platform import EventRetracted
from impact.catalogue import INDICATORS, measures_of
from impact.effects import pool
from impact.fold import Delta, Effect, Fact, Fold, Measure, Rule, RuleError, sums_of

MEASURES = measures_of(INDICATORS)
MORNING = datetime(2026, 12, 1, 8, tzinfo=UTC)
RANK = {"start": 0, "change": 1, "end": 2}

Net = dict[tuple[Any, ...], Decimal]
Lives = st.SearchStrategy[list[Event]]


def facts_of(events: Iterable[Event]) -> list[Fact]:
    return [
        Fact(position, "urn:kraftcenter:621:flexjob_pool", f"e{position}", event.contract.type, MORNING, event)
        for position, event in enumerate(events, start=1)
    ]


def folded(facts: Iterable[Fact], measures: Iterable[Measure] = MEASURES) -> list[list[Delta]]:
    fold = Fold(measures)
    return [fold.admit(fact) for fact in facts]


def total(deltas: Iterable[Delta]) -> Net:
    amounts: defaultdict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for delta in deltas:
        key = (delta.measure, delta.contributor, delta.person, delta.cohort, delta.date, delta.dimensions)
        amounts[key] += delta.amount
    return {key: amount for key, amount in amounts.items() if amount}


def from_nothing(facts: Iterable[Fact]) -> Net:
    """What all histories yield, without any memory of what they yielded before."""
    histories = defaultdict(list)
    for fact in facts:
        for history in fact.keys:
            histories[history].append(fact)
    amounts: defaultdict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for measure in MEASURES:
        for (kind, _), members in histories.items():
            read = [fact for fact in members if kind == measure.history and isinstance(fact.event, measure.reads)]
            for effect in measure.rule(sorted(read, key=in_life)):
                key = (measure.id, effect.contributor, effect.person, effect.cohort, effect.date, effect.dimensions)
                amounts[key] += effect.amount
    return {key: amount for key, amount in amounts.items() if amount}


def in_life(fact: Fact) -> tuple[date | None, int, datetime, bytes]:
    return fact.occurred_on, RANK[fact.event.contract.phase], fact.time, fact.id.encode()


@settings(deadline=None)
@given(data=st.data())
def test_any_order_of_arrival_gives_the_same_as_known_now(lives: Lives, data: st.DataObject) -> None:
    facts = facts_of(data.draw(lives))
    shuffled = data.draw(st.permutations(facts))

    assert total(chain(*folded(shuffled))) == total(chain(*folded(facts)))


@settings(deadline=None)
@given(data=st.data())
def test_the_deltas_of_a_position_are_what_all_histories_yield_after_it_minus_before_it(
    lives: Lives, data: st.DataObject
) -> None:
    facts = data.draw(st.permutations(facts_of(data.draw(lives))))

    for known, deltas in enumerate(folded(facts)):
        before, after = from_nothing(facts[:known]), from_nothing(facts[: known + 1])
        moved = {key: after.get(key, 0) - before.get(key, 0) for key in {**before, **after}}
        assert total(deltas) == {key: amount for key, amount in moved.items() if amount}


@settings(deadline=None)
@given(data=st.data())
def test_a_fold_that_only_remembers_goes_on_as_one_that_folded(lives: Lives, data: st.DataObject) -> None:
    facts = facts_of(data.draw(lives))
    boundary = data.draw(st.integers(0, len(facts)))
    fold = Fold(MEASURES)
    fold.remember(data.draw(st.permutations(facts[:boundary])))

    assert [fold.admit(fact) for fact in facts[boundary:]] == folded(facts)[boundary:]


@settings(deadline=None)
@given(data=st.data())
def test_no_delta_is_empty_and_no_two_of_a_position_are_of_the_same_cell(lives: Lives, data: st.DataObject) -> None:
    for deltas in folded(facts_of(data.draw(lives))):
        assert all(delta.amount for delta in deltas)
        assert len(total(deltas)) == len(deltas)


@settings(deadline=None)
@given(data=st.data())
def test_running_sums_add_up_to_the_deltas(lives: Lives, data: st.DataObject) -> None:
    deltas = list(chain(*folded(facts_of(data.draw(lives)))))

    sums = sums_of(deltas)

    assert sum(sums.values()) == sum(delta.amount for delta in deltas)
    assert {(key[0], key[3]) for key in sums} == {(delta.measure, delta.date) for delta in deltas}


def test_a_fact_of_no_history_changes_nothing() -> None:
    assert folded(facts_of([EventRetracted(event_id="e1", reason_code="never_happened")])) == [[]]


def test_a_rule_that_raises_leaves_everything_as_it_was() -> None:
    first, poison, last = facts_of(budget(amount) for amount in (100, 666, 300))
    fold = Fold([measure_of(pool.allocated), measure_of(dislikes_666)])

    assert [delta.amount for delta in fold.admit(first)] == [100, 1]
    with pytest.raises(RuleError, match="dislikes_666/1"):
        fold.admit(poison)
    assert [delta.amount for delta in fold.admit(last)] == [200]


def budget(amount_ore: int) -> BudgetAllocated:
    return BudgetAllocated(occurred_on=date(2026, 1, 1), budget_id=UUID(int=1), fiscal_year=2026, amount_ore=amount_ore)


def test_of_two_facts_of_a_day_the_one_registered_later_holds_whatever_their_ids() -> None:
    earlier, later = facts_of([budget(100), budget(300)])
    pair = [replace(earlier, id="z"), replace(later, id="a", time=MORNING + timedelta(hours=1))]

    for order in (pair, pair[::-1]):
        assert sum(delta.amount for delta in chain(*folded(order, [measure_of(pool.allocated)]))) == 300


def measure_of(rule: Rule) -> Measure:
    return Measure(rule.__name__, 1, "DKK 0.01", "budget", (BudgetAllocated,), rule)


def dislikes_666(facts: Sequence[Fact]) -> list[Effect]:
    if any(isinstance(fact.event, BudgetAllocated) and fact.event.amount_ore == 666 for fact in facts):
        raise ZeroDivisionError
    return [Effect("budget", None, None, date(2026, 1, 1), Decimal(1), ())] if facts else []
