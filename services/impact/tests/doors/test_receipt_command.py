"""`kraftcenter receipt` against running doors: tables for a controller, JSON, and one message for every wrong input."""

import json
from functools import partial
from typing import Any
from uuid import UUID, uuid5

import pytest

from contracts.platform import EventRetracted
from impact import receipt_commands
from services.impact.tests.doors.commandline import Bearing, Kraftcenter, Said
from services.impact.tests.doors.small_life import Admit

ANNA, BO = (str(uuid5(UUID(int=0), name)) for name in ("Anna", "Bo"))
UNDONE = EventRetracted(event_id="event-8", reason_code="double_entry")


@pytest.fixture
def kraftcenter(commandline: Kraftcenter) -> Kraftcenter:
    return partial(commandline, "receipt", columns=220)


@pytest.fixture
async def at(bearing: Bearing) -> tuple[str, ...]:
    """The options that lead to the doors, with a token that may see exact figures."""
    return await bearing("figures:exact")


def lines(said: Said, holding: str) -> list[list[str]]:
    """The cells of the lines of tables that hold a text."""
    found = [line for line in said.out.splitlines() if holding in line and "│" in line]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in found]


@pytest.mark.usefixtures("life")
async def test_a_receipt_is_the_figure_then_who_brings_what_then_the_facts(
    kraftcenter: Kraftcenter, at: tuple[str, ...], admit: Admit
) -> None:
    await admit(UNDONE)
    said = await kraftcenter("F4", *at)

    assert (said.code, said.err) == (0, "")
    assert lines(said, "provisional") == [["9.25 hours_per_week", "18.5", "2", "provisional"]]
    assert "As of 2026-06-30, as known at position 10." in said.out
    assert lines(said, "Teknik") == [["person", BO, "Teknik", "6.00", "1"]]
    assert lines(said, "all ") == [["all", "", "", "18.50", "2"]]
    changed = "flexjob.hours_changed.v1"
    assert lines(said, "event-8") == [["2026-04-01", "2026-06-30", "8", changed, "event-8", "retracted", "event-10"]]
    assert lines(said, "event-6") == [["2026-02-01", "2026-06-30", "6", "flexjob.started.v1", "event-6", "", ""]]
    assert "What moved it" not in said.out


@pytest.mark.usefixtures("life")
async def test_what_moved_it_names_the_fact_and_the_amount(
    kraftcenter: Kraftcenter, at: tuple[str, ...], admit: Admit
) -> None:
    await admit(UNDONE)
    said = await kraftcenter("F4", "--since", "9", *at)

    (moved,) = lines(said, "-3.50")
    assert moved == ["2026-06-30", "10", "event.retracted.v1", "event-10", BO, "Teknik", "numerator", "-3.50"]
    assert "After position 9, up to 10." in said.out


@pytest.mark.usefixtures("life")
async def test_an_average_in_a_cut_over_a_period_says_how_it_is_added_up(
    kraftcenter: Kraftcenter, at: tuple[str, ...]
) -> None:
    question = ("--from", "2026-04-21", "--to", "2026-05-11", "--by", "department", "--known-as-of", "9")
    said = await kraftcenter("F1", *question, "--municipality", "621", "--definition-version", "1", *at)

    assert lines(said, "provisional")[:2] == [
        ["all", "2.5 persons", "-", "-", "provisional"],
        ["Senior", "1.5 persons", "-", "-", "provisional"],
    ]
    assert "amounts are sums over 20 days" in " ".join(said.out.split())
    assert lines(said, "all ")[-1][-2:] == ["50", "-"]


@pytest.mark.usefixtures("life")
async def test_a_history_is_told_by_its_key_where_the_contributor_is_something_else(
    kraftcenter: Kraftcenter, at: tuple[str, ...]
) -> None:
    said = await kraftcenter("J1", *at)

    (contributed,) = [cells for cells in lines(said, f"person {BO}") if len(cells) > 5]
    assert contributed[1] == str(uuid5(UUID(int=0), "job of Bo"))
    assert [cells for cells in lines(said, BO) if cells[3] == "person"] == [["", "", "", "person", BO, "", ""]]


@pytest.mark.usefixtures("life")
async def test_what_a_source_names_itself_is_shown_as_it_stands(
    kraftcenter: Kraftcenter, at: tuple[str, ...], admit: Admit, a_start: bytes
) -> None:
    await admit(a_start.replace(b'"a-start"', b'":smile:[/bold]"'))
    said = await kraftcenter("F1", *at)

    assert said.code == 0
    assert lines(said, ":smile:[/bold]") != []


