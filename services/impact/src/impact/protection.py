"""Which cells of a figure may be shown, so that subtraction tells nothing about fewer than k persons. Pure.

A place names a value of each dimension, or None for all of them together: `("Senior", None)` is a margin of a
two-way table, `(None, None)` its whole.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

K = 5

Place = tuple[str | None, ...]
Node = tuple[str, str | None]
Arc = tuple[Node, Node]


class Counts(NamedTuple):
    """Distinct persons behind a cell; of a rate, also those who have what it asks for, and those who lack it."""

    persons: int
    having: int = 0
    lacking: int = 0

    def are_few(self, k: int) -> bool:
        """Whether fewer than k persons stand alone in any of them; nobody at all is not few."""
        return any(0 < count < k for count in self)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who stands behind a cell: persons, not events, so that somebody in two cells of a line is one person."""

    persons: frozenset[str] = frozenset()
    having: frozenset[str] = frozenset()
    lacking: frozenset[str] = frozenset()

    @property
    def counts(self) -> Counts:
        """How many they are."""
        return Counts(len(self.persons), len(self.having), len(self.lacking))


@dataclass(frozen=True, slots=True)
class Line:
    """Cells that add up to a margin: whoever knows all but one knows that one."""

    margin: Place
    cells: list[Place] = field(default_factory=list)


def shown(cells: Mapping[Place, Crowd], k: int = K) -> frozenset[Place]:
    """The places of one figure whose values may leave together: its whole, one-way cuts and two-way cuts.

    A place that is not given is known to be empty. Tables that share a margin are protected one by one.
    """
    hidden = {place for place, crowd in cells.items() if crowd.counts.are_few(k)}
    lines, tables = _lines(cells), _tables(cells)
    while another := _told_by_a_line(cells, lines, hidden, k) or _told_by_a_table(cells, lines, tables, hidden):
        hidden.add(another)
    return frozenset(cells) - hidden


def _lines(cells: Iterable[Place]) -> list[Line]:
    lines: dict[tuple[Place, int], Line] = {}
    for place in sorted(cells, key=_by_name):
        for number, name in enumerate(place):
            margin = (*place[:number], None, *place[number + 1 :])
            if name is not None:
                lines.setdefault((margin, number), Line(margin)).cells.append(place)
    return list(lines.values())


def _told_by_a_line(
    cells: Mapping[Place, Crowd], lines: Iterable[Line], hidden: AbstractSet[Place], k: int
) -> Place | None:
    """What else to hide where the shown part of a line tells what its hidden part comes to, and that is few."""
    for line in lines:
        if line.margin not in cells or line.margin in hidden:
            continue
        unseen = [place for place in line.cells if place in hidden]
        if unseen and (len(unseen) == 1 or _together(cells[place] for place in unseen).counts.are_few(k)):
            visible = [place for place in line.cells if place not in hidden]
            return _smallest(cells, visible or [line.margin])
    return None


def _together(crowds: Iterable[Crowd]) -> Crowd:
    every = list(crowds)
    return Crowd(
        frozenset().union(*(crowd.persons for crowd in every)),
        frozenset().union(*(crowd.having for crowd in every)),
        frozenset().union(*(crowd.lacking for crowd in every)),
    )


def _smallest(cells: Mapping[Place, Crowd], candidates: Iterable[Place]) -> Place:
    """The cell whose loss is least; an empty one hides nobody else, so it comes last."""

    def loss(place: Place) -> tuple[bool, int, tuple[str, ...]]:
        persons = len(cells[place].persons)
        return persons == 0, persons, _by_name(place)

    return min(candidates, key=loss)


def _by_name(place: Place) -> tuple[str, ...]:
    return tuple("" if name is None else f"={name}" for name in place)


def _tables(cells: Iterable[Place]) -> list[dict[Place, Arc]]:
    """Each two-way table with its margins as a circulation: a cell flows from its row's node to its column's.

    Margins flow the other way, so that what enters a node leaves it: that is what adding up means.
    """
    places = sorted(cells, key=_by_name)
    tables = []
    for row, column in combinations(range(len(places[0]) if places else 0), 2):
        inside = [place for place in places if _named(place) <= {row, column}]
        if any(len(_named(place)) > 1 for place in inside):
            tables.append({place: _arc(place[row], place[column]) for place in inside})
    return tables


def _named(place: Place) -> set[int]:
    return {number for number, name in enumerate(place) if name is not None}


def _arc(row: str | None, column: str | None) -> Arc:
    ends = ("row", row), ("column", column)
    return ends if (row is None) == (column is None) else (ends[1], ends[0])


def _told_by_a_table(
    cells: Mapping[Place, Crowd], lines: Iterable[Line], tables: Iterable[dict[Place, Arc]], hidden: AbstractSet[Place]
) -> Place | None:
    """What else to hide where all lines of a table taken together leave a hidden number but one value."""
    for table in tables:
        unseen = {place: arc for place, arc in table.items() if place in hidden}
        for taken in zip(*(cells[place].counts for place in unseen), strict=True):
            counts = dict(zip(unseen, taken, strict=True))
            for pinned in _pinned(unseen, counts):
                visible = [place for place in _neighbours(lines, pinned) if place in cells and place not in hidden]
                if visible:
                    return _smallest(cells, visible)
    return None


def _pinned(unseen: Mapping[Place, Arc], counts: Mapping[Place, int]) -> Iterator[Place]:
    """The hidden places with somebody in them whose number cannot be another.

    Numbers can change together around a ring of hidden cells: up along an arc, down against it, but never below zero.
    """
    for place, (tail, head) in unseen.items():
        if counts[place]:
            others = [(arc, counts[other]) for other, arc in unseen.items() if other != place]
            if not _leads(others, head, tail) and not _leads(others, tail, head):
                yield place


def _leads(arcs: Iterable[tuple[Arc, int]], start: Node, goal: Node) -> bool:
    steps: dict[Node, set[Node]] = {}
    for (tail, head), count in arcs:
        steps.setdefault(tail, set()).add(head)
        if count:
            steps.setdefault(head, set()).add(tail)
    reached, waiting = {start}, [start]
    while waiting:
        ahead = steps.get(waiting.pop(), set()) - reached
        reached |= ahead
        waiting += ahead
    return goal in reached


def _neighbours(lines: Iterable[Line], place: Place) -> Iterator[Place]:
    """The places that share a line with a place, its margins last."""
    around = [line for line in lines if place == line.margin or place in line.cells]
    for line in around:
        yield from line.cells
    yield from (line.margin for line in around)
