"""What a case remembers of what was done in it."""

from uuid import uuid4

import pytest

from flexjob_pool.domain.case import Case
from flexjob_pool.domain.needs import Need
from flexjob_pool.domain.refusals import NotRegistered
from flexjob_pool.domain.refusals.needs import NeedUnknown
from services.flexjob_pool.tests.domain.conftest import TODAY, World


def a_need() -> Need:
    world = World()
    return world.one(Need, world.need())


def test_what_a_case_begins_with_counts_neither_as_changed_nor_as_looked_at() -> None:
    case = Case([a_need()], municipality="621", today=TODAY)

    assert not case.changed
    assert not case.looked_at


def test_what_was_found_missed_or_put_was_looked_at_until_the_case_is_settled() -> None:
    need, other, missing = a_need(), a_need(), uuid4()
    case = Case([need], municipality="621", today=TODAY)

    assert case.find(Need, need.need_id) is need
    assert case.find(Need, missing) is None
    assert case.find(Need, None) is None
    case.put(other)

    assert case.looked_at == {("need", need.key), ("need", str(missing)), ("need", other.key)}
    assert case.changed == {("need", other.key): other}
    case.settle()
    assert not case.looked_at
    assert not case.changed
    assert case.find(Need, other.key) is other


def test_what_is_not_registered_is_refused_as_the_caller_wants_it() -> None:
    case = Case(municipality="621", today=TODAY)

    with pytest.raises(NotRegistered):
        case.known(Need, uuid4())
    with pytest.raises(NeedUnknown):
        case.known(Need, uuid4(), NeedUnknown)
