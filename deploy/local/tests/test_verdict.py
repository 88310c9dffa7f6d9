"""Whatever is wrong at the year's end is told, and nothing else is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from local.comparison import Line
from local.expected.value import Value
from local.plan.towns import KOLDING, VEJLE
from local.plan.year import plan_year
from local.verdict import ENOUGH_CASES, Disagreement, account_closes, all_agree, copies_are_known, none_is_silent

LAST_DAY = date(2025, 12, 31)
YEAR = plan_year(1, VEJLE, ENOUGH_CASES)
TWO = Value(Decimal(2))
LINE = Line(
    municipality="630",
    indicator="F1",
    title="Personer i fleksjob",
    cut="",
    cell="",
    as_of=LAST_DAY,
    known_on=LAST_DAY,
    unit="persons",
    answered=TWO,
    expected=TWO,
    facts=3,
)


def test_a_value_that_is_not_what_it_must_be_is_told() -> None:
    all_agree([LINE])

    with pytest.raises(Disagreement, match=r"630 F1 whole .* 2, expected 3"):
        all_agree([LINE, replace(LINE, expected=Value(Decimal(3)))])


@pytest.mark.parametrize("silence", [Value(), Value(Decimal(0)), Value(Decimal(0), Decimal(0), Decimal(7))])
def test_a_figure_that_says_nothing_at_the_end_is_told_in_every_municipality(silence: Value) -> None:
    none_is_silent(YEAR, [LINE], LAST_DAY)

    with pytest.raises(Disagreement, match="630 F1 whole"):
        none_is_silent(YEAR, [LINE, replace(LINE, answered=silence)], LAST_DAY)


@pytest.mark.parametrize(
    "silent",
    [
        replace(LINE, answered=Value(), known_on=date(2025, 6, 30)),
        replace(LINE, answered=Value(), cut="department", cell="Havnen"),
        replace(LINE, answered=Value(), municipality="621"),
    ],
    ids=["in summer", "of one department", "of another municipality"],
)
def test_silence_elsewhere_is_none_of_it(silent: Line) -> None:
    none_is_silent(YEAR, [silent], LAST_DAY)


def test_where_little_happens_a_figure_may_be_silent() -> None:
    none_is_silent(plan_year(1, VEJLE, 20), [replace(LINE, answered=Value())], LAST_DAY)


def account(*, kept: str = "", open_: Sequence[str] = ()) -> dict[str, Any]:
    """A municipality's account that closes, but for three of one kind that were kept, or for what stays open."""
    facts = {"first_copies": 9, "parked": 0, "retracted": 1, "superseded": 2, "waiting": 0}
    deliveries = {"delivered": 10, "first_copies": 9, "duplicates": 1, "conflicts": 0, "unreadable": 0}
    return {
        "municipality": "630",
        "facts": {"total": facts | ({kept: 3} if kept in facts else {})},
        "deliveries": {"total": deliveries | ({kept: 3} if kept in deliveries else {})},
        "open": [{"account": name, "of": ""} for name in open_],
    }


@pytest.mark.parametrize("kept", ["parked", "waiting", "conflicts", "unreadable"])
def test_what_was_told_and_is_not_counted_is_told(kept: str) -> None:
    account_closes(account())

    with pytest.raises(Disagreement, match=f"630: 3 {kept}"):
        account_closes(account(kept=kept))


def test_an_account_that_stays_open_is_told() -> None:
    with pytest.raises(Disagreement, match="completeness of the lane does not close"):
        account_closes(account(open_=["completeness"]))


def test_a_copy_that_was_taken_for_another_message_is_told() -> None:
    copies_are_known(plan_year(1, KOLDING, 14), 1)

    with pytest.raises(Disagreement, match="sent 1 messages again, and the gateway knew 0"):
        copies_are_known(plan_year(1, KOLDING, 14), 0)
