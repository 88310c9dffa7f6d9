"""Subjects, streams and code lists follow from the contracts."""

from datetime import date

import pytest

from contracts.codelists import CODE_LISTS, EMPLOYMENT_KINDS, codes_on, employment_kind_on
from contracts.event import Contract
from contracts.flexjob_pool import FlexjobStarted
from contracts.streams import streams_of, streams_read_by, subject_of


def test_a_stream_belongs_to_one_municipality_and_one_producer() -> None:
    pool, gateway = streams_of("621")

    assert pool.name == "EVENTS_621_FLEXJOB_POOL"
    assert pool.subjects == "events.621.flexjob_pool.>"
    assert gateway.name == "EVENTS_621_GATEWAY"
    assert streams_read_by("impact", "621") == (pool, gateway)
    assert streams_read_by("flexjob_pool", "621") == (gateway,)
    assert streams_read_by("nobody", "621") == ()


def test_the_subject_names_municipality_producer_and_type() -> None:
    contract: Contract = FlexjobStarted.contract

    assert subject_of("621", "flexjob_pool", contract) == "events.621.flexjob_pool.flexjob.started.v1"


@pytest.mark.parametrize("name", CODE_LISTS)
def test_a_code_stands_once_in_its_list_in_two_languages(name: str) -> None:
    entries = CODE_LISTS[name]

    assert len({entry.code for entry in entries}) == len(entries)
    assert all(entry.danish and entry.english for entry in entries)


def test_a_running_case_may_keep_a_code_that_is_closed_for_new_ones() -> None:
    day = date(2026, 1, 1)

    assert "pre2013" in codes_on("flexjob_scheme", day)
    assert "pre2013" not in codes_on("flexjob_scheme", day, new_case=True)
    assert "post2013" not in codes_on("flexjob_scheme", date(2012, 12, 31))


def test_only_paid_kinds_without_a_wage_subsidy_may_count_as_sustained() -> None:
    eligible = {kind.code for kind in EMPLOYMENT_KINDS if kind.eligible}

    assert eligible == {"ordinary", "small_job", "flexjob", "apprenticeship", "social_free_card"}
    assert {kind.code for kind in EMPLOYMENT_KINDS if kind.paid} == eligible | {"wage_subsidy"}


def test_a_kind_of_employment_is_asked_for_by_date() -> None:
    trial = employment_kind_on("work_trial", date(2026, 1, 1))

    assert trial is not None
    assert not trial.paid
    assert employment_kind_on("social_free_card", date(2018, 12, 31)) is None
    assert employment_kind_on("social_free_card", date(2019, 1, 1))
    assert employment_kind_on("never_heard_of", date(2026, 1, 1)) is None
