"""The catalogue is complete and consistent: what an entry promises is there, and holds for whatever may happen."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib import import_module
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from pkgutil import iter_modules
from typing import get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impact import entries
from impact.catalogue import INDICATORS, measures_of
from impact.chronicle import Chronicle
from impact.figures import Known, Sum, answer, ask
from impact.fold import Delta, Dimensions, Fact, Measure
from impact.indicator import Indicator
from impact.metrics import name_of
from impact.verify.proofs import PRELUDES, PROVEN, query_of
from impact.versions import entries_by_id

MEASURES = measures_of(INDICATORS)
TESTS = Path(__file__).parent
BY_ID = {indicator.id: indicator for indicator in INDICATORS}
ADDITIVE = [indicator for indicator in INDICATORS if indicator.additive]
# Who counts below the line can be told from these: above it stands some of the same.
SHARES = [
    indicator for indicator in INDICATORS if indicator.unit == "share" and indicator.id in PROVEN - {"F2", "F5", "E2"}
]
MEDIANS = [indicator for indicator in INDICATORS if indicator.reading == "median"]
# A request stands for a candidate whom nobody has named yet; how many the staff are, the headcount itself tells.
UNNAMED = {"job7_requests", "headcount"}

Stories = st.SearchStrategy[list[Fact]]
# An id that two persons share, which no source should give, contributes for each of them.
Contributor = tuple[str, str | None]
Cells = dict[Contributor, set[Dimensions]]
every = pytest.mark.parametrize("indicator", INDICATORS, ids=lambda indicator: indicator.id)


@every
def test_an_entry_says_in_two_languages_what_it_counts(indicator: Indicator) -> None:
    for text in (indicator.title, indicator.definition):
        assert text.danish.strip() == text.danish != text.english == text.english.strip()
        assert text.danish
        assert text.english
    assert min(map(len, indicator.definition)) > max(map(len, indicator.title))
    assert indicator.definition.danish.endswith(".")
    assert indicator.definition.english.endswith(".")


@every
def test_an_entry_says_whose_it_is_and_what_it_maps_to(indicator: Indicator) -> None:
    assert indicator.owner.strip()
    assert indicator.mapping
    assert all(reference.strip() for reference in indicator.mapping)
    assert indicator.definition_version >= 1
    assert indicator.unit.replace("_", "").isalpha()


@every
def test_an_entry_uses_the_words_of_the_catalogue(indicator: Indicator) -> None:
    hints = get_type_hints(Indicator)
    for field in ("level", "kind", "direction", "reading"):
        assert getattr(indicator, field) in get_args(hints[field])
    assert len(set(indicator.dimensions)) == len(indicator.dimensions)
    assert {name for name, _ in indicator.held} <= set(indicator.dimensions)
    assert indicator.months is None or indicator.kind == "flow"
    assert not (indicator.held and indicator.additive), "what is held to one value does not add up"


def test_ids_versions_names_and_metrics_are_unique() -> None:
    assert len({(indicator.id, indicator.definition_version) for indicator in INDICATORS}) == len(INDICATORS)
    assert len({indicator.name for indicator in INDICATORS}) == len(INDICATORS)
    assert len({name_of(indicator) for indicator in INDICATORS}) == len(INDICATORS)
    assert len({(measure.id, measure.version) for measure in MEASURES}) == len(MEASURES)


def test_every_indicator_has_a_proof_of_its_own_and_every_proof_an_indicator() -> None:
    assert set(BY_ID) == PROVEN
    written = {
        file.name.removesuffix(".sql") for file in files("impact.verify").iterdir() if file.name.endswith(".sql")
    }
    preludes = {prelude for needed in PRELUDES.values() for prelude in needed}
    assert written == PROVEN | preludes | {"facts"}
    for id_ in BY_ID:
        assert all(part in query_of(id_) for part in ("dimensions", "numerator", "denominator"))


def functions(pattern: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The tests in files of a name."""
    for file in sorted(TESTS.glob(pattern)):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield node


