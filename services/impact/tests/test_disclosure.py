"""The one policy of every exit: who sees live figures, who sees a release, and what a release hides."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from chassis.tokens import Principal
from impact.catalogue import INDICATORS
from impact.disclosure import Release, Released, disclosed, protected, read_exactly
from impact.figures import Cell, Figure, Known, Status, Value, ask

BY_ID = {indicator.id: indicator for indicator in INDICATORS}
RELEASED_ON, TODAY = date(2026, 6, 1), date(2026, 6, 30)
WHEN = datetime(2026, 6, 1, 6, tzinfo=UTC)
SUPPRESSED = Value(Status.SUPPRESSED)
LIVE = Value(Status.PROVISIONAL, Decimal(25), over=Fraction(25))
THEN = Value(Status.PROVISIONAL, Decimal(24))
RELEASE = Release("621", 3, 90, RELEASED_ON, WHEN, {("F1", 1): THEN, ("J3", 1): SUPPRESSED})
PUBLIC = None


def reader(*scopes: str, municipality: str = "621") -> Principal:
    return Principal("test", municipality, frozenset(scopes))


def live(
    id_: str = "F1",
    *,
    as_of: date = TODAY,
    position: int = 100,
    by: tuple[str, ...] = (),
    first: date | None = None,
) -> Figure:
    cells = (Cell({"department": "Senior"}, LIVE),) if by else ()
    question = ask(BY_ID[id_], "621", as_of=as_of, first=first, by=by)
    return Figure(question, Known(position, WHEN, latest=True), LIVE, 57, cells)


def test_with_the_scope_figures_are_exact_and_live() -> None:
    assert disclosed(live(by=("department",)), reader("figures:exact"), RELEASE) == live(by=("department",))


@pytest.mark.parametrize(
    "other", [PUBLIC, reader(), reader("ledger"), reader("figures:exact", municipality="607")], ids=str
)
def test_all_others_are_answered_out_of_the_release(other: Principal | None) -> None:
    answer = disclosed(live(), other, RELEASE, by_default=True)

    assert isinstance(answer, Released)
    assert (answer.whole, answer.facts, answer.cells) == (THEN, None, ())
    assert (answer.release, answer.known.position, answer.known.at, answer.question.as_of) == (3, 90, WHEN, RELEASED_ON)


def test_the_very_pair_of_the_release_may_be_asked_for() -> None:
    answer = disclosed(live(as_of=RELEASED_ON, position=90), PUBLIC, RELEASE)

    assert isinstance(answer, Released)
    assert answer.whole == THEN


@pytest.mark.parametrize(
    "figure",
    [
        live(as_of=RELEASED_ON, position=91),
        live(as_of=RELEASED_ON, position=89),
        live(as_of=date(2026, 5, 31), position=90),
        live(as_of=TODAY, position=90),
        live(as_of=RELEASED_ON, position=90, by=("department",)),
        live(as_of=RELEASED_ON, position=90, first=date(2026, 5, 31)),
    ],
    ids=["known later", "known earlier", "an earlier day", "today", "a cut", "a period"],
)
def test_every_other_date_position_period_and_cut_is_suppressed(figure: Figure) -> None:
    answer = disclosed(figure, PUBLIC, RELEASE)

    assert not isinstance(answer, Released)
    assert (answer.whole, answer.facts, answer.cells) == (SUPPRESSED, None, ())


def test_a_cut_is_suppressed_whatever_else_was_left_out_of_the_question() -> None:
    assert disclosed(live(by=("department",)), PUBLIC, RELEASE, by_default=True).whole == SUPPRESSED


def test_before_the_first_release_everything_about_persons_is_suppressed() -> None:
    assert disclosed(live(), PUBLIC, None, by_default=True).whole == SUPPRESSED


def test_what_the_release_hides_or_does_not_know_is_suppressed() -> None:
    assert disclosed(live("J3"), PUBLIC, RELEASE, by_default=True).whole == SUPPRESSED
    assert disclosed(live("F4"), PUBLIC, RELEASE, by_default=True).whole == SUPPRESSED


@pytest.mark.parametrize("release", [None, RELEASE])
def test_what_is_not_about_persons_is_live_everywhere(release: Release | None) -> None:
    figure = live("E1", by=("department",))

    assert disclosed(figure, PUBLIC, release) == figure
    assert disclosed(figure, PUBLIC, release, by_default=True) == figure


@pytest.mark.parametrize(
    ("groups", "whole"),
    [
        ([25], LIVE),
        ([4], SUPPRESSED),
        ([38, 2], SUPPRESSED),
        ([20, 3, 40], SUPPRESSED),
        ([5, 5], LIVE),
        ([], SUPPRESSED),
    ],
)
def test_a_whole_that_few_stand_behind_is_not_released(groups: list[int], whole: Value) -> None:
    assert protected(live(), groups, 5) == whole


def test_nobody_at_all_may_be_released() -> None:
    nobody = Value(Status.PROVISIONAL, Decimal(0), over=Fraction(0))
    figure = Figure(live().question, Known(100, WHEN), nobody, None, ())

    assert protected(figure, [], 5) == nobody


def test_exact_reads_are_those_about_persons_by_a_reader_with_the_scope() -> None:
    questions = [live(id_).question for id_ in ("F1", "E1", "J3")]

    assert [question.indicator.id for question in read_exactly(questions, reader("figures:exact"))] == ["F1", "J3"]
    assert read_exactly(questions, reader("ledger")) == []
    assert read_exactly(questions, reader("figures:exact", municipality="607")) == []
    assert read_exactly(questions, PUBLIC) == []
