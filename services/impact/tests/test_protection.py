"""Which cells are shown: worked examples by hand, and an attacker who adds and subtracts."""

from collections.abc import Iterator, Mapping
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from impact.protection import Counts, Crowd, Place, shown

ROWS, COLUMNS = "ABCD", "wxyz"
SIZES = st.sampled_from([0, 0, 1, 2, 3, 4, 5, 7, 9])

Numbers = dict[Place, int]
Rates = dict[Place, tuple[int, int]]


def crowds(having: Numbers, lacking: Numbers | None = None) -> dict[Place, Crowd]:
    """Cells with these many persons of their own, and every margin over them; without `lacking` no rate is meant."""
    cells: dict[Place, Crowd] = {}
    for place in having:
        some = frozenset(f"{place} has {number}" for number in range(having[place]))
        rest = frozenset(f"{place} lacks {number}" for number in range(lacking[place])) if lacking else frozenset()
        here = Crowd(some | rest, some if lacking else frozenset(), rest)
        for kept in product(*((name, None) for name in place)):
            before = cells.get(kept, Crowd())
            cells[kept] = Crowd(
                before.persons | here.persons, before.having | here.having, before.lacking | here.lacking
            )
    return cells


@st.composite
def one_way(draw: st.DrawFn) -> Numbers:
    sizes = draw(st.lists(SIZES, min_size=1, max_size=6))
    return {(f"cell {number}",): size for number, size in enumerate(sizes)}


@st.composite
def two_way(draw: st.DrawFn, most: int = 4) -> Numbers:
    rows = ROWS[: draw(st.integers(1, most))]
    columns = COLUMNS[: draw(st.integers(1, most))]
    return {(row, column): draw(SIZES) for row in rows for column in columns}


def hidden(cells: Mapping[Place, Crowd], k: int = 5) -> set[Place]:
    return set(cells) - shown(cells, k)


def completions(cells: Numbers, known: Numbers) -> Iterator[Numbers]:
    """Every way to fill a table with persons that agrees with what is known, the true one's likes first."""
    places = [place for place in cells if None not in place]
    totals = {place: 0 for place in known if None in place}

    def over(place: Place) -> list[Place]:
        return [total for total in product(*((name, None) for name in place)) if total in totals]

    last = {total: max(n for n, place in enumerate(places) if total in over(place)) for total in totals}
    most = max(known.values(), default=0)

    def fill(number: int, table: Numbers) -> Iterator[Numbers]:
        if number == len(places):
            yield dict(table)
            return
        place = places[number]
        true = cells[place]
        room = min((known[total] - totals[total] for total in over(place)), default=most)
        values = [known[place]] if place in known else sorted(range(room + 1), key=lambda size: abs(size - true))
        for size in values:
            if size > room:
                continue
            if any(last[total] == number and totals[total] + size != known[total] for total in over(place)):
                continue
            for total in over(place):
                totals[total] += size
            yield from fill(number + 1, {**table, place: size})
            for total in over(place):
                totals[total] -= size

    return fill(0, {})


def is_found_out(cells: Numbers, seen: Numbers, place: Place) -> bool:
    """Whether the number at a hidden place is the only one that agrees with all that is seen.

    The possible numbers of a cell are a row without gaps, so the next ones up and down are all to try.
    """
    wholes = {at: sum(n for p, n in cells.items() if _lies_in(p, at)) for at in _places(cells)}
    tried = (wholes[place] + 1, wholes[place] - 1)
    return all(next(completions(cells, seen | {place: guess}), None) is None for guess in tried if guess >= 0)


def _places(cells: Numbers) -> set[Place]:
    return {kept for place in cells for kept in product(*((name, None) for name in place))}


def _lies_in(place: Place, margin: Place) -> bool:
    return all(name in (None, own) for own, name in zip(place, margin, strict=True))


def attack(cells: dict[Place, Crowd], part: str) -> list[Place]:
    """The hidden places where the attacker learns how many persons there are, other than none."""
    sizes = {place: len(getattr(crowd, part)) for place, crowd in cells.items()}
    visible = shown(cells)
    seen = {place: size for place, size in sizes.items() if place in visible}
    inner = {place: size for place, size in sizes.items() if None not in place}
    return [
        place for place, size in sizes.items() if size and place not in visible and is_found_out(inner, seen, place)
    ]


def test_a_small_department_hides_the_next_smallest_too() -> None:
    e13 = crowds({("Senior",): 12, ("Børn",): 3, ("Teknik",): 9})

    assert len(e13[(None,)].persons) == 24
    assert shown(e13) == {(None,), ("Senior",)}


def test_one_more_in_the_small_department_shows_no_more() -> None:
    assert shown(crowds({("Senior",): 12, ("Børn",): 4, ("Teknik",): 9})) == {(None,), ("Senior",)}