def compared(pattern: str) -> set[str]:
    """The names that tests use, of tests that compare something."""
    tests = [test for test in functions(pattern) if any(isinstance(node, ast.Assert) for node in ast.walk(test))]
    return {node.id for test in tests for node in ast.walk(test) if isinstance(node, ast.Name)}


def asked_for(pattern: str) -> set[object]:
    """What tests ask a story for, as `story.whole("F6", …)`."""
    calls = [node for test in functions(pattern) for node in ast.walk(test) if isinstance(node, ast.Call)]
    first = [call.args[0] for call in calls if call.args and ast.unparse(call.func) in {"story.whole", "story.cells"}]
    return {argument.value for argument in first if isinstance(argument, ast.Constant)}


@every
def test_an_indicator_has_a_worked_example_of_its_proof(indicator: Indicator) -> None:
    """A story written by hand into a ledger, with its numbers, that asks for the indicator."""
    assert indicator.id in asked_for("test_proofs*.py")


def variables() -> dict[str, Measure]:
    """The measures of the catalogue by the names that they have in its code."""
    modules = [import_module(f"impact.entries.{module.name}") for module in iter_modules(entries.__path__)]
    return {name: value for module in modules for name, value in vars(module).items() if isinstance(value, Measure)}


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.id)
def test_a_rule_has_a_worked_example(measure: Measure) -> None:
    names = {name for name, value in variables().items() if value is measure}

    assert names
    assert names & (compared("test_stories.py") | compared("test_effects*.py"))


def is_told_apart(earlier: Indicator, later: Indicator) -> bool:
    """Whether the later definition comes into force after the earlier: a later version of a measure does, no new id."""
    known = {measure.id: measure.version for measure in earlier.kept}
    return any(measure.version > known.get(measure.id, measure.version) for measure in later.kept)


def test_a_later_definition_never_answers_for_positions_before_it() -> None:
    for entries_of_one in entries_by_id(INDICATORS).values():
        assert all(is_told_apart(earlier, later) for earlier, later in pairwise(entries_of_one))
    first = INDICATORS[0]
    second = replace(first.numerator, version=2)

    assert is_told_apart(first, replace(first, definition_version=2, numerator=second))
    assert not is_told_apart(first, replace(first, definition_version=2, divisor=Decimal(2)))
    assert not is_told_apart(first, replace(first, definition_version=2, numerator=replace(second, id="another")))


def test_the_examples_of_the_domain_are_stories() -> None:
    """E1-E7, E11, E17-E20 as tests; E13 and E14 where disclosure and identifiers are."""
    told = [test.name for pattern in ("test_stories.py", "doors/test_clocks_story.py") for test in functions(pattern)]

    for number in (1, 2, 3, 4, 5, 6, 7, 11, 17, 18, 19, 20):
        assert any(name.startswith(f"test_e{number}_") for name in told), number


def deltas_of(facts: Sequence[Fact]) -> list[Delta]:
    chronicle = Chronicle(MEASURES)
    return [delta for fact in facts for delta in chronicle.tell(fact).deltas]


def standing(deltas: Sequence[Delta], measure: Measure, day: date) -> Cells:
    """Where each contributor of a measure stands at the end of a day."""
    amounts: dict[tuple[Contributor, Dimensions], Decimal] = {}
    for delta in deltas:
        if delta.measure == measure.id and delta.date <= day:
            place = ((delta.contributor, delta.person), delta.dimensions)
            amounts[place] = amounts.get(place, Decimal(0)) + delta.amount
    cells: Cells = {}
    for (contributor, dimensions), amount in amounts.items():
        if amount:
            cells.setdefault(contributor, set()).add(dimensions)
    return cells


