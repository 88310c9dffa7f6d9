"""Figures from sums: worked examples by hand, and what holds for any sums."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.tokens import Principal
from impact.catalogue import INDICATORS
from impact.disclosure import disclosed
from impact.figures import Figure, Known, Question, Status, Sum, Value, answer, ask, rounded
from impact.indicator import Indicator

BY_ID = {indicator.id: indicator for indicator in INDICATORS}
NEVER = Known(0, None)
MIDSUMMER = date(2026, 6, 30)
AMOUNTS = st.decimals(min_value=-1000, max_value=1000, places=2)


def figure(
    id_: str,
    *sums: Sequence[Sum],
    as_of: date = MIDSUMMER,
    by: tuple[str, ...] = (),
    first: date | None = None,
    until: date | None = None,
) -> Figure:
    return answer(ask(BY_ID[id_], "621", as_of=as_of, first=first, until=until, by=by), NEVER, sums, facts=0)


def part(amount: str | Decimal, contributors: int = 1, /, **dimensions: str) -> Sum:
    return Sum(dimensions, Decimal(amount), contributors)


def reader(*scopes: str, municipality: str = "621") -> Principal:
    return Principal("test", municipality, frozenset(scopes))


def texts(value: Value) -> tuple[str, ...]:
    """The value, and of a ratio what stands above and below the line."""
    return tuple(str(part) for part in (value.value, value.numerator, value.denominator) if part is not None)


def cells(of: Figure) -> dict[tuple[str, ...], tuple[str, ...]]:
    return {tuple(cell.dimensions.values()): texts(cell.value) for cell in of.cells}


def test_a_stock_is_the_sum_of_its_parts_and_its_cells_are_the_parts() -> None:
    sums = [part("12", department="Senior"), part("3", department="Born"), part("9", department="Teknik")]

    f1 = figure("F1", sums, by=("department",))

    assert f1.whole == Value(Status.PROVISIONAL, Decimal(24), over=Fraction(24))
    assert cells(f1) == {("Born",): ("3",), ("Senior",): ("12",), ("Teknik",): ("9",)}
    assert [cell.dimensions["department"] for cell in f1.cells] == ["Born", "Senior", "Teknik"]


def test_without_a_cut_there_are_no_cells() -> None:
    assert figure("F1", [part("12", department="Senior")]).cells == ()


def test_a_stock_of_nothing_is_zero_not_unknown() -> None:
    assert figure("F1", []).whole == Value(Status.PROVISIONAL, Decimal(0), over=Fraction(0))


def test_hours_are_divided_into_full_time_equivalents_exactly_and_rounded_half_up() -> None:
    j2 = figure("J2", [part("8.50", kind="flexjob")]).whole

    assert (texts(j2), j2.over) == (("0.22973",), Fraction(17, 74))
    assert texts(figure("J2", [part("12.50", kind="flexjob"), part("6.00", kind="other")]).whole) == ("0.5",)


def test_a_mean_shows_what_stands_above_and_below_the_line() -> None:
    hours = [part("12.50", department="Senior"), part("7", department="Teknik")]
    persons = [part("2", department="Senior"), part("1", department="Teknik")]

    f4 = figure("F4", hours, persons, by=("department",))

    assert texts(f4.whole) == ("6.5", "19.5", "3")
    assert (f4.whole.over, f4.whole.under) == (Fraction(39, 2), Fraction(3))
    assert cells(f4) == {("Senior",): ("6.25", "12.5", "2"), ("Teknik",): ("7", "7", "1")}


def test_a_ratio_over_nothing_has_no_data_rather_than_zero() -> None:
    assert figure("F4", [], []).whole == Value(Status.NO_DATA, None, Decimal(), Decimal(), Fraction(), Fraction())


def test_a_cell_whose_denominator_is_empty_has_no_data_while_the_whole_has() -> None:
    drawn = [part("5928000", fiscal_year="2026"), part("100", fiscal_year="2027")]
    allocated = [part("10000000", fiscal_year="2026")]

    f5 = figure("F5", drawn, allocated, by=("fiscal_year",))

    assert f5.whole.value == Decimal("0.5928")
    assert [cell.value.status for cell in f5.cells] == [Status.PROVISIONAL, Status.NO_DATA]


def test_pool_utilisation_is_held_to_the_fiscal_year_of_as_of_unless_cut_by_it() -> None:
    drawn = [part("5928000", fiscal_year="2026"), part("100", fiscal_year="2027")]
    allocated = [part("10000000", fiscal_year="2026"), part("200", fiscal_year="2027")]

    assert texts(figure("F5", drawn, allocated).whole) == ("0.5928", "5928000", "10000000")
    assert texts(figure("F5", drawn, allocated, as_of=date(2027, 1, 1)).whole) == ("0.5", "100", "200")
    assert len(figure("F5", drawn, allocated, by=("fiscal_year",)).cells) == 2
    assert texts(figure("F5", drawn, allocated, by=("fiscal_year",)).whole) == ("0.5928", "5928000", "10000000")


def test_sustained_jobs_are_held_to_26_weeks_unless_cut_by_weeks() -> None:
    job = {"kind": "flexjob", "origin": "unknown"}
    kept = [part("6", weeks="26", **job), part("9", weeks="13", **job)]
    due = [part("8", weeks="26", **job), part("10", weeks="13", **job), part("5", weeks="52", **job)]

    assert texts(figure("J4", kept, due).whole) == ("0.75", "6", "8")
    assert cells(figure("J4", kept, due, by=("kind",))) == {("flexjob",): ("0.75", "6", "8")}
    assert cells(figure("J4", kept, due, by=("weeks", "kind"))) == {
        ("13", "flexjob"): ("0.9", "9", "10"),
        ("26", "flexjob"): ("0.75", "6", "8"),
        ("52", "flexjob"): ("0", "0", "5"),
    }


def test_a_cut_by_two_dimensions_has_a_cell_for_each_pair() -> None:
    jobs = [
        part("1", kind="flexjob", origin="pension", partner="no"),
        part("2", kind="flexjob", origin="pension", partner="yes"),
        part("4", kind="ordinary", origin="pension", partner="yes"),
    ]

    j1 = figure("J1", jobs, by=("partner", "kind"))

    assert cells(j1) == {("no", "flexjob"): ("1",), ("yes", "flexjob"): ("2",), ("yes", "ordinary"): ("4",)}
    assert [list(cell.dimensions) for cell in j1.cells] == [["partner", "kind"]] * 3


def test_an_average_divides_the_sum_of_the_days_by_their_number() -> None:
    # 12.5 hours on the first 15 days of March, 20 on the other 16.
    march = [part(str(15 * Decimal("12.5") + 16 * 20), department="Senior")]
    one_person = [part("31", department="Senior")]

    f4 = figure("F4", march, one_person, as_of=date(2026, 3, 31), first=date(2026, 3, 1), until=date(2026, 4, 1))

    assert texts(f4.whole) == ("16.370968", "16.370968", "1")
    assert (f4.whole.over, f4.whole.under) == (Fraction("507.5") / 31, Fraction(1))
    assert rounded(f4.whole.over / 37 if f4.whole.over else Fraction()) == Decimal("0.442459")


NEEDS = ["10", "0", "31", "20"]


def of_needs(*days: str, department: str = "Senior") -> list[Sum]:
    """The days to fill of each need that was filled."""
    place = {"department": department, "workplace_unit": f"{department}-1"}
    return [part(amount, **place) for amount in days]


def test_a_median_is_the_one_in_the_middle_or_the_mean_of_the_two() -> None:
    odd, even = figure("F6", of_needs(*NEEDS[:3])).whole, figure("F6", of_needs(*NEEDS)).whole

    assert (texts(odd), odd.numerator, odd.denominator) == (("10", "3"), None, Decimal(3))
    assert (texts(even), even.over, even.under) == (("15", "4"), Fraction(15), None)


def test_a_median_of_nothing_has_no_data() -> None:
    assert figure("F6", []).whole == Value(Status.NO_DATA, denominator=Decimal())


def test_each_cell_of_a_median_has_its_own() -> None:
    senior, teknik = of_needs(*NEEDS[:2]), of_needs(*NEEDS[2:], department="Teknik")

    f6 = figure("F6", senior + teknik, by=("department",))

    assert cells(f6) == {("Senior",): ("5", "2"), ("Teknik",): ("25.5", "2")}


@given(st.lists(st.integers(0, 9) | st.integers(0, 500), min_size=1, max_size=19))
def test_a_median_is_that_of_the_days_whatever_they_are(days: list[int]) -> None:
    spread = [part(str(amount), often, department="Senior") for amount, often in Counter(days).items()]

    f6 = figure("F6", spread)

    assert f6.whole.over == Fraction(median(days))
    assert f6.whole.denominator == len(days)


def bounds(question: Question) -> tuple[date | None, date | None, date]:
    return question.first, question.until, question.last


def test_a_flow_runs_from_new_year_to_as_of_unless_told() -> None:
    question = ask(BY_ID["J1"], "621", as_of=MIDSUMMER)

    assert bounds(question) == (date(2026, 1, 1), date(2026, 7, 1), MIDSUMMER)
    assert question.days is None


@pytest.mark.parametrize(
    ("as_of", "first"),
    [
        (date(2026, 6, 30), date(2025, 7, 1)),
        (date(2026, 12, 31), date(2026, 1, 1)),
        (date(2026, 1, 31), date(2025, 2, 1)),
        (date(2026, 3, 15), date(2025, 3, 16)),
        (date(2024, 2, 29), date(2023, 3, 1)),
        (date(2025, 2, 28), date(2024, 2, 29)),
    ],
)
def test_a_flow_of_twelve_months_runs_from_the_day_after_the_same_day_a_year_before(as_of: date, first: date) -> None:
    assert bounds(ask(BY_ID["F8"], "621", as_of=as_of))[0] == first


def test_the_end_of_a_flow_is_exclusive_and_never_beyond_as_of() -> None:
    half_year = ask(BY_ID["J1"], "621", as_of=date(2026, 12, 31), first=date(2025, 7, 1), until=date(2026, 1, 1))
    so_far = ask(BY_ID["J1"], "621", as_of=date(2026, 3, 1), first=date(2026, 1, 1), until=date(2027, 1, 1))

    assert bounds(half_year) == (date(2025, 7, 1), date(2026, 1, 1), date(2025, 12, 31))
    assert bounds(so_far) == (date(2026, 1, 1), date(2026, 3, 2), date(2026, 3, 1))


def test_a_stock_reaches_back_to_the_beginning_and_is_read_at_its_end() -> None:
    question = ask(BY_ID["F1"], "621", as_of=MIDSUMMER)

    assert (bounds(question), question.days) == ((None, None, MIDSUMMER), None)


def test_an_average_takes_no_day_beyond_as_of() -> None:
    march = ask(BY_ID["F1"], "621", as_of=date(2026, 12, 31), first=date(2026, 3, 1), until=date(2026, 4, 1))
    so_far = ask(BY_ID["F1"], "621", as_of=date(2026, 3, 10), first=date(2026, 3, 1), until=date(2026, 4, 1))

    assert (march.days, march.last) == (31, date(2026, 3, 31))
    assert (so_far.days, so_far.last) == (10, date(2026, 3, 10))


def test_the_months_of_a_cohort_do_not_end_its_life() -> None:
    question = ask(BY_ID["J4"], "621", as_of=MIDSUMMER, first=date(2025, 1, 1), until=date(2025, 4, 1))

    assert bounds(question) == (date(2025, 1, 1), date(2025, 4, 1), MIDSUMMER)


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
        ask(indicator, "621", as_of=MIDSUMMER, by=indicator.dimensions),
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