@pytest.mark.parametrize(
    ("counts", "few"),
    [
        (Counts(40, 38, 2), True),  # E13: 38 of 40
        (Counts(5, 2, 3), True),  # E3: J3 is 2 of 5
        (Counts(5), False),  # E3: F3 on five persons
        (Counts(4), True),  # E3: without P5 nothing is shown
        (Counts(8, 6, 2), True),  # E4: 6 of 8
        (Counts(0), False),
        (Counts(4, 0, 4), True),
        (Counts(4, 4, 0), True),
        (Counts(9, 9, 0), False),
        (Counts(10, 5, 5), False),
    ],
)
def test_a_figure_stands_on_five_persons_on_each_side(counts: Counts, few: bool) -> None:
    assert counts.are_few(5) is few


def test_nobody_is_shown_and_hides_nobody_else() -> None:
    assert hidden(crowds({("A",): 12, ("B",): 0, ("C",): 9})) == set()
    assert hidden(crowds({("A",): 12, ("B",): 0, ("C",): 3})) == {("A",), ("C",)}


def test_hidden_cells_that_are_few_together_hide_another() -> None:
    assert hidden(crowds({("A",): 1, ("B",): 2, ("C",): 9, ("D",): 20})) == {("A",), ("B",), ("C",)}
    assert hidden(crowds({("A",): 3, ("B",): 2, ("C",): 9, ("D",): 20})) == {("A",), ("B",)}


def test_a_rate_is_hidden_with_its_cells_when_too_few_lack_it() -> None:
    cells = crowds({("A",): 10, ("B",): 10, ("C",): 18}, {("A",): 10, ("B",): 8, ("C",): 2})

    assert hidden(cells) == {("B",), ("C",)}


def test_a_whole_of_too_few_is_hidden_with_all_in_it() -> None:
    assert shown(crowds({("A",): 3, ("B",): 1, ("C",): 0})) == {("C",)}


def test_a_person_in_two_cells_is_one_person() -> None:
    same, others = (frozenset(f"{name} {number}" for number in range(4)) for name in ("same", "other"))
    cells: dict[Place, Crowd] = {
        ("A",): Crowd(same),
        ("B",): Crowd(same),
        ("C",): Crowd(same | others),
        ("D",): Crowd(frozenset(map(str, range(20)))),
    }
    cells[(None,)] = Crowd(frozenset().union(*(crowd.persons for crowd in cells.values())))

    assert hidden(cells) == {("A",), ("B",), ("C",)}


def test_a_cell_of_a_two_way_table_hides_a_square() -> None:
    cells = crowds({("A", "x"): 3, ("A", "y"): 9, ("B", "x"): 8, ("B", "y"): 30})

    assert hidden(cells) == {("A", "x"), ("A", "y"), ("B", "x"), ("B", "y")}


def test_a_hidden_margin_hides_another_margin_and_what_would_tell_it() -> None:
    cells = crowds({("A", "x"): 1, ("A", "y"): 2, ("B", "x"): 9, ("B", "y"): 9, ("C", "x"): 20, ("C", "y"): 20})

    assert {("A", None), ("B", None)} <= hidden(cells)
    assert attack(cells, "persons") == []


def test_no_figures_are_protected_without_complaint() -> None:
    assert shown({}) == frozenset()


@given(one_way())
def test_an_attacker_finds_no_hidden_cell_of_a_one_way_cut(numbers: Numbers) -> None:
    assert attack(crowds(numbers), "persons") == []


@settings(max_examples=200)
@given(two_way())
def test_an_attacker_finds_no_hidden_cell_of_a_two_way_cut(numbers: Numbers) -> None:
    assert attack(crowds(numbers), "persons") == []


@given(st.data())
def test_an_attacker_finds_neither_those_who_have_nor_those_who_lack(data: st.DataObject) -> None:
    having = data.draw(two_way(3))
    lacking = {place: data.draw(SIZES) for place in having}
    cells = crowds(having, lacking)

    assert [attack(cells, part) for part in ("persons", "having", "lacking")] == [[], [], []]


@given(st.one_of(one_way(), two_way()), st.integers(2, 8))
def test_what_is_hidden_in_a_line_is_many_together(numbers: Numbers, k: int) -> None:
    cells = crowds(numbers)
    visible = shown(cells, k)
    for margin in visible:
        for number in (number for number, name in enumerate(margin) if name is None):
            line = [
                place
                for place in cells
                if place[number] is not None and (*place[:number], None, *place[number + 1 :]) == margin
            ]
            unseen = [place for place in line if place not in visible]
            together = frozenset().union(*(cells[place].persons for place in unseen))
            assert len(unseen) != 1
            assert not together or len(together) >= k


@given(st.one_of(one_way(), two_way()), st.data())
def test_the_order_of_cells_changes_nothing(numbers: Numbers, data: st.DataObject) -> None:
    cells = crowds(numbers)
    order = data.draw(st.permutations(sorted(cells, key=str)))

    assert shown({place: cells[place] for place in order}) == shown(cells)


@given(two_way())
def test_where_every_cell_is_large_or_empty_all_is_shown(numbers: Numbers) -> None:
    assume(all(size == 0 or size >= 5 for size in numbers.values()))

    assert hidden(crowds(numbers)) == set()
