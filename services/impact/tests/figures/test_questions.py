"""Questions as they are asked: what is understood, what each kind refuses, and that no value is ever repeated."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.problems import Problem
from impact.asked import Asked
from impact.catalogue import INDICATORS
from impact.indicator import Indicator
from impact.parameters import PARAMETERS_OF_ONE
from impact.questions import asked_about_all, asked_about_one

BY_ID = {indicator.id: indicator for indicator in INDICATORS}
TODAY = date(2026, 6, 30)
NAMES = [parameter["name"] for parameter in PARAMETERS_OF_ONE]


def asked(indicator: str | Indicator, **texts: str) -> Asked:
    entry = BY_ID[indicator] if isinstance(indicator, str) else indicator
    given = [(name.rstrip("_"), text) for name, text in texts.items()]
    return asked_about_one(given, [entry], served=["621"], today=TODAY)


def refused(indicator: str, **texts: str) -> dict[str, str]:
    with pytest.raises(Problem) as refusal:
        asked(indicator, **texts)
    assert refusal.value.status_code == 422
    return {error["parameter"]: error["detail"] for error in refusal.value.members("en")["errors"]}


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("0", 0),
        ("1204", 1204),
        ("9" * 18, 10**18 - 1),
        ("2026-03-01T08:00:00Z", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01t08:00:00z", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01T08:00:00.5+01:00", datetime(2026, 3, 1, 7, 0, 0, 500_000, UTC)),
        ("2026-03-01T08:00:00 01:00", datetime(2026, 3, 1, 7, tzinfo=UTC)),
        ("2026-03-01T08:00:00-23:59", datetime(2026, 3, 2, 7, 59, tzinfo=UTC)),
        ("2999-01-01T00:00:00Z", datetime(2999, 1, 1, tzinfo=UTC)),
    ],
)
def test_what_was_known_is_asked_by_position_or_by_instant(text: str, known: int | datetime) -> None:
    assert asked("F1", known_as_of=text).known_as_of == known
    assert asked_about_all([("known_as_of", text)], served=["621"], today=TODAY).known_as_of == known


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "+1",
        "1.5",
        "١٢",
        "9" * 19,
        "9" * 5000,
        "yesterday",
        "2026-03-01",
        "2026-03-01T08:00:00",
        "2026-03-01T08:00Z",
        "20260301T080000Z",
        "2026-02-30T08:00:00Z",
        "2026-03-01T25:00:00Z",
        "2026-03-01T08:00:00+25:00",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2026-03-01T08:00:00Z\n",
    ],
)
def test_what_is_neither_position_nor_instant_is_refused(text: str) -> None:
    assert refused("F1", known_as_of=text) == {"known_as_of": "must be an RFC 3339 instant, or a position in digits"}


def test_one_or_two_dimensions_make_a_cut() -> None:
    assert asked("J4", by="weeks,kind").about(BY_ID["J4"]).by == ("weeks", "kind")
    assert asked("J4", by="origin").about(BY_ID["J4"]).by == ("origin",)


@pytest.mark.parametrize(
    ("indicator", "by", "reason"),
    [
        ("J4", "kind,origin,weeks", "must be one or two of: kind, origin, weeks, with a comma between"),
        ("J4", "kind,colour", "must be one or two of: kind, origin, weeks, with a comma between"),
        ("J4", "kind,", "must be one or two of: kind, origin, weeks, with a comma between"),
        ("J4", "kind, weeks", "must be one or two of: kind, origin, weeks, with a comma between"),
        ("J4", "kind,kind", "names the same dimension twice"),
        ("F1", "", "must be one of: department"),
        ("F8", "kind", "this indicator has no dimensions"),
    ],
)
def test_a_cut_that_does_not_exist_is_refused(indicator: str, by: str, reason: str) -> None:
    assert refused(indicator, by=by) == {"by": reason}


@pytest.mark.parametrize(
    ("indicator", "texts", "reasons"),
    [
        ("F1", {"to": "2026-04-01"}, {"from": "must be given beside to: a stock is averaged over the period"}),
        ("F1", {"from_": "2026-04-01", "to": "2026-04-01"}, {"from": "must be before to, which is exclusive"}),
        ("F1", {"from_": "2026-07-01"}, {"from": "must not be after as_of"}),
        ("J1", {"from_": "2026-02-01", "as_of": "2026-01-31"}, {"from": "must not be after as_of"}),
        ("J4", {"from_": "2026-07-01"}, {"from": "must not be after as_of"}),
        (
            "J4",
            {"from_": "2026-01-02", "to": "2026-03-31"},
            {"from": "must be the first of a month", "to": "must be the first of a month"},
        ),
        (
            "F2",
            {"from_": "2026-01-01", "to": "2026-04-01"},
            dict.fromkeys(
                ("from", "to"), "this indicator is read on the days of its snapshots and has no period; use as_of"
            ),
        ),
    ],
)
def test_a_period_that_makes_no_sense_is_refused(
    indicator: str, texts: dict[str, str], reasons: dict[str, str]
) -> None:
    assert refused(indicator, **texts) == reasons


def test_as_of_is_today_but_a_period_without_one_ends_with_itself() -> None:
    def day(indicator: str, **texts: str) -> date:
        return asked(indicator, **texts).about(BY_ID[indicator]).as_of

    assert day("F1") == TODAY
    assert day("J1", to="2026-03-01") == date(2026, 2, 28)
    assert day("F1", from_="2026-01-01", to="2026-03-01") == date(2026, 2, 28)
    assert day("J4", from_="2026-01-01", to="2026-03-01") == TODAY
    assert day("J1", to="2026-03-01", as_of="2026-06-01") == date(2026, 6, 1)


def test_a_definition_version_is_one_of_the_catalogue() -> None:
    assert asked("F1", definition_version="1").definition_version == 1
    for text in ("2", "0", "01", "-1", "x", "", "9" * 5000):
        assert refused("F1", definition_version=text) == {"definition_version": "must be one of: 1"}


def test_a_question_is_held_against_the_version_that_it_names() -> None:
    first, second = BY_ID["F1"], replace(BY_ID["F1"], definition_version=2, dimensions=("kind",))

    def by_department(version: str) -> Asked:
        given = [("by", "department"), ("definition_version", version)]
        return asked_about_one(given, [first, second], served=["621"], today=TODAY)

    assert by_department("1").about(first).by == ("department",)
    with pytest.raises(Problem):
        by_department("2")
    with pytest.raises(Problem):
        by_department("1").about(second)


def test_all_reasons_are_told_at_once() -> None:
    texts = {"as_of": "x", "known_as_of": "x", "from_": "x", "to": "x", "by": "x", "definition_version": "x"}

    assert set(refused("F1", municipality="x", colour="x", **texts)) == {*NAMES, "colour"}


HOSTILE = "zq0101901234qz"


@given(st.lists(st.tuples(st.sampled_from([*NAMES, "colour"]), st.text(max_size=30)), max_size=6))
def test_any_text_is_understood_or_refused(given: list[tuple[str, str]]) -> None:
    for indicator in (BY_ID["F1"], BY_ID["J4"], BY_ID["F2"]):
        with suppress(Problem):
            asked_about_one(given, [indicator], served=["621"], today=TODAY).about(indicator)


@pytest.mark.parametrize("name", NAMES)
def test_no_refusal_repeats_what_was_given(name: str) -> None:
    with pytest.raises(Problem) as refusal:
        asked("J4", **{f"{name}_": HOSTILE})

    assert HOSTILE not in str(refusal.value.members("da")) + str(refusal.value.members("en"))
