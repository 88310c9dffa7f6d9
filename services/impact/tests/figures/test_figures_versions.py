"""Which definition answers: the highest in force at a position, or the one that is named."""

from dataclasses import replace

import pytest

from impact.catalogue import INDICATORS
from impact.indicator import Indicator
from impact.versions import Definitions, entries_at, entries_by_id, entry_at, entry_of_version, in_force_from

FIRST = next(indicator for indicator in INDICATORS if indicator.id == "F4")
assert FIRST.denominator
SECOND = replace(
    FIRST,
    definition_version=2,
    numerator=replace(FIRST.numerator, version=2),
    denominator=replace(FIRST.denominator, version=2),
)
HOURS, PERSONS = FIRST.numerator.id, FIRST.denominator.id
KEPT: Definitions = {(HOURS, 1): 0, (PERSONS, 1): 0, (HOURS, 2): 10, (PERSONS, 2): 12}


def test_an_entry_is_in_force_once_all_its_measures_are() -> None:
    assert in_force_from(FIRST, KEPT) == 0
    assert in_force_from(SECOND, KEPT) == 12
    assert in_force_from(SECOND, {**KEPT, (HOURS, 2): 15}) == 15
    assert in_force_from(SECOND, {(HOURS, 2): 10}) is None


@pytest.mark.parametrize(("position", "entry"), [(0, FIRST), (11, FIRST), (12, SECOND), (99, SECOND)])
def test_the_highest_in_force_at_the_position_answers(position: int, entry: Indicator) -> None:
    assert entry_at([FIRST, SECOND], KEPT, position) is entry


def test_an_explicit_version_answers_at_any_position_once_the_lane_keeps_it() -> None:
    for position in (0, 11, 12, 99):
        assert entry_of_version([FIRST, SECOND], 1, KEPT, position) is FIRST
        assert entry_of_version([FIRST, SECOND], 2, KEPT, position) is SECOND
    assert entry_of_version([FIRST, SECOND], 2, {(HOURS, 1): 0, (PERSONS, 1): 0}, 99) is None


def test_what_the_lane_does_not_keep_is_not_answered() -> None:
    assert entry_at([SECOND], {(HOURS, 1): 0, (PERSONS, 1): 0}, 99) is None
    assert entry_at([SECOND], KEPT, 11) is None
    assert entries_at([FIRST, SECOND], {}, 99) == []


def test_before_the_first_fact_every_definition_answers() -> None:
    assert entry_at([FIRST, SECOND], {}, 0) is SECOND
    assert entry_of_version([FIRST, SECOND], 1, {}, 0) is FIRST
    assert entry_of_version([FIRST, SECOND], 3, {}, 0) is None
    assert entries_at(INDICATORS, {}, 0) == list(INDICATORS)


def test_an_indicator_is_answered_once_however_many_definitions_it_has() -> None:
    assert entries_by_id([SECOND, FIRST]) == {"F4": [FIRST, SECOND]}
    assert entries_at([SECOND, FIRST], KEPT, 12) == [SECOND]
