"""The page for people says of every event what its owner must know."""

from itertools import pairwise

import pytest

from contracts.catalogue import EVENTS
from contracts.codelists import CODE_LISTS
from contracts.event import Event
from contracts.page import NOUNS, page

PAGE = page()
HEADINGS = [line for line in PAGE.splitlines() if line.startswith("#")]


def part_of(heading: str) -> str:
    """The text under a heading."""
    after = dict(pairwise([*HEADINGS, ""]))[heading]
    return PAGE.partition(f"{heading}\n")[2].partition(f"\n{after}\n" if after else "\0")[0]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.contract.file_stem)
def test_an_event_is_told_with_owner_basis_retention_sensitivity_and_every_field(event: type[Event]) -> None:
    told = part_of(f"### {event.contract.file_stem}")

    assert event.__doc__
    assert event.__doc__ in told
    for fact in ("owner", "legal_basis", "retention", "classification"):
        assert getattr(event.contract, fact) in told
    for field in event.model_fields:
        assert f"| `{field}`" in told


@pytest.mark.parametrize("name", CODE_LISTS)
def test_a_code_list_is_told_in_two_languages(name: str) -> None:
    told = part_of(f"### {name}")

    assert all(f"| `{entry.code}` | {entry.danish} | {entry.english} |" in told for entry in CODE_LISTS[name])


def test_a_field_is_told_in_words_with_its_unit_and_its_danish_name() -> None:
    started, committed = part_of("### flexjob.started.v1"), part_of("### grant.committed.v1")

    assert "| `effective_hours_per_week` (effektive timer) | hours per week | yes |  |" in started
    assert "| `grant_id` (tilsagn) | identifier (UUID) | no |  |" in started
    assert "| `grant_term` | code | yes | [grant_term](#grant_term) |" in started
    assert "| `allocations / amount_ore` | money in øre | yes |  |" in committed


def test_who_reads_an_event_and_what_must_come_before_it_is_told() -> None:
    ended, placed = part_of("### flexjob.ended.v1"), part_of("### placement.started.v1")

    assert "It ends something; counts when `flexjob.started` of the same placement does" in ended
    assert "| Read by | impact |" in ended
    assert "| Read by | nobody yet |" in placed


def test_a_code_that_is_closed_for_new_cases_shows_since_when() -> None:
    assert "| `pre2013` | Gammel ordning | Scheme before 2013 |  | 2013-01-01 |  |" in part_of("### flexjob_scheme")


def test_how_to_undo_an_event_is_told() -> None:
    told = part_of("## What is undone (rettelse og tilbagetrækning)")

    assert "`corrects`" in told
    assert "`event.retracted`" in told


def test_every_noun_has_a_danish_name() -> None:
    assert {event.contract.name.partition(".")[0] for event in EVENTS} <= set(NOUNS)
