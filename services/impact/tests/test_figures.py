"""Figures from sums: worked examples by hand, and what holds for any sums."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.tokens import Principal
from impact.catalogue import INDICATORS, Indicator
from impact.disclosure import disclosed
from impact.figures import Figure, Known, Status, Sum, Value, answer, ask, rounded

BY_ID = {indicator.id: indicator for indicator in INDICATORS}
NEVER = Known(0, None)
AMOUNTS = st.decimals(min_value=-1000, max_value=1000, places=2)


def figure(id_: str, *sums: list[Sum], as_of: date = date(2026, 6, 30), by: tuple[str, ...] = ()) -> Figure:
    return answer(ask(BY_ID[id_], "621", as_of=as_of, by=by), NEVER, sums, facts=0)


def part(amount: str | Decimal, **dimensions: str) -> Sum:
    return Sum(dimensions, Decimal(amount))


def reader(*scopes: str, municipality: str = "621") -> Principal:
    return Principal("test", municipality, frozenset(scopes))


def provisional(value: str, numerator: str | None = None, denominator: str | None = None) -> Value:
    above, below = (None if text is None else Decimal(text) for text in (numerator, denominator))
    return Value(Status.PROVISIONAL, Decimal(value), above, below)


def test_a_stock_is_the_sum_of_its_parts_and_its_cells_are_the_parts() -> None:
    sums = [part("12", department="Senior"), part("3", department="Born"), part("9", department="Teknik")]

    f1 = figure("F1", sums, by=("department",))

    assert f1.whole == provisional("24")
    assert [(cell.dimensions["department"], cell.value) for cell in f1.cells] == [
        ("Born", provisional("3")),
        ("Senior", provisional("12")),
        ("Teknik", provisional("9")),
    ]


def test_without_a_cut_there_are_no_cells() -> None:
    assert figure("F1", [part("12", department="Senior")]).cells == ()


def test_a_stock_of_nothing_is_zero_not_unknown() -> None:
    assert figure("F1", []).whole == provisional("0")


def test_hours_are_divided_into_full_time_equivalents_and_rounded_half_up() -> None:
    assert figure("J2", [part("8.50", kind="flexjob")]).whole == provisional("0.22973")
    assert figure("J2", [part("12.50", kind="flexjob"), part("6.00", kind="other")]).whole == provisional("0.5")


def test_a_mean_shows_what_stands_above_and_below_the_line() -> None:
    hours = [part("12.50", department="Senior"), part("7", department="Teknik")]
    persons = [part("2", department="Senior"), part("1", department="Teknik")]

    f4 = figure("F4", hours, persons, by=("department",))

    assert f4.whole == provisional("6.5", "19.5", "3")
    assert [cell.value for cell in f4.cells] == [provisional("6.25", "12.5", "2"), provisional("7", "7", "1")]


def test_a_ratio_over_nothing_has_no_data_rather_than_zero() -> None:
    assert figure("F4", [], []).whole == Value(Status.NO_DATA, None, Decimal(0), Decimal(0))


def test_a_cell_whose_denominator_is_empty_has_no_data_while_the_whole_has() -> None:
    drawn = [part("5928000", fiscal_year="2026"), part("100", fiscal_year="2027")]
    allocated = [part("10000000", fiscal_year="2026")]

    f5 = figure("F5", drawn, allocated, by=("fiscal_year",))

    assert f5.whole.value == Decimal("0.59281")
    assert [cell.value.status for cell in f5.cells] == [Status.PROVISIONAL, Status.NO_DATA]


def test_pool_utilisation_without_a_cut_is_that_of_the_fiscal_year_of_as_of() -> None:
    drawn = [part("5928000", fiscal_year="2026"), part("100", fiscal_year="2027")]
    allocated = [part("10000000", fiscal_year="2026"), part("200", fiscal_year="2027")]

    assert figure("F5", drawn, allocated).whole == provisional("0.5928", "5928000", "10000000")
    assert figure("F5", drawn, allocated, as_of=date(2027, 1, 1)).whole == provisional("0.5", "100", "200")


def test_a_flow_runs_from_new_year_to_as_of_unless_told() -> None:
    question = ask(BY_ID["J1"], "621", as_of=date(2026, 6, 30))

    assert (question.first, question.last) == (date(2026, 1, 1), date(2026, 6, 30))


def test_the_end_of_a_flow_is_exclusive_and_never_beyond_as_of() -> None:
    half_year = ask(BY_ID["J1"], "621", as_of=date(2026, 12, 31), first=date(2025, 7, 1), until=date(2026, 1, 1))
    so_far = ask(BY_ID["J1"], "621", as_of=date(2026, 3, 1), first=date(2026, 1, 1), until=date(2027, 1, 1))

    assert (half_year.first, half_year.last) == (date(2025, 7, 1), date(2025, 12, 31))
    assert so_far.last == date(2026, 3, 1)


def test_a_stock_reaches_back_to_the_beginning() -> None:
    assert ask(BY_ID["F1"], "621", as_of=date(2026, 6, 30)).first is None


@pytest.mark.parametrize(
    ("exact", "text"),
    [
        (Fraction(1, 3), "0.333333"),
        (Fraction(2, 3), "0.666667"),
        (Fraction(-2, 3), "-0.666667"),
        (Fraction(5, 10_000_000), "0.000001"),
        (Fraction(-1, 10_000_000), "0"),
        (Fraction(120), "120"),
        (Fraction(10**30, 3), "333333333333333333333333333333.333333"),
    ],
)
def test_rounding_is_half_up_to_six_decimals_without_exponent_or_padding(exact: Fraction, text: str) -> None:
    assert str(rounded(exact)) == text


@given(st.fractions())
def test_rounding_moves_any_value_by_at_most_half_a_millionth(exact: Fraction) -> None:
    assert abs(Fraction(rounded(exact)) - exact) <= Fraction(1, 2_000_000)


@given(st.lists(st.tuples(st.sampled_from("ABC"), AMOUNTS)))
def test_the_cells_of_any_additive_cut_add_up_to_the_whole(parts: list[tuple[str, Decimal]]) -> None:
    f1 = figure("F1", [part(amount, department=department) for department, amount in parts], by=("department",))

    assert sum(cell.value.value or Decimal(0) for cell in f1.cells) == f1.whole.value


@given(st.permutations([part("1.10", kind="a"), part("2.20", kind="b"), part("-3.31", kind="a"), part("4", kind="c")]))
def test_the_order_in_which_sums_are_read_changes_nothing(sums: list[Sum]) -> None:
    assert figure("J2", sums, by=("kind",)) == figure("J2", sorted(sums, key=str), by=("kind",))


@pytest.mark.parametrize("indicator", [indicator for indicator in INDICATORS if indicator.about_persons])
def test_a_figure_about_persons_keeps_everything_to_itself(indicator: Indicator) -> None:
    exact = answer(
        ask(indicator, "621", as_of=date(2026, 6, 30), by=indicator.dimensions),
        NEVER,
        [[part("7", **dict.fromkeys(indicator.dimensions, "x"))] for _ in indicator.measures],
        facts=7,
    )

    for stranger in (None, reader(), reader("read:flexjob_pool"), reader("figures:exact", municipality="751")):
        shown = disclosed(exact, stranger)
        assert (shown.whole, shown.facts, shown.cells) == (Value(Status.SUPPRESSED), None, ())
    assert disclosed(exact, reader("figures:exact")) == exact


def test_a_figure_about_money_is_live_for_everybody() -> None:
    f5 = figure("F5", [part("1", fiscal_year="2026")], [part("2", fiscal_year="2026")])

    assert disclosed(f5, None) == f5