def days_of(deltas: Sequence[Delta]) -> list[date]:
    """Every day on which anything moves."""
    return sorted({delta.date for delta in deltas}) or [date(2026, 12, 1)]


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_deltas_carry_the_dimensions_that_the_indicators_promise(stories: Stories, data: st.DataObject) -> None:
    deltas = deltas_of(data.draw(stories))
    carried = {delta.measure: tuple(name for name, _ in delta.dimensions) for delta in deltas}
    assert all(carried[delta.measure] == tuple(name for name, _ in delta.dimensions) for delta in deltas)

    for indicator in INDICATORS:
        for measure in (*indicator.measures, *filter(None, [indicator.evaluated_at])):
            if measure.id in carried:
                assert carried[measure.id] == tuple(sorted(indicator.dimensions))


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_contributor_stands_in_one_cell_at_any_date(stories: Stories, data: st.DataObject) -> None:
    deltas = deltas_of(data.draw(stories))

    for day in days_of(deltas):
        for indicator in ADDITIVE:
            for measure in indicator.measures:
                assert all(len(cells) == 1 for cells in standing(deltas, measure, day).values()), (indicator.id, day)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_what_stands_above_the_line_of_a_share_stands_below_it_in_the_same_cell(
    stories: Stories, data: st.DataObject
) -> None:
    deltas = deltas_of(data.draw(stories))

    for day in days_of(deltas):
        for indicator in SHARES:
            assert indicator.denominator
            above = standing(deltas, indicator.numerator, day)
            below = standing(deltas, indicator.denominator, day)
            assert above.items() <= below.items(), (indicator.id, day)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_who_counts_in_a_median_stands_in_one_cell_and_brings_what_is_brought_in_it(
    stories: Stories, data: st.DataObject
) -> None:
    deltas = deltas_of(data.draw(stories))

    for day in days_of(deltas):
        for indicator in MEDIANS:
            assert indicator.denominator
            assert indicator.evaluated_at is None
            brought, counted = (standing(deltas, measure, day) for measure in indicator.measures)
            assert all(len(cells) == 1 for cells in counted.values()), (indicator.id, day)
            assert brought.items() <= counted.items(), (indicator.id, day)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_the_cells_of_a_cut_add_up_to_the_whole(stories: Stories, data: st.DataObject) -> None:
    """Of a ratio its numerators and its denominators do. What is read on days of its own is summed by the database."""
    deltas = deltas_of(data.draw(stories))
    day = data.draw(st.sampled_from(days_of(deltas)))

    for indicator in ADDITIVE:
        if indicator.evaluated_at is None:
            adds_up(indicator, deltas, day)


def adds_up(indicator: Indicator, deltas: Sequence[Delta], day: date) -> None:
    cuts: list[tuple[str, ...]] = [(name,) for name in indicator.dimensions]
    cuts += [(one, other) for one in indicator.dimensions for other in indicator.dimensions if one != other]
    for by in cuts:
        question = ask(indicator, "621", as_of=day, by=by)
        since = question.first if indicator.kind == "flow" else None
        counted = [delta for delta in deltas if (since or date.min) <= delta.date <= day]
        sums = [
            [Sum(dict(delta.dimensions), delta.amount) for delta in counted if delta.measure == measure.id]
            for measure in indicator.measures
        ]
        figure = answer(question, Known(0, None), sums)
        assert sum(cell.value.over or 0 for cell in figure.cells) == (figure.whole.over or 0)
        assert sum(cell.value.under or 0 for cell in figure.cells) == (figure.whole.under or 0)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_of_figures_about_persons_the_measure_that_is_protected_names_them(
    stories: Stories, data: st.DataObject
) -> None:
    """Nobody can be hidden among k persons whom nobody tells apart."""
    deltas = deltas_of(data.draw(stories))
    personal = {
        (indicator.population or indicator.denominator or indicator.numerator).id
        for indicator in INDICATORS
        if indicator.about_persons
    }
    for delta in deltas:
        if delta.measure in personal - UNNAMED:
            assert delta.person, delta.measure


def test_what_is_not_about_persons_names_none() -> None:
    """No history of theirs is one of a person, a placement or a need."""
    for indicator in INDICATORS:
        histories = {measure.history for measure in indicator.kept}
        personal = histories & {"person", "placement", "need", "job7_request"}
        assert bool(personal) == indicator.about_persons
