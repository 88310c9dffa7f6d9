"""What holds after any facts, in any order, with any corrections and retractions, against a slow and plain reading."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.event import Event
from contracts.flexjob_pool import BudgetAdjusted, BudgetAllocated
from contracts.platform import EventRetracted
from impact.chronicle import Chronicle, Known, Outcome
from impact.fold import Delta, Effect, Fact, Measure, Rule, RuleError, sums_of
from services.impact.tests.plain import MEASURES, Plain, cell, net, told

SOURCE, OTHER = "urn:kraftcenter:621:flexjob_pool", "urn:kraftcenter:621:portal"
NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)
Stories = st.SearchStrategy[list[Fact]]
two_hundred = settings(max_examples=200, deadline=None)


def in_another_order(data: st.DataObject, facts: Sequence[Fact]) -> list[Fact]:
    return [replace(fact, position=place) for place, fact in enumerate(data.draw(st.permutations(facts)), start=1)]


@two_hundred
@given(data=st.data())
def test_figures_known_now_do_not_depend_on_the_order_of_arrival(stories: Stories, data: st.DataObject) -> None:
    facts = data.draw(stories)

    assert net(told(in_another_order(data, facts))) == net(told(facts))


@two_hundred
@given(data=st.data())
def test_every_past_position_is_the_plain_reading_of_its_prefix(stories: Stories, data: st.DataObject) -> None:
    facts = in_another_order(data, data.draw(stories))
    changes = told(facts)

    for position in range(len(facts) + 1):
        assert net(changes[:position]) == Plain(facts[:position]).net()


@two_hundred
@given(data=st.data())
def test_outcomes_do_not_depend_on_the_order_of_arrival(stories: Stories, data: st.DataObject) -> None:
    facts = data.draw(stories)
    shuffled = in_another_order(data, facts)

    assert became(facts) == became(shuffled)


def became(facts: Sequence[Fact]) -> dict[str, Outcome]:
    return dict(zip((fact.id for fact in facts), final(facts), strict=True))


@two_hundred
@given(data=st.data())
def test_a_chronicle_that_remembers_goes_on_as_one_that_was_told(stories: Stories, data: st.DataObject) -> None:
    facts = data.draw(stories)
    boundary = data.draw(st.integers(0, len(facts)))
    earlier, outcomes = Plain(facts[:boundary]), dict[int, Outcome]()
    for change in told(facts[:boundary]):
        outcomes |= change.outcomes
    chronicle = Chronicle(MEASURES)
    chronicle.remember_chains(Known(fact, outcomes[fact.position]) for fact in facts[:boundary])
    chronicle.remember(Known(fact, outcomes[fact.position]) for fact in data.draw(st.permutations(earlier.in_force)))

    assert [chronicle.tell(fact) for fact in facts[boundary:]] == told(facts)[boundary:]


@two_hundred
@given(data=st.data())
def test_no_delta_is_empty_and_none_of_a_history_is_told_twice(stories: Stories, data: st.DataObject) -> None:
    for change in told(data.draw(stories)):
        places = [(cell(delta.measure, delta), delta.version, delta.key) for delta in change.deltas]
        assert all(delta.amount for delta in change.deltas)
        assert len(set(places)) == len(places)


numbers = count(1)


def fact(event: Event, name: str, *, corrects: str | None = None, hour: int = 0, source: str = SOURCE) -> Fact:
    time = NINE + timedelta(hours=hour)
    return Fact(next(numbers), source, name, event.contract.type, time, event, corrects=corrects)


def budget(amount_ore: int, *, number: int = 1, day: date = date(2026, 1, 1)) -> BudgetAllocated:
    return BudgetAllocated(occurred_on=day, budget_id=UUID(int=number), fiscal_year=2026, amount_ore=amount_ore)


def retraction(target: str) -> EventRetracted:
    return EventRetracted(event_id=target, reason_code="double_entry")


def allocated(*facts: Fact) -> Decimal:
    amounts = net(told(facts))
    return sum((amount for key, amount in amounts.items() if key[0] == "pool_allocated"), Decimal(0))


def test_a_correction_takes_the_place_of_what_it_corrects() -> None:
    assert allocated(fact(budget(100), "a"), fact(budget(70), "b", corrects="a")) == 70


def test_of_two_corrections_the_one_registered_later_holds_in_whichever_order_they_come() -> None:
    root, first = fact(budget(100), "a"), fact(budget(70), "b", corrects="a", hour=1)
    second = fact(budget(80), "c", corrects="b", hour=2)

    assert allocated(root, first, second) == allocated(second, root, first) == 80


def test_a_retracted_correction_gives_the_version_before_it_back() -> None:
    facts = [fact(budget(100), "a"), fact(budget(70), "b", corrects="a"), fact(retraction("b"), "c")]

    assert allocated(*facts) == 100


def test_a_retracted_root_takes_its_corrections_along() -> None:
    facts = [fact(budget(100), "a"), fact(budget(70), "b", corrects="a"), fact(retraction("a"), "c")]

    assert allocated(*facts) == 0
    assert [outcome.value for outcome in final(facts)] == ["retracted", "retracted", "counted"]


def test_a_retraction_is_not_retracted() -> None:
    facts = [fact(budget(100), "a"), fact(retraction("a"), "b"), fact(retraction("b"), "c")]

    assert allocated(*facts) == 0
    assert [outcome.value for outcome in final(facts)] == ["retracted", "counted", "waiting"]


def test_a_correction_from_another_source_or_of_another_type_comes_to_nothing() -> None:
    root = fact(budget(100), "a")
    adjusted = BudgetAdjusted(occurred_on=date(2026, 1, 1), budget_id=UUID(int=1), fiscal_year=2026, amount_ore=5)
    facts = [root, fact(budget(70), "b", corrects="a", source=OTHER), fact(adjusted, "c", corrects="a")]

    assert allocated(*facts) == 100
    assert [outcome.value for outcome in final(facts)] == ["counted", "waiting", "waiting"]


def test_corrections_in_a_circle_wait_for_ever() -> None:
    facts = [fact(budget(70), "a", corrects="b"), fact(budget(80), "b", corrects="a")]

    assert allocated(*facts) == 0
    assert [outcome.value for outcome in final(facts)] == ["waiting", "waiting"]


def test_a_chain_may_be_longer_than_any_stack() -> None:
    corrections = [fact(budget(number), f"c{number}", corrects=f"c{number - 1}") for number in range(1200, 0, -1)]

    assert allocated(*corrections, fact(budget(9), "c0")) == 999, "of as many registered at once the last id holds"


def test_what_its_opening_has_not_opened_waits_and_counts_once_it_has() -> None:
    adjusted = BudgetAdjusted(occurred_on=date(2026, 2, 1), budget_id=UUID(int=1), fiscal_year=2026, amount_ore=5)
    facts = [fact(adjusted, "a"), fact(budget(100), "b"), fact(retraction("b"), "c")]

    assert [allocated(*facts[:length]) for length in (1, 2, 3)] == [0, 5, 0]
    assert [outcome.value for outcome in final(facts)] == ["waiting", "retracted", "counted"]


def final(facts: Sequence[Fact]) -> Iterator[Outcome]:
    outcomes: dict[int, Outcome] = {}
    for change in told(facts):
        outcomes |= change.outcomes
    return iter([outcomes[each.position] for each in facts])


def test_a_rule_that_raises_leaves_everything_as_it_was() -> None:
    chronicle = Chronicle([measure_of(allocation), measure_of(dislikes_666)])
    chronicle.tell(fact(budget(100), "a"))

    with pytest.raises(RuleError, match="dislikes_666/1"):
        chronicle.tell(fact(budget(666), "b", corrects="a"))
    after = chronicle.tell(fact(budget(60), "c", corrects="a"))

    assert [(delta.measure, delta.amount) for delta in after.deltas] == [("allocation", Decimal(-40))]


def measure_of(rule: Rule) -> Measure:
    return Measure(rule.__name__, 1, "DKK 0.01", "budget", (BudgetAllocated,), rule)


def allocation(facts: Sequence[Fact]) -> list[Effect]:
    amounts = [event.amount_ore for event in (fact.event for fact in facts) if isinstance(event, BudgetAllocated)]
    return [Effect("budget", None, None, date(2026, 1, 1), Decimal(amount), ()) for amount in amounts[-1:]]


def dislikes_666(facts: Sequence[Fact]) -> list[Effect]:
    if any(effect.amount == 666 for effect in allocation(facts)):
        raise ZeroDivisionError
    return [Effect("budget", None, None, date(2026, 1, 1), Decimal(1), ())] if facts else []


def test_of_two_facts_of_a_day_the_one_registered_later_holds_whatever_their_ids() -> None:
    earlier, later = fact(budget(100), "z"), fact(budget(300), "a", hour=1)

    for order in ([earlier, later], [later, earlier]):
        chronicle = Chronicle([measure_of(allocation)])
        deltas = [delta for each in order for delta in chronicle.tell(each).deltas]
        assert sum(delta.amount for delta in deltas) == 300


def test_a_correction_keeps_the_place_that_its_root_has_in_the_day() -> None:
    first, second = fact(budget(100), "a"), fact(budget(300), "b", hour=1)

    assert allocated(first, second, fact(budget(100), "c", corrects="a", hour=5)) == 300


@two_hundred
@given(data=st.data())
def test_running_sums_add_up_to_the_deltas(stories: Stories, data: st.DataObject) -> None:
    deltas = [delta for change in told(data.draw(stories)) for delta in change.deltas]

    sums = sums_of(deltas)

    assert sum(sums.values()) == sum(delta.amount for delta in deltas)
    assert {(key[0], key[3]) for key in sums} == {(delta.measure, delta.date) for delta in deltas}


def test_deltas_of_a_changed_key_say_which_history_each_is_of() -> None:
    change = told([fact(budget(100), "a"), fact(budget(100, number=2), "b", corrects="a")])[1]

    assert [(delta.key, delta.amount) for delta in change.deltas] == [
        (str(UUID(int=1)), Decimal(-100)),
        (str(UUID(int=2)), Decimal(100)),
    ]
    assert all(isinstance(delta, Delta) for delta in change.deltas)