@pytest.mark.usefixtures("life")
async def test_a_few_contributions_are_shown_and_all_are_summed_when_asked_for(
    kraftcenter: Kraftcenter, at: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = await kraftcenter("F4", "--limit", "2", "--since", "0", *at)
    monkeypatch.setattr(receipt_commands, "MOST", 1)
    every = await kraftcenter("F4", "--all", "--since", "2026-06-30T07:00:00Z", *at)

    assert few.code == every.code == 0
    assert "Shown: 2 of 4 contributions, 2 of" in few.err
    assert lines(few, "shown here") != []
    assert every.err == ""
    assert lines(every, "all ") == [["all", "", "", "22.00", "2"]]


@pytest.mark.usefixtures("life")
async def test_all_as_json_is_every_page_as_one_answer(
    kraftcenter: Kraftcenter, at: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = json.loads((await kraftcenter("F4", "--since", "4", "--json", *at)).out)
    monkeypatch.setattr(receipt_commands, "MOST", 1)
    paged = json.loads((await kraftcenter("F4", "--since", "4", "--all", "--json", *at)).out)

    assert paged == whole
    assert (whole["figure"]["value"], whole["next_cursor"]) == ("11", None)


@pytest.mark.usefixtures("life")
async def test_what_is_parked_is_told_beside_the_tables(
    kraftcenter: Kraftcenter, at: tuple[str, ...], admit: Admit, a_start: bytes
) -> None:
    await admit(a_start.replace(b"flexjob.started", b"moon.landed_on"))
    said = await kraftcenter("F1", *at)

    assert said.code == 0
    assert "Parked, and in no history: unknown_type 1." in said.err


@pytest.mark.usefixtures("life")
async def test_a_figure_of_nothing_has_a_receipt(kraftcenter: Kraftcenter, at: tuple[str, ...]) -> None:
    said = await kraftcenter("F6", "--since", "0", *at)

    assert (said.code, said.err) == (0, "")
    assert lines(said, "no_data") == [["- days", "-", "0", "no_data"]]
    assert "the figure is the median" in said.out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("F99",), 1, "GET /v1/indicators lists every id."),
        (("",), 1, ""),
        (("F1/../../x",), 1, ""),
        (("F1", "--as-of", "yesterday"), 1, "as_of: must be a date, YYYY-MM-DD"),
        (("F1", "--by", "colour"), 1, "by: must be one of: department"),
        (("F1", "--since", "1"), 1, "since: must not be beyond the latest position, which is 0"),
        (("F1", "--since", "soon"), 1, "since: must be an RFC 3339 instant"),
        (("F1", "--municipality", "999"), 1, "municipality: must be one of: 621"),
        (("F1", "--as-of", "\udcff"), 1, "bytes that are no text"),
        (("F1", "--url", "nowhere"), 1, "is not an address"),
        (("F1", "--url", "http://127.0.0.1:9"), 1, "No answer from"),
        (("F1", "--token-file", "/nowhere"), 1, "Cannot read the token file"),
        (("F1", "--limit", "0"), 2, "greater than or equal to 1"),
        (("F1", "--limit", "many"), 2, "should be a valid integer"),
        (("F1", "F4"), 2, "unexpected extra argument"),
        (("F1", "--everything"), 2, "No such option"),
        ((), 2, "Missing argument"),
    ],
)
async def test_a_wrong_command_ends_as_one_message(
    kraftcenter: Kraftcenter, at: tuple[str, ...], arguments: tuple[str, ...], code: int, message: str
) -> None:
    said = await kraftcenter(*at, *arguments)

    assert (said.code, said.out) == (code, "")
    assert message in " ".join(said.err.split())
    assert "Traceback" not in said.err


async def test_without_a_token_the_command_says_what_it_needs(kraftcenter: Kraftcenter, url: str) -> None:
    said = await kraftcenter("F1", "--url", url)

    assert (said.code, said.out) == (1, "")
    assert "token" in said.err


@pytest.mark.parametrize("answer", [[], {}, {"figure": None}, "text", {"figure": {"cells": []}, "contributions": 1}])
async def test_something_that_is_not_impact_is_told(
    kraftcenter: Kraftcenter, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    monkeypatch.setattr(receipt_commands, "get", lambda *_, **__: answer)
    for every in ((), ("--all",)):
        said = await kraftcenter("F1", *every)

        assert (said.code, said.out) == (1, "")
        assert "not as an impact service" in said.err


async def test_help_shows_examples(kraftcenter: Kraftcenter) -> None:
    said = await kraftcenter("--help")

    assert said.code == 0
    assert "kraftcenter receipt F4 --by department" in " ".join(said.out.split())
