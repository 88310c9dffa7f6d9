"""The table as a controller reads it."""

from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from rich.console import Console

from local.comparison import Line
from local.expected.value import Value
from local.report import console, summary, year_end

LAST, MID = date(2025, 12, 31), date(2025, 6, 30)


def line(  # noqa: PLR0913 - each test names only what it is about
    indicator: str,
    unit: str,
    value: Value,
    *,
    cut: str = "",
    cell: str = "",
    as_of: date = LAST,
    known_on: date = LAST,
    expected: Value | None = None,
) -> Line:
    return Line(
        municipality="621",
        indicator=indicator,
        title=f"Navn på {indicator}",
        cut=cut,
        cell=cell,
        as_of=as_of,
        known_on=known_on,
        unit=unit,
        answered=value,
        expected=expected or value,
        facts=1234,
    )


def printed(*lines: Line, everything: bool = False) -> str:
    output = StringIO()
    table = year_end("Kolding", lines, last_day=LAST, earlier=MID, everything=everything)
    Console(file=output, width=120).print(table)
    return output.getvalue()


def share(over: int, under: int) -> Value:
    return Value(round(Decimal(over) / under, 6), Decimal(over), Decimal(under))


def test_numbers_are_written_as_danes_write_them() -> None:
    told = printed(line("E1", "persons", Value(Decimal(7252))), line("F2", "share", share(875, 7252)))

    assert "7.252 pers." in told
    assert "12,1 %" in told
    assert "875 / 7.252" in told
    assert "1.234" in told


def test_what_was_thought_then_stands_beside_what_is_known_now_where_the_two_differ() -> None:
    then, now = Value(Decimal(10)), Value(Decimal(12))
    told = printed(
        line("F1", "persons", now),
        line("F1", "persons", then, as_of=MID, known_on=MID),
        line("F1", "persons", now, as_of=MID),
        line("J1", "placements", now),
        line("J1", "placements", then, as_of=MID, known_on=MID),
        line("J1", "placements", then, as_of=MID),
    ).splitlines()

    f1, j1 = (next(row for row in told if row.startswith(name)) for name in ("F1", "J1"))
    assert f1.split()[-4:] == ["1.234", "10", "12", "✓"]
    assert j1.split()[-4:] == ["1.234", "10", "=", "✓"]


def test_only_the_cuts_that_are_looked_at_first_are_shown_unless_all_are_asked_for() -> None:
    lines = (
        line("J4", "share", share(1, 2)),
        line("J4", "share", share(1, 2), cut="weeks", cell="13"),
        line("J4", "share", share(1, 2), cut="kind", cell="flexjob"),
        line("F3", "hours_per_week", Value(Decimal("2.5"))),
        line("F3", "hours_per_week", Value(Decimal("2.5")), cut="cause", cell="capacity_up"),
    )

    assert "efter 13 uger" in printed(*lines)
    assert "Øget arbejdsevne" in printed(*lines)
    assert "  Fleksjob  " not in printed(*lines)
    assert "  Fleksjob  " in printed(*lines, everything=True)


@pytest.mark.parametrize(
    ("cut", "cell", "words"),
    [
        ("kind", "flexjob", "Fleksjob"),
        ("origin", "unknown", "Ukendt"),
        ("partner", "no", "Uden partnerskab"),
        ("cause", "unknown", "Ukendt"),
        ("cause", "other_job", "Andet fleksjob"),
        ("to_municipality", "607", "Fredericia"),
        ("department", "Teknik_og_Miljø", "Teknik og Miljø"),
    ],
)
def test_a_cell_is_told_in_danish(cut: str, cell: str, words: str) -> None:
    told = printed(line("J1", "placements", Value(Decimal(1)), cut=cut, cell=cell), everything=True)

    assert f"\n      {words} " in told
    assert cell == words or cell not in told


@pytest.mark.parametrize("day_of_knowledge", [MID, LAST])
def test_a_row_is_marked_when_any_of_its_values_is_not_what_it_must_be(day_of_knowledge: date) -> None:
    ten, eleven = Value(Decimal(10)), Value(Decimal(11))
    wrong = line("F1", "persons", ten, as_of=MID, known_on=day_of_knowledge, expected=eleven)

    assert "✗" not in printed(line("F1", "persons", ten))
    assert "✗" in printed(line("F1", "persons", ten), wrong)


def test_an_indicator_of_a_kind_that_is_new_is_shown_too() -> None:
    assert "Andre nøgletal" in printed(line("X1", "applications", Value(Decimal(3))))


def test_a_figure_without_data_is_a_dash_and_money_is_in_millions() -> None:
    told = printed(line("J4", "share", Value()), line("F5", "share", share(435_957_804, 1_150_000_000)))

    assert " - " in told
    assert "- %" not in told
    assert "4,36 / 11,50 mio. kr." in told


def test_no_number_is_shortened_on_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    console().print(year_end("Kolding", [line("E1f", "fte", Value(Decimal("14152.25")))], last_day=LAST, earlier=MID))

    told = capsys.readouterr().out
    assert "E1f Navn på E1f" in told
    assert "14.152,25 årsværk" in told


def test_the_last_line_says_how_much_it_was() -> None:
    assert summary({"registreringer": 11692, "sekunder": 180}) == "11.692 registreringer, 180 sekunder"
